/*
 * Reading a range of commits for what changed.
 */
#include "log/changes.h"

#include "base/assert.h"
#include "base/map.h"
#include "base/vec.h"
#include "codec/uri.h"
#include "log/changes_schema.h"
#include "log/commit.h"
#include "log/file_set_core.h"
#include "log/log_core.h"
#include "log/snapshot.h"
#include "log/timeline.h"
#include "protocol/value.h"

#include <inttypes.h>

/* The columns of the feed that are the same throughout a file. */
#define CONSTANT_COLUMNS ((size_t) 2)
/* All columns of the feed. */
#define FEED_COLUMNS ((size_t) 3)

typedef struct change_vec {
    dw_file_change *items;
    size_t count;
    size_t capacity;
} change_vec;

struct dw_log_changes {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    dw_arena arena;            /* of the schema and the deletion vectors */
    dw_log_snapshot *snapshot; /* the newest */
    dw_definition *definition; /* what the rows are read with */
    int64_t version;           /* of the definition */
    const dw_type *schema;
    dw_str *partition_columns;
    size_t partition_count;
    dw_file_set *files;
    change_vec changes; /* in the order of the files */
    size_t *first_rows; /* by block: the index of its first change */
    bool has_recorded;
};

/* A version in the range with another definition than the one before it. */
typedef struct definition_change {
    int64_t version;
    dw_definition *definition;
} definition_change;

typedef struct definition_vec {
    definition_change *items;
    size_t count;
    size_t capacity;
} definition_vec;

typedef struct changes_reader {
    dw_log *log;
    dw_log_changes *out;
    int64_t first, last;
    dw_timeline timeline;
    dw_arena arena;          /* of the timeline */
    dw_arena scratch;        /* of one commit */
    dw_protocol protocol;    /* the newest that was read */
    bool has_protocol;       /* false: that of the newest snapshot holds */
    definition_vec defined;  /* those that the range's commits hold, oldest first */
    int64_t incomplete;      /* a version that hides the partition of a file; -1: none */
    const dw_action *staged; /* not NULL: these instead of a version's commit */
    size_t staged_count;
} changes_reader;

/* ---- Files ----------------------------------------------------------------------------------- */

/* Copies a descriptor from the arena of a commit. */
static dw_status
keep_dv(changes_reader *reader, const dw_dv_descriptor *dv, const dw_dv_descriptor **out,
        dw_error *err)
{
    *out = NULL;
    if (dv == NULL) {
        return DW_OK;
    }
    dw_dv_descriptor *copy = DW_ARENA_NEW(&reader->out->arena, dw_dv_descriptor);
    if (copy == NULL) {
        return dw__error_oom(err);
    }
    *copy = *dv;
    *out = copy;
    return dw__arena_dup(&reader->out->arena, dv->path_or_inline_dv, &copy->path_or_inline_dv)
               ? DW_OK
               : dw__error_oom(err);
}

