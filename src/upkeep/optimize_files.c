/*
 * Which files OPTIMIZE looks at: those of the partitions that meet its condition. The condition is
 * the engine's to judge, once for each partition.
 */
#include "base/assert.h"
#include "base/map.h"
#include "protocol/stats.h"
#include "scan/scan_sql.h"
#include "upkeep/optimize_core.h"

#include <inttypes.h>

#define SQL_BYTES_MAX ((size_t) 256 << 20)
#define KEY_BYTES_MAX ((size_t) 16 << 20)
/* A partition more costs the engine some microseconds in one list, more in a longer one. */
#define PARTITIONS_PER_QUERY ((size_t) 10000)
/* As in the reference: with more deleted rows a file is written again for itself. */
#define DELETED_SHARE_MAX 0.05

typedef struct finder {
    dw_optimize *o;
    const dw_file_set *set;
    const dw_metadata *metadata;
    const dw_field **fields; /* of the partition columns */
    dw_map partitions;       /* by their values, to their index */
    dw_file_ref *examples;   /* a file of each partition */
    bool *is_wanted;         /* each partition */
    size_t capacity;
    size_t next; /* while statistics are visited */
} finder;

/* ---- Partitions ------------------------------------------------------------------------------ */

static dw_status
find_fields(finder *f, dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(f->o->snapshot);
    size_t count = f->metadata->partition_column_count;
    f->fields = DW_ARENA_ARRAY(&f->o->arena, const dw_field *, count + 1);
    if (f->fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        f->fields[i] = dw__schema_find(schema, f->metadata->partition_columns[i]);
        if (f->fields[i] == NULL) {
            return dw__error_set(err, DW_CORRUPT, "METADATA_INVALID",
                                 "partition column \"%.*s\" is not in the schema",
                                 DW_STR_ARG(f->metadata->partition_columns[i]));
        }
    }
    return DW_OK;
}

/* Spellings of a value that differ make partitions that differ: their files are not packed
 * together, which does no harm. */
static dw_status
print_key(const finder *f, dw_file_ref ref, dw_strbuf *out, dw_error *err)
{
    dw__strbuf_clear(out);
    for (size_t i = 0; i < f->metadata->partition_column_count; i++) {
        dw_str text = dw__file_set_partition_value(f->set, ref, f->fields[i]->physical_name);
        if (text.len == 0) { /* an empty text is NULL, too */
            dw__strbuf_append_literal(out, "-,");
        } else {
            dw__strbuf_printf(out, "%zu:%.*s,", text.len, DW_STR_ARG(text));
        }
    }
    return dw__strbuf_ok(out, "a partition", err);
}

static dw_status
find_partition(finder *f, dw_file_ref ref, dw_strbuf *key, size_t *idx_out, dw_error *err)
{
    dw_optimize *o = f->o;
    DW_TRY(print_key(f, ref, key, err));
    dw_map_value *known = dw__map_get(&f->partitions, dw__strbuf_str(key));
    if (known != NULL) {
        *idx_out = (size_t) known->i64;
        return DW_OK;
    }
    dw_str kept;
    if (!dw__arena_dup(&o->arena, dw__strbuf_str(key), &kept)) {
        return dw__error_oom(err);
    }
    known = dw__map_put(&f->partitions, kept, NULL);
    if (known == NULL) {
        return dw__error_oom(err);
    }
    known->i64 = (int64_t) o->partition_count;
    f->examples[o->partition_count] = ref;
    *idx_out = o->partition_count++;
    return DW_OK;
}

/* The partition of each file; files of a partition are together afterwards, in their order. */
static dw_status
group_files(finder *f, dw_error *err)
{
    dw_optimize *o = f->o;
    dw_file_ref ref;
    dw_optimize_file *files = DW_ARENA_ARRAY(&o->arena, dw_optimize_file, f->capacity + 1);
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(o->arena.allocator, KEY_BYTES_MAX);
    f->examples = DW_ARENA_ARRAY(&o->arena, dw_file_ref, f->capacity + 1);
    if (files == NULL || f->examples == NULL) {
        return dw__error_oom(err);
    }
    for (bool ok = dw__file_set_first(f->set, &ref); ok; ok = dw__file_set_next(f->set, &ref)) {
        dw_optimize_file *file = &files[o->file_count++];
        file->ref = ref;
        file->size_bytes = dw__file_set_file_size(f->set, ref);
        DW_TRY(find_partition(f, ref, &key, &file->partition_idx, err));
    }
    o->files = files;
    return DW_OK;
}

/* ---- The condition --------------------------------------------------------------------------- */

