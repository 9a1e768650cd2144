/*
 * A writer's statements.
 */
#include "dml.h"

#include "base/assert.h"
#include "log/cleanup.h"
#include "support/delta_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 16, NAME_SIZE = 96 };

typedef enum statement_kind {
    STATEMENT_INSERT,
    STATEMENT_DELETE,  /* by vectors */
    STATEMENT_REWRITE, /* a DELETE that writes files again */
    STATEMENT_UPDATE,
    STATEMENT_MERGE,
    STATEMENT_COPY, /* INSERT ... SELECT of the table itself */
    STATEMENT_OVERWRITE,
    STATEMENT_MOVE, /* a compaction */
    STATEMENT_SET_PROPERTY,
    STATEMENT_ENABLE_VECTORS,
    STATEMENT_CHECKPOINT,
    STATEMENT_COMPACT_LOG,
    STATEMENT_CLEAN_UP
} statement_kind;

/* A MERGE of a source that has each id of the range once, ON equality of ids. */
typedef struct merge_choice {
    bool changes, leaves; /* rows that match: all, or with both, those at even places */
    bool updates;         /* what is changed is set, else deleted */
    dw_strbuf left;       /* names of rows that match and are left alone */
    int64_t matches[DML_IDS_MAX];
    int64_t coming[DML_IDS_MAX]; /* new rows */
} merge_choice;

typedef struct statement {
    life *self;
    dml *all;
    dw_log_snapshot *snapshot;
    dwt_change change;
    dwt_range range;
    dw_strbuf rows; /* their names, each with a comma behind it */
    size_t row_count;
    merge_choice merge;
} statement;

static const char *
keep_text(statement *s, const char *format, dw_str a, int64_t b)
{
    dw_str text = dw__arena_printf(&s->change.arena, format, DW_STR_ARG(a), b);
    dw_assert(!dw__str_is_null(text));
    return text.ptr;
}

dw_str
dml_row_name(dw_arena *arena, dw_str path, uint64_t place)
{
    dw_str origin = dw__str_slice(path, 0, dw__str_find(path, '~'));
    dw_str name = dw__arena_printf(arena, "%.*s:%d", DW_STR_ARG(origin), (int) place);
    dw_assert(!dw__str_is_null(name));
    return name;
}

void
dml_put_file(dml *all, sim_actor *actor, dw_str path)
{
    if (all->upkeep != NULL && !sim_has_crashed(actor)) {
        dw_status status = dw__storage_put(sim_storage(actor->sim), path, DW_STR("rows"), NULL);
        dw_assert(status == DW_OK);
    }
}

/* ---- Looking for rows ------------------------------------------------------------------------ */

static int64_t
choose(statement *s, int64_t bound)
{
    return (int64_t) sim_choose(s->self->actor, (uint64_t) bound);
}

/* A few ids, or a whole half of them. */
static void
choose_range(statement *s)
{
    int64_t low = choose(s, DML_IDS);
    int64_t length = choose(s, 8) == 0 ? DML_IDS / 2 : 1 + choose(s, 2);
    s->range = dwt_range_all;
    s->range.id = (dwt_span){low, low + length - 1};
}

/* The places of a file's live rows that are meant. */
static size_t
match_rows(statement *s, const dwt_file *file, uint64_t places[DML_ROWS_OF_FILE])
{
    size_t count = 0;
    dw_rowset *gone = dwt_change_deleted(&s->change, &file->add);
    for (int64_t id = file->range.id.low; id <= file->range.id.high; id++) {
        uint64_t place = (uint64_t) (id - file->range.id.low);
        bool is_live = gone == NULL || !dw__rowset_contains(gone, place);
        if (is_live && id >= s->range.id.low && id <= s->range.id.high) {
            dw_assert(count < DML_ROWS_OF_FILE);
            places[count++] = place;
        }
    }
    dw__rowset_free(gone);
    return count;
}

static void
note_rows(statement *s, const dwt_file *file, const uint64_t *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(&s->rows, dml_row_name(&s->change.arena, file->add.path, places[i]));
        dw__strbuf_append_char(&s->rows, ',');
    }
    s->row_count += count;
}

static void
note_left(statement *s, const dwt_file *file, uint64_t place)
{
    dw__strbuf_append(&s->merge.left, dml_row_name(&s->change.arena, file->add.path, place));
    dw__strbuf_append_char(&s->merge.left, ',');
}

static void
new_file(statement *s, int64_t low, int64_t row_count)
{
    dwt_range range = {{low, low + row_count - 1}, {{0, 0}, {0, 0}}};
    dw_str path = life_new_path(s->self);
    dml_put_file(s->all, s->self->actor, path);
    dwt_change_add(&s->change, path.ptr, &range, true);
}