/* The open block of the set, or a new one when that is full. */
static dw_status
open_block(dw_file_set *set, const dw_file *file, dw_file_block **out, dw_error *err)
{
    dw_set_entry *last = set->count == 0 ? NULL : &set->items[set->count - 1];
    if (last != NULL && !dw__file_block_is_full(last->block, file->path.len, file->stats.len)) {
        *out = last->block;
        return DW_OK;
    }
    dw__file_set_seal(set);
    dw_file_block *block = dw__file_block_new(set->allocator, NULL, 0);
    if (block == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = dw__file_set_append_block(set, block, err);
    dw__file_block_unref(block);
    *out = block;
    return status;
}

/* Pushes a file whose partition values are those of the feed. */
static dw_status
push_file(changes_reader *reader, const dw_file *file, const dw_file_change *change, dw_error *err)
{
    dw_file_set *set = reader->out->files;
    dw_file row = *file;
    dw_file_block *block = NULL;
    row.dv = NULL;
    row.tags_json = DW_STR_NULL;
    row.clustering_provider = DW_STR_NULL;
    row.extra_json = DW_STR("");
    dw_file_change *slot = DW_VEC_PUSH(reader->out->allocator, &reader->out->changes);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    slot->kind = change->kind;
    DW_TRY(keep_dv(reader, change->only, &slot->only, err));
    DW_TRY(keep_dv(reader, change->except, &slot->except, err));
    DW_TRY(open_block(set, &row, &block, err));
    DW_TRY(dw__file_block_push_file(block, &row, false, 0, err));
    dw_set_entry *entry = &set->items[set->count - 1];
    entry->live_count = block->row_count;
    entry->live_bytes = block->size_total;
    return DW_OK;
}

/* One commit of the range. */
typedef struct version_changes {
    changes_reader *reader;
    int64_t version;
    dw_commit_actions actions;
    dw_str version_text, time_text;
    dw_map removed; /* by canonical path, to the dw_file; only when files are added, too */
    bool compares;
} version_changes;

/* The file's partition values and those of the feed, in the scratch arena. */
static dw_status
add_constants(version_changes *v, const dw_file *file, dw_file *out, dw_error *err)
{
    size_t count = file->partition_values.count;
    *out = *file;
    dw_pair *items = DW_ARENA_ARRAY(&v->reader->scratch, dw_pair, count + CONSTANT_COLUMNS);
    if (items == NULL) {
        return dw__error_oom(err);
    }
    if (count > 0) {
        memcpy(items, file->partition_values.items, count * sizeof(*items));
    }
    items[count] = (dw_pair){DW_STR(DW_COMMIT_VERSION_COLUMN), v->version_text};
    items[count + 1] = (dw_pair){DW_STR(DW_COMMIT_TIMESTAMP_COLUMN), v->time_text};
    out->partition_values = (dw_pairs){items, count + CONSTANT_COLUMNS};
    return DW_OK;
}

static dw_status
push_change(version_changes *v, const dw_file *file, const dw_file_change *change, dw_error *err)
{
    dw_file row;
    size_t table_columns = v->reader->out->partition_count - CONSTANT_COLUMNS;
    if (table_columns > 0 && file->partition_values.count == 0) {
        v->reader->incomplete = v->version;
    }
    DW_TRY(add_constants(v, file, &row, err));
    return push_file(v->reader, &row, change, err);
}

/* ---- Added and removed files ----------------------------------------------------------------- */

static bool
is_change(const dw_action *action, dw_action_kind kind)
{
    return action->kind == kind && action->as.file.data_change;
}

static size_t
count_changes(const version_changes *v, dw_action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < v->actions.count; i++) {
        count += is_change(&v->actions.items[i], kind) ? 1 : 0;
    }
    return count;
}

static dw_status
index_removed(version_changes *v, dw_error *err)
{
    for (size_t i = 0; i < v->actions.count; i++) {
        dw_action *action = &v->actions.items[i];
        dw_str path;
        if (!is_change(action, DW_ACTION_REMOVE)) {
            continue;
        }
        DW_TRY(dw__uri_canonical(&v->reader->scratch, action->as.file.path, &path, err));
        dw_map_value *slot = dw__map_put(&v->removed, path, NULL);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        slot->ptr = action;
    }
    return DW_OK;
}

/* A file that stays with another deletion vector. [CHANGES-2] */
static dw_status
push_difference(version_changes *v, const dw_file *removed, const dw_file *added, dw_error *err)
{
    dw_file file = *added;
    if (dw__str_is_null(file.stats)) {
        file.stats = removed->stats;
    }
    if (added->dv != NULL) {
        dw_file_change deletes = {DW_CHANGE_DELETE, added->dv, removed->dv};
        DW_TRY(push_change(v, &file, &deletes, err));
    }
    if (removed->dv != NULL) {
        dw_file_change inserts = {DW_CHANGE_INSERT, removed->dv, added->dv};
        DW_TRY(push_change(v, &file, &inserts, err));
    }
    return DW_OK;
}

static dw_status
push_added(version_changes *v, const dw_file *file, dw_error *err)
{
    if (v->compares) {
        dw_str path;
        DW_TRY(dw__uri_canonical(&v->reader->scratch, file->path, &path, err));
        dw_map_value *found = dw__map_get(&v->removed, path);
        if (found != NULL) {
            dw_action *removed = found->ptr;
            removed->kind = DW_ACTION_UNKNOWN; /* it is dealt with */
            return push_difference(v, &removed->as.file, file, err);
        }
    }
    dw_file_change inserts = {DW_CHANGE_INSERT, NULL, file->dv};
    return push_change(v, file, &inserts, err);
}

