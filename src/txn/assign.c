/*
 * Assigning what only the version decides. [ASSIGN-1] to [ASSIGN-3]
 */
#include "txn/assign.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "log/file_set_core.h"

#include <inttypes.h>

#define HIGH_WATER_MARK_KEY DW_STR("rowIdHighWaterMark")
#define NO_HIGH_WATER_MARK INT64_C(-1)
/* Properties that a commit may add to the caller's. */
#define ADDED_PROPERTIES_MAX 4

/* Properties that are made up once and then kept. */
static const struct {
    const char *key;
    const char *prefix;
} column_names[] = {
    {"delta.rowTracking.materializedRowIdColumnName", "_row-id-col-"},
    {"delta.rowTracking.materializedRowCommitVersionColumnName", "_row-commit-version-col-"},
};

#define PROTECTION_KEY "delta.requireCheckpointProtectionBeforeVersion"

static const char *const enablement_keys[] = {"delta.inCommitTimestampEnablementVersion",
                                              "delta.inCommitTimestampEnablementTimestamp"};

/* ---- The high-water mark --------------------------------------------------------------------- */

static dw_status
parse_high_water_mark(const dw_domain *domain, const dw_allocator *allocator, int64_t *out,
                      dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__json_parse(allocator, domain->configuration,
                                      "the domain " DW_ROW_TRACKING_DOMAIN, &doc, &cause);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status == DW_OK &&
        dw__json_i64(dw__json_get(dw__json_root(doc), HIGH_WATER_MARK_KEY), out) &&
        *out >= NO_HIGH_WATER_MARK) {
        return DW_OK;
    }
    return dw__error_set(err, DW_CORRUPT, "ROW_TRACKING_INVALID",
                         "expected an integer rowIdHighWaterMark in the domain " //
                         DW_ROW_TRACKING_DOMAIN ", found \"%.*s\"",
                         DW_STR_ARG(dw__str_slice(domain->configuration, 0, 200)));
}

static bool
is_row_tracking_domain(const dw_domain *domain)
{
    return dw__str_equal(domain->domain, DW_STR(DW_ROW_TRACKING_DOMAIN));
}

static dw_status
read_high_water_mark(dw_assignment *a, dw_error *err)
{
    const dw_log_snapshot *snapshot = a->txn->read_snapshot;
    a->high_water_mark = NO_HIGH_WATER_MARK;
    size_t count = snapshot == NULL ? 0 : dw__log_snapshot_domain_count(snapshot);
    for (size_t i = 0; i < count; i++) {
        const dw_domain *domain = dw__log_snapshot_domain(snapshot, i);
        if (is_row_tracking_domain(domain)) {
            return parse_high_water_mark(domain, a->arena->allocator, &a->high_water_mark, err);
        }
    }
    return DW_OK;
}

/* True when some file, live or not, may have ids above the mark: a look at each block is cheap. */
static bool
may_be_behind(const dw_assignment *a, const dw_file_set *files)
{
    bool found = false;
    for (size_t i = 0; i < files->count && !found; i++) {
        found = files->items[i].block->base_row_id_max > a->high_water_mark;
    }
    return found;
}

/* A mark that went back would have ids used twice. */
static dw_status
check_high_water_mark(const dw_assignment *a, dw_error *err)
{
    const dw_log_snapshot *snapshot = a->txn->read_snapshot;
    const dw_file_set *files = snapshot == NULL ? NULL : dw__log_snapshot_files(snapshot);
    if (files == NULL || !may_be_behind(a, files)) {
        return DW_OK;
    }
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        int64_t id;
        if (dw__file_set_base_row_id(files, ref, &id) && id > a->high_water_mark) {
            return dw__error_set(err, DW_CORRUPT, "ROW_TRACKING_INVALID",
                                 "in version %" PRId64 " the row ids' high-water mark is %" PRId64
                                 ", but %.*s has ids from %" PRId64
                                 " on: the mark went back, and ids would be used twice",
                                 dw__log_snapshot_version(snapshot), a->high_water_mark,
                                 DW_STR_ARG(dw__file_set_path(files, ref)), id);
        }
    }
    return DW_OK;
}

dw_status
dw__assignment_note(dw_assignment *a, const dw_action *actions, size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind != DW_ACTION_DOMAIN || !is_row_tracking_domain(&actions[i].as.domain)) {
            continue;
        }
        int64_t mark;
        DW_TRY(parse_high_water_mark(&actions[i].as.domain, a->arena->allocator, &mark, err));
        if (mark < a->high_water_mark) {
            return dw__error_set(err, DW_CORRUPT, "ROW_TRACKING_INVALID",
                                 "the row ids' high-water mark went back from %" PRId64
                                 " to %" PRId64 ": ids may have been used twice",
                                 a->high_water_mark, mark);
        }
        a->high_water_mark = mark;
    }
    return DW_OK;
}

