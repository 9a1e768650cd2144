/*
 * Leaving out what a file lacks, and putting NULLs in its place.
 */
#include "engine/parquet_gaps.h"

#include "base/assert.h"
#include "engine/parquet_shape.h"

/* The most rows that a batch can have, and the widest value. */
#define BATCH_ROWS_MAX ((size_t) 2048)
#define WIDEST_VALUE sizeof(dw_str)

/* A column of NULLs; all of them share one array of zeros. */
static dw_status
make_nulls(const dw_column_spec *spec, const void *zeros, dw_arena *arena, dw_vector *out,
           dw_error *err)
{
    dw_vector *children = DW_ARENA_ARRAY(arena, dw_vector, spec->child_count);
    if (children == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < spec->child_count; i++) {
        DW_TRY(make_nulls(&spec->children[i], zeros, arena, &children[i], err));
    }
    *out = (dw_vector){.valid = zeros, .data = zeros, .children = children};
    return DW_OK;
}

/* Notes which fields of a struct column are there. A struct without any keeps its first: one
 * without fields cannot be asked for. */
static dw_status
find_fields(const dw_duck *duck, duckdb_logical_type type, const dw_column_spec *wanted,
            const void *zeros, dw_arena *arena, dw_column_spec *found, dw_column_gaps *gaps,
            dw_error *err)
{
    size_t *places = DW_ARENA_ARRAY(arena, size_t, wanted->child_count);
    dw_vector *nulls = DW_ARENA_ARRAY(arena, dw_vector, wanted->child_count);
    dw_column_spec *fields = DW_ARENA_ARRAY(arena, dw_column_spec, wanted->child_count);
    if (places == NULL || nulls == NULL || fields == NULL) {
        return dw__error_oom(err);
    }
    size_t count = 0;
    for (size_t i = 0; i < wanted->child_count; i++) {
        const dw_column_spec *field = &wanted->children[i];
        duckdb_logical_type field_type = dw__shape_field(duck, type, field->name);
        bool is_there = field_type != NULL || (count == 0 && i + 1 == wanted->child_count);
        duck->destroy_logical_type(&field_type);
        places[i] = is_there ? count : SIZE_MAX;
        if (is_there) {
            fields[count++] = *field;
        } else {
            DW_TRY(make_nulls(field, zeros, arena, &nulls[i], err));
        }
    }
    if (count < wanted->child_count) {
        *gaps = (dw_column_gaps){places, nulls};
        found->children = fields;
        found->child_count = count;
    }
    return DW_OK;
}

dw_status
dw__gaps_find(const dw_duck *duck, duckdb_prepared_statement columns, const dw_column_spec *wanted,
              size_t column_count, dw_arena *arena, dw_parquet_gaps *out, dw_error *err)
{
    *out =
        (dw_parquet_gaps){wanted, column_count, DW_ARENA_ARRAY(arena, dw_column_spec, column_count),
                          DW_ARENA_ARRAY(arena, dw_column_gaps, column_count)};
    void *zeros = dw__arena_alloc_zero(arena, BATCH_ROWS_MAX * WIDEST_VALUE);
    if (out->found == NULL || out->gaps == NULL || zeros == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < column_count; i++) {
        out->found[i] = wanted[i];
        duckdb_logical_type type = dw__shape_column(duck, columns, wanted[i].name);
        dw_status status = DW_OK;
        if (type != NULL && wanted[i].kind == DW_VECTOR_STRUCT) {
            status = find_fields(duck, type, &wanted[i], zeros, arena, &out->found[i],
                                 &out->gaps[i], err);
        }
        duck->destroy_logical_type(&type);
        DW_TRY(status);
    }
    return DW_OK;
}

dw_status
dw__gaps_fill(const dw_parquet_gaps *gaps, dw_arena *arena, dw_batch *batch, dw_error *err)
{
    dw_assert(batch->row_count <= BATCH_ROWS_MAX);
    dw_vector *columns = DW_ARENA_ARRAY(arena, dw_vector, gaps->column_count);
    if (columns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < gaps->column_count; i++) {
        const dw_column_gaps *gap = &gaps->gaps[i];
        columns[i] = batch->columns[i];
        if (gap->places == NULL) {
            continue;
        }
        size_t field_count = gaps->wanted[i].child_count;
        dw_vector *fields = DW_ARENA_ARRAY(arena, dw_vector, field_count);
        if (fields == NULL) {
            return dw__error_oom(err);
        }
        for (size_t k = 0; k < field_count; k++) {
            bool is_there = gap->places[k] != SIZE_MAX;
            fields[k] = is_there ? columns[i].children[gap->places[k]] : gap->nulls[k];
        }
        columns[i].children = fields;
    }
    batch->columns = columns;
    return DW_OK;
}