static dw_status
push_inferred(version_changes *v, dw_error *err)
{
    v->compares = count_changes(v, DW_ACTION_ADD) > 0 && count_changes(v, DW_ACTION_REMOVE) > 0;
    if (v->compares) {
        DW_TRY(index_removed(v, err));
    }
    for (size_t i = 0; i < v->actions.count; i++) {
        const dw_action *action = &v->actions.items[i];
        if (is_change(action, DW_ACTION_ADD)) {
            DW_TRY(push_added(v, &action->as.file, err));
        }
    }
    for (size_t i = 0; i < v->actions.count; i++) {
        const dw_action *action = &v->actions.items[i];
        if (is_change(action, DW_ACTION_REMOVE)) {
            dw_file_change deletes = {DW_CHANGE_DELETE, NULL, action->as.file.dv};
            DW_TRY(push_change(v, &action->as.file, &deletes, err));
        }
    }
    return DW_OK;
}

static dw_status
push_recorded(version_changes *v, bool *any_out, dw_error *err)
{
    dw_file_change recorded = {DW_CHANGE_RECORDED, NULL, NULL};
    *any_out = false;
    for (size_t i = 0; i < v->actions.count; i++) {
        const dw_action *action = &v->actions.items[i];
        if (action->kind == DW_ACTION_CDC) {
            DW_TRY(push_change(v, &action->as.file, &recorded, err));
            *any_out = true;
            v->reader->out->has_recorded = true;
        }
    }
    return DW_OK;
}

/* ---- What a commit says of itself ------------------------------------------------------------ */

static dw_status
find_info(version_changes *v, dw_commit_info *out, dw_error *err)
{
    *out = (dw_commit_info){0};
    for (size_t i = 0; i < v->actions.count; i++) {
        if (v->actions.items[i].kind == DW_ACTION_COMMIT_INFO) {
            return dw__commit_info_parse(v->actions.items[i].as.json, &v->reader->scratch, out,
                                         err);
        }
    }
    return DW_OK;
}

/*
 * Some MERGEs of the reference rewrote files without changing a row, and say so in their metrics.
 */
static dw_status
is_idle_merge(const version_changes *v, const dw_commit_info *info, bool *out, dw_error *err)
{
    static const char *const metrics[] = {"numTargetRowsInserted", "numTargetRowsUpdated",
                                          "numTargetRowsDeleted"};
    *out = false;
    if (!dw__str_equal(info->operation, DW_STR("MERGE")) ||
        dw__str_is_null(info->operation_metrics_json)) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(v->reader->scratch.allocator, info->operation_metrics_json,
                          "the metrics of a MERGE", &doc, err));
    *out = true;
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        dw_json value = dw__json_get(dw__json_root(doc), dw__str_from(metrics[i]));
        *out = *out && dw__str_equal(dw__json_str(value), DW_STR("0"));
    }
    return DW_OK;
}

/* The time of a version by its commit file; 0 when the listing did not have it. */
static int64_t
file_time_of(const changes_reader *reader, int64_t version)
{
    const dw_timeline_entry *items = reader->timeline.items;
    size_t start = 0, end = reader->timeline.count;
    while (start < end) {
        size_t middle = start + (end - start) / 2;
        if (items[middle].version == version) {
            return items[middle].file_time_ms;
        }
        start = items[middle].version < version ? middle + 1 : start;
        end = items[middle].version < version ? end : middle;
    }
    return 0;
}

static dw_status
print_constants(version_changes *v, const dw_commit_info *info, dw_error *err)
{
    dw_arena *scratch = &v->reader->scratch;
    int64_t time_ms = info->has_in_commit_timestamp ? info->in_commit_timestamp_ms
                                                    : file_time_of(v->reader, v->version);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(scratch->allocator, 64);
    if (time_ms == 0) {
        time_ms = v->actions.modified_ms; /* committed after the listing */
    }
    dw__timestamp_print(&text, time_ms * 1000, 'T', 3, "Z");
    DW_TRY(dw__strbuf_ok(&text, "the time of a commit", err));
    v->version_text = dw__arena_printf(scratch, "%" PRId64, v->version);
    return !dw__str_is_null(v->version_text) &&
                   dw__arena_dup(scratch, dw__strbuf_str(&text), &v->time_text)
               ? DW_OK
               : dw__error_oom(err);
}

/* ---- Definitions ----------------------------------------------------------------------------- */

