/*
 * One pass over the live files. [STATISTICS-1,2]
 */
#include "base/assert.h"
#include "base/map.h"
#include "log/listing.h"
#include "protocol/stats.h"
#include "statistics/statistics.h"

#include <stdlib.h>

#define BIN_FIRST_BYTES INT64_C(1024)
#define BIN_FACTOR 4
#define PARTITION_KEY_BYTES_MAX ((size_t) 1 << 20)

/* ---- Totals ---------------------------------------------------------------------------------- */

/* A log may claim any numbers: sums wrap around. */
static int64_t
sum(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a + (uint64_t) b);
}

static void
change(dw_file_totals *totals, const dw_file_figures *file, int64_t sign)
{
    totals->files = sum(totals->files, sign);
    totals->bytes = sum(totals->bytes, sign * file->bytes);
    if (file->rows >= 0) {
        totals->rows = sum(totals->rows, sign * file->rows);
    } else {
        totals->files_without_rows = sum(totals->files_without_rows, sign);
    }
    if (file->vector_rows >= 0) {
        totals->vectors = sum(totals->vectors, sign);
        totals->vector_rows = sum(totals->vector_rows, sign * file->vector_rows);
    }
}

void
dw__file_totals_add(dw_file_totals *totals, const dw_file_figures *file)
{
    change(totals, file, 1);
}

void
dw__file_totals_remove(dw_file_totals *totals, const dw_file_figures *file)
{
    change(totals, file, -1);
}

dw_file_figures
dw__file_figures_make(int64_t size_bytes, const dw_dv_descriptor *dv, dw_str stats)
{
    dw_file_stats counts = {.has_num_records = false};
    dw_file_figures out = {.bytes = size_bytes < 0 ? 0 : size_bytes, .rows = -1, .vector_rows = -1};
    int64_t deleted = 0;
    if (dv != NULL) {
        deleted = dv->cardinality < 0 ? 0 : dv->cardinality;
        out.vector_rows = deleted;
    }
    if (!dw__str_is_null(stats)) {
        dw__stats_read_counts(stats, &counts);
    }
    if (counts.has_num_records && counts.num_records >= deleted) {
        out.rows = counts.num_records - deleted;
    }
    return out;
}

/* ---- Partitions ------------------------------------------------------------------------------ */

typedef struct collector {
    const dw_file_set *files;
    const dw_str *columns; /* physical names of the partition columns */
    size_t column_count;
    dw_arena *arena;
    dw_map by_values; /* printed values -> index of the partition */
    dw_partition_figures *partitions;
    size_t partition_count, partition_capacity;
    dw_strbuf key;
    dw_table_figures *out;
} collector;

/* Values of two partitions never print the same. */
static void
print_key(collector *c, dw_file_ref ref)
{
    dw__strbuf_clear(&c->key);
    for (size_t i = 0; i < c->column_count; i++) {
        dw_str value = dw__file_set_partition_value(c->files, ref, c->columns[i]);
        dw__strbuf_printf(&c->key, dw__str_is_null(value) ? "-" : "%zu:", value.len);
        dw__strbuf_append(&c->key, dw__str_is_null(value) ? DW_STR("") : value);
    }
}

static dw_partition_figures *
add_partition(collector *c, dw_file_ref ref)
{
    if (c->partition_count == c->partition_capacity) {
        size_t capacity = c->partition_capacity == 0 ? 16 : 2 * c->partition_capacity;
        dw_partition_figures *grown = DW_ARENA_ARRAY(c->arena, dw_partition_figures, capacity);
        if (grown == NULL) {
            return NULL;
        }
        if (c->partition_count > 0) {
            memcpy(grown, c->partitions, c->partition_count * sizeof(*grown));
        }
        c->partitions = grown;
        c->partition_capacity = capacity;
    }
    dw_str *values = DW_ARENA_ARRAY(c->arena, dw_str, c->column_count + 1);
    for (size_t i = 0; values != NULL && i < c->column_count; i++) {
        dw_str value = dw__file_set_partition_value(c->files, ref, c->columns[i]);
        if (!dw__arena_dup(c->arena, value, &values[i])) {
            return NULL;
        }
    }
    dw_partition_figures *out = &c->partitions[c->partition_count];
    *out = (dw_partition_figures){.values = values};
    c->partition_count += values != NULL ? 1 : 0;
    return values != NULL ? out : NULL;
}

static dw_status
find_partition(collector *c, dw_file_ref ref, dw_partition_figures **out, dw_error *err)
{
    print_key(c, ref);
    DW_TRY(dw__strbuf_ok(&c->key, "the values of a partition", err));
    const dw_map_value *known = dw__map_get(&c->by_values, dw__strbuf_str(&c->key));
    if (known != NULL) {
        *out = &c->partitions[known->i64];
        return DW_OK;
    }
    if (c->partition_count == DW_STATISTICS_PARTITIONS_MAX) {
        return dw__error_set(err, DW_UNSUPPORTED, "SIZE_LIMIT",
                             "the table has more than %zu partitions: partition it by less",
                             DW_STATISTICS_PARTITIONS_MAX);
    }
    dw_str key;
    *out = add_partition(c, ref);
    if (*out == NULL || !dw__arena_dup(c->arena, dw__strbuf_str(&c->key), &key)) {
        return dw__error_oom(err);
    }
    dw_map_value *slot = dw__map_put(&c->by_values, key, NULL);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    slot->i64 = (int64_t) c->partition_count - 1;
    return DW_OK;
}

