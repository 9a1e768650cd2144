/*
 * Going down two types side by side. A cast of a whole struct, list or map tells neither the place
 * nor, where it rounds, the value; so each place with types of its own is asked for by itself:
 * fields are taken out, and elements, keys and values are filtered by the condition of what is
 * below them.
 */
#include "table/value_misfit.h"

#include "base/assert.h"
#include "engine/database.h"
#include "protocol/action.h"
#include "scan/scan.h"
#include "table/value_fit.h"

typedef enum step_kind { STEP_FIELD, STEP_ELEMENT, STEP_KEY, STEP_VALUE } step_kind;

typedef struct step {
    step_kind kind;
    dw_str name; /* of a field, as the query has it */
} step;

/* One column on its way down. */
typedef struct descent {
    step steps[2 * DW_SCHEMA_DEPTH_MAX + 1];
    size_t depth;
    dw_str reference;
    bool has_nanoseconds; /* somewhere: Delta's timestamps end at microseconds */
    dw_arena *arena;
    dw_misfits *out;
    dw_error *err;
} descent;

/* ---- The SQL of one place -------------------------------------------------------------------- */

typedef struct place {
    const descent *way;
    const dw_type *from, *to;
    bool may_lose;
} place;

/* The null string when out of memory. */
static dw_str
keep(const place *p, const dw_strbuf *text)
{
    dw_str kept;
    bool ok = !text->failed && dw__arena_dup(p->way->arena, dw__strbuf_str(text), &kept);
    return ok ? kept : DW_STR_NULL;
}

static void
put_cast(dw_strbuf *out, dw_str value, const dw_type *type)
{
    dw__strbuf_printf(out, "TRY_CAST(%.*s AS ", DW_STR_ARG(value));
    dw__engine_type_print(out, type);
    dw__strbuf_append_char(out, ')');
}

/* TRUE where `value`, which is the place itself, does not fit. */
static void
put_test(const place *p, dw_str value, bool asks_losses, dw_strbuf *out)
{
    DW_AUTO(dw_strbuf) cast = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    put_cast(&cast, value, p->to);
    dw_str text = dw__strbuf_str(&cast);
    dw__strbuf_printf(out, "(%.*s IS NOT NULL AND (%.*s IS NULL", DW_STR_ARG(value),
                      DW_STR_ARG(text));
    if (asks_losses && p->may_lose) {
        dw__strbuf_append_literal(out, " OR ");
        if (p->way->has_nanoseconds) { /* the engine's type has more than the one that is known */
            dw__strbuf_append(out, text);
        } else {
            put_cast(out, text, p->from);
        }
        dw__strbuf_printf(out, " IS DISTINCT FROM %.*s", DW_STR_ARG(value));
    }
    dw__strbuf_append_literal(out, "))");
    out->failed = out->failed || cast.failed;
}

/* What the step leads to: a field's value, or the list of elements, keys or values. The null
 * string when out of memory. */
static dw_str
take_step(const place *p, size_t idx, dw_str value)
{
    const step *s = &p->way->steps[idx];
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->way->arena->allocator, DW_COMMIT_BYTES_MAX);
    switch (s->kind) {
    case STEP_FIELD:
        dw__strbuf_printf(&text, "struct_extract(%.*s, ", DW_STR_ARG(value));
        dw__sql_put_literal(&text, s->name);
        dw__strbuf_append_char(&text, ')');
        break;
    case STEP_ELEMENT:
        return value;
    case STEP_KEY:
        dw__strbuf_printf(&text, "map_keys(%.*s)", DW_STR_ARG(value));
        break;
    case STEP_VALUE:
        dw__strbuf_printf(&text, "map_values(%.*s)", DW_STR_ARG(value));
        break;
    }
    return keep(p, &text);
}

static void put_condition(const place *p, size_t idx, dw_str value, bool asks_losses,
                          dw_strbuf *out);

/* The members of a list that do not fit. */
static void
put_filtered(const place *p, size_t idx, dw_str list, bool asks_losses, dw_strbuf *out)
{
    dw_str variable = dw__arena_printf(p->way->arena, "dw_m%zu", idx);
    dw__strbuf_printf(out, "list_filter(%.*s, lambda %.*s: ", DW_STR_ARG(list),
                      DW_STR_ARG(variable));
    put_condition(p, idx + 1, variable, asks_losses, out);
    dw__strbuf_append_char(out, ')');
    out->failed = out->failed || dw__str_is_null(variable);
}

/* Recursion is as deep as the types. */
static void
put_condition(const place *p, size_t idx, dw_str value, bool asks_losses, dw_strbuf *out)
{
    if (idx == p->way->depth) {
        put_test(p, value, asks_losses, out);
        return;
    }
    dw_str next = take_step(p, idx, value);
    if (p->way->steps[idx].kind == STEP_FIELD) {
        put_condition(p, idx + 1, next, asks_losses, out);
    } else {
        dw__strbuf_append_literal(out, "len(");
        put_filtered(p, idx, next, asks_losses, out);
        dw__strbuf_append_literal(out, ") > 0");
    }
    out->failed = out->failed || dw__str_is_null(next);
}

static dw_str
condition_of(const place *p, bool asks_losses)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->way->arena->allocator, DW_COMMIT_BYTES_MAX);
    put_condition(p, 0, p->way->reference, asks_losses, &text);
    return keep(p, &text);
}

