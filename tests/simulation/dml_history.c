/*
 * Replaying and asking.
 */
#include "dml_history.h"

#include "base/assert.h"
#include "scan/dv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1024, TEXT_SIZE = 64 };

/* Names of rows, sorted. */
typedef struct row_list {
    dw_str items[ROWS_MAX];
    size_t count;
} row_list;

/* What a commit says of itself. */
typedef struct account {
    dw_str operation;
    int64_t restored; /* the version that is brought back; -1: none */
    int64_t low, high;
    int64_t read_version;
    bool is_blind_append;
    row_list *rows; /* taken out, or only read */
    row_list *all;  /* these, and those that were read and left alone */
} account;

static void DW_PRINTF(3, 4) find_fault(history *h, int64_t version, const char *fmt, ...)
{
    if (h->fault[0] == '\0') {
        va_list args;
        int len = snprintf(h->fault, sizeof(h->fault), "version %" PRId64 ": ", version);
        va_start(args, fmt);
        vsnprintf(h->fault + len, sizeof(h->fault) - (size_t) len, fmt, args);
        va_end(args);
    }
}

/* ---- Lists of rows --------------------------------------------------------------------------- */

static int
compare_strs(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

static void
add_row(row_list *list, dw_str name)
{
    dw_assert(list->count < ROWS_MAX);
    list->items[list->count++] = name;
}

static void
sort_rows(row_list *list)
{
    qsort(list->items, list->count, sizeof(dw_str), compare_strs);
}

/* The first name that only one of the sorted lists has; the null string: they are equal. */
static dw_str
difference(const row_list *a, const row_list *b)
{
    size_t i = 0;
    while (i < a->count && i < b->count && dw__str_equal(a->items[i], b->items[i])) {
        i++;
    }
    if (i == a->count && i == b->count) {
        return DW_STR_NULL;
    }
    bool is_left = i < a->count && (i == b->count || dw__str_compare(a->items[i], b->items[i]) < 0);
    return is_left ? a->items[i] : b->items[i];
}

typedef bool (*file_filter)(const history *h, const history_file *file, const account *said);

/* The live rows with such ids in files that pass. */
static void
list_rows(history *h, int64_t low, int64_t high, file_filter passes, const account *said,
          row_list *out)
{
    out->count = 0;
    for (size_t i = 0; i < h->file_count; i++) {
        const history_file *file = &h->files[i];
        for (int64_t k = 0; passes(h, file, said) && k < file->row_count; k++) {
            if (!file->is_gone[k] && file->low + k >= low && file->low + k <= high) {
                add_row(out, dml_row_name(&h->arena, file->path, (uint64_t) k));
            }
        }
    }
    sort_rows(out);
}

/* ---- What a commit says ---------------------------------------------------------------------- */

static dw_str
word_behind(dw_str text, const char *key)
{
    const char *found = strstr(text.ptr, key);
    dw_assert(found != NULL);
    found += strlen(key);
    return dw__str_make(found, strcspn(found, " "));
}

static int64_t
number_behind(dw_str text, const char *key)
{
    int64_t value;
    bool is_number = dw__str_to_i64(word_behind(text, key), &value);
    dw_assert(is_number);
    return value;
}

static int64_t
number_in(dw_str json, const char *member)
{
    const char *found = strstr(json.ptr, member);
    dw_assert(found != NULL);
    return strtoll(found + strlen(member), NULL, 10);
}

/* Appends the names, each with a comma behind it. */
static void
read_rows(dw_str rest, row_list *out)
{
    while (rest.len > 0) {
        size_t end = dw__str_find(rest, ',');
        add_row(out, dw__str_slice(rest, 0, end));
        rest = dw__str_slice(rest, end + 1, rest.len);
    }
}

static void
read_account(history *h, dw_str json, account *out)
{
    dw_commit_info info;
    dw_status status = dw__commit_info_parse(json, &h->arena, &info, NULL);
    dw_assert(status == DW_OK);
    out->read_version = info.has_read_version ? info.read_version : -1;
    out->is_blind_append = info.is_blind_append;
    out->rows->count = out->all->count = 0;
    out->operation = DW_STR("");
    if (dw__str_equal(info.operation, DW_STR("RESTORE"))) {
        out->operation = DW_STR("restore");
        out->restored = number_in(info.operation_parameters_json, "\"version\":");
    }
    if (dw__str_is_null(info.user_metadata)) {
        return;
    }
    dw_str text = dw__arena_printf(&h->arena, "%.*s ", DW_STR_ARG(info.user_metadata));
    out->operation = word_behind(text, "op=");
    out->low = number_behind(text, "low=");
    out->high = number_behind(text, "high=");
    read_rows(word_behind(text, "rows="), out->rows);
    *out->all = *out->rows;
    read_rows(word_behind(text, "left="), out->all);
    sort_rows(out->rows);
    sort_rows(out->all);
}

/* ---- Replaying ------------------------------------------------------------------------------- */

static dw_str
dv_id(history *h, const dw_dv_descriptor *dv)
{
    dw_str id;
    dw_status status = dw__dv_unique_id(dv, &h->arena, &id, NULL);
    dw_assert(status == DW_OK);
    return id;
}

static dw_str
origin_of(dw_str path)
{
    return dw__str_slice(path, 0, dw__str_find(path, '~'));
}

/* SIZE_MAX: it is not live. */
static size_t
find_file(const history *h, dw_str path)
{
    for (size_t i = 0; i < h->file_count; i++) {
        if (dw__str_equal(h->files[i].path, path)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void
read_vector(history *h, int64_t version, const dw_file *add, history_file *out)
{
    dw_rowset *rows = NULL;
    dw_error err = DW_ERROR_INIT;
    if (add->dv == NULL) {
        return;
    }
    if (dw__dv_read(h->storage, add->dv, &h->arena, &rows, &err) != DW_OK) {
        find_fault(h, version, "a vector cannot be read: %s", err.message);
        return;
    }
    for (int64_t k = 0; k < out->row_count; k++) {
        out->is_gone[k] = dw__rowset_contains(rows, (uint64_t) k);
    }
    dw__rowset_free(rows);
}

/* Rows that were there keep their age. */
static void
inherit(const history_file *removed, size_t removed_count, history_file *file)
{
    for (size_t i = 0; i < removed_count; i++) {
        if (dw__str_equal(origin_of(removed[i].path), origin_of(file->path))) {
            file->added_at = removed[i].added_at;
            file->added_blindly = removed[i].added_blindly;
        }
    }
}

/* What was there before and is brought back. */
static bool
is_known(const history *h, const dw_file *add)
{
    for (size_t i = 0; i < h->known_count; i++) {
        if (dw__str_equal(h->known[i].path, add->path)) {
            return h->known[i].base_row_id == add->base_row_id;
        }
    }
    return false;
}

static void
check_row_ids(history *h, int64_t version, const dw_file *add, const history_file *removed,
              size_t removed_count, bool is_restored)
{
    for (size_t i = 0; i < removed_count; i++) {
        if (dw__str_equal(removed[i].path, add->path)) {
            if (removed[i].base_row_id != add->base_row_id) {
                find_fault(h, version, "%.*s got other row ids", DW_STR_ARG(add->path));
            }
            return;
        }
    }
    if (is_restored && is_known(h, add)) {
        return;
    }
    if (!add->has_base_row_id || add->base_row_id <= h->row_id_max) {
        find_fault(h, version, "%.*s got row ids that others have", DW_STR_ARG(add->path));
    }
}

static void
add_file(history *h, int64_t version, const dw_file *add, const account *said,
         const history_file *removed, size_t removed_count)
{
    dwt_file parsed;
    dwt_file_read(add, &parsed);
    history_file file = {.path = add->path,
                         .dv = dv_id(h, add->dv),
                         .low = parsed.range.id.low,
                         .row_count = parsed.range.id.high - parsed.range.id.low + 1,
                         .added_at = version,
                         .added_blindly = said->is_blind_append,
                         .base_row_id = add->has_base_row_id ? add->base_row_id : -1};
    if (find_file(h, add->path) != SIZE_MAX) {
        find_fault(h, version, "adds what is there: %.*s", DW_STR_ARG(add->path));
    }
    dw_assert(file.row_count <= 2 * DML_ROWS_OF_FILE && h->file_count < HISTORY_FILES_MAX);
    inherit(removed, removed_count, &file);
    read_vector(h, version, add, &file);
    if (h->with_row_tracking) {
        check_row_ids(h, version, add, removed, removed_count, said->restored >= 0);
        int64_t last = add->base_row_id + file.row_count - 1;
        h->row_id_max = last > h->row_id_max ? last : h->row_id_max;
    }
    h->files[h->file_count++] = file;
    dw_assert(h->known_count < HISTORY_KNOWN_MAX);
    h->known[h->known_count++] = file;
}

static void
remove_file(history *h, int64_t version, const dw_file *remove, history_file *removed,
            size_t *removed_count)
{
    size_t idx = find_file(h, remove->path);
    if (idx == SIZE_MAX || !dw__str_equal(h->files[idx].dv, dv_id(h, remove->dv))) {
        find_fault(h, version, "removes what is not there, or not so: %.*s",
                   DW_STR_ARG(remove->path));
        return;
    }
    removed[(*removed_count)++] = h->files[idx];
    h->files[idx] = h->files[--h->file_count];
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static bool
is_any(const history *h, const history_file *file, const account *said)
{
    (void) h;
    (void) file;
    (void) said;
    return true;
}

/* Blind appends that the statement did not see may be taken to have come later. */
static bool
counts_as_seen(const history *h, const history_file *file, const account *said)
{
    return h->is_serializable || !file->added_blindly || file->added_at <= said->read_version;
}

static bool
is_merge(const account *said)
{
    return dw__str_equal(said->operation, DW_STR("merge")) ||
           dw__str_equal(said->operation, DW_STR("trim"));
}

static bool
reads_rows(const account *said)
{
    static const char *const names[] = {"delete", "update", "copy", "overwrite", "merge", "trim"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (dw__str_equal(said->operation, dw__str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static void
check_reads(history *h, int64_t version, const account *said)
{
    static row_list there;
    if (!reads_rows(said)) {
        return;
    }
    h->read_check_count++;
    list_rows(h, said->low, said->high, counts_as_seen, said, &there);
    dw_str odd = difference(&there, said->all);
    if (!dw__str_is_null(odd)) {
        find_fault(h, version, "%.*s read version %" PRId64 ", but row %.*s had come or gone",
                   DW_STR_ARG(said->operation), said->read_version, DW_STR_ARG(odd));
    }
}

static bool
is_in(const row_list *list, dw_str name)
{
    return list->count > 0 &&
           bsearch(&name, list->items, list->count, sizeof(dw_str), compare_strs) != NULL;
}

/* Of two sorted lists, what the second lacks must be what was taken out, and what it has beside
 * must be of files that this version added. */
static void
check_effect(history *h, int64_t version, const account *said, const row_list *before,
             const row_list *after)
{
    static row_list taken;
    bool takes = reads_rows(said) && !dw__str_equal(said->operation, DW_STR("copy"));
    taken.count = 0;
    for (size_t i = 0; i < before->count; i++) {
        if (!is_in(after, before->items[i])) {
            add_row(&taken, before->items[i]);
        }
    }
    static const row_list none;
    dw_str odd = difference(&taken, takes ? said->rows : &none);
    if (!dw__str_is_null(odd)) {
        find_fault(h, version, "%.*s took row %.*s out, or left it in, against its word",
                   DW_STR_ARG(said->operation), DW_STR_ARG(odd));
    }
    for (size_t i = 0; i < h->file_count; i++) {
        const history_file *file = &h->files[i];
        for (int64_t k = 0; file->added_at < version && k < file->row_count; k++) {
            dw_str name = dml_row_name(&h->arena, file->path, (uint64_t) k);
            if (!file->is_gone[k] && !is_in(before, name)) {
                find_fault(h, version, "%.*s brought row %.*s back", DW_STR_ARG(said->operation),
                           DW_STR_ARG(name));
            }
        }
    }
    for (size_t i = 1; i < after->count; i++) {
        if (dw__str_equal(after->items[i], after->items[i - 1])) {
            find_fault(h, version, "row %.*s is there twice", DW_STR_ARG(after->items[i]));
        }
    }
}

static uint64_t
rows_digest(const row_list *rows)
{
    uint64_t sum = rows->count;
    for (size_t i = 0; i < rows->count; i++) {
        sum += dw__str_hash(rows->items[i]);
    }
    return sum;
}

/* The rows are those of then - files may have been moved meanwhile - and nobody's went unseen. */
static void
check_restored(history *h, const account *said, const row_list *before)
{
    uint64_t seen = h->row_digests[said->read_version];
    if (h->row_digests[h->version] != h->row_digests[said->restored]) {
        find_fault(h, h->version, "is not what version %" PRId64 " was", said->restored);
    }
    if (rows_digest(before) != seen) {
        find_fault(h, h->version, "restore read version %" PRId64 ", but rows had come or gone",
                   said->read_version);
    }
}

/* How often each id is among the rows of files that pass. */
static void
count_ids(const history *h, file_filter passes, const account *said, int64_t counts[DML_IDS_MAX])
{
    memset(counts, 0, DML_IDS_MAX * sizeof(*counts));
    for (size_t i = 0; i < h->file_count; i++) {
        const history_file *file = &h->files[i];
        for (int64_t k = 0; passes(h, file, said) && k < file->row_count; k++) {
            counts[file->low + k] += !file->is_gone[k];
        }
    }
}

/* The ids of the rows that it says it took out. */
static void
count_taken(history *h, const account *said, int64_t counts[DML_IDS_MAX])
{
    memset(counts, 0, DML_IDS_MAX * sizeof(*counts));
    for (size_t i = 0; i < h->file_count; i++) {
        const history_file *file = &h->files[i];
        for (int64_t k = 0; k < file->row_count; k++) {
            dw_str name = dml_row_name(&h->arena, file->path, (uint64_t) k);
            counts[file->low + k] += !file->is_gone[k] && is_in(said->rows, name);
        }
    }
}

static bool
is_of_this_version(const history *h, const history_file *file, const account *said)
{
    (void) said;
    return file->added_at == h->version;
}

/* A MERGE adds what it took out and sets, and a row for each id that no row had. */
static void
check_merged(history *h, const account *said, const int64_t *before, const int64_t *taken)
{
    int64_t added[DML_IDS_MAX];
    bool updates = dw__str_equal(said->operation, DW_STR("merge"));
    count_ids(h, is_of_this_version, said, added);
    for (int64_t id = 0; id < DML_IDS_MAX; id++) {
        bool is_asked = id >= said->low && id <= said->high;
        int64_t expected = (updates ? taken[id] : 0) + (is_asked && before[id] == 0);
        if (added[id] != expected) {
            find_fault(h, h->version,
                       "%.*s of version %" PRId64 " added %" PRId64 " rows of id %" PRId64
                       ", of which there were %" PRId64,
                       DW_STR_ARG(said->operation), said->read_version, added[id], id, before[id]);
        }
    }
}

/* ---- Digests --------------------------------------------------------------------------------- */

/* Sums do not depend on the order. */
static uint64_t
file_digest(dw_str path, dw_str dv, int64_t base_row_id)
{
    char number[TEXT_SIZE];
    snprintf(number, sizeof(number), "%" PRId64, base_row_id);
    return dw__str_hash(path) * 31 + dw__str_hash(dv) * 17 + dw__str_hash(dw__str_from(number));
}

static uint64_t
digest(const history *h)
{
    uint64_t sum = h->file_count;
    for (size_t i = 0; i < h->file_count; i++) {
        sum += file_digest(h->files[i].path, h->files[i].dv, h->files[i].base_row_id);
    }
    return sum;
}

uint64_t
history_digest(const dw_log_snapshot *snapshot)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    uint64_t sum = dw__file_set_count(set);
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dw_str dv;
        int64_t base;
        dw_status status = dw__dv_unique_id(dw__file_set_dv(set, ref), &arena, &dv, NULL);
        dw_assert(status == DW_OK);
        bool has_base = dw__file_set_base_row_id(set, ref, &base);
        sum += file_digest(dw__file_set_path(set, ref), dv, has_base ? base : -1);
    }
    return sum;
}

/* ---- Commits --------------------------------------------------------------------------------- */

typedef struct commit_actions {
    dw_action items[256];
    size_t count;
} commit_actions;

static dw_status
keep_action(void *ctx, const dw_action *action, dw_error *err)
{
    (void) err;
    commit_actions *all = ctx;
    dw_assert(all->count < sizeof(all->items) / sizeof(all->items[0]));
    all->items[all->count++] = *action;
    return DW_OK;
}

static void
apply(history *h, int64_t version, const commit_actions *commit, const account *said)
{
    static history_file removed[HISTORY_FILES_MAX];
    size_t removed_count = 0;
    for (size_t i = 0; i < commit->count; i++) {
        if (commit->items[i].kind == DW_ACTION_REMOVE) {
            remove_file(h, version, &commit->items[i].as.file, removed, &removed_count);
        }
    }
    for (size_t i = 0; i < commit->count; i++) {
        if (commit->items[i].kind == DW_ACTION_ADD) {
            add_file(h, version, &commit->items[i].as.file, said, removed, removed_count);
        }
    }
}

static void
check_commit(history *h, int64_t version, const char *text)
{
    static commit_actions commit;
    static row_list said_rows, said_all, before, after;
    int64_t ids_before[DML_IDS_MAX];
    int64_t taken[DML_IDS_MAX];
    account said = {.rows = &said_rows, .all = &said_all, .restored = -1, .low = 0, .high = -1};
    h->version = version;
    commit.count = 0;
    dw_error err = DW_ERROR_INIT;
    if (dw__actions_parse(dw__str_from(text), &h->arena, keep_action, &commit, &err) != DW_OK ||
        commit.count == 0) {
        find_fault(h, version, "cannot be read: %s", err.message);
        return;
    }
    said.rows->count = said.all->count = 0;
    if (commit.items[0].kind == DW_ACTION_COMMIT_INFO) {
        read_account(h, commit.items[0].as.json, &said);
    }
    list_rows(h, INT64_MIN, INT64_MAX, is_any, &said, &before);
    check_reads(h, version, &said);
    count_ids(h, counts_as_seen, &said, ids_before);
    count_taken(h, &said, taken);
    apply(h, version, &commit, &said);
    if (is_merge(&said)) {
        check_merged(h, &said, ids_before, taken);
    }
    list_rows(h, INT64_MIN, INT64_MAX, is_any, &said, &after);
    h->digests[version] = digest(h);
    h->row_digests[version] = rows_digest(&after);
    if (said.restored >= 0) {
        check_restored(h, &said, &before);
    } else {
        check_effect(h, version, &said, &before, &after);
    }
}

void
history_check(history *h, const dml *all, dw_storage *storage, bool is_serializable,
              bool with_row_tracking)
{
    *h = (history){.storage = storage,
                   .is_serializable = is_serializable,
                   .with_row_tracking = with_row_tracking,
                   .row_id_max = -1,
                   .version_count = all->archive_count};
    dw__arena_init(&h->arena, dw__allocator_libc());
    for (int64_t version = 0; version < all->archive_count; version++) {
        check_commit(h, version, all->archive[version]);
    }
}

void
history_deinit(history *h)
{
    dw__arena_deinit(&h->arena);
}
