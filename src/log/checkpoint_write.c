/*
 * Writing a checkpoint: its rows in batches of one kind each, the object, the hint. PROTOCOL.md
 * "Checkpoint Schema", "Last Checkpoint File"; checklist C5-C10, C18.
 *
 * Members that no row has are left out of the file: each column costs time with every checkpoint of
 * a table that is appended to a thousand times, and readers take what is missing as NULL.
 */
#include "base/assert.h"
#include "base/vec.h"
#include "log/checkpoint_put.h"
#include "log/checkpoint_v2.h"
#include "log/checksum_file.h"
#include "log/hint.h"
#include "log/listing.h"
#include "log/load.h"
#include "log/log_core.h"
#include "log/names.h"
#include "log/snapshot.h"
#include "log/typed_stats.h"

#include <inttypes.h>

#define BATCH_ROWS ((size_t) 2048)
#define CHECKPOINT_BYTES_MAX ((size_t) 16 << 30)
#define WIDEST_VALUE sizeof(dw_str)

/* The columns of a checkpoint. */
enum {
    TXN,
    ADD,
    REMOVE,
    METADATA,
    PROTOCOL,
    DOMAIN_METADATA,
    CHECKPOINT_METADATA,
    SIDECAR,
    COLUMN_COUNT
};

typedef struct action_vec {
    dw_action *items;
    size_t count;
    size_t capacity;
} action_vec;

/* A struct column as it is built, and what of it is written. */
typedef struct output_column {
    dw_column column; /* with all members */
    bool is_kept;
    bool *keeps; /* one a member */
    dw_column_spec *members;
    dw_vector *vectors;
    size_t member_count;
    dw_vector nulls; /* BATCH_ROWS rows of NULL */
} output_column;

/* Goes through the live rows of a set. */
typedef struct set_cursor {
    dw_file_set *set;
    dw_file_ref ref;
    bool has_row;
} set_cursor;

typedef struct writer {
    const dw_log_snapshot *snapshot;
    const dw_env *env;
    dw_arena arena;       /* lives as long as the writer */
    dw_arena batch_arena; /* of one batch */
    int64_t now_ms;
    bool with_sidecars; /* files go there, all else into the main file */
    bool is_copy;       /* of such a main file, under a classic name */
    int64_t rows_left;  /* of the Parquet file that is being written */
    output_column outputs[COLUMN_COUNT];
    dw_column_spec specs[COLUMN_COUNT]; /* what is written */
    dw_vector vectors[COLUMN_COUNT];
    size_t column_count;
    dw_typed_stats typed; /* of adds, behind their other members */

    action_vec actions;
    size_t next_action;
    dw_file_set *old_removes; /* those of the checkpoint below that still count */
    set_cursor removes[2];    /* old ones, those of the tail */
    set_cursor adds;
    dw_stats_chunk *chunk; /* statistics of the block that `chunk_block` numbers */
    uint32_t chunk_block;
    int64_t row_count;
    int64_t add_count;
} writer;

/* ---- What is written ------------------------------------------------------------------------- */

static bool
push_action(writer *w, const dw_action *action)
{
    dw_action *slot = DW_VEC_PUSH(w->env->allocator, &w->actions);
    if (slot != NULL) {
        *slot = *action;
    }
    return slot != NULL;
}

/* [ref] An application that was silent for long enough is forgotten. */
static bool
is_txn_expired(const writer *w, const dw_txn_id *txn)
{
    int64_t retention = w->snapshot->definition->properties.set_transaction_retention_ms;
    return retention >= 0 && txn->has_last_updated && txn->last_updated_ms <= w->now_ms - retention;
}