/* ---- Rows that need ids ---------------------------------------------------------------------- */

static dw_status
count_rows(const dw_file *file, const dw_allocator *allocator, int64_t *out, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__str_is_null(file->stats)
                           ? DW_NOT_FOUND
                           : dw__json_parse(allocator, file->stats, "statistics", &doc, &cause);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status == DW_OK &&
        dw__json_i64(dw__json_get(dw__json_root(doc), DW_STR("numRecords")), out) && *out >= 0) {
        return DW_OK;
    }
    return dw__error_set(err, DW_UNSUPPORTED, "ROW_IDS_WITHOUT_STATISTICS",
                         "the table tracks rows, but the statistics of %.*s do not say how many "
                         "it has: expected numRecords",
                         DW_STR_ARG(file->path));
}

static dw_status
count_new_rows(dw_assignment *a, dw_error *err)
{
    const dw_txn *txn = a->txn;
    a->row_counts = DW_ARENA_ARRAY(a->arena, int64_t, txn->action_count + 1);
    if (a->row_counts == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < txn->action_count; i++) {
        const dw_action *action = &txn->actions[i];
        dw_assert(action->kind != DW_ACTION_DOMAIN || !is_row_tracking_domain(&action->as.domain));
        a->row_counts[i] = -1;
        if (action->kind == DW_ACTION_ADD && !action->as.file.has_base_row_id) {
            DW_TRY(count_rows(&action->as.file, a->arena->allocator, &a->row_counts[i], err));
        }
    }
    return DW_OK;
}

/* Enabling relies on every file that stays having ids. [ASSIGN-3] */
static dw_status
check_all_have_ids(const dw_txn *txn, dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(txn->read_snapshot);
    size_t removed = 0;
    for (size_t i = 0; i < txn->action_count; i++) {
        removed += txn->actions[i].kind == DW_ACTION_REMOVE;
    }
    if (removed == dw__file_set_count(files)) {
        return DW_OK; /* the table is replaced */
    }
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        const dw_file_block *block = dw__file_set_block(files, ref.block);
        if ((dw__file_block_flags(block, ref.row) & DW_FILE_HAS_BASE_ROW_ID) == 0) {
            return dw__error_set(err, DW_UNSUPPORTED, "ROW_IDS_MISSING",
                                 "row tracking cannot be enabled while files have no row ids, such "
                                 "as %.*s: give them ids first",
                                 DW_STR_ARG(dw__file_block_path(block, ref.row)));
        }
    }
    return DW_OK;
}

/* ---- The metadata ---------------------------------------------------------------------------- */

static dw_str
property_of(const dw_metadata *metadata, const char *key)
{
    const dw_str *value =
        metadata == NULL ? NULL : dw__pairs_get(&metadata->configuration, dw__str_from(key));
    return value == NULL ? DW_STR_NULL : *value;
}

/* There must be room for one more. */
static void
set_property(dw_metadata *metadata, const char *key, dw_str value)
{
    dw_pairs *pairs = &metadata->configuration;
    size_t at = 0;
    while (at < pairs->count && !dw__str_equal(pairs->items[at].key, dw__str_from(key))) {
        at++;
    }
    pairs->items[at] = (dw_pair){dw__str_from(key), value};
    pairs->count += at == pairs->count;
}

/*
 * The names of the columns that keep the ids of rows that move: those the table had, or new ones.
 */
static dw_status
name_columns(dw_assignment *a, const dw_metadata *before, dw_metadata *metadata, dw_error *err)
{
    for (size_t i = 0; i < sizeof(column_names) / sizeof(column_names[0]); i++) {
        dw_str name = property_of(before, column_names[i].key);
        if (dw__str_is_null(name)) {
            name = property_of(metadata, column_names[i].key);
        }
        if (dw__str_is_null(name)) {
            char uuid[DW_UUID_TEXT_SIZE];
            dw__uuid_make(dw__log_env(a->txn->log), uuid);
            name = dw__arena_printf(a->arena, "%s%s", column_names[i].prefix, uuid);
            if (dw__str_is_null(name)) {
                return dw__error_oom(err);
            }
        }
        set_property(metadata, column_names[i].key, name);
    }
    return DW_OK;
}

/* A feature was dropped: what came before still needs it. The caller names the version that this
 * change becomes when nobody is faster. */
