/*
 * One commit: what may not stand in it together, what must stand in each action, and what it does
 * to the state before it. Rules B, D1, D19, H.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "fsck/core.h"

#include <inttypes.h>

#define ROW_TRACKING_DOMAIN DW_STR("delta.rowTracking")

/* What a commit removed of a path. */
typedef struct removed_file {
    const dw_dv_descriptor *dv;
    bool was_live;
    int64_t base_row_id, commit_version;
} removed_file;

typedef struct commit_check {
    dw_fsck *fsck;
    const dw_commit_actions *commit;
    dw_map removed;       /* path to removed_file */
    dw_map txns, domains; /* that were seen */
    bool is_clone;        /* files are another table's */
    bool changes_data;    /* some file action does */
    bool has_file_actions;
} commit_check;

/* ---- Definition ------------------------------------------------------------------------------ */

static const dw_action *
find_action(const dw_commit_actions *commit, dw_action_kind kind, size_t *count_out)
{
    const dw_action *found = NULL;
    *count_out = 0;
    for (size_t i = 0; i < commit->count; i++) {
        if (commit->items[i].kind == kind) {
            found = &commit->items[i];
            *count_out += 1;
        }
    }
    return found;
}

static dw_status
dup_definition(dw_fsck *fsck, dw_protocol **protocol_out, dw_metadata **metadata_out, dw_error *err)
{
    const dw_fsck_state *state = &fsck->state;
    *protocol_out = NULL;
    *metadata_out = NULL;
    if (state->protocol != NULL) {
        *protocol_out = DW_ARENA_NEW(&fsck->scratch, dw_protocol);
        if (*protocol_out == NULL ||
            !dw__protocol_dup(&fsck->scratch, state->protocol, *protocol_out)) {
            return dw__error_oom(err);
        }
    }
    if (state->metadata != NULL) {
        *metadata_out = DW_ARENA_NEW(&fsck->scratch, dw_metadata);
        if (*metadata_out == NULL ||
            !dw__metadata_dup(&fsck->scratch, state->metadata, *metadata_out)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

/* What is behind a feature that we do not know cannot be judged: the check ends there. */
static dw_status
check_readable(const dw_protocol *protocol, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    if (dw__protocol_check_read(protocol, &cause) != DW_UNSUPPORTED) {
        return DW_OK;
    }
    dw__error_copy(err, &cause);
    return DW_UNSUPPORTED;
}

static dw_status
check_definition(commit_check *check, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_fsck_state *state = &fsck->state;
    size_t protocol_count, metadata_count;
    const dw_action *protocol = find_action(check->commit, DW_ACTION_PROTOCOL, &protocol_count);
    const dw_action *metadata = find_action(check->commit, DW_ACTION_METADATA, &metadata_count);
    if (protocol_count > 1) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B15", DW_STR_NULL,
                      "expected at most one protocol action in a commit, found %zu",
                      protocol_count);
    }
    if (metadata_count > 1) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B15", DW_STR_NULL,
                      "expected at most one metaData action in a commit, found %zu",
                      metadata_count);
    }
    dw_protocol *protocol_before;
    dw_metadata *metadata_before;
    DW_TRY(dup_definition(fsck, &protocol_before, &metadata_before, err));
    if (protocol == NULL && metadata == NULL) {
        return DW_OK;
    }
    if (protocol != NULL) {
        DW_TRY(check_readable(&protocol->as.protocol, err));
    }
    DW_TRY(
        dw__fsck_set_definition(fsck, protocol == NULL ? state->protocol : &protocol->as.protocol,
                                metadata == NULL ? state->metadata : &metadata->as.metadata, err));
    if (protocol != NULL) {
        state->protocol_version = fsck->version;
        dw__fsck_check_protocol(fsck, state->protocol, protocol_before);
    }
    if (metadata != NULL) {
        state->metadata_version = fsck->version;
    }
    if (state->protocol != NULL && state->metadata != NULL) {
        dw__fsck_check_metadata(fsck, metadata_before);
        dw__fsck_check_columns(fsck, metadata_before);
    }
    return DW_OK;
}