static dw_str
first_value(const place *p)
{
    dw_str value = p->way->reference;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->way->arena->allocator, DW_COMMIT_BYTES_MAX);
    for (size_t i = 0; i < p->way->depth && !dw__str_is_null(value); i++) {
        value = take_step(p, i, value);
        if (p->way->steps[i].kind != STEP_FIELD) {
            dw__strbuf_clear(&text);
            put_filtered(p, i, value, true, &text);
            dw__strbuf_append_literal(&text, "[1]");
            value = dw__str_is_null(value) ? value : keep(p, &text);
        }
    }
    return value;
}

/* ---- Which places ---------------------------------------------------------------------------- */

/* Casts that neither fail nor lose anything. */
static bool
always_fits(const dw_type *from, const dw_type *to)
{
    bool is_number = from->kind == DW_TYPE_LONG || from->kind == DW_TYPE_INTEGER ||
                     from->kind == DW_TYPE_SHORT || from->kind == DW_TYPE_BYTE ||
                     from->kind == DW_TYPE_FLOAT;
    return from->kind == DW_TYPE_VOID || to->kind == DW_TYPE_VOID || to->kind == DW_TYPE_VARIANT ||
           to->kind == DW_TYPE_STRING || (is_number && to->kind == DW_TYPE_DOUBLE);
}

static dw_status
add_place(const descent *way, dw_str path, const dw_type *from, const dw_type *to)
{
    dw_fit fit = dw__fit_of(from, to);
    bool is_finer = way->has_nanoseconds &&
                    (from->kind == DW_TYPE_TIMESTAMP || from->kind == DW_TYPE_TIMESTAMP_NTZ);
    bool may_fail =
        (fit == DW_FIT_CAST || fit == DW_FIT_CHECKED) && !dw__type_equal(from, to, true);
    if (always_fits(from, to) || (!may_fail && !is_finer) || way->out->count == DW_MISFITS_MAX) {
        return DW_OK;
    }
    place p = {way, from, to, fit == DW_FIT_CHECKED || is_finer};
    dw_misfit *added = DW_VEC_PUSH(way->arena->allocator, way->out);
    if (added == NULL) {
        return dw__error_oom(way->err);
    }
    *added = (dw_misfit){.path = path,
                         .type = to,
                         .is_text = from->kind == DW_TYPE_STRING,
                         .condition = condition_of(&p, true),
                         .refusal = condition_of(&p, false),
                         .value = first_value(&p)};
    bool ok = !dw__str_is_null(added->condition) && !dw__str_is_null(added->refusal) &&
              !dw__str_is_null(added->value);
    return ok ? DW_OK : dw__error_oom(way->err);
}

static dw_status descend(descent *way, dw_str path, const dw_type *from, const dw_type *to);

static dw_status
enter(descent *way, step taken, dw_str path, const dw_type *from, const dw_type *to)
{
    if (dw__str_is_null(path)) {
        return dw__error_oom(way->err);
    }
    dw_assert(way->depth < sizeof(way->steps) / sizeof(way->steps[0]));
    way->steps[way->depth++] = taken;
    dw_status status = descend(way, path, from, to);
    way->depth--;
    return status;
}

static dw_status
enter_named(descent *way, step_kind kind, const char *name, dw_str path, const dw_type *from,
            const dw_type *to)
{
    dw_str below = dw__arena_printf(way->arena, "%.*s.%s", DW_STR_ARG(path), name);
    return enter(way, (step){.kind = kind}, below, from, to);
}

static dw_status
enter_fields(descent *way, dw_str path, const dw_type *from, const dw_type *to)
{
    for (size_t i = 0; i < from->field_count; i++) {
        const dw_field *field = dw__schema_find(to, from->fields[i].name);
        if (field != NULL) {
            dw_str below = dw__arena_printf(way->arena, "%.*s.%.*s", DW_STR_ARG(path),
                                            DW_STR_ARG(field->name));
            step taken = {STEP_FIELD, from->fields[i].name};
            DW_TRY(enter(way, taken, below, from->fields[i].type, field->type));
        }
    }
    return DW_OK;
}

/* Recursion is as deep as the types. */
static dw_status
descend(descent *way, dw_str path, const dw_type *from, const dw_type *to)
{
    if (from->kind != to->kind || !dw__type_is_nested(to)) {
        return add_place(way, path, from, to);
    }
    if (to->kind == DW_TYPE_STRUCT) {
        return enter_fields(way, path, from, to);
    }
    if (to->kind == DW_TYPE_ARRAY) {
        return enter_named(way, STEP_ELEMENT, "element", path, from->element, to->element);
    }
    DW_TRY(enter_named(way, STEP_KEY, "key", path, from->key, to->key));
    return enter_named(way, STEP_VALUE, "value", path, from->element, to->element);
}

dw_status
dw__misfits_list(const dw_field *field, dw_str reference, dw_str source_type, dw_arena *arena,
                 dw_misfits *out, dw_error *err)
{
    const dw_type *source;
    DW_TRY(dw__engine_type_parse(field->name, source_type, arena, &source, err));
    descent way = {.reference = reference,
                   .has_nanoseconds = dw__fit_has_nanoseconds(source_type),
                   .arena = arena,
                   .out = out,
                   .err = err};
    return descend(&way, field->name, source, field->type);
}
