/*
 * The naive replay. Everything is found by searching, everything lives in one arena.
 */
#include "table_model.h"

#include "base/assert.h"
#include "base/vec.h"
#include "codec/json.h"
#include "support/delta_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGEST_BYTES_MAX ((size_t) 16 << 20)
#define APPS_MAX 8

typedef struct str_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} str_vec;

static void
break_rule(table_model *model, int64_t version, const char *what, dw_str name)
{
    if (model->fault[0] == '\0') {
        snprintf(model->fault, sizeof(model->fault), "version %" PRId64 ": %s %.*s", version, what,
                 DW_STR_ARG(name));
    }
}

static dw_str
keep(table_model *model, dw_str s)
{
    dw_str copy;
    bool is_there = dw__arena_dup(&model->arena, s, &copy);
    dw_assert(is_there);
    return copy;
}

/* ---- digests --------------------------------------------------------------------------------- */

static int
compare_strs(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

/* Lines in sorted order: the same state has the same digest however it was reached. */
static dw_str
join_sorted(str_vec *lines, dw_arena *arena)
{
    qsort(lines->items, lines->count, sizeof(dw_str), compare_strs);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), DIGEST_BYTES_MAX);
    for (size_t i = 0; i < lines->count; i++) {
        dw__strbuf_append(&text, lines->items[i]);
        dw__strbuf_append_char(&text, '\n');
    }
    dw_str out;
    bool is_there = !text.failed && dw__arena_dup(arena, dw__strbuf_str(&text), &out);
    dw_assert(is_there);
    return out;
}

static void
add_line(str_vec *lines, dw_str line)
{
    dw_str *slot = DW_VEC_PUSH(dw__allocator_libc(), lines);
    dw_assert(slot != NULL && !dw__str_is_null(line));
    *slot = line;
}

static dw_str
app_id(int number, char out[16])
{
    snprintf(out, 16, "app%d", number);
    return dw__str_from(out);
}

static dw_str
model_digest(table_model *model)
{
    str_vec lines = {0};
    for (size_t i = 0; i < model->file_count; i++) {
        const model_file *file = &model->files[i];
        add_line(&lines, dw__arena_printf(&model->arena, "file %.*s dv %.*s",
                                          DW_STR_ARG(file->path), DW_STR_ARG(file->dv)));
    }
    for (int i = 0; i < APPS_MAX; i++) {
        char id[16];
        const dw_map_value *version = dw__map_get(&model->txns, app_id(i, id));
        if (version != NULL) {
            add_line(&lines, dw__arena_printf(&model->arena, "txn %s %" PRId64, id, version->i64));
        }
    }
    add_line(&lines, dw__arena_printf(&model->arena, "configuration %.*s",
                                      DW_STR_ARG(model->configuration)));
    dw_str digest = join_sorted(&lines, &model->arena);
    DW_VEC_DEINIT(dw__allocator_libc(), &lines);
    return digest;
}

/* "key=value;" for each pair, sorted. */
static dw_str
digest_of_pairs(const dw_pairs *pairs, dw_arena *arena)
{
    str_vec lines = {0};
    for (size_t i = 0; i < pairs->count; i++) {
        add_line(&lines, dw__arena_printf(arena, "%.*s=%.*s", DW_STR_ARG(pairs->items[i].key),
                                          DW_STR_ARG(pairs->items[i].value)));
    }
    dw_str digest = lines.count == 0 ? DW_STR("") : join_sorted(&lines, arena);
    DW_VEC_DEINIT(dw__allocator_libc(), &lines);
    return digest;
}

static dw_str
id_of_dv(const dw_dv_descriptor *dv, dw_arena *arena)
{
    if (dv == NULL) {
        return DW_STR("");
    }
    if (dv->has_offset) {
        return dw__arena_printf(arena, "%c%.*s@%" PRId32, dv->storage_type,
                                DW_STR_ARG(dv->path_or_inline_dv), dv->offset);
    }
    return dw__arena_printf(arena, "%c%.*s", dv->storage_type, DW_STR_ARG(dv->path_or_inline_dv));
}