static bool
collect_actions(writer *w)
{
    const dw_log_snapshot *snapshot = w->snapshot;
    const dw_definition *definition = snapshot->definition;
    dw_action action = {.kind = DW_ACTION_CHECKPOINT_METADATA};
    bool is_v2 = w->with_sidecars || w->is_copy;
    bool ok = !is_v2 || push_action(w, &action);
    action = (dw_action){.kind = DW_ACTION_PROTOCOL, .as.protocol = definition->protocol};
    ok = ok && push_action(w, &action);
    action = (dw_action){.kind = DW_ACTION_METADATA, .as.metadata = definition->metadata};
    ok = ok && push_action(w, &action);
    const dw_map *txns = &snapshot->txns->by_app_id;
    for (size_t i = 0; ok && i < txns->slot_count; i++) {
        const dw_txn_id *txn = txns->slots[i].value.ptr;
        if (txns->slots[i].key.ptr != NULL && !is_txn_expired(w, txn)) {
            action = (dw_action){.kind = DW_ACTION_TXN, .as.txn = *txn};
            ok = push_action(w, &action);
        }
    }
    for (size_t i = 0; ok && i < snapshot->domains->count; i++) {
        action = (dw_action){.kind = DW_ACTION_DOMAIN, .as.domain = snapshot->domains->items[i]};
        ok = push_action(w, &action);
    }
    return ok;
}

static bool
is_remove_expired(const writer *w, int64_t deletion_ms)
{
    int64_t retention = w->snapshot->definition->properties.deleted_file_retention_ms;
    return deletion_ms < w->now_ms - retention;
}

/* Keeps a remove of the older checkpoint unless it expired or the commits behind say something
 * newer of that file. */
static dw_status
keep_old_remove(void *ctx, const dw_file *remove, dw_error *err)
{
    writer *w = ctx;
    int64_t deletion_ms = remove->has_deletion_timestamp ? remove->deletion_timestamp_ms : 0;
    if (is_remove_expired(w, deletion_ms)) {
        return DW_OK;
    }
    dw_file_key key;
    bool is_known;
    dw__arena_reset(&w->batch_arena);
    DW_TRY(dw__file_key_make(remove->path, remove->dv, &w->batch_arena, &key, err));
    DW_TRY(dw__file_set_has(w->snapshot->tombstones, &key, &w->batch_arena, &is_known, err));
    if (!is_known) {
        DW_TRY(dw__file_set_has(w->snapshot->files, &key, &w->batch_arena, &is_known, err));
    }
    return is_known ? DW_OK : dw__file_set_push(w->old_removes, remove, &key, &w->batch_arena, err);
}

static dw_status
collect_old_removes(writer *w, dw_error *err)
{
    w->old_removes = dw__file_set_new(w->env->allocator, true);
    if (w->old_removes == NULL) {
        return dw__error_oom(err);
    }
    if (w->snapshot->checkpoint != NULL) {
        DW_TRY(dw__checkpoint_visit_removes(w->snapshot->checkpoint, keep_old_remove, w, err));
    }
    dw__file_set_seal(w->old_removes);
    return DW_OK;
}

/* ---- Which columns --------------------------------------------------------------------------- */

/* Which rare members some row of the set has. */
typedef struct rare_members {
    bool tags, dv, base_row_id, commit_version, clustering_provider, stats;
} rare_members;

static void
note_rare_members(const dw_file_set *set, rare_members *rare)
{
    for (size_t i = 0; i < set->count; i++) {
        const dw_file_block *block = set->items[i].block;
        rare->tags |= block->tags.codes.items != NULL;
        rare->dv |= block->dv_codes.items != NULL;
        rare->base_row_id |= block->base_row_ids.items != NULL;
        rare->commit_version |= block->commit_versions.items != NULL;
        rare->clustering_provider |= block->clustering_provider.codes.items != NULL;
        rare->stats |= block->origin != NULL || block->stats.ends.items != NULL;
    }
}

