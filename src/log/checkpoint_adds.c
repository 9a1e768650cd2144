/*
 * The files of a checkpoint, into blocks: those of a large one by several threads.
 */
#include "base/assert.h"
#include "log/checkpoint_core.h"
#include "log/log_core.h"

#include <inttypes.h>
#include <pthread.h>

/* Threads that read one checkpoint. */
#define READERS_MAX 4
/* From so many files on each is a part of the work; fewer are halved where they have many rows. */
#define WHOLE_FILES_MIN 4
#define HALVED_ROWS_MIN ((size_t) 1 << 15)

typedef struct add_reader {
    dw_checkpoint *checkpoint;
    const dw_checkpoint_file *file;
    dw_row_range range;
    dw_file_set *set;        /* its own: where the blocks go */
    dw_file_block *block;    /* open; NULL: the next row begins one */
    dw_stats_origin *origin; /* NULL: statistics come with the rows */
    size_t next_row;         /* of the file */
    dw_arena scratch;        /* of a row */
    dw_status status;
    dw_error err;
    dw_adds_visitor visit; /* takes what is complete; NULL: it stays in the set */
    void *visit_ctx;
    bool has_only_parsed; /* statistics turned out to be a struct: the file must be read again */
} add_reader;

/* Puts the block that is complete into the set. */
static dw_status
finish_block(add_reader *reader, dw_error *err)
{
    if (reader->block == NULL) {
        return DW_OK;
    }
    dw__file_block_seal(reader->block);
    dw_status status = dw__file_set_append_block(reader->set, reader->block, err);
    dw__file_block_unref(reader->block);
    reader->block = NULL;
    if (status == DW_OK && reader->visit != NULL) {
        status = reader->visit(reader->visit_ctx, reader->set, err);
        dw__file_set_truncate(reader->set, 0);
    }
    return status;
}

static dw_status
ensure_block(add_reader *reader, size_t path_len, size_t stats_len, dw_error *err)
{
    if (reader->block != NULL && dw__file_block_is_full(reader->block, path_len, stats_len)) {
        DW_TRY(finish_block(reader, err));
    }
    if (reader->block == NULL) {
        reader->block =
            dw__file_block_new(reader->scratch.allocator, reader->origin, reader->next_row);
    }
    return reader->block == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
set_partition_values(dw_file_block *block, const dw_vector *values, size_t row, dw_error *err)
{
    dw_span span = dw__vector_span(values, row);
    for (size_t i = 0; i < span.len; i++) {
        dw_str key = dw__vector_str(&values->children[0], span.offset + i);
        dw_str value = dw__vector_str(&values->children[1], span.offset + i);
        if (!dw__str_is_null(key)) {
            DW_TRY(dw__file_block_set_partition(block, i, key, value, err));
        }
    }
    return DW_OK;
}

/* What only some tables have. */
static dw_status
set_rare_values(dw_file_block *block, const dw_vector *fields, size_t row, dw_arena *scratch,
                dw_error *err)
{
    int64_t id, version;
    dw_str tags;
    DW_TRY(dw__vector_map_json(&fields[DW_CK_ADD_TAGS], row, scratch, &tags, err));
    dw_str provider = dw__vector_str(&fields[DW_CK_ADD_CLUSTERING_PROVIDER], row);
    bool ok = (dw__str_is_null(tags) || dw__file_block_set_text(block, &block->tags, tags)) &&
              (dw__str_is_null(provider) ||
               dw__file_block_set_text(block, &block->clustering_provider, provider)) &&
              (!dw__vector_i64(&fields[DW_CK_ADD_BASE_ROW_ID], row, &id) ||
               dw__file_block_set_base_row_id(block, id)) &&
              (!dw__vector_i64(&fields[DW_CK_ADD_COMMIT_VERSION], row, &version) ||
               dw__file_block_set_commit_version(block, version));
    return ok ? DW_OK : dw__error_oom(err);
}

static dw_status
read_add(add_reader *reader, const dw_vector *fields, size_t row, bool has_rare_values,
         dw_error *err)
{
    dw_str path = dw__vector_str(&fields[DW_CK_ADD_PATH], row);
    dw_str stats =
        reader->origin == NULL ? dw__vector_str(&fields[DW_CK_ADD_STATS], row) : DW_STR_NULL;
    int64_t size, time;
    bool data_change;
    if (!dw__vector_i64(&fields[DW_CK_ADD_SIZE], row, &size)) {
        return dw__ck_missing("add", "size", err);
    }
    if (size < 0) {
        return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                             "expected a size in column add.size, found %" PRId64, size);
    }
    (void) dw__vector_i64(&fields[DW_CK_ADD_MODIFICATION_TIME], row, &time);
    (void) dw__vector_bool(&fields[DW_CK_ADD_DATA_CHANGE], row, &data_change);
    dw_dv_descriptor dv;
    bool has_dv;
    DW_TRY(dw__ck_dv(&fields[DW_CK_ADD_DELETION_VECTOR], row, &dv, &has_dv, err));
    dw_arena *scratch = &reader->scratch;
    dw_file_key key;
    DW_TRY(dw__file_key_make(path, has_dv ? &dv : NULL, scratch, &key, err));
    DW_TRY(ensure_block(reader, path.len, stats.len, err));
    dw_file_block *block = reader->block;
    uint8_t flags = DW_FILE_HAS_PARTITION_VALUES | DW_FILE_HAS_SIZE;
    flags |= data_change ? DW_FILE_DATA_CHANGE : 0;
    if (!dw__file_block_push(block, path, key.hash, size, time, flags) ||
        (stats.len > 0 && !dw__file_block_set_stats(block, stats)) ||
        (has_dv && !dw__file_block_set_dv(block, &dv))) {
        return dw__error_oom(err);
    }
    reader->next_row++;
    DW_TRY(set_partition_values(block, &fields[DW_CK_ADD_PARTITION_VALUES], row, err));
    if (has_rare_values) {
        DW_TRY(set_rare_values(block, fields, row, scratch, err));
    }
    if (scratch->used > 0) {
        dw__arena_reset(scratch);
    }
    return DW_OK;
}