static void
check_first(commit_check *check)
{
    dw_fsck *fsck = check->fsck;
    if (fsck->state.protocol == NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C1", DW_STR_NULL,
                      "expected a protocol action in the first commit, found none");
    }
    if (fsck->state.metadata == NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C1", DW_STR_NULL,
                      "expected a metaData action in the first commit, found none");
    }
}

/* ---- commitInfo ------------------------------------------------------------------------------ */

static void
check_in_commit_timestamp(commit_check *check, const dw_commit_info *info, bool is_first)
{
    dw_fsck *fsck = check->fsck;
    dw_fsck_state *state = &fsck->state;
    if (!info->has_in_commit_timestamp) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D19", DW_STR_NULL,
                      "expected commitInfo.inCommitTimestamp, as delta.enableInCommitTimestamps is "
                      "true, found none");
        return;
    }
    if (!is_first) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D19", DW_STR_NULL,
                      "expected commitInfo as the first action, as delta.enableInCommitTimestamps "
                      "is true");
    }
    if (info->in_commit_timestamp_ms <= state->in_commit_timestamp_ms) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D19", DW_STR_NULL,
                      "expected an in-commit timestamp after %" PRId64 ", found %" PRId64,
                      state->in_commit_timestamp_ms, info->in_commit_timestamp_ms);
    }
}

static dw_status
check_commit_info(commit_check *check, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_fsck_state *state = &fsck->state;
    size_t count;
    const dw_action *action = find_action(check->commit, DW_ACTION_COMMIT_INFO, &count);
    dw_commit_info info = {0};
    if (count > 1) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "B13", DW_STR_NULL,
                      "expected at most one commitInfo, found %zu", count);
    }
    if (action != NULL) {
        dw_error cause = DW_ERROR_INIT;
        dw_status status = dw__commit_info_parse(action->as.json, &fsck->scratch, &info, &cause);
        if (status != DW_OK) {
            DW_TRY(dw__fsck_find_error(fsck, "B13", DW_STR_NULL, &cause, err));
        }
    }
    check->is_clone = dw__str_equal(info.operation, DW_STR("CLONE"));
    if (state->properties.enable_in_commit_timestamps && state->metadata != NULL) {
        bool is_first =
            check->commit->count > 0 && check->commit->items[0].kind == DW_ACTION_COMMIT_INFO;
        check_in_commit_timestamp(check, &info, is_first);
    }
    state->commit_in_commit_timestamp_ms = INT64_MIN;
    if (info.has_in_commit_timestamp) {
        state->in_commit_timestamp_ms = info.in_commit_timestamp_ms;
        state->commit_in_commit_timestamp_ms = info.in_commit_timestamp_ms;
    }
    return DW_OK;
}

/* ---- Txns and domains ------------------------------------------------------------------------ */

static dw_status
check_txn(commit_check *check, const dw_txn_id *txn, dw_error *err)
{
    bool is_new;
    if (dw__map_put(&check->txns, txn->app_id, &is_new) == NULL) {
        return dw__error_oom(err);
    }
    if (!is_new) {
        dw__fsck_find(check->fsck, DW_FSCK_ERROR, "B15", DW_STR_NULL,
                      "expected one txn action an application, found several of '%.*s'",
                      DW_STR_ARG(txn->app_id));
    }
    return dw__fsck_set_txn(&check->fsck->state, txn, check->fsck->version, err);
}

static bool
row_id_mark(dw_fsck *fsck, dw_str configuration, int64_t *out)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    return dw__fsck_parse(fsck, configuration, "the domain", &doc, &ignored) == DW_OK &&
           dw__json_i64(dw__json_get(dw__json_root(doc), DW_STR("rowIdHighWaterMark")), out);
}

static void
check_row_id_mark(commit_check *check, const dw_domain *domain)
{
    dw_fsck *fsck = check->fsck;
    int64_t mark, before;
    if (!row_id_mark(fsck, domain->configuration, &mark)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H2", DW_STR_NULL,
                      "expected {\"rowIdHighWaterMark\":n} in the domain delta.rowTracking, found "
                      "%.*s",
                      DW_STR_ARG(domain->configuration));
        return;
    }
    const dw_fsck_domain *old = dw__fsck_domain(&fsck->state, domain->domain);
    if (old != NULL && row_id_mark(fsck, old->domain.configuration, &before) && mark < before) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H2", DW_STR_NULL,
                      "the mark of row ids goes back from %" PRId64 " to %" PRId64, before, mark);
    }
}