static bool
init_output(writer *w, size_t idx, const dw_column_spec *spec)
{
    output_column *output = &w->outputs[idx];
    output->keeps = DW_ARENA_ARRAY(&w->arena, bool, spec->child_count);
    output->members = DW_ARENA_ARRAY(&w->arena, dw_column_spec, spec->child_count);
    output->vectors = DW_ARENA_ARRAY(&w->arena, dw_vector, spec->child_count);
    bool ok = dw__column_init(&output->column, spec, w->env->allocator);
    if (!ok || output->keeps == NULL || output->members == NULL || output->vectors == NULL) {
        return false;
    }
    output->is_kept = true;
    memset(output->keeps, true, spec->child_count);
    return true;
}

static void
choose_members(writer *w)
{
    rare_members add = {0};
    rare_members remove = {0};
    note_rare_members(w->snapshot->files, &add);
    note_rare_members(w->snapshot->tombstones, &remove);
    note_rare_members(w->old_removes, &remove);
    bool *adds = w->outputs[ADD].keeps;
    adds[DW_CK_ADD_TAGS] = add.tags;
    adds[DW_CK_ADD_DELETION_VECTOR] = add.dv;
    adds[DW_CK_ADD_BASE_ROW_ID] = add.base_row_id;
    adds[DW_CK_ADD_COMMIT_VERSION] = add.commit_version;
    adds[DW_CK_ADD_CLUSTERING_PROVIDER] = add.clustering_provider;
    adds[DW_CK_ADD_STATS] = w->snapshot->definition->properties.checkpoint_write_stats_as_json;
    bool *removes = w->outputs[REMOVE].keeps;
    removes[DW_CK_REMOVE_DELETION_VECTOR] = remove.dv;
    removes[DW_CK_REMOVE_BASE_ROW_ID] = remove.base_row_id;
    removes[DW_CK_REMOVE_COMMIT_VERSION] = remove.commit_version;
    const dw_protocol *protocol = &w->snapshot->definition->protocol;
    bool *protocols = w->outputs[PROTOCOL].keeps;
    protocols[DW_CK_PROTOCOL_READER_FEATURES] = protocol->has_reader_features;
    protocols[DW_CK_PROTOCOL_WRITER_FEATURES] = protocol->has_writer_features;
    w->outputs[DOMAIN_METADATA].is_kept = w->snapshot->domains->count > 0;
    w->outputs[CHECKPOINT_METADATA].is_kept =
        w->actions.items[0].kind == DW_ACTION_CHECKPOINT_METADATA;
    w->outputs[SIDECAR].is_kept = w->is_copy;
    w->outputs[ADD].is_kept = !w->is_copy;
    w->outputs[REMOVE].is_kept = !w->is_copy;
    for (size_t i = 0; w->with_sidecars && i < COLUMN_COUNT; i++) {
        w->outputs[i].is_kept = i == ADD || i == REMOVE;
    }
}

/* A column of NULLs: all of them share one array of zeros. */
static bool
make_nulls(writer *w, const dw_column_spec *spec, const void *zeros, dw_vector *out)
{
    dw_vector *children = DW_ARENA_ARRAY(&w->arena, dw_vector, spec->child_count);
    bool ok = children != NULL;
    for (size_t i = 0; ok && i < spec->child_count; i++) {
        ok = make_nulls(w, &spec->children[i], zeros, &children[i]);
    }
    *out = (dw_vector){.valid = zeros, .data = zeros, .children = children};
    return ok;
}

/* Makes the specs of what is written. */
static bool
make_specs(writer *w)
{
    void *zeros = dw__arena_alloc_zero(&w->arena, BATCH_ROWS * WIDEST_VALUE);
    bool ok = zeros != NULL;
    for (size_t i = 0; ok && i < COLUMN_COUNT; i++) {
        output_column *output = &w->outputs[i];
        const dw_column_spec *spec = output->column.spec;
        if (!output->is_kept) {
            continue;
        }
        for (size_t k = 0; k < spec->child_count; k++) {
            if (output->keeps[k]) {
                output->members[output->member_count++] = spec->children[k];
            }
        }
        dw_column_spec *written = &w->specs[w->column_count++];
        *written = (dw_column_spec){.name = spec->name,
                                    .kind = DW_VECTOR_STRUCT,
                                    .children = output->members,
                                    .child_count = output->member_count};
        ok = make_nulls(w, written, zeros, &output->nulls);
    }
    return ok;
}