static bool
has_value(const dw_vector *vector, size_t row_count)
{
    return vector->valid == NULL || memchr(vector->valid, true, row_count) != NULL;
}

/* True when some row has statistics as a struct and not as JSON. */
static bool
has_only_parsed(const dw_vector *fields, size_t row_count)
{
    const dw_vector *num_records = &fields[DW_CK_ADD_COUNT].children[0];
    bool found = false;
    for (size_t row = 0; !found && row < row_count; row++) {
        found = dw__vector_is_valid(num_records, row) &&
                !dw__vector_is_valid(&fields[DW_CK_ADD_STATS], row);
    }
    return found;
}

static dw_status
visit_adds(void *ctx, const dw_batch *batch, dw_error *err)
{
    add_reader *reader = ctx;
    const dw_vector *column = &batch->columns[0];
    const dw_vector *fields = column->children;
    bool has_rare_values = has_value(&fields[DW_CK_ADD_TAGS], batch->row_count) ||
                           has_value(&fields[DW_CK_ADD_CLUSTERING_PROVIDER], batch->row_count) ||
                           has_value(&fields[DW_CK_ADD_BASE_ROW_ID], batch->row_count) ||
                           has_value(&fields[DW_CK_ADD_COMMIT_VERSION], batch->row_count);
    if (reader->origin == NULL && has_only_parsed(fields, batch->row_count)) {
        reader->has_only_parsed = true;
        return dw__error_set(err, DW_CANCELLED, "STATISTICS_PARSED", "to be read another way");
    }
    for (size_t row = 0; row < batch->row_count; row++) {
        if (dw__vector_is_valid(column, row) && dw__vector_is_valid(&fields[DW_CK_ADD_PATH], row)) {
            DW_TRY(read_add(reader, fields, row, has_rare_values, err));
        }
    }
    return DW_OK;
}

/* What a small file is read with: the statistics as JSON, and of those as a struct only whether
 * they are there. */
enum { ADD_WITH_COUNT = DW_CK_ADD_COUNT + 1 };