static dw_status
check_domain(commit_check *check, const dw_domain *domain, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    bool is_new;
    if (dw__map_put(&check->domains, domain->domain, &is_new) == NULL) {
        return dw__error_oom(err);
    }
    if (!is_new) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B15", DW_STR_NULL,
                      "expected one domainMetadata action a domain, found several of '%.*s'",
                      DW_STR_ARG(domain->domain));
    }
    if (fsck->state.protocol != NULL &&
        !dw__protocol_supports(fsck->state.protocol, DW_FEATURE_DOMAIN_METADATA)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B12", DW_STR_NULL,
                      "the domain '%.*s' needs the feature domainMetadata, which the protocol does "
                      "not have",
                      DW_STR_ARG(domain->domain));
    }
    if (!domain->removed && dw__str_equal(domain->domain, ROW_TRACKING_DOMAIN)) {
        check_row_id_mark(check, domain);
    }
    return dw__fsck_set_domain(&fsck->state, domain, fsck->version, err);
}

/* ---- Removes --------------------------------------------------------------------------------- */

/* The entry of a path, or NULL where the path itself is wrong and was reported. */
static dw_status
path_of(dw_fsck *fsck, const dw_file *file, dw_fsck_path **out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    *out = NULL;
    dw_status status = dw__fsck_path(&fsck->state, file->path, &fsck->scratch, out, &cause);
    return status == DW_OK ? DW_OK : dw__fsck_find_error(fsck, "A13", file->path, &cause, err);
}

static dw_status
remember_removed(commit_check *check, dw_fsck_path *path, const dw_file *file,
                 const dw_fsck_file *live, dw_error *err)
{
    removed_file *removed = DW_ARENA_NEW(&check->fsck->scratch, removed_file);
    dw_map_value *slot = dw__map_put(&check->removed, path->path, NULL);
    if (removed == NULL || slot == NULL) {
        return dw__error_oom(err);
    }
    *removed = (removed_file){.dv = file->dv,
                              .was_live = live != NULL,
                              .base_row_id = live == NULL ? -1 : live->base_row_id,
                              .commit_version = live == NULL ? -1 : live->commit_version};
    slot->ptr = removed;
    return DW_OK;
}

static dw_status
check_remove(commit_check *check, const dw_file *file, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_fsck_state *state = &fsck->state;
    dw_fsck_path *path;
    DW_TRY(path_of(fsck, file, &path, err));
    DW_TRY(dw__fsck_name_dv(fsck, file->dv, false, err));
    if (path == NULL) {
        return DW_OK;
    }
    if (path->removed_seen == fsck->version) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B8", file->path,
                      "expected one remove of a path in a commit, found two");
    }
    path->removed_seen = fsck->version;
    if (file->data_change && state->properties.append_only &&
        state->metadata_version != fsck->version) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D1", file->path,
                      "a row was removed although delta.appendOnly is true");
    }
    dw_fsck_file *live = dw__fsck_path_find(path, file->dv);
    DW_TRY(remember_removed(check, path, file, live, err));
    if (live == NULL && path->holds_vectors && file->dv == NULL && !file->data_change) {
        return DW_OK; /* keeps a file of deletion vectors from those who do not know them */
    }
    if (live == NULL) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "C1", file->path,
                      "removes a file that is not in the table with this deletion vector");
        return DW_OK;
    }
    DW_TRY(dw__fsck_window_remove(fsck, path, file->dv, live->version, err));
    dw__fsck_file_remove(state, path, live);
    return DW_OK;
}

/* ---- Adds ------------------------------------------------------------------------------------ */

