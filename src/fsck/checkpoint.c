/*
 * Checkpoints: their rows against what the commits replay to, and what may stand in them. Rules A3
 * to A5, C5 to C9.
 */
#include "log/checkpoint.h"
#include "base/assert.h"
#include "fsck/core.h"
#include "log/checkpoint_core.h"
#include "log/file_block.h"

#include <inttypes.h>

/* What a checkpoint's files hold. */
typedef struct read_checkpoint {
    dw_fsck *fsck;
    dw_str key;
    bool loads; /* it becomes the state; else it is compared with it */
    dw_replay base;
    dw_checkpoint *checkpoint;
    dw_definition *definition;
    int64_t add_count;
    bool has_stats; /* some file has */
} read_checkpoint;

/* ---- Opening --------------------------------------------------------------------------------- */

/* All files of the checkpoint that `first` begins. */
static dw_status
make_segment(dw_fsck *fsck, const dw_log_file *first, dw_segment *out, dw_error *err)
{
    size_t count = first->kind == DW_LOG_CHECKPOINT_PART ? first->part_count : 1;
    dw_log_file *files = DW_ARENA_ARRAY(&fsck->scratch, dw_log_file, count);
    if (files == NULL) {
        return dw__error_oom(err);
    }
    size_t used = 0;
    const dw_log_file *end = fsck->listing.items + fsck->listing.count;
    for (const dw_log_file *file = first; file < end && used < count; file++) {
        if (file == first ||
            (file->kind == DW_LOG_CHECKPOINT_PART && file->part_count == first->part_count)) {
            files[used++] = *file;
        }
    }
    dw_assert(used == count);
    *out = (dw_segment){.version = first->version,
                        .checkpoint_version = first->version,
                        .checkpoints = files,
                        .checkpoint_count = count};
    return DW_OK;
}

static dw_status
read_files(read_checkpoint *read, const dw_log_file *first, dw_error *err)
{
    dw_fsck *fsck = read->fsck;
    dw_segment segment;
    DW_TRY(make_segment(fsck, first, &segment, err));
    DW_TRY(dw__checkpoint_open(fsck->log, &segment, &read->base, &read->checkpoint, err));
    if (read->base.protocol == NULL || read->base.metadata == NULL) {
        return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                             "expected protocol and metaData in the checkpoint, found no %s",
                             read->base.protocol == NULL ? "protocol" : "metaData");
    }
    DW_TRY(dw__definition_new(fsck->env, read->base.protocol, read->base.metadata,
                              &read->definition, err));
    DW_TRY(dw__checkpoint_read_adds(read->checkpoint, read->definition, &read->base, err));
    dw__replay_seal(&read->base);
    return DW_OK;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

void
dw__fsck_compare_add(dw_fsck *fsck, const char *rule, dw_str key, const dw_file *found,
                     dw_fsck_file *expected)
{
    const struct {
        const char *what;
        int64_t expected, found;
    } members[] = {
        {"size", expected->size_bytes, found->size_bytes},
        {"modificationTime", expected->modified_ms, found->modification_time_ms},
        {"baseRowId", expected->base_row_id, found->has_base_row_id ? found->base_row_id : -1},
        {"defaultRowCommitVersion", expected->commit_version,
         found->has_default_row_commit_version ? found->default_row_commit_version : -1},
        {"deletionVector.cardinality", expected->has_dv ? expected->dv.cardinality : 0,
         found->dv != NULL ? found->dv->cardinality : 0},
    };
    if (expected->seen == fsck->state.comparison) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, found->path, "%.*s has the file twice",
                      DW_STR_ARG(key));
    }
    expected->seen = fsck->state.comparison;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i].expected != members[i].found) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, rule, found->path,
                          "expected %s %" PRId64 ", as the commits say, in %.*s, found %" PRId64,
                          members[i].what, members[i].expected, DW_STR_ARG(key), members[i].found);
        }
    }
    if (dw__fsck_values_hash(&found->partition_values) != expected->values_hash) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, found->path,
                      "the partition values in %.*s are not those of the commits", DW_STR_ARG(key));
    }
    int64_t records = dw__fsck_num_records(found->stats);
    if (records >= 0 && expected->num_records >= 0 && records != expected->num_records) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, found->path,
                      "expected numRecords %" PRId64
                      ", as the commits say, in %.*s, found %" PRId64,
                      expected->num_records, DW_STR_ARG(key), records);
    }
}

