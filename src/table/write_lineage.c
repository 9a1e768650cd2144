/*
 * From the columns of a query to what is recorded of the table's.
 */
#include "table/write_lineage.h"

/* The columns of files go by their names. */
static bool
take_file_column(const dw_lineage *lineage, dw_str name, dw_lineage_column *column)
{
    dw_lineage_ref *ref = DW_ARENA_NEW(lineage->arena, dw_lineage_ref);
    if (ref == NULL || !dw__arena_dup(lineage->arena, name, &ref->column)) {
        return false;
    }
    column->how = DW_LINEAGE_SAME;
    column->from = ref;
    column->from_count = 1;
    return true;
}

/* A generated column is made of what the columns are made of that its expression names. */
static bool
take_generated(const dw_lineage *lineage, const dw_expression *generation,
               const dw_lineage_column *columns, dw_lineage_column *column)
{
    size_t count = 0;
    for (size_t i = 0; i < generation->use_count; i++) {
        count += generation->uses[i] ? columns[i].from_count : 0;
    }
    dw_lineage_ref *refs = DW_ARENA_ARRAY(lineage->arena, dw_lineage_ref, count + 1);
    if (refs == NULL) {
        return false;
    }
    column->from = refs;
    for (size_t i = 0; i < generation->use_count; i++) {
        bool is_used = generation->uses[i];
        column->how = is_used && columns[i].how == DW_LINEAGE_ANY ? DW_LINEAGE_ANY : column->how;
        for (size_t k = 0; is_used && k < columns[i].from_count; k++) {
            refs[column->from_count++] = columns[i].from[k];
        }
    }
    return true;
}

static bool
is_generated(const dw_projection_request *request, size_t idx)
{
    return request->rules != NULL && request->rules->columns[idx].generation != NULL &&
           request->rules->columns[idx].is_left_out;
}

dw_status
dw__write_note_lineage(dw_lineage *lineage, const dw_projection_request *request,
                       const size_t *source_of, dw_error *err)
{
    const dw_type *schema = request->schema;
    if (lineage == NULL) {
        return DW_OK;
    }
    dw_lineage_column *columns =
        DW_ARENA_ARRAY(lineage->arena, dw_lineage_column, schema->field_count + 1);
    bool ok = columns != NULL;
    for (size_t i = 0; ok && i < schema->field_count; i++) {
        dw_str name = schema->fields[i].name;
        columns[i] = (dw_lineage_column){.name = name, .how = DW_LINEAGE_DERIVED};
        if (source_of[i] != SIZE_MAX && lineage->takes_by_name) {
            ok = take_file_column(lineage, request->source[source_of[i]].name, &columns[i]);
        } else if (source_of[i] != SIZE_MAX) {
            dw__lineage_column_of(lineage, name, source_of[i], &columns[i]);
        }
    }
    for (size_t i = 0; ok && i < schema->field_count; i++) {
        if (is_generated(request, i)) {
            ok = take_generated(lineage, request->rules->columns[i].generation, columns,
                                &columns[i]);
        }
    }
    return ok && dw__lineage_set_columns(lineage, columns, schema->field_count)
               ? DW_OK
               : dw__error_oom(err);
}
