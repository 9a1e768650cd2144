/*
 * Reading places of rows from the engine into a set for each file.
 */
#include "table/row_choice.h"

#include "base/assert.h"

/* Columns of the query. */
enum { FILE_COLUMN, ROW_COLUMN, COLUMN_COUNT };

static dw_status
unexpected(dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "QUERY_FAILED",
                         "expected places of rows from the query engine, found something else");
}

static const int64_t *
numbers_of(const struct ArrowArray *column)
{
    if (column->n_buffers < 2 || column->null_count > 0) {
        return NULL;
    }
    return (const int64_t *) column->buffers[1] + column->offset;
}

static dw_status
choose_batch(void *ctx, const struct ArrowArray *batch, dw_error *err)
{
    dw_row_choice *choice = ctx;
    if (batch->n_children != COLUMN_COUNT) {
        return unexpected(err);
    }
    const int64_t *files = numbers_of(batch->children[FILE_COLUMN]);
    const int64_t *rows = numbers_of(batch->children[ROW_COLUMN]);
    if (batch->length > 0 && (files == NULL || rows == NULL)) {
        return unexpected(err);
    }
    for (int64_t i = 0; i < batch->length; i++) {
        int64_t file = files[batch->offset + i];
        int64_t row = rows[batch->offset + i];
        if (file < 0 || (uint64_t) file >= choice->file_count || row < 0) {
            return unexpected(err);
        }
        if (choice->rows[file] == NULL) {
            DW_TRY(dw__rowset_new(choice->allocator, &choice->rows[file], err));
        }
        DW_TRY(dw__rowset_add(choice->rows[file], (uint64_t) row, err));
    }
    return DW_OK;
}

dw_status
dw__row_choice_read(dw_connection *connection, dw_str query, size_t file_count,
                    const dw_allocator *allocator, dw_row_choice *out, dw_error *err)
{
    *out = (dw_row_choice){.allocator = allocator, .file_count = file_count};
    out->rows = dw__alloc_zero(allocator, file_count * sizeof(*out->rows));
    if (out->rows == NULL && file_count > 0) {
        return dw__error_oom(err);
    }
    struct ArrowArrayStream stream;
    bool is_query;
    int64_t changed;
    DW_TRY(dw__connection_query(connection, query, &stream, &is_query, &changed, err));
    dw_status status = dw__query_stream_visit(&stream, choose_batch, out, err);
    stream.release(&stream);
    return status;
}

void
dw__row_choice_deinit(dw_row_choice *choice)
{
    for (size_t i = 0; choice->rows != NULL && i < choice->file_count; i++) {
        dw__rowset_free(choice->rows[i]);
    }
    if (choice->allocator != NULL) {
        dw__dealloc(choice->allocator, choice->rows, choice->file_count * sizeof(*choice->rows));
    }
    *choice = (dw_row_choice){0};
}