static dw_status
visit_add(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    read_checkpoint *read = ctx;
    dw_fsck *fsck = read->fsck;
    dw_file file;
    dw_fsck_path *path;
    dw_error cause = DW_ERROR_INIT;
    const dw_file_block *block = dw__file_set_block(read->base.adds, ref.block);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, fsck->env->allocator);
    if (!dw__file_block_get(block, ref.row, false, &scratch, &file)) {
        return dw__error_oom(err);
    }
    file.stats = stats;
    read->add_count++;
    read->has_stats = read->has_stats || stats.len > 0;
    dw_status status = dw__fsck_path(&fsck->state, file.path, &scratch, &path, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "A13", file.path, &cause, err);
    }
    if (read->loads) {
        dw__fsck_check_add(fsck, &file);
        DW_TRY(dw__fsck_name_dv(fsck, file.dv, false, err));
        return dw__fsck_file_add(&fsck->state, path, &file, fsck->version, err);
    }
    dw_fsck_file *expected = dw__fsck_path_find(path, file.dv);
    if (expected == NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C5", file.path,
                      "%.*s has the file, but the commits replay to none with this deletion vector",
                      DW_STR_ARG(read->key));
        return DW_OK;
    }
    dw__fsck_compare_add(fsck, "C5", read->key, &file, expected);
    return DW_OK;
}

static dw_status
visit_remove(void *ctx, const dw_file *remove, dw_error *err)
{
    read_checkpoint *read = ctx;
    dw_fsck *fsck = read->fsck;
    dw_fsck_path *path;
    dw_error cause = DW_ERROR_INIT;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, fsck->env->allocator);
    dw_status status = dw__fsck_path(&fsck->state, remove->path, &scratch, &path, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "A13", remove->path, &cause, err);
    }
    DW_TRY(dw__fsck_name_dv(fsck, remove->dv, false, err));
    if (dw__fsck_path_find(path, remove->dv) != NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C5", remove->path,
                      "%.*s removes a file that is in the table", DW_STR_ARG(read->key));
    }
    return DW_OK;
}

static dw_status
find_missing(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    const read_checkpoint *read = ctx;
    (void) err;
    if (file->seen != fsck->state.comparison) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C5", path->path,
                      "the file is in the table since version %" PRId64 ", but not in %.*s",
                      file->version, DW_STR_ARG(read->key));
    }
    return DW_OK;
}

static dw_status
compare_files(read_checkpoint *read, dw_error *err)
{
    dw_fsck *fsck = read->fsck;
    fsck->state.comparison++;
    DW_TRY(dw__file_set_visit_stats(read->base.adds, visit_add, read, err));
    DW_TRY(dw__checkpoint_visit_removes(read->checkpoint, visit_remove, read, err));
    return read->loads ? DW_OK : dw__fsck_visit_live(fsck, find_missing, read, err);
}

/* Applications whose last commit is long ago may be left out. */
static void
find_missing_txns(read_checkpoint *read)
{
    dw_fsck *fsck = read->fsck;
    const dw_map *txns = &fsck->state.txns;
    for (size_t i = 0; i < txns->slot_count; i++) {
        if (txns->slots[i].key.ptr == NULL ||
            dw__map_get(&read->base.txns, txns->slots[i].key) != NULL) {
            continue;
        }
        bool may_expire = fsck->state.properties.set_transaction_retention_ms >= 0;
        dw__fsck_find(fsck, may_expire ? DW_FSCK_NOTE : DW_FSCK_ERROR, "C5", DW_STR_NULL,
                      "the txn of '%.*s' is not in %.*s", DW_STR_ARG(txns->slots[i].key),
                      DW_STR_ARG(read->key));
    }
}

static void
compare_items(read_checkpoint *read)
{
    dw_fsck *fsck = read->fsck;
    const dw_map *found = &read->base.txns;
    for (size_t i = 0; i < found->slot_count; i++) {
        if (found->slots[i].key.ptr != NULL) {
            dw__fsck_compare_txn(fsck, "C5", read->key, found->slots[i].value.ptr);
        }
    }
    find_missing_txns(read);
    found = &read->base.domains;
    for (size_t i = 0; i < found->slot_count; i++) {
        if (found->slots[i].key.ptr != NULL) {
            dw__fsck_compare_domain(fsck, "C5", read->key, found->slots[i].value.ptr);
        }
    }
    const dw_map *domains = &fsck->state.domains;
    for (size_t i = 0; i < domains->slot_count; i++) {
        const dw_fsck_domain *domain = domains->slots[i].value.ptr;
        if (domains->slots[i].key.ptr != NULL && !domain->domain.removed &&
            dw__map_get(found, domains->slots[i].key) == NULL) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "C5", DW_STR_NULL,
                          "the domain '%.*s' is not in %.*s", DW_STR_ARG(domain->domain.domain),
                          DW_STR_ARG(read->key));
        }
    }
}

