/*
 * One writer's life.
 */
#include "writer.h"

#include "base/assert.h"
#include "life.h"
#include "support/delta_log.h"
#include "table_model.h"
#include "txn/row_backfill.h"
#include "txn/txn.h"

enum {
    FIND_TRIES_MAX = 60,
    BATCH_TRIES_MAX = 20,
    BATCHES = 2,
    OVERWRITE_FILES_MAX = 200,
    PROPERTIES_MAX = 8,
    FEATURES_MAX = 8,
    HOT_FILES = 4 /* rewrites choose among few, so that they meet */
};

typedef enum change_kind {
    CHANGE_APPEND,
    CHANGE_REWRITE,     /* reads one file, replaces it */
    CHANGE_DELETE_ROWS, /* reads one file, gives it a deletion vector */
    CHANGE_OVERWRITE,   /* reads all, replaces all */
    CHANGE_SET_PROPERTY,
    CHANGE_CHECKPOINT,
    CHANGE_COMPACT,   /* a run of commits, up to the newest */
    CHANGE_TRACK_ROWS /* lists the feature, and later gives ids to the files without */
} change_kind;

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
    ledger_finish(&self->all->book, self->actor, entry, life_end_of(self, status, &err), version);
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

/* ---- changes --------------------------------------------------------------------------------- */

static void
append(life *self, dw_log_snapshot *snapshot)
{
    dw_action actions[2] = {add_of(life_new_path(self), NULL), add_of(life_new_path(self), NULL)};
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
        life_report(self, "reading a file's add", status, &err);
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
    dw_action actions[2] = {remove_of(old.path, old.dv), add_of(life_new_path(self), NULL)};
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
    actions[count++] = add_of(life_new_path(self), NULL);
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
compact(life *self, dw_log_snapshot *snapshot)
{
    int64_t last = dw__log_snapshot_version(snapshot);
    if (last < 1) {
        return;
    }
    dw_error err = DW_ERROR_INIT;
    int64_t first = (int64_t) sim_choose(self->actor, (uint64_t) last);
    dw_status status = dw__log_compact(self->log, first, last, &err);
    if (status == DW_OK) {
        self->all->compaction_count++;
    } else {
        life_report(self, "compacting commits", status, &err);
    }
}

/* The protocol of the table with the features of row tracking. */
static dw_protocol
protocol_with_rows(const dw_protocol *old, dw_str features[FEATURES_MAX])
{
    static const char *const legacy[] = {"appendOnly", "invariants"};
    size_t count = 0;
    for (size_t i = 0; i < old->writer_feature_count; i++) {
        features[count++] = old->writer_features[i];
    }
    for (size_t i = 0; i < 2 && !old->has_writer_features; i++) {
        features[count++] = dw__str_from(legacy[i]);
    }
    features[count++] = DW_STR("domainMetadata");
    features[count++] = DW_STR("rowTracking");
    dw_assert(count <= FEATURES_MAX);
    dw_protocol new = *old;
    new.min_writer_version = 7;
    new.has_writer_features = true;
    new.writer_features = features;
    new.writer_feature_count = count;
    return new;
}

static void
track_rows(life *self, dw_log_snapshot *snapshot)
{
    const dw_protocol *protocol = dw__log_snapshot_protocol(snapshot);
    dw_error err = DW_ERROR_INIT;
    if (!self->all->with_row_backfill) {
        return;
    }
    if (dw__protocol_supports(protocol, DW_FEATURE_ROW_TRACKING)) {
        int64_t count;
        dw_status status = dw__row_tracking_backfill(self->log, &count, &err);
        self->all->backfilled_file_count += count;
        (void) (status == DW_OK ? LEDGER_ACKNOWLEDGED : life_end_of(self, status, &err));
        return;
    }
    dw_str features[FEATURES_MAX];
    dw_action action = {.kind = DW_ACTION_PROTOCOL,
                        .as.protocol = protocol_with_rows(protocol, features)};
    dw_txn txn = {.read_snapshot = snapshot,
                  .actions = &action,
                  .action_count = 1,
                  .operation = "UPGRADE PROTOCOL",
                  .data_change = true};
    (void) commit(self, ledger_begin(&self->all->book, self->actor), &txn);
}

static change_kind
choose_kind(life *self)
{
    static const struct {
        change_kind kind;
        uint64_t share;
    } shares[] = {{CHANGE_APPEND, 38},    {CHANGE_REWRITE, 15},     {CHANGE_DELETE_ROWS, 15},
                  {CHANGE_OVERWRITE, 6},  {CHANGE_SET_PROPERTY, 4}, {CHANGE_CHECKPOINT, 10},
                  {CHANGE_TRACK_ROWS, 6}, {CHANGE_COMPACT, 6}};
    uint64_t chosen = sim_choose(self->actor, 100);
    size_t i = 0;
    while (chosen >= shares[i].share) {
        chosen -= shares[i++].share;
    }
    return shares[i].kind;
}

static void
change(life *self)
{
    dw__arena_reset(&self->arena);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = life_choose_snapshot(self);
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
        life_checkpoint(self, snapshot);
        return;
    case CHANGE_COMPACT:
        compact(self, snapshot);
        return;
    case CHANGE_TRACK_ROWS:
        track_rows(self, snapshot);
        return;
    }
}

/* ---- loads that are repeated until they are in ----------------------------------------------- */

/* A batch under a transaction id: every life tries it again, and it must be in exactly once. */
static bool
try_batch(life *self, int64_t number)
{
    dw__arena_reset(&self->arena);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = life_read_snapshot(self);
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
                            add_of(life_new_path(self), NULL)};
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

/* V2 checkpoints come first among the features: readers must know them, too. */
static dw_protocol
choose_protocol(const writers *all, dw_str features[FEATURES_MAX])
{
    size_t count = 0;
    if (all->with_sidecars) {
        features[count++] = DW_STR("v2Checkpoint");
    }
    if (all->with_in_commit_timestamps) {
        features[count++] = DW_STR("inCommitTimestamp");
    }
    if (all->with_row_tracking) {
        features[count++] = DW_STR("domainMetadata");
        features[count++] = DW_STR("rowTracking");
    }
    if (count == 0) {
        return (dw_protocol){.min_reader_version = 1, .min_writer_version = 2};
    }
    return (dw_protocol){.min_reader_version = all->with_sidecars ? 3 : 1,
                         .min_writer_version = 7,
                         .has_reader_features = all->with_sidecars,
                         .reader_features = features,
                         .reader_feature_count = all->with_sidecars,
                         .has_writer_features = true,
                         .writer_features = features,
                         .writer_feature_count = count};
}

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
    dw_str features[FEATURES_MAX];
    dw_protocol protocol = choose_protocol(self->all, features);
    if (self->all->is_serializable) {
        pairs[configuration.count++] =
            (dw_pair){DW_STR("delta.isolationLevel"), DW_STR("Serializable")};
    }
    if (self->all->with_in_commit_timestamps) {
        pairs[configuration.count++] =
            (dw_pair){DW_STR("delta.enableInCommitTimestamps"), DW_STR("true")};
    }
    if (self->all->with_sidecars) {
        pairs[configuration.count++] = (dw_pair){DW_STR("delta.checkpointPolicy"), DW_STR("v2")};
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
    for (int i = 0; i < FIND_TRIES_MAX && !sim_has_crashed(self->actor); i++) {
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
    life self;
    life_begin(&self, actor, ctx);
    if (find_table(&self)) {
        load_batches(&self);
        for (int64_t i = 0; i < self.all->changes_each && !sim_has_crashed(actor); i++) {
            change(&self);
        }
    }
    life_end(&self);
}