/* The file under another name, with its places; rows may go on the way. */
static void
write_again(statement *s, const dwt_file *file, const uint64_t *places, size_t count,
            bool data_change)
{
    const char *path = keep_text(s, "%.*s", file->add.path, 0);
    size_t before = s->change.action_count;
    dw_str origin = dw__str_slice(file->add.path, 0, dw__str_find(file->add.path, '~'));
    if (count > 0) {
        dwt_change_mark(&s->change, path, places, count);
        s->change.mark_count--; /* a file that goes is none that is marked */
        dw__rowset_free(s->change.rows[s->change.mark_count]);
    } else {
        dwt_change_remove(&s->change, path, data_change);
        dw_action again = {.kind = DW_ACTION_ADD, .as.file = file->add};
        again.as.file.data_change = data_change;
        dwt_change_put(&s->change, &again);
    }
    dw_action *add = &s->change.actions[before + 1];
    add->as.file.path = dw__arena_printf(&s->change.arena, "%.*s~%s", DW_STR_ARG(origin),
                                         life_new_path(s->self).ptr);
    dml_put_file(s->all, s->self->actor, add->as.file.path);
    add->as.file.has_base_row_id = false;
    add->as.file.has_default_row_commit_version = false;
}

typedef void (*file_visitor)(statement *s, const dwt_file *file, const uint64_t *places,
                             size_t count);

/* Every live file with rows that are meant. */
static void
visit_files(statement *s, file_visitor visit)
{
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(s->snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dwt_file file;
        uint64_t places[DML_ROWS_OF_FILE];
        bool is_there = dwt_change_find(
            &s->change, keep_text(s, "%.*s", dw__file_set_path(set, ref), 0), &file);
        dw_assert(is_there);
        size_t count = match_rows(s, &file, places);
        if (count > 0) {
            visit(s, &file, places, count);
        }
    }
}

static void
take_out(statement *s, const dwt_file *file, const uint64_t *places, size_t count)
{
    note_rows(s, file, places, count);
    dwt_change_mark(&s->change, keep_text(s, "%.*s", file->add.path, 0), places, count);
}

static bool
is_whole(statement *s, const dwt_file *file, size_t count)
{
    dw_rowset *gone = dwt_change_deleted(&s->change, &file->add);
    uint64_t before = gone == NULL ? 0 : dw__rowset_cardinality(gone);
    dw__rowset_free(gone);
    return (int64_t) (before + count) == file->range.id.high - file->range.id.low + 1;
}

static void
rewrite(statement *s, const dwt_file *file, const uint64_t *places, size_t count)
{
    note_rows(s, file, places, count);
    if (is_whole(s, file, count)) {
        dwt_change_remove(&s->change, keep_text(s, "%.*s", file->add.path, 0), true);
    } else {
        write_again(s, file, places, count, true);
    }
}

/* ---- Statements ------------------------------------------------------------------------------ */

static const char *
fill_insert(statement *s)
{
    new_file(s, choose(s, DML_IDS / DML_ROWS_OF_FILE) * DML_ROWS_OF_FILE, DML_ROWS_OF_FILE);
    return "insert";
}

static const char *
fill_delete(statement *s)
{
    choose_range(s);
    dwt_change_search(&s->change, &s->range);
    visit_files(s, take_out);
    return "delete";
}

static const char *
fill_rewrite(statement *s)
{
    choose_range(s);
    dwt_change_search(&s->change, &s->range);
    visit_files(s, rewrite);
    return "delete";
}

static const char *
fill_update(statement *s)
{
    choose_range(s);
    dwt_change_search(&s->change, &s->range);
    visit_files(s, take_out);
    if (s->row_count > 0) {
        int64_t count = (int64_t) s->row_count;
        new_file(s, choose(s, DML_IDS),
                 count < DML_ROWS_OF_FILE ? count : (int64_t) DML_ROWS_OF_FILE);
    }
    return "update";
}

/* What becomes of the rows of a file that match. */
static void
merge_into(statement *s, const dwt_file *file, const uint64_t *places, size_t count)
{
    merge_choice *merge = &s->merge;
    uint64_t taken[DML_ROWS_OF_FILE];
    size_t taken_count = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t id = file->range.id.low + (int64_t) places[i];
        merge->matches[id]++;
        if (merge->changes && (!merge->leaves || places[i] % 2 == 0)) {
            merge->coming[id] += merge->updates;
            taken[taken_count++] = places[i];
        } else {
            note_left(s, file, places[i]);
        }
    }
    if (taken_count > 0) {
        take_out(s, file, taken, taken_count);
    }
}

