/*
 * Levels of repetition say where a row begins, levels of definition whether it has elements.
 */
#include "parquet/column_list.h"

#include "base/assert.h"

/* Levels that are looked at in one go. */
#define LEVELS_AT_ONCE ((size_t) 1024)

void
dw__pq_elements_deinit(dw_pq_elements *elements)
{
    dw__pq_buffer_deinit(&elements->spans);
    dw__pq_buffer_deinit(&elements->levels);
    dw__pq_buffer_deinit(&elements->values);
    dw__pq_buffer_deinit(&elements->valid);
}

/* Rows and their elements out of one run of levels. `defs` keeps those of elements. */
static bool
take_rows(dw_pq_column *column, const uint8_t *reps, uint8_t *defs, size_t count,
          size_t *element_count_out)
{
    dw_pq_elements *elements = &column->elements;
    dw_span *spans = (dw_span *) (void *) elements->spans.ptr;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (reps[i] == 0) {
            if (elements->row_count == column->row_count) {
                return false;
            }
            spans[elements->row_count] = (dw_span){(uint32_t) (elements->count + found), 0};
            elements->levels.ptr[elements->row_count++] = (char) defs[i];
        } else if (elements->row_count == 0) {
            return false;
        }
        if (defs[i] >= column->element_level) {
            spans[elements->row_count - 1].len++;
            defs[found++] = defs[i];
        }
    }
    *element_count_out = found;
    return true;
}

/* The values of elements whose levels were found. */
static dw_status
take_elements(dw_pq_column *column, const uint8_t *defs, size_t count, dw_error *err)
{
    dw_pq_elements *elements = &column->elements;
    size_t width = column->kind.width;
    size_t most = (size_t) column->chunk->value_count;
    if (elements->count == 0 && (!dw__pq_buffer_reserve(&elements->values, most * width) ||
                                 !dw__pq_buffer_reserve(&elements->valid, most))) {
        return dw__error_oom(err);
    }
    uint8_t max = column->leaf->max_def;
    size_t value_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_valid = defs[i] == max;
        elements->valid.ptr[elements->count + i] = is_valid;
        value_count += is_valid;
    }
    char *to = elements->values.ptr + elements->count * width;
    DW_TRY(dw__pq_values_take(&column->values, &column->kind, &column->dictionary, to, value_count,
                              err));
    dw__pq_spread(to, width, defs, max, count, value_count);
    elements->count += count;
    return DW_OK;
}

static dw_status
take_page(dw_pq_column *column, const dw_pq_page *page, dw_error *err)
{
    uint8_t reps[LEVELS_AT_ONCE], defs[LEVELS_AT_ONCE];
    dw_pq_runs rep_runs = dw__pq_runs_make(page->reps, 1);
    while (column->page_left > 0) {
        size_t part = column->page_left < LEVELS_AT_ONCE ? column->page_left : LEVELS_AT_ONCE;
        size_t element_count = 0;
        if (!dw__pq_runs_take_bytes(&rep_runs, reps, part) ||
            !dw__pq_runs_take_bytes(&column->defs, defs, part) ||
            !take_rows(column, reps, defs, part, &element_count)) {
            return dw__pq_odd(err, "list");
        }
        if (element_count > 0) {
            DW_TRY(take_elements(column, defs, element_count, err));
        }
        column->page_left -= part;
    }
    return DW_OK;
}

static dw_status
load_elements(dw_pq_column *column, const dw_pq_source *source, dw_error *err)
{
    dw_pq_elements *elements = &column->elements;
    if (!dw__pq_buffer_reserve(&elements->spans, column->row_count * sizeof(dw_span)) ||
        !dw__pq_buffer_reserve(&elements->levels, column->row_count)) {
        return dw__error_oom(err);
    }
    elements->row_count = 0;
    elements->count = 0;
    while (column->values_left > 0) {
        dw_pq_page page;
        DW_TRY(dw__pq_column_next_page(column, source, &page, err));
        DW_TRY(take_page(column, &page, err));
    }
    return elements->row_count == column->row_count ? DW_OK : dw__pq_odd(err, "number of rows");
}

dw_status
dw__pq_column_read_lists(dw_pq_column *column, const dw_pq_source *source, size_t row_count,
                         dw_arena *arena, dw_vector *out, dw_error *err)
{
    if (!column->is_loaded) {
        DW_TRY(load_elements(column, source, err));
    }
    column->row += column->rows_passed;
    column->rows_passed = 0;
    dw_assert(row_count <= column->row_count - column->row);
    const dw_span *spans = (const dw_span *) (const void *) column->elements.spans.ptr;
    column->levels = (const uint8_t *) column->elements.levels.ptr + column->row;
    *out = (dw_vector){.data = spans + column->row};
    column->row += row_count;
    bool ok = dw__pq_column_defined(column, column->list_level, row_count, arena, &out->valid);
    return ok ? DW_OK : dw__error_oom(err);
}

dw_vector
dw__pq_column_elements(const dw_pq_column *column)
{
    return (dw_vector){.valid = (const bool *) column->elements.valid.ptr,
                       .data = column->elements.values.ptr};
}