static dw_status
find_protection(dw_assignment *a, const dw_metadata *given, dw_error *err)
{
    const dw_log_snapshot *snapshot = a->txn->read_snapshot;
    dw_str version = property_of(given, PROTECTION_KEY);
    if (snapshot == NULL || dw__str_is_null(version) ||
        dw__str_equal(version, property_of(a->before.metadata, PROTECTION_KEY))) {
        return DW_OK;
    }
    dw_str next = dw__arena_printf(a->arena, "%" PRId64, dw__log_snapshot_version(snapshot) + 1);
    a->protects_history = dw__str_equal(version, next);
    return dw__str_is_null(next) ? dw__error_oom(err) : DW_OK;
}

/* What the caller's metadata lacks and does not depend on the version. */
static dw_status
complete_metadata(dw_assignment *a, dw_error *err)
{
    const dw_metadata *before = a->before.metadata;
    const dw_metadata *given = &a->txn->actions[a->metadata_idx].as.metadata;
    dw_metadata *metadata = DW_ARENA_NEW(a->arena, dw_metadata);
    dw_pair *pairs =
        DW_ARENA_ARRAY(a->arena, dw_pair, given->configuration.count + ADDED_PROPERTIES_MAX);
    if (metadata == NULL || pairs == NULL) {
        return dw__error_oom(err);
    }
    *metadata = *given;
    metadata->configuration.items = pairs;
    if (given->configuration.count > 0) {
        memcpy(pairs, given->configuration.items, given->configuration.count * sizeof(dw_pair));
    }
    if (a->is_tracking_enabled) {
        DW_TRY(name_columns(a, before, metadata, err));
    }
    /* A table that is replaced still has the commits from before. */
    for (size_t i = 0; a->with_in_commit_timestamps && i < 2; i++) {
        dw_str value = property_of(before, enablement_keys[i]);
        if (!dw__str_is_null(value) && dw__str_is_null(property_of(metadata, enablement_keys[i]))) {
            set_property(metadata, enablement_keys[i], value);
        }
    }
    a->metadata = metadata;
    return find_protection(a, given, err);
}

static dw_status
put_protection(dw_assignment *a, int64_t version, dw_metadata *metadata, dw_error *err)
{
    dw_str text = dw__arena_printf(a->arena, "%" PRId64, version);
    if (dw__str_is_null(text)) {
        return dw__error_oom(err);
    }
    set_property(metadata, PROTECTION_KEY, text);
    return DW_OK;
}

/* Since when in-commit timestamps hold. */
static dw_status
put_enablement(dw_assignment *a, int64_t version, int64_t timestamp_ms, dw_metadata *metadata,
               dw_error *err)
{
    int64_t values[] = {version, timestamp_ms};
    for (size_t i = 0; i < 2; i++) {
        dw_str text = dw__arena_printf(a->arena, "%" PRId64, values[i]);
        if (dw__str_is_null(text)) {
            return dw__error_oom(err);
        }
        set_property(metadata, enablement_keys[i], text);
    }
    return DW_OK;
}

/* ---- The change as a whole ------------------------------------------------------------------- */

/* Protocol and metadata as they will be. */
static dw_definition
find_definition(dw_assignment *a)
{
    const dw_txn *txn = a->txn;
    dw_definition definition = a->before;
    a->metadata_idx = SIZE_MAX;
    for (size_t i = 0; i < txn->action_count; i++) {
        if (txn->actions[i].kind == DW_ACTION_PROTOCOL) {
            definition.protocol = &txn->actions[i].as.protocol;
        } else if (txn->actions[i].kind == DW_ACTION_METADATA) {
            definition.metadata = &txn->actions[i].as.metadata;
            a->metadata_idx = i;
        }
    }
    dw_assert(definition.protocol != NULL && definition.metadata != NULL);
    return definition;
}

static dw_status
init_row_tracking(dw_assignment *a, const dw_properties *before, const dw_properties *properties,
                  dw_error *err)
{
    if (properties->enable_row_tracking && properties->row_tracking_suspended) {
        return dw__error_set(
            err, DW_UNSUPPORTED, "ROW_TRACKING_SUSPENDED",
            "delta.enableRowTracking and delta.rowTrackingSuspended cannot both be "
            "true: set one of them to false");
    }
    a->tracks_rows = !properties->row_tracking_suspended;
    a->strips_row_ids = properties->row_tracking_suspended;
    a->is_tracking_enabled = properties->enable_row_tracking;
    if (!a->tracks_rows) {
        return DW_OK;
    }
    DW_TRY(read_high_water_mark(a, err));
    DW_TRY(check_high_water_mark(a, err));
    DW_TRY(count_new_rows(a, err));
    return a->is_tracking_enabled && !before->enable_row_tracking && a->txn->read_snapshot != NULL
               ? check_all_have_ids(a->txn, err)
               : DW_OK;
}