/* A file has ids one after the other, so it takes a file a run of them. */
static void
put_coming(statement *s)
{
    int64_t *coming = s->merge.coming;
    for (int64_t low = 0; low < DML_IDS_MAX;) {
        int64_t count = 0;
        while (count < DML_ROWS_OF_FILE && low + count < DML_IDS_MAX && coming[low + count] > 0) {
            coming[low + count++]--;
        }
        if (count > 0) {
            new_file(s, low, count);
        } else {
            low++;
        }
    }
}

/* A row that matches and is left alone keeps a row of the source from being inserted: then it is
 * not only for itself that it was looked at. */
static const char *
fill_merge(statement *s)
{
    merge_choice *merge = &s->merge;
    choose_range(s);
    merge->leaves = choose(s, 2) == 0;
    merge->changes = !merge->leaves || choose(s, 3) > 0;
    merge->updates = choose(s, 2) == 0;
    (merge->leaves ? dwt_change_read : dwt_change_search)(&s->change, &s->range);
    visit_files(s, merge_into);
    for (int64_t id = s->range.id.low; id <= s->range.id.high; id++) {
        merge->coming[id] += merge->matches[id] == 0;
    }
    put_coming(s);
    return merge->updates ? "merge" : "trim";
}

static const char *
fill_copy(statement *s)
{
    choose_range(s);
    dwt_change_read(&s->change, &s->range);
    visit_files(s, note_rows);
    new_file(s, choose(s, DML_IDS), 1 + choose(s, DML_ROWS_OF_FILE));
    return "copy";
}

static void
remove_file(statement *s, const dwt_file *file, const uint64_t *places, size_t count)
{
    note_rows(s, file, places, count);
    dwt_change_remove(&s->change, keep_text(s, "%.*s", file->add.path, 0), true);
}

static const char *
fill_overwrite(statement *s)
{
    s->range = dwt_range_all;
    s->change.txn.reads_whole_table = true;
    visit_files(s, remove_file);
    new_file(s, 0, DML_ROWS_OF_FILE);
    return "overwrite";
}

/* Two files at most, each for itself. */
static void
move_file(statement *s, const dwt_file *file, const uint64_t *places, size_t count)
{
    (void) places;
    (void) count;
    if (s->change.action_count < 4) {
        s->change.part++;
        write_again(s, file, NULL, 0, false);
        s->change.read[s->change.txn.read_path_count++] = file->add.path;
    }
}

static const char *
fill_move(statement *s)
{
    choose_range(s);
    visit_files(s, move_file);
    s->change.txn.data_change = false;
    return "move";
}

static const char *
fill_property(statement *s, const char *key, const char *value)
{
    const dw_metadata *before = dw__log_snapshot_metadata(s->snapshot);
    dw_action action = {.kind = DW_ACTION_METADATA, .as.metadata = *before};
    const dw_pairs *old = &before->configuration;
    dw_pair *items = DW_ARENA_ARRAY(&s->change.arena, dw_pair, old->count + 1);
    size_t count = 0;
    dw_assert(items != NULL);
    for (size_t i = 0; i < old->count; i++) {
        if (!dw__str_equal(old->items[i].key, dw__str_from(key))) {
            items[count++] = old->items[i];
        }
    }
    items[count++] = (dw_pair){dw__str_from(key), dw__str_from(value)};
    action.as.metadata.configuration = (dw_pairs){items, count};
    dwt_change_put(&s->change, &action);
    return "property";
}

static const char *
fill(statement *s, statement_kind kind)
{
    switch (kind) {
    case STATEMENT_INSERT:
        return fill_insert(s);
    case STATEMENT_DELETE:
        return fill_delete(s);
    case STATEMENT_REWRITE:
        return fill_rewrite(s);
    case STATEMENT_UPDATE:
        return fill_update(s);
    case STATEMENT_MERGE:
        return fill_merge(s);
    case STATEMENT_COPY:
        return fill_copy(s);
    case STATEMENT_OVERWRITE:
        return fill_overwrite(s);
    case STATEMENT_MOVE:
        return fill_move(s);
    case STATEMENT_SET_PROPERTY:
        return fill_property(s, "sim.last",
                             keep_text(s, "%.*s%" PRId64, DW_STR("v"), choose(s, 1000)));
    case STATEMENT_ENABLE_VECTORS:
        return fill_property(s, "delta.enableDeletionVectors", "true");
    case STATEMENT_CHECKPOINT:
    case STATEMENT_COMPACT_LOG:
    case STATEMENT_CLEAN_UP:
        break;
    }
    dw_unreachable("not a statement");
}

