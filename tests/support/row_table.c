/*
 * Changes of abstract rows.
 */
#include "support/row_table.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "protocol/stats.h"
#include "scan/dv.h"

#include <inttypes.h>

enum { VECTOR_BYTES_MAX = 4096 };

const dwt_range dwt_range_all = {{INT64_MIN, INT64_MAX},
                                 {{INT64_MIN, INT64_MAX}, {INT64_MIN, INT64_MAX}}};
static const char *const partition_names[DWT_PARTITIONS] = {"a", "b"};

/* ---- Files ----------------------------------------------------------------------------------- */

static int64_t
number_at(dw_json object, const char *outer, const char *inner)
{
    int64_t value;
    dw_json found = dw__json_get(object, dw__str_from(outer));
    bool is_there =
        dw__json_i64(inner == NULL ? found : dw__json_get(found, dw__str_from(inner)), &value);
    dw_assert(is_there);
    return value;
}

void
dwt_file_read(const dw_file *add, dwt_file *out)
{
    dw_json_doc *doc;
    dw_status status = dw__json_parse(dw__allocator_libc(), add->stats, "statistics", &doc, NULL);
    dw_assert(status == DW_OK);
    *out = (dwt_file){.add = *add};
    out->range.id.low = number_at(dw__json_root(doc), "minValues", "id");
    out->range.id.high = number_at(dw__json_root(doc), "maxValues", "id");
    dw__json_doc_free(doc);
    for (size_t i = 0; i < DWT_PARTITIONS; i++) {
        const dw_str *value =
            dw__pairs_get(&add->partition_values, dw__str_from(partition_names[i]));
        int64_t number = 0;
        bool is_number = value == NULL || dw__str_to_i64(*value, &number);
        dw_assert(is_number);
        out->range.partition[i] = (dwt_span){number, number};
    }
}

static bool
spans_meet(dwt_span a, dwt_span b)
{
    return a.low <= b.high && b.low <= a.high;
}

bool
dwt_ranges_meet(const dwt_range *a, const dwt_range *b)
{
    bool meet = spans_meet(a->id, b->id);
    for (size_t i = 0; i < DWT_PARTITIONS; i++) {
        meet = meet && spans_meet(a->partition[i], b->partition[i]);
    }
    return meet;
}

static void
get_file(dwt_change *change, dw_file_ref ref, dwt_file *out)
{
    dw_file add;
    dw_error err = DW_ERROR_INIT;
    dw_status status =
        dw__file_set_get(dw__log_snapshot_files(change->snapshot), ref, &change->arena, &add, &err);
    dw_assert(status == DW_OK);
    dwt_file_read(&add, out);
}

bool
dwt_change_find(dwt_change *change, const char *name, dwt_file *out)
{
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(change->snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        if (dw__str_equal(dw__file_set_path(set, ref), dw__str_from(name))) {
            get_file(change, ref, out);
            return true;
        }
    }
    return false;
}

/* ---- Vectors --------------------------------------------------------------------------------- */

static dw_status
read_vector(void *ctx, const dw_dv_descriptor *dv, dw_rowset **out, dw_error *err)
{
    dwt_change *change = ctx;
    return dw__dv_read(change->storage, dv, &change->arena, out, err);
}

/* In the log itself, unless the change says where. */
static dw_status
write_vector(void *ctx, const dw_rowset *rows, dw_dv_descriptor **out, dw_error *err)
{
    dwt_change *change = ctx;
    if (change->write_vector != NULL) {
        change->written++;
        return change->write_vector(change, rows, out, err);
    }
    dw_str payload;
    char padded[VECTOR_BYTES_MAX] = {0};
    dw_dv_descriptor *dv = DW_ARENA_NEW(&change->arena, dw_dv_descriptor);
    dw_assert(dv != NULL);
    DW_TRY(dw__rowset_serialize(rows, &change->arena, &payload, err));
    dw_assert(payload.len + 3 < sizeof(padded));
    memcpy(padded, payload.ptr, payload.len);
    dv->storage_type = 'i';
    dv->size_bytes = (int32_t) payload.len;
    dv->cardinality = (int64_t) dw__rowset_cardinality(rows);
    change->written++;
    *out = dv;
    return dw__z85_encode(&change->arena, dw__str_make(padded, (payload.len + 3) / 4 * 4),
                          &dv->path_or_inline_dv, err);
}

