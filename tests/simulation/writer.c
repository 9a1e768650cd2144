/*
 * One writer's life.
 */
#include "writer.h"

#include "base/assert.h"
#include "base/vec.h"
#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "table_model.h"
#include "txn/txn.h"

#include <stdio.h>

enum {
    READ_TRIES_MAX = 60,
    BATCH_TRIES_MAX = 20,
    BATCHES = 2,
    OVERWRITE_FILES_MAX = 200,
    PROPERTIES_MAX = 8,
    HOT_FILES = 4 /* rewrites choose among few, so that they meet */
};

typedef struct life {
    sim_actor *actor;
    writers *all;
    dw_engine *engine;
    dw_log *log;
    dw_arena arena; /* reset with each change */
    int64_t file_number;
    dw_log_snapshot *held; /* an older snapshot: some changes take long to prepare */
} life;

typedef enum change_kind {
    CHANGE_APPEND,
    CHANGE_REWRITE,     /* reads one file, replaces it */
    CHANGE_DELETE_ROWS, /* reads one file, gives it a deletion vector */
    CHANGE_OVERWRITE,   /* reads all, replaces all */
    CHANGE_SET_PROPERTY,
    CHANGE_CHECKPOINT
} change_kind;

static void
report(life *self, const char *doing, dw_status status, const dw_error *err)
{
    if (sim_has_crashed(self->actor) || status == DW_UNAVAILABLE || status == DW_AMBIGUOUS) {
        return;
    }
    snprintf(self->all->fault, sizeof(self->all->fault), "%s: %s: %s: %s (%s)", doing,
             dw_status_name(status), err->code, err->message, err->context);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void
observe(life *self, const dw_log_snapshot *snapshot)
{
    dw_str digest = table_digest(snapshot, &self->arena);
    observation *slot = DW_VEC_PUSH(dw__allocator_libc(), &self->all->observations);
    dw_assert(slot != NULL);
    *slot = (observation){dw__log_snapshot_version(snapshot), dw__str_hash(digest)};
}

/* The newest snapshot, however often storage is away; NULL when it stays away. */
static dw_log_snapshot *
read_snapshot(life *self)
{
    dw_error err = DW_ERROR_INIT;
    for (int i = 0; i < READ_TRIES_MAX && !sim_has_crashed(self->actor); i++) {
        dw_log_snapshot *snapshot;
        dw__error_clear(&err);
        dw_status status = dw__log_snapshot(self->log, &snapshot, &err);
        if (status == DW_OK) {
            observe(self, snapshot);
            return snapshot;
        }
        if (status != DW_UNAVAILABLE) {
            report(self, "reading a snapshot", status, &err);
            return NULL;
        }
    }
    return NULL;
}

/* ---- committing ------------------------------------------------------------------------------ */

static ledger_end
end_of(life *self, dw_status status, const dw_error *err)
{
    switch (status) {
    case DW_OK:
        return LEDGER_ACKNOWLEDGED;
    case DW_AMBIGUOUS:
        return LEDGER_UNKNOWN;
    case DW_CONFLICT:
        self->all->conflict_count++;
        return LEDGER_REFUSED;
    case DW_ALREADY_EXISTS:
    case DW_UNAVAILABLE:
        return LEDGER_REFUSED;
    case DW_INVALID_ARGUMENT:
    case DW_NOT_FOUND:
    case DW_UNSUPPORTED:
    case DW_CORRUPT:
    case DW_IO:
    case DW_OUT_OF_MEMORY:
    case DW_CANCELLED:
    case DW_INTERNAL:
        report(self, "committing", status, err);
        return LEDGER_REFUSED;
    }
    dw_unreachable("a status is one of those above");
}

/* Commits and books what came of it. Every commit carries its ledger id in its user metadata. */
static dw_status
commit(life *self, size_t entry, dw_txn *txn)
{
    dw_error err = DW_ERROR_INIT;
    dw_txn_result result;
    txn->log = self->log;
    txn->user_metadata = dw__arena_printf(&self->arena, "id=%s!", self->all->book.items[entry].id);
    dw_status status = dw__txn_commit(txn, &result, &err);
    int64_t version = status == DW_OK && !result.was_duplicate ? result.version : -1;
    ledger_finish(&self->all->book, self->actor, entry, end_of(self, status, &err), version);
    sim_note(self->actor, "%s of %s at %" PRId64 ": %s", txn->operation,
             self->all->book.items[entry].id, version, dw_status_name(status));
    return status;
}

static dw_action
add_of(dw_str path, dw_dv_descriptor *dv)
{
    return (dw_action){.kind = DW_ACTION_ADD,
                       .as.file = {.path = path,
                                   .has_partition_values = true,
                                   .has_size = true,
                                   .size_bytes = 1000,
                                   .modification_time_ms = 1704067200000,
                                   .data_change = true,
                                   .stats = DW_STR("{\"numRecords\":3}"),
                                   .dv = dv}};
}

static dw_action
remove_of(dw_str path, dw_dv_descriptor *dv)
{
    return (dw_action){.kind = DW_ACTION_REMOVE,
                       .as.file = {.path = path,
                                   .has_deletion_timestamp = true,
                                   .deletion_timestamp_ms = 1704067200000,
                                   .data_change = true,
                                   .has_size = true,
                                   .size_bytes = 1000,
                                   .dv = dv}};
}

static dw_str
new_path(life *self)
{
    dw_str path = dw__arena_printf(&self->arena, "part-%zu-%" PRId64 "-%" PRId64 ".parquet",
                                   self->actor->number, self->actor->life, self->file_number++);
    dw_assert(!dw__str_is_null(path));
    return path;
}

/* ---- changes --------------------------------------------------------------------------------- */

static void
append(life *self, dw_log_snapshot *snapshot)
{
    dw_action actions[2] = {add_of(new_path(self), NULL), add_of(new_path(self), NULL)};
    dw_txn txn = {.read_snapshot = snapshot,
                  .actions = actions,
                  .action_count = 2,
                  .operation = "WRITE",
                  .data_change = true};
    (void) commit(self, ledger_begin(&self->all->book, self->actor), &txn);
}

/* The live file of the actor's choice, in the arena. */
static bool
choose_file(life *self, const dw_log_snapshot *snapshot, dw_file *out)
{
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    size_t count = dw__file_set_count(set);
    if (count == 0) {
        return false;
    }
    count = count > HOT_FILES ? HOT_FILES : count;
    dw_file_ref ref = {0, 0};
    bool ok = dw__file_set_first(set, &ref);
    for (uint64_t skip = sim_choose(self->actor, count); skip > 0; skip--) {
        ok = dw__file_set_next(set, &ref);
    }
    dw_assert(ok);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__file_set_get(set, ref, &self->arena, out, &err);
    if (status != DW_OK) {
        report(self, "reading a file's add", status, &err);
        return false;
    }
    return true;
}

static void
rewrite(life *self, dw_log_snapshot *snapshot, bool deletes_rows)
{
    dw_file old;
    if (!choose_file(self, snapshot, &old)) {
        return;
    }
    size_t entry = ledger_begin(&self->all->book, self->actor);
    dw_dv_descriptor new = {.storage_type = 'u',
                            .path_or_inline_dv = dw__arena_printf(&self->arena, "dv-%s",
                                                                  self->all->book.items[entry].id),
                            .has_offset = true,
                            .offset = 1,
                            .size_bytes = 30,
                            .cardinality = 1};
    dw_action actions[2] = {remove_of(old.path, old.dv), add_of(new_path(self), NULL)};
    if (deletes_rows) {
        actions[1].as.file = old;
        actions[1].as.file.dv = &new;
    }
    dw_txn txn = {.read_snapshot = snapshot,
                  .actions = actions,
                  .action_count = 2,
                  .read_paths = &old.path,
                  .read_path_count = 1,
                  .operation = deletes_rows ? "DELETE" : "UPDATE",
                  .data_change = true};
    (void) commit(self, entry, &txn);
}

static void
overwrite(life *self, dw_log_snapshot *snapshot)
{
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    dw_assert(dw__file_set_count(set) < OVERWRITE_FILES_MAX);
    dw_action *actions = DW_ARENA_ARRAY(&self->arena, dw_action, OVERWRITE_FILES_MAX);
    dw_assert(actions != NULL);
    size_t count = 0;
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dw_dv_descriptor *dv = NULL;
        if (dw__file_set_dv(set, ref) != NULL) {
            dv = DW_ARENA_NEW(&self->arena, dw_dv_descriptor);
            dw_assert(dv != NULL);
            *dv = *dw__file_set_dv(set, ref);
        }
        actions[count++] = remove_of(dw__file_set_path(set, ref), dv);
    }
    actions[count++] = add_of(new_path(self), NULL);
    dw_txn txn = {.read_snapshot = snapshot,
                  .actions = actions,
                  .action_count = count,
                  .reads_whole_table = true,
                  .operation = "OVERWRITE",
                  .data_change = true};
    (void) commit(self, ledger_begin(&self->all->book, self->actor), &txn);
}

