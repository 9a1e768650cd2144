/*
 * What fields are to be called in data files. With column mapping by id files may call them
 * anything: those of a table that was another format's do. The engine finds columns by id, fields
 * in columns only by name, and all columns by name where it reads some that have no id, as those of
 * row ids and kinds of changes. Found by name, a field with another name would be read as NULL, and
 * written back as that. PROTOCOL.md "Reader Requirements for Column Mapping".
 */
#include "scan/plain_files.h"

#include <stdlib.h>

/* Recursion here and below is at most DW_SCHEMA_DEPTH_MAX deep. */
static size_t
count_fields(const dw_type *type)
{
    size_t count = type->field_count;
    for (size_t i = 0; i < type->field_count; i++) {
        count += count_fields(type->fields[i].type);
    }
    return count + (type->key == NULL ? 0 : count_fields(type->key)) +
           (type->element == NULL ? 0 : count_fields(type->element));
}

static void
add_names(const dw_type *type, bool are_columns, dw_pq_field_name *items, size_t *count)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (field->mapping_id >= 0) {
            items[(*count)++] =
                (dw_pq_field_name){field->mapping_id, field->physical_name, are_columns};
        }
        add_names(field->type, false, items, count);
    }
    if (type->key != NULL) {
        add_names(type->key, false, items, count);
    }
    if (type->element != NULL) {
        add_names(type->element, false, items, count);
    }
}

static int
compare_ids(const void *a, const void *b)
{
    const dw_pq_field_name *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id ? 1 : 0;
}

dw_status
dw__scan_field_names(const dw_type *schema, dw_mapping_mode mode, bool by_name, dw_arena *arena,
                     const dw_pq_names **out, dw_error *err)
{
    *out = NULL;
    size_t count = count_fields(schema);
    if (mode != DW_MAPPING_ID) {
        return DW_OK;
    }
    dw_pq_names *names = DW_ARENA_NEW(arena, dw_pq_names);
    dw_pq_field_name *items = DW_ARENA_ARRAY(arena, dw_pq_field_name, count);
    if (names == NULL || items == NULL) {
        return dw__error_oom(err);
    }
    *names = (dw_pq_names){.items = items, .has_columns = by_name};
    add_names(schema, true, items, &names->count);
    qsort(items, names->count, sizeof(*items), compare_ids);
    *out = names;
    return DW_OK;
}