static dw_status
add_definition(changes_reader *reader, int64_t version, const dw_metadata *metadata, dw_error *err)
{
    const dw_protocol *protocol =
        reader->has_protocol ? &reader->protocol : dw__log_snapshot_protocol(reader->out->snapshot);
    definition_change *slot = DW_VEC_PUSH(reader->log->env->allocator, &reader->defined);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    slot->version = version;
    return dw__definition_new(reader->log->env, protocol, metadata, &slot->definition, err);
}

/* What the commit says of the table itself. A protocol that cannot be read ends it here. */
static dw_status
take_definition(version_changes *v, dw_error *err)
{
    changes_reader *reader = v->reader;
    for (size_t i = 0; i < v->actions.count; i++) {
        const dw_action *action = &v->actions.items[i];
        if (action->kind == DW_ACTION_PROTOCOL) {
            DW_TRY(dw__protocol_check_read(&action->as.protocol, err));
            reader->has_protocol = true;
            if (!dw__protocol_dup(&reader->arena, &action->as.protocol, &reader->protocol)) {
                return dw__error_oom(err);
            }
        }
    }
    for (size_t i = 0; i < v->actions.count; i++) {
        const dw_action *action = &v->actions.items[i];
        if (action->kind == DW_ACTION_METADATA) {
            DW_TRY(add_definition(reader, v->version, &action->as.metadata, err));
        }
    }
    return DW_OK;
}

/* ---- One version ----------------------------------------------------------------------------- */

/* A copy, as actions are marked when they are dealt with. */
static dw_status
copy_staged(version_changes *v, dw_error *err)
{
    const changes_reader *reader = v->reader;
    size_t count = reader->staged_count;
    v->actions.items = DW_ARENA_ARRAY(&v->reader->scratch, dw_action, count + 1);
    if (v->actions.items == NULL) {
        return dw__error_oom(err);
    }
    memcpy(v->actions.items, reader->staged, count * sizeof(*reader->staged));
    v->actions.count = count;
    v->actions.modified_ms = dw__log_snapshot_timestamp_ms(reader->out->snapshot);
    return DW_OK;
}

static dw_status
read_version(version_changes *v, dw_error *err)
{
    changes_reader *reader = v->reader;
    if (reader->staged != NULL) {
        return copy_staged(v, err);
    }
    DW_TRY(dw__commit_read(reader->log, v->version, &reader->scratch, &v->actions, err));
    return take_definition(v, err);
}

static dw_status
push_version(version_changes *v, dw_error *err)
{
    dw_commit_info info;
    bool any, idle;
    DW_TRY(find_info(v, &info, err));
    DW_TRY(print_constants(v, &info, err));
    DW_TRY(push_recorded(v, &any, err));
    if (any) {
        return DW_OK; /* [CHANGES-1] */
    }
    DW_TRY(is_idle_merge(v, &info, &idle, err));
    return idle ? DW_OK : push_inferred(v, err);
}

static dw_status
take_version(changes_reader *reader, int64_t version, dw_error *err)
{
    version_changes v = {.reader = reader, .version = version};
    if (dw__env_is_cancelled(reader->log->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading changes");
    }
    dw__arena_reset(&reader->scratch);
    dw__map_init(&v.removed, reader->log->env->allocator);
    dw_status status = read_version(&v, err);
    if (status == DW_OK) {
        status = push_version(&v, err);
    }
    dw__map_deinit(&v.removed);
    return status;
}

/* ---- The range ------------------------------------------------------------------------------- */

/* Makes the times of the versions known, and checks that the log goes back far enough. */
static dw_status
list_times(changes_reader *reader, dw_error *err)
{
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, reader->log->env->allocator);
    DW_TRY(dw__log_list(reader->log->storage, 0, &listing, err));
    DW_TRY(dw__timeline_make(&listing, 0, &reader->arena, &reader->timeline, err));
    if (reader->timeline.count > 0 && reader->first < reader->timeline.items[0].version) {
        return dw__error_set(err, DW_NOT_FOUND, "VERSION_OUT_OF_RANGE",
                             "the changes of version %" PRId64 " are not there any more; the log "
                             "has those of versions %" PRId64 " to %" PRId64,
                             reader->first, reader->timeline.items[0].version,
                             dw__log_snapshot_version(reader->out->snapshot));
    }
    return DW_OK;
}

