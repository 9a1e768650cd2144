/*
 * Statistics that stayed in a checkpoint file, read again by row number. [CHECKPOINT-2] [ORIGIN-1]
 * Where a file has them as a struct only they are made JSON.
 */
#include "base/assert.h"
#include "log/checkpoint_core.h"
#include "log/log_core.h"
#include "log/parsed_stats.h"

typedef struct checkpoint_origin {
    dw_stats_origin base;
    dw_checkpoint *checkpoint;
    const dw_checkpoint_file *file;
    atomic_bool has_only_parsed; /* known from the first reading on */
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

/* ---- Reading --------------------------------------------------------------------------------- */

enum { FIELD_STATS, FIELD_PARSED, FIELD_COUNT };

typedef struct stats_reader {
    size_t next_row, end_row; /* of the file */
    dw_origin_visitor visit;
    void *ctx;
    const dw_parsed_stats *parsed; /* NULL: only look whether they are there */
    bool needs_parsed;             /* they are, and JSON is not: to be read again */
    dw_arena arena;
    dw_strbuf json; /* made from a struct */
} stats_reader;

/* The statistics of a row, as they stand there or from the struct; the null string: none. */
static dw_status
stats_of(stats_reader *reader, const dw_vector *fields, size_t row, dw_str *out, dw_error *err)
{
    *out = dw__vector_str(&fields[FIELD_STATS], row);
    const dw_vector *parsed = &fields[FIELD_PARSED];
    if (!dw__str_is_null(*out)) {
        return DW_OK;
    }
    if (reader->parsed == NULL) {
        reader->needs_parsed = dw__vector_is_valid(&parsed->children[0], row);
        return reader->needs_parsed
                   ? dw__error_set(err, DW_CANCELLED, "STATISTICS_PARSED", "to be read another way")
                   : DW_OK;
    }
    dw__strbuf_clear(&reader->json);
    dw__arena_reset(&reader->arena);
    DW_TRY(dw__parsed_stats_print(reader->parsed, parsed, row, &reader->arena, &reader->json, err));
    DW_TRY(dw__strbuf_ok(&reader->json, "the statistics of a file", err));
    *out = reader->json.len == 0 ? DW_STR_NULL : dw__strbuf_str(&reader->json);
    return DW_OK;
}

static dw_status
visit_stats(void *ctx, const dw_batch *batch, dw_error *err)
{
    stats_reader *reader = ctx;
    const dw_vector *fields = batch->columns[0].children;
    for (size_t row = 0; row < batch->row_count; row++, reader->next_row++) {
        dw_str stats;
        DW_TRY(stats_of(reader, fields, row, &stats, err));
        DW_TRY(reader->visit(reader->ctx, reader->next_row, stats, err));
    }
    return DW_OK;
}

/* Reads the rows; `parsed` is the spec of the statistics as a struct. */
static dw_status
read_rows(const checkpoint_origin *origin, stats_reader *reader, const dw_column_spec *parsed,
          dw_error *err)
{
    static const char *const required_path[] = {"add", "path", NULL};
    const dw_column_spec fields[FIELD_COUNT] = {
        [FIELD_STATS] = {.name = "stats", .kind = DW_VECTOR_STR}, [FIELD_PARSED] = *parsed};
    const dw_column_spec add = {
        .name = "add", .kind = DW_VECTOR_STRUCT, .children = fields, .child_count = FIELD_COUNT};
    dw_parquet_read request = {.key = origin->file->key,
                               .columns = &add,
                               .column_count = 1,
                               .required_path = required_path};
    const dw_row_range range = {reader->next_row, reader->end_row};
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__checkpoint_read_rows(origin->checkpoint->log, &request, range,
                                                visit_stats, reader, &cause);
    if (reader->needs_parsed) {
        return DW_OK;
    }
    if (status == DW_OK && reader->next_row < reader->end_row) {
        return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                             "expected %zu files in %.*s, found %zu", reader->end_row,
                             DW_STR_ARG(origin->file->key), reader->next_row);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}

static dw_status
read_parsed(const checkpoint_origin *origin, stats_reader *reader, dw_error *err)
{
    const dw_definition *definition = origin->checkpoint->definition;
    const dw_metadata *metadata = &definition->metadata;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, origin->base.allocator);
    dw_parsed_stats parsed;
    DW_TRY(dw__parsed_stats_make(definition->schema, metadata->partition_columns,
                                 metadata->partition_column_count, &arena, &parsed, err));
    reader->parsed = &parsed;
    return read_rows(origin, reader, &parsed.spec, err);
}

static dw_status
read(dw_stats_origin *base, size_t first_row, size_t row_count, dw_origin_visitor visit, void *ctx,
     dw_error *err)
{
    static const dw_column_spec num_records = {.name = "numRecords", .kind = DW_VECTOR_I64};
    static const dw_column_spec look = {.name = "stats_parsed",
                                        .kind = DW_VECTOR_STRUCT,
                                        .children = &num_records,
                                        .child_count = 1};
    checkpoint_origin *origin = (checkpoint_origin *) base;
    stats_reader reader = {
        .next_row = first_row, .end_row = first_row + row_count, .visit = visit, .ctx = ctx};
    dw__arena_init(&reader.arena, base->allocator);
    reader.json = dw__strbuf_make(base->allocator, DW_COMMIT_BYTES_MAX);
    dw_status status = DW_OK;
    if (!atomic_load(&origin->has_only_parsed)) {
        status = read_rows(origin, &reader, &look, err);
    }
    if (status == DW_OK && (reader.needs_parsed || atomic_load(&origin->has_only_parsed))) {
        /* What was visited before had statistics as JSON, and is not visited again. */
        atomic_store(&origin->has_only_parsed, true);
        reader.needs_parsed = false;
        status = read_parsed(origin, &reader, err);
    }
    dw__strbuf_deinit(&reader.json);
    dw__arena_deinit(&reader.arena);
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
dw__checkpoint_origin_new(dw_checkpoint *checkpoint, size_t file_idx, dw_stats_origin **out,
                          dw_error *err)
{
    static const dw_origin_ops ops = {verify, read, free_origin};
    *out = NULL;
    dw_log *log = checkpoint->log;
    checkpoint_origin *origin = DW_NEW(log->env->allocator, checkpoint_origin);
    if (origin == NULL) {
        return dw__error_oom(err);
    }
    dw__stats_origin_init(&origin->base, &ops, log->env->allocator, &log->stats_budget);
    origin->checkpoint = dw__checkpoint_ref(checkpoint);
    origin->file = &checkpoint->files[file_idx];
    atomic_init(&origin->has_only_parsed, false);
    *out = &origin->base;
    return DW_OK;
}