static void
set_property(life *self, dw_log_snapshot *snapshot)
{
    size_t entry = ledger_begin(&self->all->book, self->actor);
    dw_pair pairs[PROPERTIES_MAX];
    dw_action action = {.kind = DW_ACTION_METADATA,
                        .as.metadata = *dw__log_snapshot_metadata(snapshot)};
    dw_pairs *configuration = &action.as.metadata.configuration;
    size_t count = 0;
    for (size_t i = 0; i < configuration->count; i++) {
        if (!dw__str_equal(configuration->items[i].key, DW_STR("sim.last"))) {
            dw_assert(count + 1 < PROPERTIES_MAX);
            pairs[count++] = configuration->items[i];
        }
    }
    pairs[count++] = (dw_pair){
        DW_STR("sim.last"), dw__arena_printf(&self->arena, "%s", self->all->book.items[entry].id)};
    *configuration = (dw_pairs){pairs, count};
    dw_txn txn = {.read_snapshot = snapshot,
                  .actions = &action,
                  .action_count = 1,
                  .operation = "SET TBLPROPERTIES",
                  .data_change = true};
    (void) commit(self, entry, &txn);
}

static void
checkpoint(life *self, dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__checkpoint_write(snapshot, &err);
    if (status == DW_OK) {
        self->all->checkpoint_count++;
    } else {
        report(self, "writing a checkpoint", status, &err);
    }
}

