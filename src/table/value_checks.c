/*
 * Casting rules: those of ANSI store assignment as Spark has them, but nothing is ever rounded or
 * cut.
 */
#include "table/value_checks.h"

#include "base/assert.h"
#include "engine/database.h"
#include "protocol/action.h"
#include "protocol/feature_use.h"
#include "scan/scan.h"
#include "table/value_fit.h"
#include "table/zeros.h"

dw_status
dw__value_null_error(dw_str column, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "NOT_NULL_VIOLATION",
                         "column \"%.*s\" must not be null", DW_STR_ARG(column));
}

/* ---- NULL where it must not be, or nothing else may be --------------------------------------- */

static bool
has_rules_inside(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_STRUCT:
        for (size_t i = 0; i < type->field_count; i++) {
            if (!type->fields[i].nullable || has_rules_inside(type->fields[i].type)) {
                return true;
            }
        }
        return false;
    case DW_TYPE_ARRAY:
        return !type->contains_null || has_rules_inside(type->element);
    case DW_TYPE_MAP:
        return !type->contains_null || has_rules_inside(type->element) ||
               has_rules_inside(type->key);
    case DW_TYPE_STRING:
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_VARIANT:
        return false;
    case DW_TYPE_VOID:
        return true;
    }
    return false;
}

static void print_violation(dw_strbuf *out, const dw_type *type, dw_str reference, dw_arena *arena,
                            int depth);

/*
 * Appends "any element of `list` is forbidden": NULL where that is not allowed, or something
 * inside.
 */
static void
print_list_violation(dw_strbuf *out, const dw_type *element, bool allows_null, dw_str list,
                     dw_arena *arena, int depth)
{
    dw_str variable = dw__arena_printf(arena, "e%d", depth);
    dw__strbuf_printf(out, "len(list_filter(%.*s, %.*s -> ", DW_STR_ARG(list),
                      DW_STR_ARG(variable));
    if (!allows_null) {
        dw__strbuf_printf(out, "%.*s IS NULL OR ", DW_STR_ARG(variable));
    }
    print_violation(out, element, variable, arena, depth + 1);
    dw__strbuf_append_literal(out, ")) > 0");
}

static void
print_struct_violation(dw_strbuf *out, const dw_type *type, dw_str reference, dw_arena *arena,
                       int depth)
{
    dw__strbuf_printf(out, "(%.*s IS NOT NULL AND (false", DW_STR_ARG(reference));
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (field->nullable && !has_rules_inside(field->type)) {
            continue;
        }
        DW_AUTO(dw_strbuf) path = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
        dw__strbuf_printf(&path, "struct_extract(%.*s, ", DW_STR_ARG(reference));
        dw__sql_put_literal(&path, field->name);
        dw__strbuf_append_char(&path, ')');
        dw_str inner = DW_STR_NULL;
        if (path.failed || !dw__arena_dup(arena, dw__strbuf_str(&path), &inner)) {
            out->failed = true;
            return;
        }
        if (!field->nullable) {
            dw__strbuf_printf(out, " OR %.*s IS NULL", DW_STR_ARG(inner));
        }
        if (has_rules_inside(field->type)) {
            dw__strbuf_append_literal(out, " OR ");
            print_violation(out, field->type, inner, arena, depth + 1);
        }
    }
    dw__strbuf_append_literal(out, "))");
}

/* Appends a condition that is TRUE when `reference` holds a NULL where its type forbids one, or
 * anything else where it is void. The depth of a schema is bounded by DW_SCHEMA_DEPTH_MAX. */
static void
print_violation(dw_strbuf *out, const dw_type *type, dw_str reference, dw_arena *arena, int depth)
{
    dw_assert(depth <= 2 * DW_SCHEMA_DEPTH_MAX);
    if (!has_rules_inside(type)) {
        dw__strbuf_append_literal(out, "false");
        return;
    }
    if (type->kind == DW_TYPE_VOID) {
        dw__strbuf_printf(out, "(%.*s IS NOT NULL)", DW_STR_ARG(reference));
        return;
    }
    if (type->kind == DW_TYPE_STRUCT) {
        print_struct_violation(out, type, reference, arena, depth);
        return;
    }
    if (type->kind == DW_TYPE_ARRAY) {
        print_list_violation(out, type->element, type->contains_null, reference, arena, depth);
        return;
    }
    dw_str values = dw__arena_printf(arena, "map_values(%.*s)", DW_STR_ARG(reference));
    dw_str keys = dw__arena_printf(arena, "map_keys(%.*s)", DW_STR_ARG(reference));
    dw__strbuf_append_char(out, '(');
    print_list_violation(out, type->element, type->contains_null, values, arena, depth);
    dw__strbuf_append_literal(out, " OR ");
    print_list_violation(out, type->key, true, keys, arena, depth);
    dw__strbuf_append_char(out, ')');
}