static dw_status
finish_vectors(void *ctx, dw_error *err)
{
    (void) ctx;
    (void) err;
    return DW_OK;
}

dw_rowset *
dwt_change_deleted(dwt_change *change, const dw_file *file)
{
    dw_error err = DW_ERROR_INIT;
    dw_rowset *rows = NULL;
    dw_status status = file->dv == NULL ? DW_OK : read_vector(change, file->dv, &rows, &err);
    dw_assert(status == DW_OK);
    return rows;
}

/* ---- The change ------------------------------------------------------------------------------ */

static dw_status
find_new(void *ctx, const dw_action *actions, size_t count, bool *found, dw_error *err)
{
    const dwt_change *change = ctx;
    (void) err;
    for (size_t i = 0; i < count; i++) {
        dwt_file file;
        if (actions[i].kind != DW_ACTION_ADD) {
            continue;
        }
        dwt_file_read(&actions[i].as.file, &file);
        for (size_t k = 0; k < change->range_count; k++) {
            found[i] = found[i] || dwt_ranges_meet(&file.range, &change->ranges[k]);
        }
    }
    return DW_OK;
}

void
dwt_change_init(dwt_change *change, dw_log *log, dw_log_snapshot *snapshot, const char *operation)
{
    *change = (dwt_change){.storage = dw__log_storage(log), .snapshot = snapshot};
    dw__arena_init(&change->arena, dw__allocator_libc());
    change->txn =
        (dw_txn){.log = log,
                 .read_snapshot = snapshot,
                 .actions = change->actions,
                 .search = {find_new, change},
                 .marks = {change->marks, 0, read_vector, write_vector, finish_vectors, change},
                 .searched_paths = change->searched,
                 .read_paths = change->read,
                 .operation = operation,
                 .data_change = true};
}

void
dwt_change_deinit(dwt_change *change)
{
    for (size_t i = 0; i < change->mark_count; i++) {
        dw__rowset_free(change->rows[i]);
    }
    dw__arena_deinit(&change->arena);
}

/* Appends the live files of the range to `paths`. */
static size_t
list_files(dwt_change *change, const dwt_range *range, dw_str *paths, size_t count)
{
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(change->snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dwt_file file;
        get_file(change, ref, &file);
        if (dwt_ranges_meet(&file.range, range)) {
            dw_assert(count < DWT_CHANGE_FILES_MAX);
            paths[count++] = file.add.path;
        }
    }
    dw_assert(change->range_count < DWT_CHANGE_RANGES_MAX);
    change->ranges[change->range_count++] = *range;
    change->txn.looks_for_rows = true;
    return count;
}

void
dwt_change_search(dwt_change *change, const dwt_range *range)
{
    change->txn.searched_path_count =
        list_files(change, range, change->searched, change->txn.searched_path_count);
}

void
dwt_change_read(dwt_change *change, const dwt_range *range)
{
    change->txn.read_path_count =
        list_files(change, range, change->read, change->txn.read_path_count);
}

void
dwt_change_put(dwt_change *change, const dw_action *action)
{
    dw_assert(change->action_count < sizeof(change->actions) / sizeof(change->actions[0]));
    change->parts[change->action_count] = change->part;
    change->actions[change->action_count++] = *action;
}

void
dwt_change_add(dwt_change *change, const char *name, const dwt_range *range, bool data_change)
{
    dw_pair *pairs = DW_ARENA_ARRAY(&change->arena, dw_pair, DWT_PARTITIONS);
    dw_action action = {.kind = DW_ACTION_ADD};
    dw_assert(pairs != NULL);
    for (size_t i = 0; i < DWT_PARTITIONS; i++) {
        pairs[i] = (dw_pair){dw__str_from(partition_names[i]),
                             dw__arena_printf(&change->arena, "%" PRId64, range->partition[i].low)};
    }
    action.as.file =
        (dw_file){.path = dw__arena_printf(&change->arena, "%s", name),
                  .has_partition_values = true,
                  .partition_values = {pairs, DWT_PARTITIONS},
                  .has_size = true,
                  .size_bytes = 1000,
                  .modification_time_ms = INT64_C(1704067200000),
                  .data_change = data_change,
                  .extra_json = DW_STR(""),
                  .stats = dw__arena_printf(
                      &change->arena,
                      "{\"numRecords\":%" PRId64 ",\"minValues\":{\"id\":%" PRId64
                      "},\"maxValues\":{\"id\":%" PRId64 "},\"nullCount\":{\"id\":0}}",
                      range->id.high - range->id.low + 1, range->id.low, range->id.high)};
    dwt_change_put(change, &action);
}

