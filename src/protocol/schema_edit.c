/*
 * Finding a place in a schema, copying what leads to it, and changing it. [EDIT-1] [EDIT-2]
 */
#include "protocol/schema_edit.h"

#include "base/assert.h"
#include "protocol/column_name.h"

#define NAMES_SHOWN_MAX ((size_t) 12)
#define TEXT_BYTES_MAX ((size_t) 1 << 20)

typedef struct search {
    const dw_str *parts;
    size_t count;
    dw_arena *arena;
    dw_error *err;
} search;

/* ---- What is wrong --------------------------------------------------------------------------- */

static dw_status
refuse(const search *s, size_t at, const char *code, const char *why, dw_str detail)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(s->arena->allocator, TEXT_BYTES_MAX);
    dw__column_parts_print(&path, s->parts, at + 1);
    DW_TRY(dw__strbuf_ok(&path, "a column's name", s->err));
    return dw__error_set(s->err, DW_INVALID_ARGUMENT, code, "there is no column %s: %s%.*s",
                         dw__strbuf_cstr(&path), why, DW_STR_ARG(detail));
}

static dw_status
refuse_unknown(const search *s, size_t at, const dw_type *type)
{
    DW_AUTO(dw_strbuf) names = dw__strbuf_make(s->arena->allocator, TEXT_BYTES_MAX);
    for (size_t i = 0; i < type->field_count && i < NAMES_SHOWN_MAX; i++) {
        dw__strbuf_append(&names, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__column_parts_print(&names, &type->fields[i].name, 1);
    }
    dw__strbuf_append(&names, type->field_count > NAMES_SHOWN_MAX ? DW_STR(", ...") : DW_STR(""));
    DW_TRY(dw__strbuf_ok(&names, "names of columns", s->err));
    return refuse(s, at, "COLUMN_NOT_FOUND",
                  at == 0 ? "the table has " : "the struct that it would be in has ",
                  dw__strbuf_str(&names));
}

static dw_status
refuse_no_struct(const search *s, size_t at, const dw_type *type)
{
    if (type->kind == DW_TYPE_ARRAY) {
        return refuse(s, at, "INCORRECT_ARRAY_ACCESS",
                      "it would be in an array, whose elements are named \"element\"", DW_STR(""));
    }
    if (type->kind == DW_TYPE_MAP) {
        return refuse(s, at, "FOUND_MAP_TYPE_COLUMN",
                      "it would be in a map, whose parts are named \"key\" and \"value\"",
                      DW_STR(""));
    }
    char text[DW_TYPE_TEXT_SIZE];
    return refuse(s, at, "COLUMN_PATH_NOT_NESTED", "what it would be in is no struct but ",
                  dw__str_from(dw__type_text(type, text)));
}

/* ---- Copies ---------------------------------------------------------------------------------- */

/* A copy of the type itself, with room for one more field. */
static dw_type *
copy_type(const dw_type *type, dw_arena *arena)
{
    dw_type *copy = DW_ARENA_NEW(arena, dw_type);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *type;
    if (type->kind == DW_TYPE_STRUCT) {
        copy->fields = DW_ARENA_ARRAY(arena, dw_field, type->field_count + 1);
        if (copy->fields == NULL) {
            return NULL;
        }
        if (type->field_count > 0) {
            memcpy(copy->fields, type->fields, type->field_count * sizeof(*type->fields));
        }
    }
    return copy;
}

void
dw__schema_spot_set_type(dw_schema_spot *spot, const dw_type *type)
{
    dw_assert(spot->parent != NULL);
    if (spot->field != NULL) {
        spot->field->type = type;
    } else if (spot->parent->kind == DW_TYPE_MAP &&
               dw__str_equal(spot->names[spot->name_count - 1], DW_STR("key"))) {
        spot->parent->key = type;
    } else {
        spot->parent->element = type;
    }
}

/* ---- The way down ---------------------------------------------------------------------------- */

static dw_status
step_into_struct(const search *s, size_t at, dw_schema_spot *spot, const dw_type **next)
{
    dw_type *type = spot->type;
    size_t idx = dw__schema_find_idx(type, s->parts[at]);
    if (idx == SIZE_MAX) {
        return refuse_unknown(s, at, type);
    }
    spot->has_nullable_parent |= spot->field != NULL && spot->field->nullable;
    spot->idx = idx;
    spot->field = &type->fields[idx];
    spot->holder = spot->field;
    spot->below_holder = DW_STR("");
    spot->nullable = spot->field->nullable;
    spot->names[spot->name_count++] = spot->field->name;
    *next = spot->field->type;
    return DW_OK;
}

static dw_status
step_into_collection(const search *s, size_t at, dw_schema_spot *spot, const dw_type **next)
{
    const dw_type *type = spot->type;
    dw_str part = s->parts[at];
    dw_str name;
    bool is_map = type->kind == DW_TYPE_MAP;
    if (is_map && dw__str_equal_nocase(part, DW_STR("key"))) {
        name = DW_STR("key");
        *next = type->key;
    } else if (dw__str_equal_nocase(part, is_map ? DW_STR("value") : DW_STR("element"))) {
        name = is_map ? DW_STR("value") : DW_STR("element");
        *next = type->element;
    } else {
        return refuse_no_struct(s, at, type);
    }
    spot->idx = SIZE_MAX;
    spot->field = NULL;
    spot->nullable = *next == type->element && type->contains_null;
    spot->is_in_collection = true;
    spot->names[spot->name_count++] = name;
    const char *dot = spot->below_holder.len == 0 ? "" : ".";
    spot->below_holder = dw__arena_printf(s->arena, "%.*s%s%.*s", DW_STR_ARG(spot->below_holder),
                                          dot, DW_STR_ARG(name));
    return dw__str_is_null(spot->below_holder) ? dw__error_oom(s->err) : DW_OK;
}

static dw_status
step(const search *s, size_t at, dw_schema_spot *spot)
{
    const dw_type *next = NULL;
    dw_type_kind kind = spot->type->kind;
    if (!dw__type_is_nested(spot->type)) {
        return refuse_no_struct(s, at, spot->type);
    }
    dw_type *parent = spot->type;
    DW_TRY(kind == DW_TYPE_STRUCT ? step_into_struct(s, at, spot, &next)
                                  : step_into_collection(s, at, spot, &next));
    spot->parent = parent;
    spot->type = copy_type(next, s->arena);
    if (spot->type == NULL) {
        return dw__error_oom(s->err);
    }
    dw__schema_spot_set_type(spot, spot->type);
    return DW_OK;
}

dw_status
dw__schema_spot_find(const dw_type *schema, const dw_str *parts, size_t count, dw_arena *arena,
                     const dw_type **copy_out, dw_schema_spot *out, dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    search s = {parts, count, arena, err};
    *out = (dw_schema_spot){.type = copy_type(schema, arena),
                            .idx = SIZE_MAX,
                            .below_holder = DW_STR(""),
                            .names = DW_ARENA_ARRAY(arena, dw_str, count + 1)};
    if (out->type == NULL || out->names == NULL) {
        return dw__error_oom(err);
    }
    *copy_out = out->type;
    for (size_t i = 0; i < count; i++) {
        DW_TRY(step(&s, i, out));
    }
    return DW_OK;
}

/* ---- Changes --------------------------------------------------------------------------------- */

void
dw__struct_insert(dw_type *type, size_t idx, const dw_field *field)
{
    dw_assert(type->kind == DW_TYPE_STRUCT);
    dw_assert(idx <= type->field_count);
    memmove(&type->fields[idx + 1], &type->fields[idx],
            (type->field_count - idx) * sizeof(*type->fields));
    type->fields[idx] = *field;
    type->field_count++;
}

void
dw__struct_remove(dw_type *type, size_t idx)
{
    dw_assert(type->kind == DW_TYPE_STRUCT);
    dw_assert(idx < type->field_count);
    memmove(&type->fields[idx], &type->fields[idx + 1],
            (type->field_count - idx - 1) * sizeof(*type->fields));
    type->field_count--;
}

void
dw__struct_move(dw_type *type, size_t from, size_t to)
{
    dw_field moved = type->fields[from];
    dw__struct_remove(type, from);
    dw__struct_insert(type, to, &moved);
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* Spark leaves a part bare that holds letters, digits and underscores, and is no number. */
static bool
needs_quotes(dw_str part)
{
    bool has_letter = false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        has_letter |= is_letter;
        if (!is_letter && !(c >= '0' && c <= '9')) {
            return true;
        }
    }
    return !has_letter;
}

void
dw__column_parts_print(dw_strbuf *out, const dw_str *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR("."));
        bool is_quoted = needs_quotes(parts[i]);
        dw__strbuf_append(out, is_quoted ? DW_STR("`") : DW_STR(""));
        for (size_t k = 0; k < parts[i].len; k++) {
            dw__strbuf_append_char(out, parts[i].ptr[k]);
            if (is_quoted && parts[i].ptr[k] == '`') {
                dw__strbuf_append_char(out, '`');
            }
        }
        dw__strbuf_append(out, is_quoted ? DW_STR("`") : DW_STR(""));
    }
}

bool
dw__column_parts_take(dw_str *list, dw_arena *arena, dw_str *parts, size_t *count_out,
                      bool *out_of_memory)
{
    *count_out = 0;
    if (list->len == 0) {
        return false;
    }
    char *text = dw__arena_alloc_bytes(arena, list->len);
    if (text == NULL) {
        *out_of_memory = true;
        return false;
    }
    bool quoted = false;
    size_t start = 0;
    size_t len = 0;
    size_t at = 0;
    for (; at <= list->len; at++) {
        char c = at < list->len ? list->ptr[at] : ',';
        if (c == '`') {
            bool doubled = quoted && at + 1 < list->len && list->ptr[at + 1] == '`';
            quoted = doubled ? quoted : !quoted;
            if (doubled) {
                text[len++] = '`';
                at++;
            }
        } else if (at < list->len && (quoted || (c != '.' && c != ','))) {
            text[len++] = c;
        } else {
            if (*count_out == DW_COLUMN_PARTS_MAX) {
                return false;
            }
            parts[(*count_out)++] = dw__str_trim(dw__str_make(text + start, len - start));
            start = len;
            if (c == ',') {
                break;
            }
        }
    }
    *list = dw__str_slice(*list, at + 1, list->len);
    return true;
}