/* ---- The whole expression -------------------------------------------------------------------- */

/* Appends error('dw!CODE:text' [|| value]) as the field's type. */
static void
print_raise(dw_strbuf *out, const dw_field *field, const char *code, const char *text,
            const char *value)
{
    DW_AUTO(dw_strbuf) message = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_printf(&message, DW_VALUE_CHECK_MARK "%s:column \"%.*s\" %s", code,
                      DW_STR_ARG(field->name), text);
    dw__strbuf_append_literal(out, "error(");
    dw__sql_put_literal(out, dw__strbuf_str(&message));
    if (value != NULL) {
        dw__strbuf_printf(out, " || CAST(%s AS VARCHAR)", value);
    }
    dw__strbuf_append_char(out, ')');
    out->failed = out->failed || message.failed;
}

static void
print_cast(dw_strbuf *out, const dw_field *field, dw_str reference)
{
    dw__strbuf_printf(out, "CAST(%.*s AS ", DW_STR_ARG(reference));
    dw__engine_type_print(out, field->type);
    dw__strbuf_append_char(out, ')');
}

static void
print_exact_cast(dw_strbuf *out, const dw_field *field, dw_str reference, dw_str source_type)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    dw__type_print_sql(&type, field->type);
    dw__strbuf_printf(&text, "is %s and cannot hold without loss: ", dw__strbuf_cstr(&type));
    dw__strbuf_append_literal(out, "CASE WHEN CAST(");
    print_cast(out, field, reference);
    dw__strbuf_printf(out, " AS %.*s) IS DISTINCT FROM %.*s THEN ", DW_STR_ARG(source_type),
                      DW_STR_ARG(reference));
    DW_AUTO(dw_strbuf) value = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append(&value, reference);
    print_raise(out, field, "VALUE_LOSES_DATA", dw__strbuf_cstr(&text), dw__strbuf_cstr(&value));
    dw__strbuf_append_literal(out, " ELSE ");
    print_cast(out, field, reference);
    dw__strbuf_append_literal(out, " END");
    out->failed = out->failed || text.failed || type.failed || value.failed;
}

/* The same words as type_mismatch has, for a mismatch that only a value can show. */
static void
print_null_only(dw_strbuf *out, const dw_field *field, dw_str reference, dw_str source_type)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    dw__type_print_sql(&type, field->type);
    dw__strbuf_printf(&text, "is %s and takes no %.*s: cast it in the query",
                      dw__strbuf_cstr(&type), DW_STR_ARG(source_type));
    dw__strbuf_printf(out, "CASE WHEN %.*s IS NOT NULL THEN ", DW_STR_ARG(reference));
    print_raise(out, field, "TYPE_MISMATCH", dw__strbuf_cstr(&text), NULL);
    dw__strbuf_append_literal(out, " ELSE CAST(NULL AS ");
    dw__engine_type_print(out, field->type);
    dw__strbuf_append_literal(out, ") END");
    out->failed = out->failed || text.failed || type.failed;
}

/*
 * True when the engine has the column's very type already: several of its types are one of Delta's.
 */
static bool
is_engine_type(dw_str source_type, const dw_type *type)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(dw__allocator_libc(), DW_COMMIT_BYTES_MAX);
    dw__engine_type_print(&name, type);
    return !name.failed && dw__str_equal(source_type, dw__strbuf_str(&name));
}