/* What structs of statistics and partition values look like, where the table wants them. */
static dw_status
make_typed(writer *w, dw_error *err)
{
    const dw_definition *definition = w->snapshot->definition;
    const dw_metadata *metadata = &definition->metadata;
    if (!definition->properties.checkpoint_write_stats_as_struct) {
        return DW_OK;
    }
    dw_column_path *leaves;
    size_t leaf_count;
    dw_str clustering = dw__log_snapshot_clustering(w->snapshot);
    dw_error cause = DW_ERROR_INIT;
    dw_status status = DW_CORRUPT;
    /* Clustering that nobody understands is no reason to go without a checkpoint. */
    for (size_t i = 0; i < 2 && status == DW_CORRUPT; i++, clustering = DW_STR_NULL) {
        dw__error_clear(&cause);
        status = dw__stats_columns_clustered(
            definition->schema, metadata->partition_columns, metadata->partition_column_count,
            &definition->properties, clustering, &w->arena, &leaves, &leaf_count, &cause);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    bool has_dvs = dw__protocol_supports(&definition->protocol, DW_FEATURE_DELETION_VECTORS);
    return dw__typed_stats_make(definition->schema, metadata, leaves, leaf_count, has_dvs,
                                &w->arena, &w->typed, err);
}

/* Adds with statistics and partition values as structs behind their other members. */
static dw_status
init_adds(writer *w, dw_error *err)
{
    const dw_column_spec *extra[] = {&w->typed.partition_spec, &w->typed.stats_spec};
    enum { EXTRA_COUNT = sizeof(extra) / sizeof(extra[0]) };
    size_t count = DW_CK_ADD_COUNT, places[EXTRA_COUNT] = {0};
    dw_column_spec *fields = DW_ARENA_ARRAY(&w->arena, dw_column_spec, count + EXTRA_COUNT);
    dw_column_spec *spec = DW_ARENA_ARRAY(&w->arena, dw_column_spec, 1);
    if (fields == NULL || spec == NULL) {
        return dw__error_oom(err);
    }
    memcpy(fields, dw__ck_add_spec.children, count * sizeof(dw_column_spec));
    for (size_t i = 0; i < EXTRA_COUNT; i++) {
        if (extra[i]->child_count > 0) {
            places[i] = count;
            fields[count++] = *extra[i];
        }
    }
    *spec = dw__ck_add_spec;
    spec->children = fields;
    spec->child_count = count;
    if (!init_output(w, ADD, spec)) {
        return dw__error_oom(err);
    }
    dw_column *columns = w->outputs[ADD].column.children;
    return dw__typed_stats_bind(&w->typed, places[1] == 0 ? NULL : &columns[places[1]],
                                places[0] == 0 ? NULL : &columns[places[0]], &w->arena, err);
}

static bool
init_columns(writer *w)
{
    if (!init_output(w, TXN, &dw__ck_txn_spec) || !init_output(w, REMOVE, &dw__ck_remove_spec) ||
        !init_output(w, METADATA, &dw__ck_metadata_spec) ||
        !init_output(w, PROTOCOL, &dw__ck_protocol_spec) ||
        !init_output(w, DOMAIN_METADATA, &dw__ck_domain_spec) ||
        !init_output(w, CHECKPOINT_METADATA, &dw__ck_checkpoint_spec) ||
        !init_output(w, SIDECAR, &dw__ck_sidecar_spec)) {
        return false;
    }
    choose_members(w);
    return make_specs(w);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static size_t
column_of(const dw_action *action)
{
    switch (action->kind) {
    case DW_ACTION_TXN:
        return TXN;
    case DW_ACTION_METADATA:
        return METADATA;
    case DW_ACTION_PROTOCOL:
        return PROTOCOL;
    case DW_ACTION_DOMAIN:
        return DOMAIN_METADATA;
    case DW_ACTION_CHECKPOINT_METADATA:
        return CHECKPOINT_METADATA;
    case DW_ACTION_SIDECAR:
        return SIDECAR;
    case DW_ACTION_ADD:
    case DW_ACTION_REMOVE:
    case DW_ACTION_CDC:
    case DW_ACTION_COMMIT_INFO:
    case DW_ACTION_UNKNOWN:
        break;
    }
    dw_unreachable("not written as an action");
}

static void
put_action(writer *w, const dw_action *action)
{
    size_t idx = column_of(action);
    dw_column *column = &w->outputs[idx].column;
    if (idx == TXN) {
        dw__ck_put_txn(column, &action->as.txn);
    } else if (idx == METADATA) {
        dw__ck_put_metadata(column, &action->as.metadata);
    } else if (idx == PROTOCOL) {
        dw__ck_put_protocol(column, &action->as.protocol);
    } else if (idx == DOMAIN_METADATA) {
        dw__ck_put_domain(column, &action->as.domain);
    } else if (idx == SIDECAR) {
        dw__ck_put_sidecar(column, &action->as.sidecar);
    } else {
        dw__ck_put_checkpoint(column, w->snapshot->version);
    }
}

/* Fills all columns but those of files, a row for each action. */
static size_t
fill_actions(writer *w)
{
    size_t count = 0;
    for (; count < BATCH_ROWS && w->next_action < w->actions.count; count++) {
        const dw_action *action = &w->actions.items[w->next_action++];
        for (size_t i = 0; i < COLUMN_COUNT; i++) {
            if (i != ADD && i != REMOVE && i != column_of(action)) {
                dw__column_put_null(&w->outputs[i].column);
            }
        }
        put_action(w, action);
    }
    return count;
}

static void
cursor_open(set_cursor *cursor, dw_file_set *set)
{
    cursor->set = set;
    cursor->has_row = dw__file_set_first(set, &cursor->ref);
}

static size_t
fill_removes(writer *w, set_cursor *cursor)
{
    size_t count = 0;
    while (count < BATCH_ROWS && cursor->has_row) {
        const dw_file_block *block = dw__file_set_block(cursor->set, cursor->ref.block);
        if (!is_remove_expired(w, dw__file_block_time(block, cursor->ref.row))) {
            dw__ck_put_remove(&w->outputs[REMOVE].column, block, cursor->ref.row);
            count++;
        }
        cursor->has_row = dw__file_set_next(cursor->set, &cursor->ref);
    }
    return count;
}

/* The statistics of the row that the cursor is at; those of its block are kept until the next. */
static dw_status
add_stats(writer *w, dw_str *out, dw_error *err)
{
    dw_file_ref ref = w->adds.ref;
    dw_file_block *block = dw__file_set_block(w->adds.set, ref.block);
    if (block->origin == NULL) {
        *out = dw__text_column_get(&block->stats, ref.row);
        return DW_OK;
    }
    if (w->chunk == NULL || w->chunk_block != ref.block) {
        dw__stats_chunk_unref(w->chunk);
        w->chunk = NULL;
        DW_TRY(dw__file_block_load_stats(block, &w->chunk, err));
        w->chunk_block = ref.block;
    }
    *out = dw__stats_chunk_get(w->chunk, ref.row);
    return DW_OK;
}

static dw_status
fill_adds(writer *w, size_t *count_out, dw_error *err)
{
    set_cursor *cursor = &w->adds;
    bool writes_stats = w->outputs[ADD].keeps[DW_CK_ADD_STATS] || w->typed.stats != NULL;
    uint32_t first_block = cursor->ref.block; /* strings are borrowed from one block a batch */
    while (*count_out < BATCH_ROWS && cursor->has_row && cursor->ref.block == first_block) {
        dw_str stats = DW_STR_NULL;
        if (writes_stats) {
            DW_TRY(add_stats(w, &stats, err));
        }
        const dw_file_block *block = dw__file_set_block(cursor->set, cursor->ref.block);
        DW_TRY(dw__ck_put_add(&w->outputs[ADD].column, block, cursor->ref.row, stats,
                              &w->batch_arena, err));
        DW_TRY(dw__typed_stats_put(&w->typed, stats, block, cursor->ref.row, &w->batch_arena, err));
        cursor->has_row = dw__file_set_next(cursor->set, &cursor->ref);
        (*count_out)++;
    }
    w->add_count += (int64_t) *count_out;
    return DW_OK;
}

/* The vectors of the batch: `filled` tells which columns have rows of their own. */
static dw_status
make_batch(writer *w, size_t row_count, const bool filled[COLUMN_COUNT], dw_batch *out,
           dw_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        output_column *output = &w->outputs[i];
        if (!output->is_kept) {
            continue;
        }
        dw_vector *vector = &w->vectors[used++];
        *vector = output->nulls;
        if (!filled[i]) {
            continue;
        }
        dw_assert(output->column.count == row_count || output->column.failed);
        if (!dw__column_view(&output->column, vector)) {
            return dw__error_oom(err);
        }
        size_t member = 0;
        for (size_t k = 0; k < output->column.spec->child_count; k++) {
            if (output->keeps[k]) {
                output->vectors[member++] = vector->children[k];
            }
        }
        vector->children = output->vectors;
    }
    *out = (dw_batch){row_count, w->vectors};
    w->row_count += (int64_t) row_count;
    w->rows_left -= (int64_t) row_count;
    return DW_OK;
}

static dw_status
next_batch(void *ctx, dw_batch *out, dw_error *err)
{
    writer *w = ctx;
    *out = (dw_batch){0};
    dw__arena_reset(&w->batch_arena);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        dw__column_clear(&w->outputs[i].column);
    }
    bool filled[COLUMN_COUNT] = {false};
    if (w->rows_left <= 0) {
        return DW_OK; /* the next file goes on here */
    }
    size_t count = w->with_sidecars ? 0 : fill_actions(w);
    if (count > 0) {
        memset(filled, true, sizeof(filled));
        filled[ADD] = false;
        filled[REMOVE] = false;
        return make_batch(w, count, filled, out, err);
    }
    for (size_t i = 0; i < 2 && count == 0; i++) {
        count = fill_removes(w, &w->removes[i]);
    }
    filled[count > 0 ? REMOVE : ADD] = true;
    if (count == 0) {
        DW_TRY(fill_adds(w, &count, err));
    }
    return count == 0 ? DW_OK : make_batch(w, count, filled, out, err);
}