static void
make_small_spec(dw_column_spec fields[ADD_WITH_COUNT], dw_column_spec *out)
{
    static const dw_column_spec num_records = {.name = "numRecords", .kind = DW_VECTOR_I64};
    memcpy(fields, dw__ck_add_spec.children, DW_CK_ADD_COUNT * sizeof(dw_column_spec));
    fields[DW_CK_ADD_COUNT] = (dw_column_spec){.name = "stats_parsed",
                                               .kind = DW_VECTOR_STRUCT,
                                               .children = &num_records,
                                               .child_count = 1};
    *out = (dw_column_spec){
        .name = "add", .kind = DW_VECTOR_STRUCT, .children = fields, .child_count = ADD_WITH_COUNT};
}

static void
read_range(add_reader *reader)
{
    static const char *const required_path[] = {"add", "path", NULL};
    dw_column_spec fields[ADD_WITH_COUNT], small_spec;
    make_small_spec(fields, &small_spec);
    dw_parquet_read request = {.key = reader->file->key,
                               .columns =
                                   reader->origin == NULL ? &small_spec : &dw__ck_add_bare_spec,
                               .column_count = 1,
                               .required_path = required_path};
    reader->next_row = reader->range.first;
    reader->status = dw__checkpoint_read_rows(reader->checkpoint->log, &request, reader->range,
                                              visit_adds, reader, &reader->err);
    if (reader->status == DW_OK) {
        reader->status = finish_block(reader, &reader->err);
    }
    dw__file_block_unref(reader->block);
    reader->block = NULL;
}

/* Reads a part; a small file whose statistics are structs only is read again without them. */
static void
read_part(add_reader *reader)
{
    dw__arena_init(&reader->scratch, reader->checkpoint->log->env->allocator);
    read_range(reader);
    if (reader->has_only_parsed) {
        dw__file_set_truncate(reader->set, 0);
        reader->has_only_parsed = false;
        dw__error_clear(&reader->err);
        size_t file_idx = (size_t) (reader->file - reader->checkpoint->files);
        reader->status =
            dw__checkpoint_origin_new(reader->checkpoint, file_idx, &reader->origin, &reader->err);
        if (reader->status == DW_OK) {
            read_range(reader);
        }
    }
    dw__arena_deinit(&reader->scratch);
}

/* ---- All files ------------------------------------------------------------------------------- */

/* The files, or halves of them, in order. Who is free takes the next. */
typedef struct add_parts {
    add_reader *items;
    size_t count;
    atomic_size_t next;
    atomic_bool has_failed;
} add_parts;

static void *
run_reader(void *argument)
{
    add_parts *parts = argument;
    size_t idx;
    while (!atomic_load(&parts->has_failed) &&
           (idx = atomic_fetch_add(&parts->next, 1)) < parts->count) {
        read_part(&parts->items[idx]);
        if (parts->items[idx].status != DW_OK) {
            atomic_store(&parts->has_failed, true);
        }
    }
    return NULL;
}

/* Two readers gain little from more, smaller parts: a part of a file passes over what is before
 * it. */
static dw_status
plan_file(dw_checkpoint *checkpoint, const dw_checkpoint_file *file, bool is_small,
          add_parts *parts, dw_error *err)
{
    dw_log *log = checkpoint->log;
    size_t row_count = 0;
    if (!is_small && checkpoint->file_count < WHOLE_FILES_MIN) {
        DW_TRY(dw__pq_row_count(log->env, log->storage, file->key, &row_count, err));
    }
    size_t count = row_count >= HALVED_ROWS_MIN ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        add_reader *reader = &parts->items[parts->count];
        *reader = (add_reader){.checkpoint = checkpoint,
                               .file = file,
                               .range = DW_ROWS_ALL,
                               .set = dw__file_set_new(log->env->allocator, false),
                               .err = DW_ERROR_INIT};
        if (reader->set == NULL) {
            return dw__error_oom(err);
        }
        parts->count++;
        if (!is_small) {
            DW_TRY(dw__checkpoint_origin_new(checkpoint, (size_t) (file - checkpoint->files),
                                             &reader->origin, err));
        }
    }
    if (count == 2) {
        parts->items[parts->count - 2].range.end = row_count / 2;
        parts->items[parts->count - 1].range.first = row_count / 2;
    }
    return DW_OK;
}