/* The definition that holds at the first version: of the range's own, or of a snapshot. */
static dw_status
define_first(changes_reader *reader, dw_definition **out, dw_error *err)
{
    dw_log_snapshot *newest = reader->out->snapshot;
    if (reader->defined.count > 0 && reader->defined.items[0].version == reader->first) {
        *out = dw__definition_ref(reader->defined.items[0].definition);
        return DW_OK;
    }
    if (reader->defined.count == 0 && reader->last == newest->version) {
        *out = dw__definition_ref(newest->definition); /* nothing changed it since */
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot_at(reader->log, reader->first, &snapshot, err));
    *out = dw__definition_ref(snapshot->definition);
    return DW_OK;
}

/* The definition whose columns the changes have, as the reference chooses it. */
static void
choose_definition(changes_reader *reader, dw_definition *first)
{
    dw_log_changes *out = reader->out;
    dw_definition *newest = out->snapshot->definition;
    dw_definition *last = reader->defined.count > 0
                              ? reader->defined.items[reader->defined.count - 1].definition
                              : first;
    bool is_mapped = newest->properties.mapping_mode != DW_MAPPING_NONE ||
                     last->properties.mapping_mode != DW_MAPPING_NONE ||
                     first->properties.mapping_mode != DW_MAPPING_NONE;
    out->definition = dw__definition_ref(is_mapped ? last : newest);
    out->version = is_mapped ? reader->last : out->snapshot->version;
}

static dw_status
check_recorded(const changes_reader *reader, const dw_definition *definition, int64_t version,
               dw_error *err)
{
    if (definition->properties.enable_change_data_feed) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "CHANGES_NOT_RECORDED",
                         "the changes of versions %" PRId64 " to %" PRId64 " are not complete: "
                         "delta.enableChangeDataFeed was off at version %" PRId64
                         "; DESCRIBE HISTORY shows when it was switched on",
                         reader->first, reader->last, version);
}

static dw_status
check_schema(const changes_reader *reader, const dw_definition *definition, int64_t version,
             dw_error *err)
{
    const dw_log_changes *out = reader->out;
    bool is_older = version <= out->version;
    const dw_definition *older = is_older ? definition : out->definition;
    const dw_definition *newer = is_older ? out->definition : definition;
    if (definition == out->definition || dw__changes_schema_fits(older, newer, is_older)) {
        return DW_OK;
    }
    bool is_start = version == reader->first;
    return dw__error_set(err, DW_INVALID_ARGUMENT,
                         is_start ? "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA"
                                  : "CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE",
                         "the changes of versions %" PRId64 " to %" PRId64
                         " do not have one schema: the columns of "
                         "version %" PRId64 " cannot be read as those of version %" PRId64
                         "; ask for the versions before and after the change by themselves",
                         reader->first, reader->last, version, out->version);
}

/* [CHANGES-3] [CHANGES-4] */
static dw_status
check_definitions(changes_reader *reader, const dw_definition *first, dw_error *err)
{
    DW_TRY(check_recorded(reader, first, reader->first, err));
    for (size_t i = 0; i < reader->defined.count; i++) {
        const definition_change *change = &reader->defined.items[i];
        DW_TRY(check_recorded(reader, change->definition, change->version, err));
        if (change->version > reader->first) {
            DW_TRY(check_schema(reader, change->definition, change->version, err));
        }
    }
    return check_schema(reader, first, reader->first, err);
}

static dw_status
check_complete(const changes_reader *reader, dw_error *err)
{
    if (reader->incomplete < 0) {
        return DW_OK;
    }
    return dw__error_set(err, DW_UNSUPPORTED, "CHANGES_INCOMPLETE",
                         "version %" PRId64 " does not say in which partition a file was that it "
                         "removed: its changes cannot be read",
                         reader->incomplete);
}

/* ---- The schema of the feed ------------------------------------------------------------------ */