static change_kind
choose_kind(life *self)
{
    static const struct {
        change_kind kind;
        uint64_t share;
    } shares[] = {{CHANGE_APPEND, 50},   {CHANGE_REWRITE, 15},     {CHANGE_DELETE_ROWS, 15},
                  {CHANGE_OVERWRITE, 6}, {CHANGE_SET_PROPERTY, 4}, {CHANGE_CHECKPOINT, 10}};
    uint64_t chosen = sim_choose(self->actor, 100);
    size_t i = 0;
    while (chosen >= shares[i].share) {
        chosen -= shares[i++].share;
    }
    return shares[i].kind;
}

/* What the change is made on: the newest snapshot, or the one before it. Owned by the caller. */
static dw_log_snapshot *
choose_snapshot(life *self)
{
    dw_log_snapshot *newest = read_snapshot(self);
    if (newest == NULL) {
        return NULL;
    }
    dw_log_snapshot *older = self->held;
    self->held = dw__log_snapshot_ref(newest);
    if (older != NULL && sim_choose(self->actor, 3) == 0) {
        dw__log_snapshot_unref(newest);
        return older;
    }
    dw__log_snapshot_unref(older);
    return newest;
}

static void
change(life *self)
{
    dw__arena_reset(&self->arena);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = choose_snapshot(self);
    if (snapshot == NULL) {
        return;
    }
    switch (choose_kind(self)) {
    case CHANGE_APPEND:
        append(self, snapshot);
        return;
    case CHANGE_REWRITE:
        rewrite(self, snapshot, false);
        return;
    case CHANGE_DELETE_ROWS:
        rewrite(self, snapshot, true);
        return;
    case CHANGE_OVERWRITE:
        overwrite(self, snapshot);
        return;
    case CHANGE_SET_PROPERTY:
        set_property(self, snapshot);
        return;
    case CHANGE_CHECKPOINT:
        checkpoint(self, snapshot);
        return;
    }
}

/* ---- loads that are repeated until they are in ----------------------------------------------- */

