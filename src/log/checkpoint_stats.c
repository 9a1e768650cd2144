/*
 * Statistics that stayed in a checkpoint file, read again by row number. [CHECKPOINT-2] [ORIGIN-1]
 */
#include "base/assert.h"
#include "log/checkpoint_core.h"
#include "log/log_core.h"

typedef struct checkpoint_origin {
    dw_stats_origin base;
    dw_checkpoint *checkpoint;
    const dw_checkpoint_file *file;
} checkpoint_origin;

static dw_status
verify(dw_stats_origin *base, bool *same_out, dw_error *err)
{
    checkpoint_origin *origin = (checkpoint_origin *) base;
    const dw_checkpoint_file *file = origin->file;
    dw_object_meta meta;
    dw_error cause = DW_ERROR_INIT;
    *same_out = false;
    dw_status status = dw__storage_head(origin->checkpoint->log->storage, file->key, &meta, &cause);
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    *same_out = meta.size_bytes == file->size_bytes && meta.modified_ms == file->modified_ms;
    return DW_OK;
}

typedef struct stats_reader {
    size_t next_row; /* of the file */
    size_t first_row, end_row;
    dw_origin_visitor visit;
    void *ctx;
    bool is_done;
} stats_reader;

static dw_status
visit_stats(void *ctx, const dw_batch *batch, dw_error *err)
{
    stats_reader *reader = ctx;
    const dw_vector *stats = &batch->columns[0].children[1];
    for (size_t row = 0; row < batch->row_count; row++, reader->next_row++) {
        if (reader->next_row < reader->first_row) {
            continue;
        }
        if (reader->next_row == reader->end_row) {
            reader->is_done = true;
            return dw__error_set(err, DW_CANCELLED, "DONE", "all rows were read");
        }
        DW_TRY(reader->visit(reader->ctx, reader->next_row, dw__vector_str(stats, row), err));
    }
    return DW_OK;
}

static dw_status
read(dw_stats_origin *base, size_t first_row, size_t row_count, dw_origin_visitor visit, void *ctx,
     dw_error *err)
{
    static const char *const required_path[] = {"add", "path", NULL};
    /* The path is what tells an add from other rows. */
    static const dw_column_spec fields[] = {{.name = "path", .kind = DW_VECTOR_STR},
                                            {.name = "stats", .kind = DW_VECTOR_STR}};
    static const dw_column_spec add = {
        .name = "add", .kind = DW_VECTOR_STRUCT, .children = fields, .child_count = 2};
    checkpoint_origin *origin = (checkpoint_origin *) base;
    stats_reader reader = {
        .first_row = first_row, .end_row = first_row + row_count, .visit = visit, .ctx = ctx};
    dw_parquet_read request = {.key = origin->file->key,
                               .columns = &add,
                               .column_count = 1,
                               .required_path = required_path};
    dw_error cause = DW_ERROR_INIT;
    dw_status status =
        dw__checkpoint_read_file(origin->checkpoint->log, &request, visit_stats, &reader, &cause);
    if (reader.is_done) {
        return DW_OK;
    }
    if (status == DW_OK && reader.next_row < reader.end_row) {
        return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                             "expected %zu files in %.*s, found %zu", reader.end_row,
                             DW_STR_ARG(origin->file->key), reader.next_row);
    }
    dw__error_copy(err, &cause);
    return status;
}

static void
free_origin(dw_stats_origin *base)
{
    checkpoint_origin *origin = (checkpoint_origin *) base;
    const dw_allocator *allocator = base->allocator;
    dw__checkpoint_unref(origin->checkpoint);
    DW_DELETE(allocator, origin);
}

dw_status
dw__checkpoint_origin_new(dw_checkpoint *checkpoint, size_t file_idx, const dw_metadata *metadata,
                          dw_stats_origin **out, dw_error *err)
{
    static const dw_origin_ops ops = {verify, read, free_origin};
    (void) metadata;
    *out = NULL;
    dw_log *log = checkpoint->log;
    checkpoint_origin *origin = DW_NEW(log->env->allocator, checkpoint_origin);
    if (origin == NULL) {
        return dw__error_oom(err);
    }
    dw__stats_origin_init(&origin->base, &ops, log->env->allocator, &log->stats_budget);
    origin->checkpoint = dw__checkpoint_ref(checkpoint);
    origin->file = &checkpoint->files[file_idx];
    *out = &origin->base;
    return DW_OK;
}