/* ---- Loading --------------------------------------------------------------------------------- */

static dw_status
load_items(read_checkpoint *read, dw_error *err)
{
    dw_fsck *fsck = read->fsck;
    const dw_map *txns = &read->base.txns;
    const dw_map *domains = &read->base.domains;
    for (size_t i = 0; i < txns->slot_count; i++) {
        if (txns->slots[i].key.ptr != NULL) {
            DW_TRY(dw__fsck_set_txn(&fsck->state, txns->slots[i].value.ptr, fsck->version, err));
        }
    }
    for (size_t i = 0; i < domains->slot_count; i++) {
        if (domains->slots[i].key.ptr != NULL) {
            DW_TRY(
                dw__fsck_set_domain(&fsck->state, domains->slots[i].value.ptr, fsck->version, err));
        }
    }
    return DW_OK;
}

static dw_status
load_state(read_checkpoint *read, dw_error *err)
{
    dw_fsck *fsck = read->fsck;
    dw__fsck_state_clear(&fsck->state);
    DW_TRY(dw__fsck_set_definition(fsck, read->base.protocol, read->base.metadata, err));
    fsck->state.protocol_version = fsck->state.metadata_version = fsck->version;
    dw__fsck_check_protocol(fsck, fsck->state.protocol, NULL);
    dw__fsck_check_metadata(fsck, NULL);
    dw__fsck_check_columns(fsck, NULL);
    return load_items(read, err);
}

/* ---- What may stand in a checkpoint ---------------------------------------------------------- */

typedef struct content {
    int64_t checkpoint_metadata, sidecars, adds, removes, protocols, metadata, commit_infos;
} content;

static void
count_valid(const dw_vector *column, size_t child, size_t row_count, int64_t *count)
{
    for (size_t row = 0; row < row_count; row++) {
        *count +=
            dw__vector_is_valid(column, row) && dw__vector_is_valid(&column->children[child], row);
    }
}

static dw_status
count_batch(void *ctx, const dw_batch *batch, dw_error *err)
{
    content *out = ctx;
    int64_t *counts[] = {&out->checkpoint_metadata, &out->sidecars, &out->adds, &out->removes,
                         &out->protocols,           &out->metadata};
    (void) err;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        count_valid(&batch->columns[i], 0, batch->row_count, counts[i]);
    }
    return DW_OK;
}

static dw_status
count_content(dw_fsck *fsck, dw_str key, content *out, dw_error *err)
{
    static const dw_column_spec version = {.name = "version", .kind = DW_VECTOR_I64};
    static const dw_column_spec path = {.name = "path", .kind = DW_VECTOR_STR};
    static const dw_column_spec reader = {.name = "minReaderVersion", .kind = DW_VECTOR_I64};
    static const dw_column_spec id = {.name = "id", .kind = DW_VECTOR_STR};
    static const dw_column_spec columns[] = {
        {.name = "checkpointMetadata",
         .kind = DW_VECTOR_STRUCT,
         .children = &version,
         .child_count = 1},
        {.name = "sidecar", .kind = DW_VECTOR_STRUCT, .children = &path, .child_count = 1},
        {.name = "add", .kind = DW_VECTOR_STRUCT, .children = &path, .child_count = 1},
        {.name = "remove", .kind = DW_VECTOR_STRUCT, .children = &path, .child_count = 1},
        {.name = "protocol", .kind = DW_VECTOR_STRUCT, .children = &reader, .child_count = 1},
        {.name = "metaData", .kind = DW_VECTOR_STRUCT, .children = &id, .child_count = 1},
    };
    dw_parquet_read request = {
        .key = key, .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0])};
    return dw__checkpoint_read_file(fsck->log, &request, count_batch, out, err);
}

static dw_status
count_action(void *ctx, const dw_action *action, dw_error *err)
{
    content *out = ctx;
    (void) err;
    out->checkpoint_metadata += action->kind == DW_ACTION_CHECKPOINT_METADATA;
    out->sidecars += action->kind == DW_ACTION_SIDECAR;
    out->adds += action->kind == DW_ACTION_ADD;
    out->removes += action->kind == DW_ACTION_REMOVE;
    out->protocols += action->kind == DW_ACTION_PROTOCOL;
    out->metadata += action->kind == DW_ACTION_METADATA;
    out->commit_infos += action->kind == DW_ACTION_COMMIT_INFO;
    return DW_OK;
}