/* ---- The object ------------------------------------------------------------------------------ */

/* Collects what is written, and opens the cursors over the files. */
static dw_status
prepare(writer *w, dw_error *err)
{
    if (!collect_actions(w)) {
        return dw__error_oom(err);
    }
    DW_TRY(collect_old_removes(w, err));
    DW_TRY(make_typed(w, err));
    DW_TRY(init_adds(w, err));
    if (!init_columns(w)) {
        return dw__error_oom(err);
    }
    cursor_open(&w->removes[0], w->old_removes);
    cursor_open(&w->removes[1], w->snapshot->tombstones);
    cursor_open(&w->adds, w->snapshot->files);
    return DW_OK;
}

/* The next rows, at most `row_max`, as a Parquet file. */
static dw_status
write_file(writer *w, int64_t row_max, dw_strbuf *bytes, dw_error *err)
{
    dw_engine *engine = w->snapshot->log->engine;
    w->rows_left = row_max;
    dw__strbuf_clear(bytes);
    return engine->ops->write_parquet(engine, w->specs, w->column_count, next_batch, w, bytes, err);
}

/* One file with everything. */
static dw_status
write_classic(writer *w, dw_hint *hint_out, dw_error *err)
{
    dw_log *log = w->snapshot->log;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(log->env->allocator, CHECKPOINT_BYTES_MAX);
    DW_TRY(write_file(w, INT64_MAX, &bytes, err));
    *hint_out = (dw_hint){.version = w->snapshot->version,
                          .action_count = w->row_count,
                          .size_bytes = (int64_t) bytes.len,
                          .add_count = w->add_count};
    char key[DW_CHECKPOINT_KEY_SIZE];
    return dw__storage_put(log->storage, dw__checkpoint_key(w->snapshot->version, key),
                           dw__strbuf_str(&bytes), err);
}

