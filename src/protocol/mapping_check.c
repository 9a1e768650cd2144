/*
 * Whether a schema's mapping is sound, and the schema that data files have.
 */
#include "base/assert.h"
#include "base/map.h"
#include "protocol/column_mapping.h"
#include "protocol/column_name.h"

#include <inttypes.h>

typedef struct mapping_check {
    int64_t max_column_id;
    dw_map seen; /* ids as text */
    dw_arena *scratch;
    dw_error *err;
} mapping_check;

static void
dw__mapping_check_cleanup(mapping_check *check)
{
    dw__map_deinit(&check->seen);
}

/* ---- Soundness ------------------------------------------------------------------------------- */

static dw_status
mapping_invalid(const mapping_check *check, const dw_column_name *name, const char *why)
{
    char text[DW_COLUMN_NAME_SIZE];
    return dw__error_set(check->err, DW_CORRUPT, "MAPPING_INVALID",
                         "the table's column mapping is invalid: column %s %s",
                         dw__column_name_print(name, text), why);
}

static dw_status
check_id(mapping_check *check, const dw_column_name *name, int64_t id)
{
    if (id < 0) {
        return mapping_invalid(check, name, "has no id");
    }
    if (check->max_column_id >= 0 && id > check->max_column_id) {
        return mapping_invalid(check, name, "has an id above delta.columnMapping.maxColumnId");
    }
    dw_str text = dw__arena_printf(check->scratch, "%" PRId64, id);
    bool is_new = false;
    if (dw__str_is_null(text) || dw__map_put(&check->seen, text, &is_new) == NULL) {
        return dw__error_oom(check->err);
    }
    return is_new ? DW_OK : mapping_invalid(check, name, "has the id of another one");
}

static dw_status
check_nested(mapping_check *check, const dw_column_name *name, const dw_field *field)
{
    dw_nested_id *ids;
    size_t count;
    DW_TRY(dw__nested_ids_read(field, check->scratch, &ids, &count, check->err));
    for (size_t i = 0; i < count; i++) {
        dw_column_name nested = {name, ids[i].path};
        DW_TRY(check_id(check, &nested, ids[i].id));
    }
    return DW_OK;
}

static dw_status
check_names(mapping_check *check, const dw_type *type, const dw_column_name *parent)
{
    DW_AUTO(dw_map) names;
    dw__map_init(&names, check->scratch->allocator);
    for (size_t i = 0; i < type->field_count; i++) {
        bool is_new = false;
        if (dw__map_put(&names, type->fields[i].physical_name, &is_new) == NULL) {
            return dw__error_oom(check->err);
        }
        if (!is_new) {
            dw_column_name name = {parent, type->fields[i].name};
            return mapping_invalid(check, &name, "has the physical name of another one");
        }
    }
    return DW_OK;
}

static dw_status
check_type(mapping_check *check, const dw_type *type, const dw_column_name *parent)
{
    DW_TRY(check_names(check, type, parent));
    for (size_t i = 0; i < type->field_count; i++) {
        dw_column_name name = {parent, type->fields[i].name};
        if (parent == NULL && dw__str_is_null(type->fields[i].metadata_json)) {
            continue; /* not a column of the table: a writer's own */
        }
        DW_TRY(check_id(check, &name, type->fields[i].mapping_id));
        DW_TRY(check_nested(check, &name, &type->fields[i]));
        DW_TRY(check_type(check, type->fields[i].type, &name));
    }
    if (type->key != NULL) {
        dw_column_name key = {parent, DW_STR("key")};
        DW_TRY(check_type(check, type->key, &key));
    }
    if (type->element != NULL) {
        dw_column_name element = {parent, type->key == NULL ? DW_STR("element") : DW_STR("value")};
        return check_type(check, type->element, &element);
    }
    return DW_OK;
}

dw_status
dw__mapping_check(const dw_type *schema, int64_t max_column_id, dw_arena *scratch, dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    DW_CLEANUP(dw__mapping_check_cleanup)
    mapping_check check = {.max_column_id = max_column_id, .scratch = scratch, .err = err};
    dw__map_init(&check.seen, scratch->allocator);
    return check_type(&check, schema, NULL);
}

/* ---- The schema of files --------------------------------------------------------------------- */

static bool
differs_in_files(const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (field->type->kind == DW_TYPE_VOID ||
            !dw__str_equal(field->physical_name, field->name) || differs_in_files(field->type)) {
            return true;
        }
    }
    return (type->element != NULL && differs_in_files(type->element)) ||
           (type->key != NULL && differs_in_files(type->key));
}

static const dw_type *dup_for_files(const dw_type *type, dw_arena *arena);

static bool
dup_fields(const dw_type *type, dw_arena *arena, dw_type *copy)
{
    copy->fields = DW_ARENA_ARRAY(arena, dw_field, type->field_count);
    copy->field_count = 0;
    for (size_t i = 0; i < type->field_count && copy->fields != NULL; i++) {
        if (type->fields[i].type->kind == DW_TYPE_VOID) {
            continue;
        }
        dw_field *field = &copy->fields[copy->field_count++];
        *field = type->fields[i];
        field->name = field->physical_name;
        field->type = dup_for_files(type->fields[i].type, arena);
        if (field->type == NULL) {
            return false;
        }
    }
    return copy->fields != NULL;
}

static const dw_type *
dup_for_files(const dw_type *type, dw_arena *arena)
{
    if (!differs_in_files(type)) {
        return type;
    }
    dw_type *copy = DW_ARENA_NEW(arena, dw_type);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *type;
    copy->element = type->element == NULL ? NULL : dup_for_files(type->element, arena);
    copy->key = type->key == NULL ? NULL : dup_for_files(type->key, arena);
    bool has_parts = (copy->element == NULL) == (type->element == NULL) &&
                     (copy->key == NULL) == (type->key == NULL);
    return has_parts && dup_fields(type, arena, copy) ? copy : NULL;
}

const dw_type *
dw__schema_of_files(const dw_type *schema, dw_arena *arena)
{
    return dup_for_files(schema, arena);
}