static dw_status
count_json_content(dw_fsck *fsck, dw_str key, content *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(fsck->env->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__storage_get(fsck->storage, key, &bytes, NULL, err));
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, fsck->env->allocator);
    return dw__actions_parse(dw__strbuf_str(&bytes), &arena, count_action, out, err);
}

static dw_status
check_content(dw_fsck *fsck, const dw_log_file *first, dw_error *err)
{
    content found = {0};
    size_t parts = first->kind == DW_LOG_CHECKPOINT_PART ? first->part_count : 1;
    size_t counted = 0;
    const dw_log_file *end = fsck->listing.items + fsck->listing.count;
    for (const dw_log_file *file = first; file < end && counted < parts; file++) {
        if (file == first ||
            (file->kind == DW_LOG_CHECKPOINT_PART && file->part_count == first->part_count)) {
            DW_TRY(file->is_json ? count_json_content(fsck, file->key, &found, err)
                                 : count_content(fsck, file->key, &found, err));
            counted++;
        }
    }
    bool has_v2 = dw__protocol_supports(fsck->state.protocol, DW_FEATURE_V2_CHECKPOINT);
    bool is_v2 = found.checkpoint_metadata > 0 || found.sidecars > 0;
    if (is_v2 && !has_v2) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D12", first->key,
                      "a V2 checkpoint needs the feature v2Checkpoint, which the protocol does not "
                      "have");
    }
    if (first->kind == DW_LOG_CHECKPOINT_UUID && !is_v2) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "A5", first->key,
                      "expected a V2 checkpoint under a name with a UUID, found a classic one");
    }
    if (parts > 1 && has_v2) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "A4", first->key,
                      "a checkpoint in parts must not be written with the feature v2Checkpoint");
    }
    if (is_v2 && found.checkpoint_metadata != 1) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C6", first->key,
                      "expected one checkpointMetadata in a V2 checkpoint, found %" PRId64,
                      found.checkpoint_metadata);
    }
    if (found.sidecars > 0 && found.adds + found.removes > 0) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C6", first->key,
                      "the checkpoint has %" PRId64 " sidecars, and %" PRId64
                      " files beside them: expected the one or the other",
                      found.sidecars, found.adds + found.removes);
    }
    if (found.protocols != 1 || found.metadata != 1 || found.commit_infos != 0) {
        dw__fsck_find(
            fsck, DW_FSCK_ERROR, "C5", first->key,
            "expected one protocol, one metaData and no commitInfo in a checkpoint, found "
            "%" PRId64 ", %" PRId64 " and %" PRId64,
            found.protocols, found.metadata, found.commit_infos);
    }
    return DW_OK;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static dw_status
run(read_checkpoint *read, const dw_log_file *first, bool *loaded_out, dw_error *err)
{
    dw_fsck *fsck = read->fsck;
    dw_error cause = DW_ERROR_INIT;
    DW_TRY(dw__replay_init(&read->base, fsck->env, err));
    dw_status status = read_files(read, first, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "A3", first->key, &cause, err);
    }
    if (read->loads) {
        DW_TRY(load_state(read, err));
    } else {
        dw__fsck_compare_protocol(fsck, "C5", first->key, read->base.protocol);
        dw__fsck_compare_metadata(fsck, "C5", first->key, read->base.metadata);
        compare_items(read);
    }
    DW_TRY(compare_files(read, err));
    if (!read->loads) {
        status = check_content(fsck, first, &cause);
        DW_TRY(status == DW_OK ? DW_OK : dw__fsck_find_error(fsck, "A3", first->key, &cause, err));
    }
    *loaded_out = true;
    return DW_OK;
}

static dw_status
read_and_run(dw_fsck *fsck, const dw_log_file *first, bool loads, bool *loaded_out, dw_error *err)
{
    read_checkpoint read = {.fsck = fsck, .key = first->key, .loads = loads};
    *loaded_out = false;
    dw_status status = run(&read, first, loaded_out, err);
    dw__checkpoint_unref(read.checkpoint);
    dw__definition_unref(read.definition);
    dw__replay_deinit(&read.base);
    return status;
}

dw_status
dw__fsck_checkpoint(dw_fsck *fsck, const dw_log_file *first, dw_error *err)
{
    bool read;
    return read_and_run(fsck, first, false, &read, err);
}

dw_status
dw__fsck_load_checkpoint(dw_fsck *fsck, const dw_log_file *first, bool *loaded_out, dw_error *err)
{
    return read_and_run(fsck, first, true, loaded_out, err);
}
