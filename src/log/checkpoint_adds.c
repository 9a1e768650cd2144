/*
 * The files of a checkpoint, into blocks: those of a large one by two threads.
 */
#include "base/assert.h"
#include "log/checkpoint_core.h"
#include "log/log_core.h"

#include <inttypes.h>
#include <pthread.h>

/* Rows from which on a second thread helps. */
#define HALVED_ROWS_MIN ((size_t) 1 << 15)

typedef struct add_reader {
    dw_checkpoint *checkpoint;
    const dw_checkpoint_file *file;
    dw_row_range range;
    dw_file_set *set;        /* where the blocks go */
    dw_file_block *block;    /* open; NULL: the next row begins one */
    dw_stats_origin *origin; /* NULL: statistics come with the rows */
    size_t next_row;         /* of the file */
    dw_arena scratch;        /* of a row */
    dw_status status;
    dw_error err;
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
    fields[DW_CK_ADD_COUNT] = (dw_column_spec){"stats_parsed", DW_VECTOR_STRUCT, &num_records, 1};
    *out = (dw_column_spec){"add", DW_VECTOR_STRUCT, fields, ADD_WITH_COUNT};
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

static void *
run_reader(void *argument)
{
    read_range(argument);
    return NULL;
}

/* Reads the first half of the rows while another thread reads the rest. */
static dw_status
read_halves(add_reader *first, size_t row_count, dw_error *err)
{
    const dw_allocator *allocator = first->scratch.allocator;
    add_reader second = *first;
    first->range.end = row_count / 2;
    second.range.first = row_count / 2;
    second.set = dw__file_set_new(allocator, false);
    if (second.set == NULL) {
        return dw__error_oom(err);
    }
    dw__arena_init(&second.scratch, allocator);
    pthread_t helper;
    bool has_helper = pthread_create(&helper, NULL, run_reader, &second) == 0;
    read_range(first);
    if (has_helper) {
        pthread_join(helper, NULL);
    } else {
        read_range(&second);
    }
    add_reader *failed = first->status != DW_OK ? first : &second;
    dw_status status = failed->status;
    if (status != DW_OK) {
        dw__error_copy(err, &failed->err);
    } else {
        status = dw__file_set_append_set(first->set, second.set, err);
    }
    dw__arena_deinit(&second.scratch);
    dw__file_set_free(second.set);
    return status;
}

/* Reads one file. */
static dw_status
read_file_adds(add_reader *reader, dw_error *err)
{
    dw_log *log = reader->checkpoint->log;
    size_t row_count = 0;
    if (reader->origin != NULL) {
        DW_TRY(dw__pq_row_count(log->env, log->storage, reader->file->key, &row_count, err));
    }
    if (row_count >= HALVED_ROWS_MIN) {
        return read_halves(reader, row_count, err);
    }
    read_range(reader);
    if (reader->status != DW_OK && !reader->has_only_parsed) {
        dw__error_copy(err, &reader->err);
    }
    return reader->status;
}

static dw_status
read_adds_of(add_reader *reader, size_t file_idx, dw_error *err)
{
    reader->file = &reader->checkpoint->files[file_idx];
    if (reader->file->size_bytes <= DW_CHECKPOINT_SMALL_BYTES) {
        size_t count = reader->set->count;
        dw_status status = read_file_adds(reader, err);
        if (!reader->has_only_parsed) {
            return status;
        }
        dw__file_set_truncate(reader->set, count);
        reader->has_only_parsed = false;
        dw__error_clear(&reader->err);
    }
    /* The statistics stay in the file. */
    dw_stats_origin *origin;
    DW_TRY(dw__checkpoint_origin_new(reader->checkpoint, file_idx, &origin, err));
    reader->origin = origin;
    dw_status status = read_file_adds(reader, err);
    dw__stats_origin_unref(origin);
    return status;
}

dw_status
dw__checkpoint_read_adds(dw_checkpoint *checkpoint, dw_definition *definition, dw_replay *base,
                         dw_error *err)
{
    dw_assert(checkpoint->definition == NULL);
    checkpoint->definition = dw__definition_ref(definition);
    dw__replay_seal(base);
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < checkpoint->file_count; i++) {
        add_reader reader = {.checkpoint = checkpoint, .range = DW_ROWS_ALL, .set = base->adds};
        dw__arena_init(&reader.scratch, checkpoint->log->env->allocator);
        status = read_adds_of(&reader, i, err);
        dw__arena_deinit(&reader.scratch);
    }
    return status;
}