dw_str
table_digest(const dw_log_snapshot *snapshot, dw_arena *arena)
{
    str_vec lines = {0};
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        add_line(&lines, dw__arena_printf(arena, "file %.*s dv %.*s",
                                          DW_STR_ARG(dw__file_set_path(set, ref)),
                                          DW_STR_ARG(id_of_dv(dw__file_set_dv(set, ref), arena))));
    }
    for (int i = 0; i < APPS_MAX; i++) {
        char id[16];
        dw_txn_id txn;
        if (dw__log_snapshot_txn(snapshot, app_id(i, id), &txn)) {
            add_line(&lines, dw__arena_printf(arena, "txn %s %" PRId64, id, txn.version));
        }
    }
    const dw_pairs *configuration = &dw__log_snapshot_metadata(snapshot)->configuration;
    add_line(&lines, dw__arena_printf(arena, "configuration %.*s",
                                      DW_STR_ARG(digest_of_pairs(configuration, arena))));
    dw_str digest = join_sorted(&lines, arena);
    DW_VEC_DEINIT(dw__allocator_libc(), &lines);
    return digest;
}

/* ---- replay ---------------------------------------------------------------------------------- */

static dw_str
member_str(dw_json object, const char *key)
{
    return dw__json_str(dw__json_get(object, dw__str_from(key)));
}

static dw_str
dv_id(table_model *model, dw_json action)
{
    dw_json dv = dw__json_get(action, DW_STR("deletionVector"));
    if (dw__json_kind(dv) != DW_JSON_OBJECT) {
        return DW_STR_NULL;
    }
    dw_str type = member_str(dv, "storageType");
    dw_str text = member_str(dv, "pathOrInlineDv");
    int64_t offset;
    if (dw__json_i64(dw__json_get(dv, DW_STR("offset")), &offset)) {
        return dw__arena_printf(&model->arena, "%.*s%.*s@%" PRId64, DW_STR_ARG(type),
                                DW_STR_ARG(text), offset);
    }
    return dw__arena_printf(&model->arena, "%.*s%.*s", DW_STR_ARG(type), DW_STR_ARG(text));
}