static dw_status
make_schema(dw_log_changes *out, dw_error *err)
{
    static const char *const names[FEED_COLUMNS] = {DW_CHANGE_TYPE_COLUMN, DW_COMMIT_VERSION_COLUMN,
                                                    DW_COMMIT_TIMESTAMP_COLUMN};
    static const dw_type_kind kinds[FEED_COLUMNS] = {DW_TYPE_STRING, DW_TYPE_LONG,
                                                     DW_TYPE_TIMESTAMP};
    const dw_type *table = out->definition->schema;
    dw_field *fields = DW_ARENA_ARRAY(&out->arena, dw_field, table->field_count + FEED_COLUMNS);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    if (table->field_count > 0) {
        memcpy(fields, table->fields, table->field_count * sizeof(*fields));
    }
    for (size_t i = 0; i < FEED_COLUMNS; i++) {
        if (dw__schema_find(table, dw__str_from(names[i])) != NULL) {
            return dw__error_set(err, DW_UNSUPPORTED, "CHANGES_COLUMN_TAKEN",
                                 "the table has a column %s of its own: rename it to read changes",
                                 names[i]);
        }
        const dw_type *type = dw__type_make(&out->arena, kinds[i]);
        if (type == NULL) {
            return dw__error_oom(err);
        }
        fields[table->field_count + i] = (dw_field){.name = dw__str_from(names[i]),
                                                    .type = type,
                                                    .nullable = true,
                                                    .metadata_json = DW_STR("{}"),
                                                    .physical_name = dw__str_from(names[i]),
                                                    .mapping_id = -1,
                                                    .extra_json = DW_STR("")};
    }
    out->schema = dw__type_make_struct(&out->arena, fields, table->field_count + FEED_COLUMNS);
    return out->schema == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
make_partition_columns(dw_log_changes *out, const dw_metadata *metadata, dw_error *err)
{
    size_t count = metadata->partition_column_count;
    out->partition_columns = DW_ARENA_ARRAY(&out->arena, dw_str, count + CONSTANT_COLUMNS);
    if (out->partition_columns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        out->partition_columns[i] = metadata->partition_columns[i];
    }
    out->partition_columns[count] = DW_STR(DW_COMMIT_VERSION_COLUMN);
    out->partition_columns[count + 1] = DW_STR(DW_COMMIT_TIMESTAMP_COLUMN);
    out->partition_count = count + CONSTANT_COLUMNS;
    return DW_OK;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static dw_status
read_commits(changes_reader *reader, dw_error *err)
{
    /* Until the definition is known that of the newest version tells whether files have partitions;
     * a range in which that differs is refused. */
    reader->out->partition_count =
        dw__log_snapshot_metadata(reader->out->snapshot)->partition_column_count + CONSTANT_COLUMNS;
    for (int64_t version = reader->first; version <= reader->last; version++) {
        DW_TRY(take_version(reader, version, err));
    }
    dw__file_set_seal(reader->out->files);
    return DW_OK;
}

static dw_status
index_blocks(dw_log_changes *out, dw_error *err)
{
    out->first_rows = DW_ARENA_ARRAY(&out->arena, size_t, out->files->count + 1);
    if (out->first_rows == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < out->files->count; i++) {
        out->first_rows[i + 1] = out->first_rows[i] + out->files->items[i].block->row_count;
    }
    dw_assert(out->first_rows[out->files->count] == out->changes.count);
    return DW_OK;
}

static dw_status
finish(dw_log_changes *out, dw_error *err)
{
    DW_TRY(make_schema(out, err));
    DW_TRY(make_partition_columns(out, &out->definition->metadata, err));
    return index_blocks(out, err);
}

static dw_status
read_range(changes_reader *reader, dw_error *err)
{
    dw_log_changes *out = reader->out;
    bool is_empty = reader->last < reader->first;
    if (!is_empty) {
        DW_TRY(list_times(reader, err));
        DW_TRY(read_commits(reader, err));
        DW_AUTO(dw_definition_ptr) first = NULL;
        DW_TRY(define_first(reader, &first, err));
        choose_definition(reader, first);
        DW_TRY(check_definitions(reader, first, err));
        DW_TRY(check_complete(reader, err));
    } else {
        out->definition = dw__definition_ref(out->snapshot->definition);
        out->version = out->snapshot->version;
    }
    return finish(out, err);
}

static dw_status
read_staged(changes_reader *reader, dw_error *err)
{
    dw_log_changes *out = reader->out;
    out->definition = dw__definition_ref(out->snapshot->definition);
    out->version = out->snapshot->version;
    DW_TRY(read_commits(reader, err));
    return finish(out, err);
}

static dw_status
check_range(const dw_log_snapshot *newest, int64_t first, int64_t last, dw_error *err)
{
    if (first < 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "VERSION_INVALID",
                             "expected a version of 0 or more, found %" PRId64, first);
    }
    if (last < first - 1) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CHANGES_RANGE_INVALID",
                             "expected changes from a version to a later one, found %" PRId64
                             " to %" PRId64,
                             first, last);
    }
    if (first > newest->version && last >= first) {
        return dw__error_set(err, DW_NOT_FOUND, "VERSION_OUT_OF_RANGE",
                             "there are no changes from version %" PRId64
                             " on: the newest version is %" PRId64,
                             first, newest->version);
    }
    return DW_OK;
}