/* A batch under a transaction id: every life tries it again, and it must be in exactly once. */
static bool
try_batch(life *self, int64_t number)
{
    dw__arena_reset(&self->arena);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = read_snapshot(self);
    if (snapshot == NULL) {
        return false;
    }
    dw_str app = dw__arena_printf(&self->arena, "app%zu", self->actor->number);
    size_t entry = ledger_join(&self->all->book, self->actor, number);
    dw_txn_id known;
    if (dw__log_snapshot_txn(snapshot, app, &known) && known.version >= number) {
        ledger_finish(&self->all->book, self->actor, entry, LEDGER_ACKNOWLEDGED, -1);
        return true;
    }
    dw_action actions[2] = {{.kind = DW_ACTION_TXN, .as.txn = {.app_id = app, .version = number}},
                            add_of(new_path(self), NULL)};
    dw_txn txn = {.read_snapshot = snapshot,
                  .actions = actions,
                  .action_count = 2,
                  .operation = "WRITE",
                  .data_change = true};
    return commit(self, entry, &txn) == DW_OK;
}

static void
load_batches(life *self)
{
    for (int64_t number = 1; number <= BATCHES; number++) {
        bool is_in = false;
        for (int i = 0; i < BATCH_TRIES_MAX && !is_in && !sim_has_crashed(self->actor); i++) {
            is_in = try_batch(self, number);
        }
        if (!is_in) {
            return;
        }
    }
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void
create_table(life *self)
{
    dw_error err = DW_ERROR_INIT;
    bool exists = false;
    if (dw__log_exists(self->log, &exists, &err) != DW_OK || exists) {
        return;
    }
    dw_pair pairs[PROPERTIES_MAX];
    dw_pairs configuration = {pairs, 0};
    dw_str features[] = {DW_STR("inCommitTimestamp"), DW_STR("domainMetadata"),
                         DW_STR("rowTracking")};
    dw_protocol protocol = {.min_reader_version = 1, .min_writer_version = 2};
    if (self->all->is_serializable) {
        pairs[configuration.count++] =
            (dw_pair){DW_STR("delta.isolationLevel"), DW_STR("Serializable")};
    }
    if (self->all->with_in_commit_timestamps) {
        pairs[configuration.count++] =
            (dw_pair){DW_STR("delta.enableInCommitTimestamps"), DW_STR("true")};
    }
    if (self->all->with_in_commit_timestamps || self->all->with_row_tracking) {
        protocol = (dw_protocol){.min_reader_version = 1,
                                 .min_writer_version = 7,
                                 .has_writer_features = true,
                                 .writer_features = features,
                                 .writer_feature_count = self->all->with_row_tracking ? 3 : 1};
    }
    dw_action actions[2] = {{.kind = DW_ACTION_PROTOCOL, .as.protocol = protocol},
                            {.kind = DW_ACTION_METADATA,
                             .as.metadata = {.id = DW_STR("5fba94ed-9794-4965-ba6e-6ee3c0d22af9"),
                                             .format_provider = DW_STR("parquet"),
                                             .schema_string = DW_STR(DWT_SCHEMA_ID),
                                             .configuration = configuration,
                                             .has_created_time = true,
                                             .created_time_ms = 1704067200000}}};
    dw_txn txn = {
        .actions = actions, .action_count = 2, .operation = "CREATE TABLE", .data_change = true};
    (void) commit(self, ledger_begin(&self->all->book, self->actor), &txn);
}

/* Waits, as a user would, until somebody has created the table. */
static bool
find_table(life *self)
{
    for (int i = 0; i < READ_TRIES_MAX && !sim_has_crashed(self->actor); i++) {
        dw_error err = DW_ERROR_INIT;
        bool exists = false;
        dw__arena_reset(&self->arena);
        create_table(self);
        if (dw__log_exists(self->log, &exists, &err) == DW_OK && exists) {
            return true;
        }
    }
    return false;
}

void
writer_main(sim_actor *actor, void *ctx)
{
    life self = {.actor = actor, .all = ctx};
    dw__arena_init(&self.arena, actor->env.allocator);
    self.engine = dwt_fake_engine_open(&actor->env);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__log_open(&actor->env, actor->storage, self.engine, &self.log, &err);
    dw_assert(self.engine != NULL && status == DW_OK);
    if (find_table(&self)) {
        load_batches(&self);
        for (int64_t i = 0; i < self.all->changes_each && !sim_has_crashed(actor); i++) {
            change(&self);
        }
    }
    dw__log_snapshot_unref(self.held);
    dw__log_close(self.log);
    dw__engine_close(self.engine);
    dw__arena_deinit(&self.arena);
}

void
writers_deinit(writers *all)
{
    ledger_deinit(&all->book);
    DW_VEC_DEINIT(dw__allocator_libc(), &all->observations);
}