static dw_status
put_values(const finder *f, size_t idx, dw_arena *scratch, dw_strbuf *out, dw_error *err)
{
    dw__strbuf_printf(out, "(%zu", idx);
    for (size_t i = 0; i < f->metadata->partition_column_count; i++) {
        dw_str text =
            dw__file_set_partition_value(f->set, f->examples[idx], f->fields[i]->physical_name);
        DW_TRY(dw__scan_partition_text(f->fields[i], text, scratch, &text, err));
        dw__strbuf_append_literal(out, ", ");
        if (dw__str_is_null(text)) {
            dw__strbuf_append_literal(out, "CAST(NULL AS VARCHAR)");
        } else {
            dw__sql_put_literal(out, text);
        }
    }
    dw__strbuf_append_char(out, ')');
    return DW_OK;
}

/* SELECT of the numbers of those partitions, of `first` and on, that meet the condition. */
static dw_status
print_query(const finder *f, size_t first, size_t last, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, out->allocator);
    dw__strbuf_append_literal(out, "SELECT dw__idx FROM (SELECT v.i AS dw__idx");
    for (size_t i = 0; i < f->metadata->partition_column_count; i++) {
        dw__strbuf_printf(out, ", CAST(v.c%zu AS ", i);
        dw__engine_type_print(out, f->fields[i]->type);
        dw__strbuf_append_literal(out, ") AS ");
        dw__sql_put_identifier(out, f->fields[i]->name);
    }
    dw__strbuf_append_literal(out, " FROM (VALUES ");
    for (size_t i = first; i < last; i++) {
        dw__strbuf_append(out, i == first ? DW_STR("") : DW_STR(", "));
        DW_TRY(put_values(f, i, &scratch, out, err));
        dw__arena_reset(&scratch);
    }
    dw__strbuf_append_literal(out, ") v(i");
    for (size_t i = 0; i < f->metadata->partition_column_count; i++) {
        dw__strbuf_printf(out, ", c%zu", i);
    }
    dw__strbuf_append_literal(out, ")) WHERE (");
    dw__strbuf_append(out, f->o->spec->condition);
    dw__strbuf_append_literal(out, "\n)");
    return dw__strbuf_ok(out, "the statement", err);
}

static bool
is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80) != 0;
}

static bool
has_word(dw_str text, dw_str word)
{
    for (size_t at = 0; word.len > 0 && at + word.len <= text.len; at++) {
        size_t end = at + word.len;
        if (dw__str_equal_nocase(dw__str_slice(text, at, end), word) &&
            (at == 0 || !is_word_char(text.ptr[at - 1])) &&
            (end == text.len || !is_word_char(text.ptr[end]))) {
            return true;
        }
    }
    return false;
}

static bool
is_partition_column(const finder *f, const dw_field *field)
{
    for (size_t i = 0; i < f->metadata->partition_column_count; i++) {
        if (f->fields[i] == field) {
            return true;
        }
    }
    return false;
}

/* After the engine refused the condition: is it about a column that is none of a partition? */
static dw_status
explain_refusal(const finder *f, dw_status status, dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(f->o->snapshot);
    if (status != DW_INVALID_ARGUMENT) {
        return status;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        if (is_partition_column(f, field) || !has_word(f->o->spec->condition, field->name)) {
            continue;
        }
        DW_AUTO(dw_strbuf) names = dw__strbuf_make(f->o->arena.allocator, KEY_BYTES_MAX);
        for (size_t k = 0; k < f->metadata->partition_column_count; k++) {
            dw__strbuf_printf(&names, "%s%.*s", k == 0 ? "" : ", ",
                              DW_STR_ARG(f->metadata->partition_columns[k]));
        }
        return dw__error_set(err, DW_INVALID_ARGUMENT, "NOT_A_PARTITION_COLUMN",
                             "the condition is about %.*s, which is no partition column: only "
                             "whole partitions can be chosen, by %s",
                             DW_STR_ARG(field->name),
                             names.len == 0 ? "none, as the table has no partitions"
                                            : dw__strbuf_cstr(&names));
    }
    return status;
}

static dw_status
judge_partitions(finder *f, size_t first, size_t last, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, f->o->arena.allocator);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(f->o->arena.allocator, SQL_BYTES_MAX);
    dw_text_rows rows;
    DW_TRY(print_query(f, first, last, &sql, err));
    dw_status status = dw__connection_query_text(f->o->upkeep->connection, dw__strbuf_str(&sql),
                                                 &scratch, &rows, err);
    if (status != DW_OK) {
        return explain_refusal(f, status, err);
    }
    for (size_t i = 0; i < rows.row_count; i++) {
        int64_t idx = -1;
        bool is_number = dw__str_to_i64(rows.cells[i], &idx);
        dw_assert(is_number && idx >= (int64_t) first && idx < (int64_t) last);
        f->is_wanted[idx] = true;
    }
    return DW_OK;
}