static dw_status
write_sidecars(writer *w, dw_v2_checkpoint *checkpoint, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(w->env->allocator, CHECKPOINT_BYTES_MAX);
    while (w->removes[0].has_row || w->removes[1].has_row || w->adds.has_row) {
        int64_t rows_before = w->row_count;
        DW_TRY(write_file(w, DW_SIDECAR_ROWS_MAX, &bytes, err));
        if (w->row_count > rows_before) { /* removes that were left may all have expired */
            DW_TRY(dw__v2_checkpoint_add(checkpoint, dw__strbuf_str(&bytes),
                                         w->row_count - rows_before, err));
        }
    }
    return DW_OK;
}

static void
writer_deinit(writer *w)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        dw__column_deinit(&w->outputs[i].column);
    }
    DW_VEC_DEINIT(w->env->allocator, &w->actions);
    dw__file_set_free(w->old_removes);
    dw__stats_chunk_unref(w->chunk);
    dw__arena_deinit(&w->batch_arena);
    dw__arena_deinit(&w->arena);
}

/* The rows of a main file, under the name of a classic checkpoint. */
static dw_status
write_copy_rows(writer *w, const dw_v2_checkpoint *checkpoint, dw_error *err)
{
    bool ok = collect_actions(w);
    for (size_t i = 0; ok && i < checkpoint->sidecars.count; i++) {
        ok = push_action(w, &checkpoint->sidecars.items[i]);
    }
    w->old_removes = dw__file_set_new(w->env->allocator, true);
    if (!ok || w->old_removes == NULL) {
        return dw__error_oom(err);
    }
    dw_hint ignored;
    DW_TRY(init_adds(w, err));
    return init_columns(w) ? write_classic(w, &ignored, err) : dw__error_oom(err);
}