/* NULL comes first, then the bytes decide, column after column. */
static int
compare_partitions(const void *a, const void *b, void *ctx)
{
    const dw_partition_figures *x = a, *y = b;
    const size_t *count = ctx;
    for (size_t i = 0; i < *count; i++) {
        bool x_null = dw__str_is_null(x->values[i]), y_null = dw__str_is_null(y->values[i]);
        if (x_null != y_null) {
            return x_null ? -1 : 1;
        }
        int order = x_null ? 0 : dw__str_compare(x->values[i], y->values[i]);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
make_bins(dw_size_bin bins[DW_STATISTICS_BIN_COUNT])
{
    int64_t from = 0;
    int64_t to = BIN_FIRST_BYTES;
    for (size_t i = 0; i < DW_STATISTICS_BIN_COUNT; i++) {
        bins[i].from_bytes = from;
        bins[i].to_bytes = i + 1 == DW_STATISTICS_BIN_COUNT ? -1 : to;
        from = to;
        to *= BIN_FACTOR;
    }
}

static dw_size_bin *
find_bin(dw_size_bin bins[DW_STATISTICS_BIN_COUNT], int64_t bytes)
{
    size_t i = 0;
    while (bins[i].to_bytes >= 0 && bytes >= bins[i].to_bytes) {
        i++;
    }
    return &bins[i];
}

static dw_status
take_file(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    collector *c = ctx;
    dw_table_figures *out = c->out;
    dw_partition_figures *partition = NULL;
    dw_file_figures file = dw__file_figures_make(dw__file_set_file_size(c->files, ref),
                                                 dw__file_set_dv(c->files, ref), stats);
    int64_t modified_ms = dw__file_set_modification_time_ms(c->files, ref);
    DW_TRY(find_partition(c, ref, &partition, err));
    bool is_first = out->totals.files == 0;
    out->smallest_bytes =
        is_first || file.bytes < out->smallest_bytes ? file.bytes : out->smallest_bytes;
    out->largest_bytes = file.bytes > out->largest_bytes ? file.bytes : out->largest_bytes;
    dw__file_totals_add(&out->totals, &file);
    dw__file_totals_add(&find_bin(out->bins, file.bytes)->totals, &file);
    dw__file_totals_add(&partition->totals, &file);
    partition->modified_ms =
        modified_ms > partition->modified_ms ? modified_ms : partition->modified_ms;
    return DW_OK;
}

/* The names by which partition values are kept. */
static dw_status
find_columns(collector *c, const dw_log_snapshot *snapshot, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    dw_str *columns = DW_ARENA_ARRAY(c->arena, dw_str, metadata->partition_column_count + 1);
    if (columns == NULL) {
        return dw__error_oom(err);
    }
    c->column_count = metadata->partition_column_count;
    for (size_t i = 0; i < c->column_count; i++) {
        const dw_field *field =
            dw__schema_find(dw__log_snapshot_schema(snapshot), metadata->partition_columns[i]);
        columns[i] = field == NULL ? metadata->partition_columns[i] : field->physical_name;
    }
    c->columns = columns;
    return DW_OK;
}

dw_status
dw__statistics_collect(dw_log_snapshot *snapshot, dw_arena *arena, dw_table_figures *out,
                       dw_error *err)
{
    *out = (dw_table_figures){.partitions = NULL};
    make_bins(out->bins);
    dw_file_set *files = dw__log_snapshot_files(snapshot);
    collector c = {.files = files,
                   .arena = arena,
                   .key = dw__strbuf_make(arena->allocator, PARTITION_KEY_BYTES_MAX),
                   .out = out};
    dw__map_init(&c.by_values, arena->allocator);
    dw_status status = find_columns(&c, snapshot, err);
    if (status == DW_OK) {
        status = dw__file_set_visit_stats(files, take_file, &c, err);
    }
    dw__map_deinit(&c.by_values);
    dw__strbuf_deinit(&c.key);
    if (status == DW_OK && c.partition_count > 1) {
        qsort_r(c.partitions, c.partition_count, sizeof(*c.partitions), compare_partitions,
                &c.column_count);
    }
    out->partitions = c.partitions;
    out->partition_count = c.partition_count;
    return status;
}

/* ---- The log --------------------------------------------------------------------------------- */

static void
count_log_file(const dw_log_file *file, int64_t *last_checkpoint, dw_log_figures *out)
{
    out->files++;
    out->bytes = sum(out->bytes, file->size_bytes);
    if (file->kind == DW_LOG_COMMIT) {
        out->first_version = out->commits == 0 ? file->version : out->first_version;
        out->commits++;
    } else if (file->kind == DW_LOG_COMPACTED) {
        out->compacted++;
    } else {
        out->checkpoints += file->version != *last_checkpoint ? 1 : 0;
        *last_checkpoint = file->version;
    }
}

dw_status
dw__statistics_log(dw_log *log, dw_log_figures *out, dw_error *err)
{
    *out = (dw_log_figures){.first_version = -1};
    int64_t last_checkpoint = -1;
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, dw__log_env(log)->allocator);
    DW_TRY(dw__log_list(dw__log_storage(log), 0, &listing, err));
    for (size_t i = 0; i < listing.count; i++) {
        count_log_file(&listing.items[i], &last_checkpoint, out);
    }
    return DW_OK;
}