static dw_status
choose_partitions(finder *f, dw_error *err)
{
    size_t count = f->o->partition_count;
    bool has_condition = !dw__str_is_null(f->o->spec->condition);
    f->is_wanted = DW_ARENA_ARRAY(&f->o->arena, bool, count + 1);
    if (f->is_wanted == NULL) {
        return dw__error_oom(err);
    }
    memset(f->is_wanted, !has_condition, count);
    for (size_t first = 0; has_condition && first < count; first += PARTITIONS_PER_QUERY) {
        size_t last = count - first < PARTITIONS_PER_QUERY ? count : first + PARTITIONS_PER_QUERY;
        DW_TRY(judge_partitions(f, first, last, err));
    }
    return DW_OK;
}

/* ---- Deleted rows ---------------------------------------------------------------------------- */

static dw_status
weigh_deleted(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) err;
    finder *f = ctx;
    dw_optimize_file *file = &f->o->files[f->next++];
    dw_file_stats counts = {0};
    const dw_dv_descriptor *dv = dw__file_set_dv(f->set, ref);
    dw_assert(file->ref.block == ref.block && file->ref.row == ref.row);
    if (dv == NULL) {
        return DW_OK;
    }
    if (!dw__str_is_null(stats)) {
        dw__stats_read_counts(stats, &counts);
    }
    file->is_due = f->o->spec->purges;
    if (!counts.has_num_records || counts.num_records <= 0) {
        file->is_due = true; /* who knows: it is written once, and then it is known */
        return DW_OK;
    }
    double share = (double) dv->cardinality / (double) counts.num_records;
    file->is_due = file->is_due || share > DELETED_SHARE_MAX;
    file->size_bytes = (int64_t) ((double) file->size_bytes * (share < 1 ? 1 - share : 0));
    return DW_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Keeps the files of wanted partitions, sorted by partition: a counting sort keeps their order. */
static dw_status
sort_files(finder *f, dw_error *err)
{
    dw_optimize *o = f->o;
    dw_optimize_file *sorted = DW_ARENA_ARRAY(&o->arena, dw_optimize_file, o->file_count + 1);
    o->partitions = DW_ARENA_ARRAY(&o->arena, dw_optimize_partition, o->partition_count + 1);
    if (sorted == NULL || o->partitions == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < o->file_count; i++) {
        size_t idx = o->files[i].partition_idx;
        o->partitions[idx + 1].first += f->is_wanted[idx] ? 1 : 0;
    }
    for (size_t i = 0; i < o->partition_count; i++) {
        o->partitions[i + 1].first += o->partitions[i].first;
    }
    for (size_t i = 0; i < o->file_count; i++) {
        dw_optimize_partition *partition = &o->partitions[o->files[i].partition_idx];
        if (f->is_wanted[o->files[i].partition_idx]) {
            sorted[partition->first + partition->count++] = o->files[i];
            int64_t time_ms = dw__file_set_modification_time_ms(f->set, o->files[i].ref);
            partition->size_bytes += o->files[i].size_bytes;
            partition->newest_ms = time_ms > partition->newest_ms ? time_ms : partition->newest_ms;
        }
    }
    o->file_count = o->partitions[o->partition_count].first;
    o->files = sorted;
    return DW_OK;
}

static dw_status
find(finder *f, dw_error *err)
{
    dw_file_set *set = dw__log_snapshot_files(f->o->snapshot);
    DW_TRY(find_fields(f, err));
    DW_TRY(group_files(f, err));
    if (dw__file_set_dv_count(set) > 0) {
        DW_TRY(dw__file_set_visit_stats(set, weigh_deleted, f, err));
    }
    DW_TRY(choose_partitions(f, err));
    return sort_files(f, err);
}

dw_status
dw__optimize_find_files(dw_optimize *o, dw_error *err)
{
    finder f = {.o = o,
                .set = dw__log_snapshot_files(o->snapshot),
                .metadata = dw__log_snapshot_metadata(o->snapshot)};
    f.capacity = dw__file_set_count(f.set);
    dw__map_init(&f.partitions, o->arena.allocator);
    dw_status status = find(&f, err);
    dw__map_deinit(&f.partitions);
    return status;
}