static dw_status
write_copy(const writer *of, const dw_v2_checkpoint *checkpoint, dw_error *err)
{
    writer w = {.snapshot = of->snapshot, .env = of->env, .now_ms = of->now_ms, .is_copy = true};
    dw__arena_init(&w.arena, w.env->allocator);
    dw__arena_init(&w.batch_arena, w.env->allocator);
    dw_status status = write_copy_rows(&w, checkpoint, err);
    writer_deinit(&w);
    return status;
}

/* [ref] Who does not know V2 checkpoints looks for a classic one as soon as the first commit is
 * gone, or about to go: in it they find the protocol, which says what they lack. */
static dw_status
wants_copy(const writer *w, bool *out, dw_error *err)
{
    dw_log *log = w->snapshot->log;
    dw_object_meta first;
    dw_error cause = DW_ERROR_INIT;
    char key[DW_COMMIT_KEY_SIZE];
    *out = false;
    dw_status status = dw__storage_head(log->storage, dw__commit_key(0, key), &first, &cause);
    int64_t retention_ms = w->snapshot->definition->properties.log_retention_ms;
    if (status == DW_OK && first.modified_ms >= w->now_ms - retention_ms) {
        return DW_OK;
    }
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__error_copy(err, &cause);
        return status;
    }
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    DW_TRY(dw__log_list(log->storage, 0, &listing, err));
    *out = true;
    for (size_t i = 0; i < listing.count; i++) {
        *out = *out && listing.items[i].kind != DW_LOG_CHECKPOINT;
    }
    return DW_OK;
}

