/*
 * Comparing definitions: names and types by SchemaUtils.isReadCompatible of the reference, dropped
 * and renamed columns by their physical names. Recursion is at most DW_SCHEMA_DEPTH_MAX deep.
 */
#include "log/changes_schema.h"

/* ---- Columns that were dropped or renamed ---------------------------------------------------- */

/* Every column of `older` is in `newer`, under its name. */
static bool
keeps_columns(const dw_type *older, const dw_type *newer)
{
    if (older->kind != newer->kind) {
        return true; /* types are compared elsewhere */
    }
    if (older->kind == DW_TYPE_ARRAY) {
        return keeps_columns(older->element, newer->element);
    }
    if (older->kind == DW_TYPE_MAP) {
        return keeps_columns(older->key, newer->key) &&
               keeps_columns(older->element, newer->element);
    }
    for (size_t i = 0; older->kind == DW_TYPE_STRUCT && i < older->field_count; i++) {
        const dw_field *before = &older->fields[i];
        const dw_field *after = dw__schema_find_physical(newer, before->physical_name);
        if (after == NULL || !dw__str_equal(before->name, after->name) ||
            !keeps_columns(before->type, after->type)) {
            return false;
        }
    }
    return true;
}

static bool
has_same_partitions(const dw_metadata *a, const dw_metadata *b)
{
    return dw__str_lists_equal(a->partition_columns, a->partition_column_count,
                               b->partition_columns, b->partition_column_count);
}

static bool
fits_mapping(const dw_definition *older, const dw_definition *newer)
{
    dw_mapping_mode before = older->properties.mapping_mode;
    dw_mapping_mode after = newer->properties.mapping_mode;
    bool changes_mode = before != DW_MAPPING_NONE && before != after;
    return !changes_mode && has_same_partitions(&older->metadata, &newer->metadata) &&
           (after == DW_MAPPING_NONE || keeps_columns(older->schema, newer->schema));
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* What the schema of existing rows and the one that they are read with must agree on. */
typedef struct comparison {
    bool forbids_tightening; /* of NOT NULL: else loosening it is forbidden */
} comparison;

static bool
fits_nullability(const comparison *c, bool existing, bool read)
{
    return c->forbids_tightening ? read || !existing : existing || !read;
}

static bool
fits_type(const comparison *c, const dw_type *existing, const dw_type *read)
{
    if (existing->kind == DW_TYPE_VOID) {
        return true;
    }
    if (existing->kind != read->kind) {
        return false;
    }
    switch (existing->kind) {
    case DW_TYPE_DECIMAL:
        return existing->precision == read->precision && existing->scale == read->scale;
    case DW_TYPE_ARRAY:
        return fits_nullability(c, existing->contains_null, read->contains_null) &&
               fits_type(c, existing->element, read->element);
    case DW_TYPE_MAP:
        return fits_nullability(c, existing->contains_null, read->contains_null) &&
               fits_type(c, existing->key, read->key) &&
               fits_type(c, existing->element, read->element);
    case DW_TYPE_STRUCT:
        for (size_t i = 0; i < existing->field_count; i++) {
            const dw_field *before = &existing->fields[i];
            const dw_field *after = dw__schema_find(read, before->name);
            if (after == NULL || !dw__str_equal(before->name, after->name) ||
                !fits_nullability(c, before->nullable, after->nullable) ||
                !fits_type(c, before->type, after->type)) {
                return false;
            }
        }
        return true;
    case DW_TYPE_STRING:
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
        break;
    }
    return true;
}

bool
dw__changes_schema_fits(const dw_definition *older, const dw_definition *newer, bool reads_newer)
{
    comparison c = {.forbids_tightening = reads_newer};
    return fits_mapping(older, newer) && fits_type(&c, older->schema, newer->schema);
}