static dw_status
plan_parts(dw_checkpoint *checkpoint, bool is_small, add_parts *parts, dw_error *err)
{
    parts->items = DW_ARENA_ARRAY(&checkpoint->arena, add_reader, checkpoint->file_count * 2);
    if (parts->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        DW_TRY(plan_file(checkpoint, &checkpoint->files[i], is_small, parts, err));
    }
    return DW_OK;
}

/* Runs all parts, here and in as many other threads as help. */
static void
run_parts(add_parts *parts, size_t helper_count)
{
    pthread_t helpers[READERS_MAX - 1];
    size_t started = 0;
    while (started < helper_count &&
           pthread_create(&helpers[started], NULL, run_reader, parts) == 0) {
        started++;
    }
    run_reader(parts);
    for (size_t i = 0; i < started; i++) {
        pthread_join(helpers[i], NULL);
    }
}

/* Puts what was read together in the order of the files. */
static dw_status
gather_parts(add_parts *parts, dw_file_set *out, dw_error *err)
{
    for (size_t i = 0; i < parts->count; i++) {
        add_reader *reader = &parts->items[i];
        if (reader->status != DW_OK) {
            dw__error_copy(err, &reader->err);
            return reader->status;
        }
    }
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < parts->count; i++) {
        status = dw__file_set_append_set(out, parts->items[i].set, err);
    }
    return status;
}

static dw_status
read_parts(dw_checkpoint *checkpoint, add_parts *parts, dw_file_set *out, dw_error *err)
{
    int64_t size = 0;
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        size += checkpoint->files[i].size_bytes;
    }
    bool is_small = size <= DW_CHECKPOINT_SMALL_BYTES;
    DW_TRY(plan_parts(checkpoint, is_small, parts, err));
    size_t reader_count = parts->count < READERS_MAX ? parts->count : READERS_MAX;
    run_parts(parts, is_small || parts->count == 0 ? 0 : reader_count - 1);
    return gather_parts(parts, out, err);
}

dw_status
dw__checkpoint_read_adds(dw_checkpoint *checkpoint, dw_definition *definition, dw_replay *base,
                         dw_error *err)
{
    dw_assert(checkpoint->definition == NULL);
    checkpoint->definition = dw__definition_ref(definition);
    dw__replay_seal(base);
    add_parts parts = {0};
    dw_status status = read_parts(checkpoint, &parts, base->adds, err);
    for (size_t i = 0; i < parts.count; i++) {
        dw__file_set_free(parts.items[i].set);
        dw__stats_origin_unref(parts.items[i].origin);
    }
    return status;
}

/* ---- Some at a time -------------------------------------------------------------------------- */

static dw_status
visit_file(dw_checkpoint *checkpoint, size_t file_idx, add_reader *reader, dw_error *err)
{
    reader->file = &checkpoint->files[file_idx];
    DW_TRY(dw__checkpoint_origin_new(checkpoint, file_idx, &reader->origin, err));
    read_range(reader);
    dw__stats_origin_unref(reader->origin);
    if (reader->status != DW_OK) {
        dw__error_copy(err, &reader->err);
    }
    return reader->status;
}

dw_status
dw__checkpoint_visit_adds(dw_checkpoint *checkpoint, dw_definition *definition,
                          dw_adds_visitor visit, void *ctx, dw_error *err)
{
    const dw_allocator *allocator = checkpoint->log->env->allocator;
    if (checkpoint->definition == NULL) {
        checkpoint->definition = dw__definition_ref(definition);
    }
    add_reader reader = {.checkpoint = checkpoint,
                         .range = DW_ROWS_ALL,
                         .set = dw__file_set_new(allocator, false),
                         .visit = visit,
                         .visit_ctx = ctx,
                         .err = DW_ERROR_INIT};
    if (reader.set == NULL) {
        return dw__error_oom(err);
    }
    dw__arena_init(&reader.scratch, allocator);
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < checkpoint->file_count; i++) {
        status = visit_file(checkpoint, i, &reader, err);
    }
    dw__arena_deinit(&reader.scratch);
    dw__file_set_free(reader.set);
    return status;
}