static dw_status
type_mismatch(const dw_field *field, dw_str source_type, dw_error *err)
{
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(dw__allocator_libc(), DW_ERROR_MESSAGE_SIZE);
    dw__type_print_sql(&type, field->type);
    return dw__error_set(err, DW_INVALID_ARGUMENT, "TYPE_MISMATCH",
                         "column \"%.*s\" is %s and takes no %.*s: cast it in the query",
                         DW_STR_ARG(field->name), dw__strbuf_cstr(&type), DW_STR_ARG(source_type));
}

static void
print_fitting(dw_strbuf *out, dw_fit how, const dw_field *field, dw_str reference,
              dw_str source_type)
{
    if (how == DW_FIT_IF_NULL) {
        print_null_only(out, field, reference, source_type);
    } else if (how == DW_FIT_CHECKED) {
        print_exact_cast(out, field, reference, source_type);
    } else if (is_engine_type(source_type, field->type)) {
        dw__strbuf_append(out, reference); /* less for the engine to plan */
    } else {
        print_cast(out, field, reference);
    }
}

static void
print_value(dw_strbuf *out, dw_fit how, const dw_field *field, dw_str reference, dw_str source_type)
{
    if (!dw__zeros_may_be_in(field->type)) {
        print_fitting(out, how, field, reference, source_type);
        return;
    }
    DW_AUTO(dw_strbuf) value = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    print_fitting(&value, how, field, reference, source_type);
    out->failed = out->failed || value.failed;
    dw__zeros_print(out, field->type, dw__strbuf_str(&value));
}

/* Appends "condition THEN error(...)" for NULL where it must not be, or values where none are. */
static void
print_judgement(dw_strbuf *out, const dw_field *field, dw_str reference, dw_str source_type,
                dw_arena *arena)
{
    dw__strbuf_append(out, field->nullable ? DW_STR("false") : reference);
    dw__strbuf_append(out, field->nullable ? DW_STR("") : DW_STR(" IS NULL"));
    if (has_rules_inside(field->type)) {
        /* What the query leaves out is there after the cast. */
        DW_AUTO(dw_strbuf) whole = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
        print_fitting(&whole, DW_FIT_CAST, field, reference, source_type);
        dw__strbuf_append_literal(out, " OR ");
        print_violation(out, field->type, dw__strbuf_str(&whole), arena, 0);
        out->failed = out->failed || whole.failed;
    }
    dw__strbuf_append_literal(out, " THEN ");
    if (dw__schema_has_kind(field->type, DW_TYPE_VOID)) {
        print_raise(out, field, "TYPE_MISMATCH",
                    "takes only NULL where its type is void, and no NULL where that must not be; "
                    "a row of the query has something else there",
                    NULL);
    } else {
        print_raise(out, field, "NOT_NULL_VIOLATION",
                    "must not be null, and a row of the query has null there", NULL);
    }
}

/* How a value of the engine's type fits the field. */
static dw_status
fit_of_source(const dw_field *field, dw_str source_type, dw_arena *arena, dw_fit *out,
              const dw_type **source_out, dw_error *err)
{
    DW_TRY(dw__engine_type_parse(field->name, source_type, arena, source_out, err));
    *out = dw__fit_of(*source_out, field->type);
    if (*out < DW_FIT_CHECKED && dw__fit_has_nanoseconds(source_type)) {
        *out = DW_FIT_CHECKED;
    }
    return DW_OK;
}

dw_status
dw__value_print_checked(const dw_field *field, dw_str reference, dw_str source_type,
                        dw_arena *arena, dw_strbuf *out, dw_error *err)
{
    dw_fit how;
    const dw_type *source;
    DW_TRY(fit_of_source(field, source_type, arena, &how, &source, err));
    /* The engine calls the type of a bare NULL an integer: that one value fits everywhere. */
    if (how == DW_FIT_NEVER && source->kind == DW_TYPE_INTEGER) {
        how = DW_FIT_IF_NULL;
    }
    if (how == DW_FIT_NEVER) {
        return type_mismatch(field, source_type, err);
    }
    bool is_judged = !field->nullable || has_rules_inside(field->type);
    if (is_judged) {
        dw__strbuf_append_literal(out, "CASE WHEN ");
        print_judgement(out, field, reference, source_type, arena);
        dw__strbuf_append_literal(out, " ELSE ");
    }
    print_value(out, how, field, reference, source_type);
    if (is_judged) {
        dw__strbuf_append_literal(out, " END");
    }
    return DW_OK;
}