static void
check_row_tracking(dw_fsck *fsck, const dw_file *file, const removed_file *removed)
{
    const dw_fsck_state *state = &fsck->state;
    if (state->protocol == NULL ||
        !dw__protocol_supports(state->protocol, DW_FEATURE_ROW_TRACKING) ||
        state->properties.row_tracking_suspended) {
        return;
    }
    if (!file->has_base_row_id || !file->has_default_row_commit_version) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H1", file->path,
                      "expected %s, as the table has the feature rowTracking, found none",
                      file->has_base_row_id ? "defaultRowCommitVersion" : "baseRowId");
        return;
    }
    if (file->default_row_commit_version > fsck->version) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H1", file->path,
                      "expected a defaultRowCommitVersion of at most %" PRId64 ", found %" PRId64,
                      fsck->version, file->default_row_commit_version);
    }
    if (removed != NULL && removed->was_live && removed->base_row_id >= 0 &&
        removed->base_row_id != file->base_row_id) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H1", file->path,
                      "expected that the file keeps its baseRowId %" PRId64 ", found %" PRId64,
                      removed->base_row_id, file->base_row_id);
    }
}

/* What stands for the same path already. */
static dw_status
check_live_before(commit_check *check, dw_fsck_path *path, const dw_file *file, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    bool is_again = path->commit_seen == fsck->version;
    if (is_again) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B8", file->path,
                      "expected one add of a path in a commit, found two");
    }
    path->commit_seen = fsck->version;
    dw_fsck_file *same = dw__fsck_path_find(path, file->dv);
    if (same != NULL) { /* what the log says of the file is renewed */
        dw__fsck_file_remove(&fsck->state, path, same);
    } else if (path->live != NULL && !is_again) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B8", file->path,
                      "the path is added with another deletion vector, but what was there before "
                      "is not removed");
    }
    return dw__fsck_window_remove(fsck, path, file->dv, INT64_MAX, err);
}

static dw_status
check_add(commit_check *check, const dw_file *file, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_fsck_path *path;
    DW_TRY(path_of(fsck, file, &path, err));
    DW_TRY(dw__fsck_name_dv(fsck, file->dv, false, err));
    dw__fsck_check_add(fsck, file);
    if (path == NULL) {
        return DW_OK;
    }
    dw_map_value *slot = dw__map_get(&check->removed, path->path);
    const removed_file *removed = slot == NULL ? NULL : slot->ptr;
    if (removed != NULL && dw__fsck_dv_equal(removed->dv, file->dv)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B15", file->path,
                      "the commit both adds and removes the file with the same deletion vector");
    }
    check_row_tracking(fsck, file, removed);
    DW_TRY(check_live_before(check, path, file, err));
    path->is_cloned = path->is_cloned || (path->first_version < 0 && check->is_clone);
    return dw__fsck_file_add(&fsck->state, path, file, fsck->version, err);
}

static dw_status
check_cdc(commit_check *check, const dw_file *file, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_fsck_path *path;
    DW_TRY(path_of(fsck, file, &path, err));
    if (file->data_change) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B10", file->path,
                      "expected dataChange false in a cdc action, found true");
    }
    if (fsck->state.protocol != NULL &&
        !dw__protocol_supports(fsck->state.protocol, DW_FEATURE_CHANGE_DATA_FEED)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D4", file->path,
                      "a cdc action needs the feature changeDataFeed, which the protocol does not "
                      "have");
    }
    /* Spark puts random prefixes in the place of the folder when columns are mapped. */
    bool has_prefixes = fsck->state.protocol != NULL &&
                        dw__protocol_supports(fsck->state.protocol, DW_FEATURE_COLUMN_MAPPING);
    if (path != NULL && !has_prefixes && !dw__uri_is_absolute(file->path) &&
        !dw__str_starts_with(path->path, DW_STR("_change_data/"))) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A12", file->path,
                      "expected change data below _change_data/");
    }
    return DW_OK;
}

/* ---- All ------------------------------------------------------------------------------------- */