static dw_status
fill_changes(changes_reader *reader, dw_error *err)
{
    dw_log_changes *out = reader->out;
    out->files = dw__file_set_new(out->allocator, false);
    if (out->files == NULL) {
        return dw__error_oom(err);
    }
    dw__arena_init(&reader->arena, out->allocator);
    dw__arena_init(&reader->scratch, out->allocator);
    dw_status status = reader->staged != NULL ? read_staged(reader, err) : read_range(reader, err);
    for (size_t i = 0; i < reader->defined.count; i++) {
        dw__definition_unref(reader->defined.items[i].definition);
    }
    DW_VEC_DEINIT(out->allocator, &reader->defined);
    dw__arena_deinit(&reader->scratch);
    dw__arena_deinit(&reader->arena);
    return status;
}

static dw_status
open_changes(dw_log_snapshot *newest, changes_reader *reader, dw_log_changes **out, dw_error *err)
{
    const dw_allocator *allocator = newest->log->env->allocator;
    dw_log_changes *changes = DW_NEW(allocator, dw_log_changes);
    if (changes == NULL) {
        return dw__error_oom(err);
    }
    changes->allocator = allocator;
    changes->snapshot = dw__log_snapshot_ref(newest);
    atomic_init(&changes->ref_count, 1);
    dw__arena_init(&changes->arena, changes->allocator);
    reader->log = newest->log;
    reader->out = changes;
    reader->incomplete = -1;
    dw_status status = fill_changes(reader, err);
    if (status != DW_OK) {
        dw__log_changes_unref(changes);
        return status;
    }
    *out = changes;
    return DW_OK;
}

dw_status
dw__log_changes_open(dw_log_snapshot *newest, int64_t first, int64_t last, dw_log_changes **out,
                     dw_error *err)
{
    *out = NULL;
    DW_TRY(check_range(newest, first, last, err));
    changes_reader reader = {.first = first,
                             .last = last < newest->version ? last : newest->version};
    return open_changes(newest, &reader, out, err);
}

dw_status
dw__log_changes_of(dw_log_snapshot *staged, const dw_action *actions, size_t count,
                   dw_log_changes **out, dw_error *err)
{
    *out = NULL;
    changes_reader reader = {.first = staged->version,
                             .last = staged->version,
                             .staged = actions,
                             .staged_count = count};
    return open_changes(staged, &reader, out, err);
}

dw_log_changes *
dw__log_changes_ref(dw_log_changes *changes)
{
    atomic_fetch_add_explicit(&changes->ref_count, 1, memory_order_relaxed);
    return changes;
}

void
dw__log_changes_unref(dw_log_changes *changes)
{
    if (changes == NULL ||
        atomic_fetch_sub_explicit(&changes->ref_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    dw__file_set_free(changes->files);
    DW_VEC_DEINIT(changes->allocator, &changes->changes);
    dw__definition_unref(changes->definition);
    dw__log_snapshot_unref(changes->snapshot);
    dw__arena_deinit(&changes->arena);
    DW_DELETE(changes->allocator, changes);
}

/* ---- Reading them ---------------------------------------------------------------------------- */

dw_log_snapshot *
dw__log_changes_snapshot(const dw_log_changes *changes)
{
    return changes->snapshot;
}

int64_t
dw__log_changes_version(const dw_log_changes *changes)
{
    return changes->version;
}

const dw_type *
dw__log_changes_schema(const dw_log_changes *changes)
{
    return changes->schema;
}

dw_mapping_mode
dw__log_changes_mapping_mode(const dw_log_changes *changes)
{
    return changes->definition->properties.mapping_mode;
}

const dw_str *
dw__log_changes_partition_columns(const dw_log_changes *changes, size_t *count_out)
{
    *count_out = changes->partition_count;
    return changes->partition_columns;
}

dw_file_set *
dw__log_changes_files(const dw_log_changes *changes)
{
    return changes->files;
}

bool
dw__log_changes_has_recorded(const dw_log_changes *changes)
{
    return changes->has_recorded;
}

const dw_file_change *
dw__log_change(const dw_log_changes *changes, dw_file_ref ref)
{
    dw_assert(ref.block < changes->files->count);
    return &changes->changes.items[changes->first_rows[ref.block] + ref.row];
}
