/*
 * See schema_diff.h.
 */
#include "protocol/schema_diff.h"

#include "base/assert.h"
#include "base/vec.h"
#include "protocol/schema_edit.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)

typedef struct change_list {
    dw_schema_change *items;
    size_t count;
    size_t capacity;
} change_list;

typedef struct diff {
    change_list list;
    dw_str parts[DW_COLUMN_PARTS_MAX + 1];
    size_t part_count;
    size_t top_idx;
    dw_arena *arena;
    dw_error *err;
} diff;

static void
dw__diff_cleanup(diff *d)
{
    DW_VEC_DEINIT(d->arena->allocator, &d->list);
}

static dw_status diff_type(diff *d, const dw_type *before, const dw_type *after);

const char *
dw__schema_change_name(dw_schema_change_kind kind)
{
    switch (kind) {
    case DW_SCHEMA_ADDED:
        return "column added";
    case DW_SCHEMA_DROPPED:
        return "column dropped";
    case DW_SCHEMA_RENAMED:
        return "column renamed";
    case DW_SCHEMA_TYPE:
        return "type";
    case DW_SCHEMA_NULLABLE:
        return "nullability";
    case DW_SCHEMA_COMMENT:
        return "comment";
    case DW_SCHEMA_DEFAULT:
        return "default";
    case DW_SCHEMA_GENERATION:
        return "generation";
    case DW_SCHEMA_ORDER:
        return "order of columns";
    }
    dw_unreachable("every kind is listed");
}

/* ---- One change ------------------------------------------------------------------------------ */

static dw_status
add(diff *d, dw_schema_change_kind kind, dw_str before, dw_str after)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(d->arena->allocator, TEXT_BYTES_MAX);
    dw__column_parts_print(&name, d->parts, d->part_count);
    DW_TRY(dw__strbuf_ok(&name, "a column's name", d->err));
    dw_schema_change *slot = DW_VEC_PUSH(d->arena->allocator, &d->list);
    if (slot == NULL || !dw__arena_dup(d->arena, dw__strbuf_str(&name), &slot->column) ||
        !dw__arena_dup(d->arena, before, &slot->before) ||
        !dw__arena_dup(d->arena, after, &slot->after)) {
        return dw__error_oom(d->err);
    }
    slot->kind = kind;
    slot->top_idx = d->top_idx;
    return DW_OK;
}

static dw_status
keep(const diff *d, const dw_strbuf *text, dw_str *out)
{
    DW_TRY(dw__strbuf_ok(text, "a column", d->err));
    return dw__arena_dup(d->arena, dw__strbuf_str(text), out) ? DW_OK : dw__error_oom(d->err);
}

static dw_status
type_text(const diff *d, const dw_type *type, bool is_not_null, dw_str *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(d->arena->allocator, TEXT_BYTES_MAX);
    dw__type_print_sql(&text, type);
    dw__strbuf_append(&text, is_not_null ? DW_STR(" not null") : DW_STR(""));
    return keep(d, &text, out);
}

/* What a member of the metadata was and is. */
static dw_status
diff_member(diff *d, dw_schema_change_kind kind, dw_str key, const dw_field *before,
            const dw_field *after)
{
    dw_str old, new;
    DW_TRY(dw__field_metadata_get(before, key, d->arena, &old, d->err));
    DW_TRY(dw__field_metadata_get(after, key, d->arena, &new, d->err));
    bool same = dw__str_is_null(old) == dw__str_is_null(new) && dw__str_equal(old, new);
    return same ? DW_OK : add(d, kind, old, new);
}

static dw_status
diff_nullable(diff *d, bool before, bool after)
{
    static const dw_str words[] = {{"not null", 8}, {"null", 4}};
    return before == after
               ? DW_OK
               : add(d, DW_SCHEMA_NULLABLE, words[before ? 1 : 0], words[after ? 1 : 0]);
}

static dw_status
diff_field(diff *d, const dw_field *before, const dw_field *after)
{
    if (!dw__str_equal(before->name, after->name)) {
        DW_TRY(add(d, DW_SCHEMA_RENAMED, before->name, after->name));
    }
    DW_TRY(diff_nullable(d, before->nullable, after->nullable));
    if (!dw__str_equal(before->metadata_json, after->metadata_json)) {
        DW_TRY(diff_member(d, DW_SCHEMA_COMMENT, DW_STR("comment"), before, after));
        DW_TRY(diff_member(d, DW_SCHEMA_DEFAULT, DW_STR("CURRENT_DEFAULT"), before, after));
        DW_TRY(diff_member(d, DW_SCHEMA_GENERATION, DW_STR("delta.generationExpression"), before,
                           after));
    }
    return diff_type(d, before->type, after->type);
}

/* ---- Structs --------------------------------------------------------------------------------- */

/* The same column in the other struct; NULL: there is none. */
static const dw_field *
find_same(const dw_type *type, const dw_field *field)
{
    const dw_field *by_name = NULL;
    for (size_t i = 0; i < type->field_count; i++) {
        if (dw__str_equal(type->fields[i].physical_name, field->physical_name)) {
            return &type->fields[i];
        }
        if (dw__str_equal_nocase(type->fields[i].name, field->name)) {
            by_name = &type->fields[i];
        }
    }
    return by_name;
}