/* The index of the live file, or SIZE_MAX. */
static size_t
find_file(const table_model *model, dw_str path, dw_str dv)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (dw__str_equal(model->files[i].path, path) && dw__str_equal(model->files[i].dv, dv)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void
remove_file(table_model *model, int64_t version, dw_json action)
{
    dw_str path = member_str(action, "path");
    size_t idx = find_file(model, path, dv_id(model, action));
    if (idx == SIZE_MAX) {
        break_rule(model, version, "removes what is not there:", path);
        return;
    }
    model->files[idx] = model->files[--model->file_count];
}

/* A new file has ids that nobody had before and the version of its commit; one that is committed
 * again keeps its ids. */
static void
check_row_ids(table_model *model, int64_t version, dw_str path, dw_json action)
{
    int64_t base, commit_version;
    if (!dw__json_i64(dw__json_get(action, DW_STR("baseRowId")), &base) ||
        !dw__json_i64(dw__json_get(action, DW_STR("defaultRowCommitVersion")), &commit_version)) {
        break_rule(model, version, "gives no row ids to", path);
        return;
    }
    dw_map_value *known = dw__map_get(&model->row_ids, path);
    if (known != NULL) {
        if (known->i64 != base || commit_version >= version) {
            break_rule(model, version, "changes the row ids of", path);
        }
        return;
    }
    if (base <= model->row_id_max || commit_version != version) {
        break_rule(model, version, "gives row ids a second time to", path);
    }
    model->row_id_max = base + MODEL_FILE_ROWS - 1;
    dw_map_value *value = dw__map_put(&model->row_ids, path, NULL);
    dw_assert(value != NULL);
    value->i64 = base;
}

static void
set_high_water_mark(table_model *model, int64_t version, dw_json action)
{
    dw_json_doc *doc;
    int64_t mark = -1;
    dw_str text = member_str(action, "configuration");
    if (dw__json_parse(dw__allocator_libc(), text, "a domain", &doc, NULL) == DW_OK) {
        (void) dw__json_i64(dw__json_get(dw__json_root(doc), DW_STR("rowIdHighWaterMark")), &mark);
        dw__json_doc_free(doc);
    }
    if (mark <= model->high_water_mark) {
        break_rule(model, version, "does not raise the high-water mark:", text);
    }
    model->high_water_mark = mark;
}

static bool
is_backfill(const table_model *model, int64_t version)
{
    return dw__str_equal(model->versions[version].operation, DW_STR("ROW TRACKING BACKFILL"));
}

static void
set_protocol(table_model *model, int64_t version, dw_json action)
{
    bool tracked = model->tracks_rows;
    model->tracks_rows = false;
    dw_json_iter it = dw__json_iter(dw__json_get(action, DW_STR("writerFeatures")));
    while (dw__json_next(&it)) {
        model->tracks_rows =
            model->tracks_rows || dw__str_equal(dw__json_str(it.value), DW_STR("rowTracking"));
    }
    if (tracked && !model->tracks_rows) {
        break_rule(model, version, "loses a feature:", DW_STR("rowTracking"));
    }
}

static void
add_file(table_model *model, int64_t version, dw_json action)
{
    dw_str path = keep(model, member_str(action, "path"));
    bool is_there = false;
    for (size_t i = 0; i < model->file_count; i++) {
        is_there = is_there || dw__str_equal(model->files[i].path, path);
    }
    if (model->tracks_rows) {
        check_row_ids(model, version, path, action);
    }
    if (is_there && is_backfill(model, version) &&
        find_file(model, path, dv_id(model, action)) != SIZE_MAX) {
        return; /* the same file, which has ids now */
    }
    if (is_there || is_backfill(model, version)) {
        break_rule(model, version, is_there ? "adds what is there already:" : "brings back", path);
    }
    dw_assert(model->file_count < MODEL_FILES_MAX);
    model->files[model->file_count++] =
        (model_file){path, dv_id(model, action), version, model->versions[version].is_blind_append};
}

static void
set_txn(table_model *model, int64_t version, dw_json action)
{
    int64_t txn_version = -1;
    bool is_number = dw__json_i64(dw__json_get(action, DW_STR("version")), &txn_version);
    dw_str id = keep(model, member_str(action, "appId"));
    dw_map_value *value = dw__map_put(&model->txns, id, NULL);
    dw_assert(is_number && value != NULL);
    if (value->i64 >= txn_version) {
        break_rule(model, version, "repeats a transaction of", id);
    }
    value->i64 = txn_version;
}

static void
set_configuration(table_model *model, dw_json action)
{
    dw_pair items[64];
    dw_pairs pairs = {items, 0};
    dw_json_iter it = dw__json_iter(dw__json_get(action, DW_STR("configuration")));
    while (dw__json_next(&it)) {
        dw_assert(pairs.count < 64);
        items[pairs.count++] = (dw_pair){keep(model, it.key), keep(model, dw__json_str(it.value))};
    }
    model->configuration = digest_of_pairs(&pairs, &model->arena);
}

static void
read_commit_info(table_model *model, int64_t version, dw_json info)
{
    model_version *self = &model->versions[version];
    self->operation = keep(model, member_str(info, "operation"));
    if (!dw__json_i64(dw__json_get(info, DW_STR("readVersion")), &self->read_version)) {
        self->read_version = -1;
    }
    if (!dw__json_i64(dw__json_get(info, DW_STR("inCommitTimestamp")),
                      &self->in_commit_timestamp)) {
        self->in_commit_timestamp = INT64_MIN;
    }
    self->is_blind_append = dw__json_bool(dw__json_get(info, DW_STR("isBlindAppend")), false);
}

/* In one commit removes come before adds, wherever they stand: a deletion vector is replaced so. */
static void
apply_line(table_model *model, int64_t version, dw_str line, bool removes_only)
{
    dw_json_doc *doc;
    dw_error err = DW_ERROR_INIT;
    if (dw__json_parse(dw__allocator_libc(), line, "a line", &doc, &err) != DW_OK) {
        break_rule(model, version, "holds a line that is no JSON:", line);
        return;
    }
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        bool is_remove = dw__str_equal(it.key, DW_STR("remove"));
        if (is_remove != removes_only) {
            continue;
        }
        if (is_remove) {
            remove_file(model, version, it.value);
        } else if (dw__str_equal(it.key, DW_STR("add"))) {
            add_file(model, version, it.value);
        } else if (dw__str_equal(it.key, DW_STR("txn"))) {
            set_txn(model, version, it.value);
        } else if (dw__str_equal(it.key, DW_STR("domainMetadata"))) {
            set_high_water_mark(model, version, it.value);
        } else if (dw__str_equal(it.key, DW_STR("metaData"))) {
            set_configuration(model, it.value);
        } else if (dw__str_equal(it.key, DW_STR("protocol"))) {
            set_protocol(model, version, it.value);
        }
    }
    dw__json_doc_free(doc);
}