/* ---- Committing ------------------------------------------------------------------------------ */

static void
describe(statement *s, const char *operation, const char *id)
{
    dw_assert(!s->rows.failed);
    dw_assert(!s->merge.left.failed);
    s->change.txn.user_metadata = dw__arena_printf(
        &s->change.arena, "id=%s! op=%s low=%" PRId64 " high=%" PRId64 " rows=%.*s left=%.*s", id,
        operation, s->range.id.low, s->range.id.high, DW_STR_ARG(dw__strbuf_str(&s->rows)),
        DW_STR_ARG(dw__strbuf_str(&s->merge.left)));
    dw_assert(!dw__str_is_null(s->change.txn.user_metadata));
}

/* What only looks after the table aborts nobody, but where files moved that a statement changes. */
static void
check_loser(life *self, const char *operation, dw_status status, const dw_error *err)
{
    static const char *const gentle[] = {"(VACUUM", "(FSCK", "(CLONE"};
    if (status != DW_CONFLICT) {
        return;
    }
    for (size_t i = 0; i < sizeof(gentle) / sizeof(gentle[0]); i++) {
        if (strstr(err->message, gentle[i]) != NULL) {
            life_report(self, operation, status, err);
        }
    }
    bool is_moved =
        strstr(err->message, "(OPTIMIZE") != NULL || strstr(err->message, "(REORG") != NULL;
    if (is_moved && (strcmp(operation, "insert") == 0 || strcmp(operation, "copy") == 0)) {
        life_report(self, operation, status, err);
    }
}

static void
commit(statement *s, const char *operation)
{
    life *self = s->self;
    dw_error err = DW_ERROR_INIT;
    dw_txn_result result;
    size_t entry = ledger_begin(&self->all->book, self->actor);
    describe(s, operation, self->all->book.items[entry].id);
    dw_status status = dwt_change_commit(&s->change, &result, &err);
    bool is_in = status == DW_OK && !result.was_left_out;
    check_loser(self, operation, status, &err);
    ledger_end end = life_end_of(self, status, &err);
    ledger_finish(&self->all->book, self->actor, entry,
                  status == DW_OK && !is_in ? LEDGER_REFUSED : end, is_in ? result.version : -1);
    s->all->merged_count += status == DW_OK && s->change.written > 0;
    sim_note(self->actor, "%s: %s%s%s at %" PRId64, s->change.txn.user_metadata.ptr,
             dw_status_name(status), status == DW_OK ? "" : " ", status == DW_OK ? "" : err.code,
             result.version);
}

static void
run_statement(life *self, dml *all, dw_log_snapshot *snapshot, statement_kind kind)
{
    statement s = {.self = self, .all = all, .snapshot = snapshot, .range = dwt_range_all};
    s.rows = dw__strbuf_make(dw__allocator_libc(), TEXT_BYTES_MAX);
    s.merge.left = dw__strbuf_make(dw__allocator_libc(), TEXT_BYTES_MAX);
    dwt_change_init(&s.change, self->log, snapshot, "SIMULATED");
    if (all->upkeep != NULL) {
        all->upkeep->prepare(all->upkeep_ctx, &s.change);
    }
    const char *operation = fill(&s, kind);
    if (s.change.action_count > 0) {
        commit(&s, operation);
    }
    dwt_change_deinit(&s.change);
    dw__strbuf_deinit(&s.rows);
    dw__strbuf_deinit(&s.merge.left);
}

/* ---- Looking after the log ------------------------------------------------------------------- */

static int64_t
now_ms(const life *self)
{
    return dw__env_now_ms(&self->actor->env);
}

static void
compact_log(life *self, const dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    int64_t last = dw__log_snapshot_version(snapshot);
    int64_t first = last - 1 - (int64_t) sim_choose(self->actor, 4);
    dw_status status = first < 0 ? DW_OK : dw__log_compact(self->log, first, last, &err);
    if (status != DW_OK && status != DW_NOT_FOUND) {
        life_report(self, "compacting the log", status, &err);
    }
}

void
dml_archive(dml *all, dw_storage *truth)
{
    for (; all->archive_count < DML_VERSIONS_MAX; all->archive_count++) {
        char key[DW_COMMIT_KEY_SIZE];
        dw__commit_key(all->archive_count, key);
        char *text = dwt_get(truth, key);
        if (text == NULL) {
            return;
        }
        all->archive[all->archive_count] = text;
    }
}