dw_status
dw__assignment_init(dw_assignment *a, const dw_txn *txn, dw_definition before, dw_arena *arena,
                    dw_error *err)
{
    *a = (dw_assignment){
        .txn = txn, .before = before, .arena = arena, .high_water_mark = NO_HIGH_WATER_MARK};
    dw_definition after = find_definition(a);
    static const dw_pairs none = {NULL, 0};
    dw_properties old, properties;
    dw__properties_read(before.metadata == NULL ? &none : &before.metadata->configuration, &old,
                        NULL);
    dw__properties_read(&after.metadata->configuration, &properties, NULL);
    bool has_timestamps = dw__protocol_supports(after.protocol, DW_FEATURE_IN_COMMIT_TIMESTAMP);
    a->with_in_commit_timestamps = has_timestamps && properties.enable_in_commit_timestamps;
    a->enables_in_commit_timestamps =
        a->with_in_commit_timestamps && before.metadata != NULL && !old.enable_in_commit_timestamps;
    if (dw__protocol_supports(after.protocol, DW_FEATURE_ROW_TRACKING)) {
        DW_TRY(init_row_tracking(a, &old, &properties, err));
    }
    if (a->metadata_idx != SIZE_MAX) {
        DW_TRY(complete_metadata(a, err));
    }
    if (a->metadata == NULL && !a->tracks_rows && !a->strips_row_ids) {
        return DW_OK;
    }
    a->actions = DW_ARENA_ARRAY(arena, dw_action, txn->action_count + 1);
    return a->actions == NULL ? dw__error_oom(err) : DW_OK;
}

dw_status
dw__assignment_renew(dw_assignment *a, const dw_txn *txn, dw_definition before, dw_arena *arena,
                     dw_error *err)
{
    int64_t mark = a->high_water_mark;
    DW_TRY(dw__assignment_init(a, txn, before, arena, err));
    if (mark > a->high_water_mark) {
        a->high_water_mark = mark;
    }
    return DW_OK;
}

static dw_status
assign_row_ids(dw_assignment *a, int64_t version, dw_error *err)
{
    int64_t mark = a->high_water_mark;
    for (size_t i = 0; i < a->count; i++) {
        dw_file *file = &a->actions[i].as.file;
        if (a->actions[i].kind != DW_ACTION_ADD) {
            continue;
        }
        if (a->row_counts[i] >= 0) {
            file->has_base_row_id = true;
            file->base_row_id = mark == INT64_MAX ? mark : mark + 1;
            if (__builtin_add_overflow(mark, a->row_counts[i], &mark) || mark == INT64_MAX) {
                return dw__error_set(err, DW_UNSUPPORTED, "ROW_IDS_EXHAUSTED",
                                     "the table has no row ids left");
            }
        }
        if (!file->has_default_row_commit_version) {
            file->has_default_row_commit_version = true;
            file->default_row_commit_version = version;
        }
    }
    if (mark == a->high_water_mark) {
        return DW_OK;
    }
    dw_str json = dw__arena_printf(a->arena, "{\"rowIdHighWaterMark\":%" PRId64 "}", mark);
    if (dw__str_is_null(json)) {
        return dw__error_oom(err);
    }
    a->actions[a->count++] =
        (dw_action){.kind = DW_ACTION_DOMAIN,
                    .as.domain = {.domain = DW_STR(DW_ROW_TRACKING_DOMAIN), .configuration = json}};
    return DW_OK;
}

static void
strip_row_ids(dw_assignment *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->actions[i].kind == DW_ACTION_ADD) {
            a->actions[i].as.file.has_base_row_id = false;
            a->actions[i].as.file.has_default_row_commit_version = false;
        }
    }
}

dw_status
dw__assignment_make(dw_assignment *a, int64_t version, int64_t timestamp_ms, dw_txn *out,
                    dw_error *err)
{
    *out = *a->txn;
    if (a->actions == NULL) {
        return DW_OK;
    }
    a->count = a->txn->action_count;
    if (a->count > 0) { /* a commit may have nothing but its own description */
        memcpy(a->actions, a->txn->actions, a->count * sizeof(dw_action));
    }
    if (a->metadata != NULL) {
        dw_metadata *metadata = &a->actions[a->metadata_idx].as.metadata;
        *metadata = *a->metadata;
        if (a->enables_in_commit_timestamps && version > 0) {
            DW_TRY(put_enablement(a, version, timestamp_ms, metadata, err));
        }
        if (a->protects_history) {
            DW_TRY(put_protection(a, version, metadata, err));
        }
    }
    if (a->tracks_rows) {
        DW_TRY(assign_row_ids(a, version, err));
    } else if (a->strips_row_ids) {
        strip_row_ids(a);
    }
    out->actions = a->actions;
    out->action_count = a->count;
    return DW_OK;
}