static void
apply_lines(table_model *model, int64_t version, bool removes_only)
{
    dw_str rest = model->versions[version].text;
    while (rest.len > 0) {
        size_t end = dw__str_find(rest, '\n');
        dw_str line = dw__str_slice(rest, 0, end);
        rest = end == SIZE_MAX ? DW_STR("") : dw__str_slice(rest, end + 1, rest.len);
        if (line.len > 0) {
            apply_line(model, version, line, removes_only);
        }
    }
}

static void
find_commit_info(table_model *model, int64_t version)
{
    dw_str text = model->versions[version].text;
    dw_str line = dw__str_slice(text, 0, dw__str_find(text, '\n'));
    dw_json_doc *doc;
    if (dw__json_parse(dw__allocator_libc(), line, "commitInfo", &doc, NULL) != DW_OK) {
        break_rule(model, version, "does not begin with commitInfo:", line);
        return;
    }
    read_commit_info(model, version, dw__json_get(dw__json_root(doc), DW_STR("commitInfo")));
    dw__json_doc_free(doc);
}

/*
 * In-commit timestamps are there from the first commit on, and each is later than the one before.
 */
static void
check_timestamp(table_model *model, int64_t version)
{
    int64_t own = model->versions[version].in_commit_timestamp;
    int64_t before = version == 0 ? INT64_MIN : model->versions[version - 1].in_commit_timestamp;
    if (own == INT64_MIN || own <= before) {
        break_rule(model, version, "has no in-commit timestamp later than the last one",
                   DW_STR(""));
    }
}

/* Who overwrote the table read all of it: what it left must be blind appends that came later, or
 * nothing on a serializable table. */
static void
check_overwrite(table_model *model, int64_t version)
{
    const model_version *self = &model->versions[version];
    for (size_t i = 0; i < model->file_count; i++) {
        const model_file *file = &model->files[i];
        bool is_own = file->added_at == version;
        bool is_allowed = !model->promises.is_serializable && file->added_at > self->read_version &&
                          file->added_blindly;
        if (!is_own && !is_allowed) {
            break_rule(model, version, "overwrote the table and left", file->path);
        }
    }
}

void
table_model_read(table_model *model, dw_storage *storage, table_promises promises)
{
    *model = (table_model){
        .promises = promises, .configuration = DW_STR(""), .row_id_max = -1, .high_water_mark = -1};
    dw__arena_init(&model->arena, dw__allocator_libc());
    dw__map_init(&model->txns, dw__allocator_libc());
    dw__map_init(&model->row_ids, dw__allocator_libc());
    for (int64_t version = 0;; version++) {
        char key[64];
        snprintf(key, sizeof(key), "_delta_log/%020" PRId64 ".json", version);
        char *text = dwt_get(storage, key);
        if (text == NULL) {
            model->version_count = version;
            return;
        }
        dw_assert(version < MODEL_VERSIONS_MAX);
        model->versions[version].text = keep(model, dw__str_from(text));
        free(text);
        find_commit_info(model, version);
        if (promises.with_in_commit_timestamps) {
            check_timestamp(model, version);
        }
        apply_lines(model, version, true);
        apply_lines(model, version, false);
        if (promises.with_row_tracking && !model->tracks_rows) {
            break_rule(model, version, "does not track rows", DW_STR(""));
        }
        if (model->high_water_mark < model->row_id_max) {
            break_rule(model, version, "gives row ids beyond the high-water mark", DW_STR(""));
        }
        if (dw__str_equal(model->versions[version].operation, DW_STR("OVERWRITE"))) {
            check_overwrite(model, version);
        }
        model->versions[version].digest = model_digest(model);
    }
}

void
table_model_deinit(table_model *model)
{
    dw__map_deinit(&model->txns);
    dw__map_deinit(&model->row_ids);
    dw__arena_deinit(&model->arena);
}