static dw_status
names_text(const diff *d, const dw_type *type, dw_str *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(d->arena->allocator, TEXT_BYTES_MAX);
    for (size_t i = 0; i < type->field_count; i++) {
        dw__strbuf_append(&text, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__column_parts_print(&text, &type->fields[i].name, 1);
    }
    return keep(d, &text, out);
}

/* Whether the columns that both have stand in the same order. */
static bool
keeps_order(const dw_type *before, const dw_type *after)
{
    size_t next = 0;
    for (size_t i = 0; i < after->field_count; i++) {
        const dw_field *same = find_same(before, &after->fields[i]);
        if (same == NULL) {
            continue;
        }
        size_t idx = (size_t) (same - before->fields);
        if (idx < next) {
            return false;
        }
        next = idx + 1;
    }
    return true;
}

static dw_status
diff_order(diff *d, const dw_type *before, const dw_type *after)
{
    dw_str old, new;
    if (keeps_order(before, after)) {
        return DW_OK;
    }
    DW_TRY(names_text(d, before, &old));
    DW_TRY(names_text(d, after, &new));
    return add(d, DW_SCHEMA_ORDER, old, new);
}

static dw_status
diff_new_field(diff *d, const dw_field *before, const dw_field *after)
{
    dw_str text;
    if (before != NULL) {
        return diff_field(d, before, after);
    }
    DW_TRY(type_text(d, after->type, !after->nullable, &text));
    return add(d, DW_SCHEMA_ADDED, DW_STR_NULL, text);
}

static dw_status
diff_dropped(diff *d, const dw_type *before, const dw_type *after)
{
    bool is_top = d->part_count == 0;
    for (size_t i = 0; i < before->field_count; i++) {
        const dw_field *field = &before->fields[i];
        if (find_same(after, field) == NULL) {
            dw_str text;
            d->top_idx = is_top ? SIZE_MAX : d->top_idx;
            d->parts[d->part_count++] = field->name;
            DW_TRY(type_text(d, field->type, !field->nullable, &text));
            DW_TRY(add(d, DW_SCHEMA_DROPPED, text, DW_STR_NULL));
            d->part_count--;
        }
    }
    return DW_OK;
}

static dw_status
diff_struct(diff *d, const dw_type *before, const dw_type *after)
{
    bool is_top = d->part_count == 0;
    DW_TRY(diff_dropped(d, before, after));
    for (size_t i = 0; i < after->field_count; i++) {
        d->top_idx = is_top ? i : d->top_idx;
        d->parts[d->part_count++] = after->fields[i].name;
        DW_TRY(diff_new_field(d, find_same(before, &after->fields[i]), &after->fields[i]));
        d->part_count--;
    }
    d->top_idx = is_top ? SIZE_MAX : d->top_idx;
    return diff_order(d, before, after);
}

/* ---- Types ----------------------------------------------------------------------------------- */

static dw_status
diff_part(diff *d, const char *part, const dw_type *before, const dw_type *after)
{
    d->parts[d->part_count++] = dw__str_from(part);
    DW_TRY(diff_type(d, before, after));
    d->part_count--;
    return DW_OK;
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
diff_type(diff *d, const dw_type *before, const dw_type *after)
{
    if (before->kind == after->kind && after->kind == DW_TYPE_STRUCT) {
        return diff_struct(d, before, after);
    }
    if (before->kind == after->kind && dw__type_is_nested(after) &&
        d->part_count < DW_COLUMN_PARTS_MAX) {
        DW_TRY(diff_nullable(d, before->contains_null, after->contains_null));
        if (after->kind == DW_TYPE_MAP) {
            DW_TRY(diff_part(d, "key", before->key, after->key));
        }
        return diff_part(d, after->kind == DW_TYPE_MAP ? "value" : "element", before->element,
                         after->element);
    }
    if (dw__type_equal(before, after, true)) {
        return DW_OK;
    }
    dw_str old, new;
    DW_TRY(type_text(d, before, false, &old));
    DW_TRY(type_text(d, after, false, &new));
    DW_TRY(add(d, DW_SCHEMA_TYPE, old, new));
    d->list.items[d->list.count - 1].old_type = before;
    d->list.items[d->list.count - 1].new_type = after;
    return DW_OK;
}

dw_status
dw__schema_diff(const dw_type *before, const dw_type *after, dw_arena *arena,
                dw_schema_change **out, size_t *count_out, dw_error *err)
{
    DW_AUTO(diff) d = {.top_idx = SIZE_MAX, .arena = arena, .err = err};
    DW_TRY(diff_struct(&d, before, after));
    *out = DW_ARENA_ARRAY(arena, dw_schema_change, d.list.count + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    if (d.list.count > 0) {
        memcpy(*out, d.list.items, d.list.count * sizeof(*d.list.items));
    }
    *count_out = d.list.count;
    return DW_OK;
}