static dw_status
check_actions(commit_check *check, bool removes, dw_error *err)
{
    for (size_t i = 0; i < check->commit->count; i++) {
        const dw_action *action = &check->commit->items[i];
        if (removes != (action->kind == DW_ACTION_REMOVE)) {
            continue;
        }
        switch ((unsigned) action->kind) {
        case DW_ACTION_REMOVE:
            DW_TRY(check_remove(check, &action->as.file, err));
            break;
        case DW_ACTION_ADD:
            DW_TRY(check_add(check, &action->as.file, err));
            break;
        case DW_ACTION_CDC:
            DW_TRY(check_cdc(check, &action->as.file, err));
            break;
        case DW_ACTION_TXN:
            DW_TRY(check_txn(check, &action->as.txn, err));
            break;
        case DW_ACTION_DOMAIN:
            DW_TRY(check_domain(check, &action->as.domain, err));
            break;
        default:
            break;
        }
        if (action->kind == DW_ACTION_REMOVE || action->kind == DW_ACTION_ADD) {
            check->has_file_actions = true;
            check->changes_data = check->changes_data || action->as.file.data_change;
        }
    }
    return DW_OK;
}

/* A commit that only rearranges leaves as many rows as there were. */
static void
check_rearrangement(const commit_check *check, int64_t rows_before, int64_t unknown_before)
{
    dw_fsck *fsck = check->fsck;
    const dw_fsck_state *state = &fsck->state;
    if (check->has_file_actions && !check->changes_data && unknown_before == 0 &&
        state->unknown_row_count_files == 0 && state->row_count != rows_before) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B9", DW_STR_NULL,
                      "no action of the commit has dataChange true, but the table goes from "
                      "%" PRId64 " rows to %" PRId64,
                      rows_before, state->row_count);
    }
}

static dw_status
find_older(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    bool *has_older = ctx;
    (void) path;
    (void) err;
    *has_older = *has_older || file->version < fsck->version;
    return DW_OK;
}

/* Files are written for one mode: only a table that is replaced with all its files changes it. */
static dw_status
check_mapping_mode(const commit_check *check, dw_mapping_mode before, dw_error *err)
{
    static const char *const names[] = {"none", "name", "id"};
    dw_fsck *fsck = check->fsck;
    dw_mapping_mode now = fsck->state.properties.mapping_mode;
    bool has_older = false;
    if (before == now || (before != DW_MAPPING_ID && now != DW_MAPPING_ID)) {
        return DW_OK;
    }
    DW_TRY(dw__fsck_visit_live(fsck, find_older, &has_older, err));
    if (has_older) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "E5", DW_STR_NULL,
                      "delta.columnMapping.mode changes from %s to %s, and files from before stay",
                      names[before], names[now]);
    }
    return DW_OK;
}

static bool
has_metadata(const dw_commit_actions *commit)
{
    bool found = false;
    for (size_t i = 0; i < commit->count && !found; i++) {
        found = commit->items[i].kind == DW_ACTION_METADATA;
    }
    return found;
}

static dw_status
check_all(commit_check *check, dw_error *err)
{
    dw_fsck_state *state = &check->fsck->state;
    dw_mapping_mode mode_before = state->properties.mapping_mode;
    int64_t rows_before = state->row_count;
    int64_t unknown_before = state->unknown_row_count_files;
    bool is_first = state->version < 0;
    if (has_metadata(check->commit)) {
        DW_TRY(dw__fsck_types_keep(check->fsck, err));
    }
    DW_TRY(check_definition(check, err));
    bool types_changed = dw__fsck_types_end(check->fsck);
    if (is_first) {
        check_first(check);
    }
    DW_TRY(check_commit_info(check, err));
    DW_TRY(check_actions(check, true, err));
    DW_TRY(check_actions(check, false, err));
    check_rearrangement(check, rows_before, unknown_before);
    if (types_changed) {
        DW_TRY(dw__fsck_check_types(check->fsck, err));
    }
    return is_first ? DW_OK : check_mapping_mode(check, mode_before, err);
}

dw_status
dw__fsck_commit(dw_fsck *fsck, const dw_commit_actions *commit, dw_error *err)
{
    commit_check check = {.fsck = fsck, .commit = commit};
    dw__map_init(&check.removed, fsck->env->allocator);
    dw__map_init(&check.txns, fsck->env->allocator);
    dw__map_init(&check.domains, fsck->env->allocator);
    dw_status status = check_all(&check, err);
    dw__map_deinit(&check.removed);
    dw__map_deinit(&check.txns);
    dw__map_deinit(&check.domains);
    return status;
}