int64_t
dml_oldest_ms(const dml *all, int64_t now_ms)
{
    int64_t oldest = now_ms;
    for (size_t i = 0; i < DML_ACTORS_MAX; i++) {
        oldest = all->since_ms[i] < oldest ? all->since_ms[i] : oldest;
    }
    return oldest;
}

/* What no snapshot that anybody still has could need. */
static void
clean_up(life *self, dml *all, dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    dw_cleanup_result done;
    int64_t oldest = dml_oldest_ms(all, now_ms(self));
    dml_archive(all, sim_storage(self->actor->sim));
    dw_cleanup_request request = {.retention_ms = now_ms(self) - oldest + 2, .granularity_ms = 1};
    dw_status status = dw__log_clean_up(snapshot, &request, &done, &err);
    if (status == DW_OK) {
        all->cleaned_count += done.file_count;
    } else if (status != DW_NOT_FOUND) {
        life_report(self, "cleaning up", status, &err);
    }
}

/* ---- A life ---------------------------------------------------------------------------------- */

static statement_kind
choose_kind(life *self)
{
    static const struct {
        statement_kind kind;
        uint64_t share;
    } shares[] = {
        {STATEMENT_INSERT, 18},        {STATEMENT_DELETE, 20},    {STATEMENT_REWRITE, 6},
        {STATEMENT_UPDATE, 12},        {STATEMENT_MERGE, 12},     {STATEMENT_COPY, 6},
        {STATEMENT_OVERWRITE, 2},      {STATEMENT_MOVE, 8},       {STATEMENT_SET_PROPERTY, 1},
        {STATEMENT_ENABLE_VECTORS, 2}, {STATEMENT_CHECKPOINT, 6}, {STATEMENT_COMPACT_LOG, 4},
        {STATEMENT_CLEAN_UP, 3}};
    uint64_t chosen = sim_choose(self->actor, 100);
    size_t i = 0;
    while (chosen >= shares[i].share) {
        chosen -= shares[i++].share;
    }
    return shares[i].kind;
}

static dw_status
ignore_stats(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) ctx;
    (void) ref;
    (void) stats;
    (void) err;
    return DW_OK;
}

/* Statements need statistics, which may still lie in a checkpoint. */
static dw_status
read_statistics(const dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    return dw__file_set_visit_stats(dw__log_snapshot_files(snapshot), ignore_stats, NULL, &err);
}

static void
checkpoint(life *self, dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__checkpoint_write(snapshot, &err);
    self->all->checkpoint_count += status == DW_OK;
    if (status != DW_OK) {
        life_report(self, "writing a checkpoint", status, &err);
    }
}

static void
step(life *self, dml *all)
{
    size_t number = self->actor->number;
    dw__arena_reset(&self->arena);
    int64_t before_ms = now_ms(self);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = life_choose_snapshot(self);
    all->since_ms[number] = all->last_read_ms[number];
    all->last_read_ms[number] = before_ms;
    dw_status status = snapshot == NULL ? DW_UNAVAILABLE : read_statistics(snapshot);
    if (status != DW_OK) {
        return;
    }
    if (all->upkeep != NULL && sim_choose(self->actor, 100) < all->upkeep->share) {
        all->upkeep->step(all->upkeep_ctx, self, all, snapshot);
        return;
    }
    statement_kind kind = choose_kind(self);
    if (kind == STATEMENT_CHECKPOINT) {
        checkpoint(self, snapshot);
    } else if (kind == STATEMENT_COMPACT_LOG) {
        compact_log(self, snapshot);
    } else if (kind == STATEMENT_CLEAN_UP) {
        clean_up(self, all, self->held);
    } else {
        run_statement(self, all, snapshot, kind);
    }
}

void
dml_writer_main(sim_actor *actor, void *ctx)
{
    dml *all = ctx;
    life self;
    life_begin(&self, actor, &all->all);
    all->last_read_ms[actor->number] = now_ms(&self);
    all->since_ms[actor->number] = all->last_read_ms[actor->number];
    for (int64_t i = 0; i < all->all.changes_each && !sim_has_crashed(actor); i++) {
        step(&self, all);
        if (all->upkeep != NULL) {
            all->upkeep->check(all->upkeep_ctx, &self, all);
        }
    }
    all->since_ms[actor->number] = INT64_MAX;
    life_end(&self);
}

void
dml_deinit(dml *all)
{
    for (int64_t i = 0; i < all->archive_count; i++) {
        free(all->archive[i]);
    }
    writers_deinit(&all->all);
}