/* Files in sidecars, all else in a main file. */
static dw_status
write_v2(writer *w, dw_hint *hint_out, dw_error *err)
{
    dw_v2_checkpoint checkpoint =
        dw__v2_checkpoint_make(w->snapshot->log, w->snapshot->version, &w->arena);
    dw_status status = write_sidecars(w, &checkpoint, err);
    if (status == DW_OK) {
        checkpoint.add_count = w->add_count;
        status = dw__v2_checkpoint_finish(&checkpoint, w->actions.items, w->actions.count, err);
    }
    bool has_copy = false;
    if (status == DW_OK) {
        status = wants_copy(w, &has_copy, err);
    }
    if (status == DW_OK && has_copy) {
        status = write_copy(w, &checkpoint, err);
    }
    int64_t other_rows = (int64_t) (w->actions.count + checkpoint.sidecars.count);
    *hint_out = (dw_hint){.version = w->snapshot->version,
                          .action_count = w->row_count + other_rows,
                          .size_bytes = checkpoint.sidecar_bytes + checkpoint.main_bytes,
                          .add_count = w->add_count,
                          .v2_json = checkpoint.hint_json};
    dw__v2_checkpoint_deinit(&checkpoint);
    return status;
}

/* A checkpoint of a table with features that nobody here knows may lack what they want in it.
 * PROTOCOL.md "Checkpoint Protection". */
static dw_status
check_writable(const dw_log_snapshot *snapshot, dw_error *err)
{
    DW_TRY(dw__protocol_check_features(&snapshot->definition->protocol, err));
    return dw__checksum_verify(snapshot, err);
}

static dw_status
write_checkpoint(writer *w, dw_error *err)
{
    dw_log *log = w->snapshot->log;
    dw_hint hint;
    DW_TRY(check_writable(w->snapshot, err));
    DW_TRY(prepare(w, err));
    DW_TRY(w->with_sidecars ? write_v2(w, &hint, err) : write_classic(w, &hint, err));
    return dw__hint_write(log->storage, log->env->allocator, &hint, err);
}

static dw_status
write_snapshot(const dw_log_snapshot *snapshot, dw_error *err)
{
    const dw_definition *definition = snapshot->definition;
    const dw_env *env = snapshot->log->env;
    writer w = {.snapshot = snapshot,
                .env = env,
                .now_ms = dw__env_now_ms(env),
                .with_sidecars =
                    definition->properties.checkpoint_policy_v2 &&
                    dw__protocol_supports(&definition->protocol, DW_FEATURE_V2_CHECKPOINT)};
    dw__arena_init(&w.arena, env->allocator);
    dw__arena_init(&w.batch_arena, env->allocator);
    dw_status status = write_checkpoint(&w, err);
    writer_deinit(&w);
    return status;
}

dw_status
dw__checkpoint_write(dw_log_snapshot *snapshot, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = write_snapshot(snapshot, &cause);
    if (status == DW_OK) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) again = NULL;
    status = dw__load_again(snapshot, &cause, &again, err);
    if (status == DW_OK) {
        status = write_snapshot(again, err);
    }
    if (status != DW_OK) {
        dw__error_context(err, "writing checkpoint %" PRId64, snapshot->version);
    }
    return status;
}

bool
dw__checkpoint_is_due(const dw_log_snapshot *snapshot)
{
    int64_t interval = snapshot->definition->properties.checkpoint_interval;
    return snapshot->version > 0 && interval > 0 && snapshot->version % interval == 0;
}