static void
put_remove(dwt_change *change, const dw_file *file, bool data_change)
{
    dw_action action = {.kind = DW_ACTION_REMOVE, .as.file = *file};
    action.as.file.stats = DW_STR_NULL;
    action.as.file.data_change = data_change;
    action.as.file.has_deletion_timestamp = true;
    action.as.file.deletion_timestamp_ms = INT64_C(1704067200000);
    dwt_change_put(change, &action);
}

static void
must_find(dwt_change *change, const char *name, dwt_file *out)
{
    bool is_there = dwt_change_find(change, name, out);
    dw_assert(is_there);
}

void
dwt_change_remove(dwt_change *change, const char *name, bool data_change)
{
    dwt_file file;
    must_find(change, name, &file);
    put_remove(change, &file.add, data_change);
}

void
dwt_change_recommit(dwt_change *change, const char *name)
{
    dwt_file file;
    must_find(change, name, &file);
    dw_action action = {.kind = DW_ACTION_ADD, .as.file = file.add};
    action.as.file.data_change = false;
    dwt_change_put(change, &action);
    change->read[change->txn.read_path_count++] = file.add.path;
    change->txn.recommits_files = true;
    change->txn.data_change = false;
}

static dw_rowset *
make_rows(const uint64_t *places, size_t count, const dw_rowset *more)
{
    dw_error err = DW_ERROR_INIT;
    dw_rowset *rows, *all;
    dw_status status = dw__rowset_new(dw__allocator_libc(), &rows, &err);
    for (size_t i = 0; i < count && status == DW_OK; i++) {
        status = dw__rowset_add(rows, places[i], &err);
    }
    dw_assert(status == DW_OK);
    if (more == NULL) {
        return rows;
    }
    status = dw__rowset_new(dw__allocator_libc(), &all, &err);
    dw_assert(status == DW_OK);
    status = dw__rowset_unite(all, rows, more, &err);
    dw_assert(status == DW_OK);
    dw__rowset_free(rows);
    return all;
}

void
dwt_change_mark(dwt_change *change, const char *name, const uint64_t *places, size_t count)
{
    dwt_file file;
    dw_error err = DW_ERROR_INIT;
    must_find(change, name, &file);
    dw_rowset *before = dwt_change_deleted(change, &file.add);
    dw_rowset *gone = make_rows(places, count, before);
    int64_t row_count = file.range.id.high - file.range.id.low + 1;
    put_remove(change, &file.add, true);
    if ((int64_t) dw__rowset_cardinality(gone) < row_count) {
        dw_action action = {.kind = DW_ACTION_ADD, .as.file = file.add};
        action.as.file.data_change = true;
        dw_status status = write_vector(change, gone, &action.as.file.dv, &err);
        dw_assert(status == DW_OK);
        change->rows[change->mark_count] = make_rows(places, count, NULL);
        change->marks[change->mark_count] = (dw_row_mark){.remove_idx = change->action_count - 1,
                                                          .add_idx = change->action_count,
                                                          .rows = change->rows[change->mark_count],
                                                          .row_count = row_count};
        change->mark_count++;
        dwt_change_put(change, &action);
    }
    dw__rowset_free(gone);
    dw__rowset_free(before);
}

dw_status
dwt_change_commit(dwt_change *change, dw_txn_result *out, dw_error *err)
{
    change->txn.action_count = change->action_count;
    change->txn.marks.count = change->mark_count;
    if (change->part > 0) {
        change->txn.parts = change->parts;
        change->txn.left_out = change->left_out;
    }
    change->written = 0;
    return dw__txn_commit(&change->txn, out, err);
}
