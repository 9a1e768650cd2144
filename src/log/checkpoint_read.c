/*
 * Reading checkpoints of every kind: first what is no file, then the adds, and the removes only
 * when a checkpoint is written. [CHECKPOINT-1]
 */
#include "base/assert.h"
#include "base/vec.h"
#include "codec/uri.h"
#include "log/checkpoint_core.h"
#include "log/commit.h"
#include "log/log_core.h"

#include <inttypes.h>

/* ---- Life ------------------------------------------------------------------------------------ */

dw_checkpoint *
dw__checkpoint_ref(dw_checkpoint *checkpoint)
{
    atomic_fetch_add_explicit(&checkpoint->ref_count, 1, memory_order_relaxed);
    return checkpoint;
}

void
dw__checkpoint_unref(dw_checkpoint *checkpoint)
{
    if (checkpoint != NULL &&
        atomic_fetch_sub_explicit(&checkpoint->ref_count, 1, memory_order_acq_rel) == 1) {
        dw__definition_unref(checkpoint->definition);
        dw__arena_deinit(&checkpoint->arena);
        DW_DELETE(checkpoint->log->env->allocator, checkpoint);
    }
}

dw_str
dw__checkpoint_main_key(const dw_checkpoint *checkpoint)
{
    return dw__str_is_null(checkpoint->json_key) ? checkpoint->files[0].key : checkpoint->json_key;
}

bool
dw__checkpoint_is_gone(const dw_checkpoint *checkpoint)
{
    return atomic_load(&checkpoint->is_gone);
}

/* ---- Actions that are no files --------------------------------------------------------------- */

typedef dw_status (*row_reader)(const dw_vector *column, size_t row, dw_arena *arena,
                                dw_action *out, bool *is_there_out, dw_error *err);

/* One kind of action: its column, and how to read it. */
typedef struct action_column {
    const dw_column_spec *spec;
    row_reader read;
} action_column;

static const action_column action_columns[] = {
    {&dw__ck_protocol_spec, dw__ck_protocol}, {&dw__ck_metadata_spec, dw__ck_metadata},
    {&dw__ck_txn_spec, dw__ck_txn},           {&dw__ck_domain_spec, dw__ck_domain},
    {&dw__ck_sidecar_spec, dw__ck_sidecar},
};

enum { ACTION_COLUMN_COUNT = sizeof(action_columns) / sizeof(action_columns[0]) };

static dw_status
visit_actions(void *ctx, const dw_batch *batch, dw_error *err)
{
    dw_replay *base = ctx;
    for (size_t c = 0; c < ACTION_COLUMN_COUNT; c++) {
        const dw_vector *column = &batch->columns[c];
        for (size_t row = 0; row < batch->row_count; row++) {
            dw_action action;
            bool is_there = dw__vector_is_valid(column, row);
            if (is_there) {
                DW_TRY(
                    action_columns[c].read(column, row, &base->scratch, &action, &is_there, err));
            }
            if (is_there) {
                DW_TRY(dw__replay_action(base, &action, err));
            }
            dw__arena_reset(&base->scratch);
        }
    }
    return DW_OK;
}

dw_status
dw__checkpoint_read_rows(dw_log *log, const dw_parquet_read *request, dw_row_range range,
                         dw_batch_visitor visit, void *ctx, dw_error *err)
{
    dw_status status = dw__pq_read(log->engine, log->storage, request, range, visit, ctx, err);
    if (status != DW_OK) {
        dw__error_context(err, "reading checkpoint file %.*s", DW_STR_ARG(request->key));
    }
    return status;
}

dw_status
dw__checkpoint_read_file(dw_log *log, const dw_parquet_read *request, dw_batch_visitor visit,
                         void *ctx, dw_error *err)
{
    return dw__checkpoint_read_rows(log, request, DW_ROWS_ALL, visit, ctx, err);
}

/* Adds always have a size and removes a dataChange, and both take little to look at: so the engine
 * skips what holds files only. */
static dw_status
read_actions(dw_log *log, const dw_log_file *file, dw_replay *base, dw_error *err)
{
    static const char *const add[] = {"add", "size", NULL};
    static const char *const remove[] = {"remove", "dataChange", NULL};
    static const char *const *const absent_paths[] = {add, remove, NULL};
    dw_column_spec specs[ACTION_COLUMN_COUNT];
    for (size_t i = 0; i < ACTION_COLUMN_COUNT; i++) {
        specs[i] = *action_columns[i].spec;
    }
    dw_parquet_read request = {.key = file->key,
                               .columns = specs,
                               .column_count = ACTION_COLUMN_COUNT,
                               .absent_paths = absent_paths};
    return dw__checkpoint_read_file(log, &request, visit_actions, base, err);
}

static dw_status
read_json_main(dw_log *log, dw_str key, dw_replay *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(log->env->allocator, DW_COMMIT_BYTES_MAX);
    dw_status status = dw__storage_get(log->storage, key, &bytes, NULL, err);
    if (status == DW_OK) {
        status = dw__replay_text(out, dw__strbuf_str(&bytes), err);
    }
    if (status != DW_OK) {
        dw__commit_context(err, key);
    }
    return status;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/*
 * The key of a sidecar: a name below _sidecars, or an absolute path to a file below the table's
 * root.
 */
static dw_status
sidecar_key(dw_log *log, dw_str path, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str plain;
    DW_TRY(dw__uri_canonical(arena, path, &plain, err));
    dw_str root = log->storage->root;
    if (!dw__uri_is_absolute(path)) {
        *out = dw__arena_printf(arena, DW_SIDECAR_DIR "%.*s", DW_STR_ARG(plain));
    } else if (!dw__str_is_null(root) && dw__str_starts_with(plain, root) && plain.len > root.len &&
               plain.ptr[root.len] == '/') {
        *out = dw__arena_printf(arena, "%.*s",
                                DW_STR_ARG(dw__str_slice(plain, root.len + 1, plain.len)));
    } else {
        return dw__error_set(err, DW_UNSUPPORTED, "SIDECAR_ELSEWHERE",
                             "the checkpoint's sidecar %.*s is not below the table's root",
                             DW_STR_ARG(path));
    }
    return out->ptr == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
add_file(dw_checkpoint *checkpoint, dw_str key, int64_t size_bytes, int64_t modified_ms,
         dw_error *err)
{
    dw_checkpoint_file *file = &checkpoint->files[checkpoint->file_count];
    *file = (dw_checkpoint_file){.size_bytes = size_bytes, .modified_ms = modified_ms};
    if (!dw__arena_dup(&checkpoint->arena, key, &file->key)) {
        return dw__error_oom(err);
    }
    checkpoint->file_count++;
    return DW_OK;
}

static dw_status
add_sidecars(dw_checkpoint *checkpoint, const dw_replay *base, dw_error *err)
{
    dw_log *log = checkpoint->log;
    for (size_t i = 0; i < base->sidecars.count; i++) {
        dw_str key;
        dw_object_meta meta;
        DW_TRY(sidecar_key(log, base->sidecars.items[i].path, &checkpoint->arena, &key, err));
        dw_status status = dw__storage_head(log->storage, key, &meta, err);
        if (status == DW_NOT_FOUND) {
            dw__error_clear(err);
            status = dw__error_set(err, DW_CORRUPT, "SIDECAR_MISSING",
                                   "the sidecar %.*s, which the checkpoint names, is missing; "
                                   "restore it from a backup",
                                   DW_STR_ARG(key));
        }
        if (status != DW_OK) {
            dw__error_context(err, "reading checkpoint %" PRId64, checkpoint->version);
            return status;
        }
        DW_TRY(add_file(checkpoint, key, meta.size_bytes, meta.modified_ms, err));
    }
    return DW_OK;
}

static dw_status
open_files(dw_checkpoint *checkpoint, const dw_segment *segment, dw_replay *base, dw_error *err)
{
    dw_log *log = checkpoint->log;
    const dw_log_file *main_file = &segment->checkpoints[0];
    if (main_file->is_json) {
        if (!dw__arena_dup(&checkpoint->arena, main_file->key, &checkpoint->json_key)) {
            return dw__error_oom(err);
        }
        DW_TRY(read_json_main(log, main_file->key, base, err));
    }
    for (size_t i = 0; !main_file->is_json && i < segment->checkpoint_count; i++) {
        DW_TRY(read_actions(log, &segment->checkpoints[i], base, err));
    }
    size_t count = segment->checkpoint_count + base->sidecars.count;
    checkpoint->files = DW_ARENA_ARRAY(&checkpoint->arena, dw_checkpoint_file, count);
    if (checkpoint->files == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; !main_file->is_json && i < segment->checkpoint_count; i++) {
        const dw_log_file *file = &segment->checkpoints[i];
        DW_TRY(add_file(checkpoint, file->key, file->size_bytes, file->modified_ms, err));
    }
    return add_sidecars(checkpoint, base, err);
}

dw_status
dw__checkpoint_open(dw_log *log, const dw_segment *segment, dw_replay *base, dw_checkpoint **out,
                    dw_error *err)
{
    *out = NULL;
    dw_assert(segment->checkpoint_count > 0);
    dw_checkpoint *checkpoint = DW_NEW(log->env->allocator, dw_checkpoint);
    if (checkpoint == NULL) {
        return dw__error_oom(err);
    }
    checkpoint->log = log;
    atomic_init(&checkpoint->ref_count, 1);
    atomic_init(&checkpoint->is_gone, false);
    dw__arena_init(&checkpoint->arena, log->env->allocator);
    checkpoint->version = segment->checkpoint_version;
    dw_status status = open_files(checkpoint, segment, base, err);
    if (status != DW_OK) {
        dw__checkpoint_unref(checkpoint);
        return status;
    }
    *out = checkpoint;
    return DW_OK;
}

dw_status
dw__log_snapshot_is_on_v2(const dw_log_snapshot *snapshot, bool *out, dw_error *err)
{
    dw_log *log = dw__log_snapshot_log(snapshot);
    *out = false;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, log->env->allocator);
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    dw_segment segment;
    dw_segment_request request = {dw__log_snapshot_version(snapshot), INT64_MAX,
                                  log->storage->root};
    DW_TRY(dw__log_list(log->storage, 0, &listing, err));
    DW_TRY(dw__segment_choose(&listing, &request, &arena, &segment, err));
    if (segment.checkpoint_count == 0) {
        return DW_OK;
    }
    DW_AUTO(dw_replay) base;
    DW_AUTO(dw_checkpoint_ptr) checkpoint = NULL;
    DW_TRY(dw__replay_init(&base, log->env, err));
    DW_TRY(dw__checkpoint_open(log, &segment, &base, &checkpoint, err));
    *out = segment.checkpoints[0].kind == DW_LOG_CHECKPOINT_UUID || base.sidecars.count > 0;
    return DW_OK;
}

/* ---- Removes --------------------------------------------------------------------------------- */

typedef struct remove_reader {
    dw_arena arena;
    dw_remove_visitor visit;
    void *ctx;
} remove_reader;

static dw_status
visit_removes(void *ctx, const dw_batch *batch, dw_error *err)
{
    remove_reader *reader = ctx;
    for (size_t row = 0; row < batch->row_count; row++) {
        dw_action action;
        bool is_there = dw__vector_is_valid(&batch->columns[0], row);
        if (is_there) {
            DW_TRY(dw__ck_remove(&batch->columns[0], row, &reader->arena, &action, &is_there, err));
        }
        if (is_there) {
            DW_TRY(reader->visit(reader->ctx, &action.as.file, err));
        }
        dw__arena_reset(&reader->arena);
    }
    return DW_OK;
}

static dw_status
visit_json_removes(const dw_checkpoint *checkpoint, dw_remove_visitor visit, void *ctx,
                   dw_error *err)
{
    DW_AUTO(dw_replay) replay;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, checkpoint->log->env->allocator);
    DW_TRY(dw__replay_init(&replay, checkpoint->log->env, err));
    DW_TRY(read_json_main(checkpoint->log, checkpoint->json_key, &replay, err));
    dw__replay_seal(&replay);
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(replay.removes, &ref); ok;
         ok = dw__file_set_next(replay.removes, &ref)) {
        dw_file file;
        DW_TRY(dw__file_set_get(replay.removes, ref, &arena, &file, err));
        DW_TRY(visit(ctx, &file, err));
        dw__arena_reset(&arena);
    }
    return DW_OK;
}

static dw_status
visit_all_removes(const dw_checkpoint *checkpoint, dw_remove_visitor visit, void *ctx,
                  dw_error *err)
{
    static const char *const required_path[] = {"remove", "path", NULL};
    if (!dw__str_is_null(checkpoint->json_key)) {
        DW_TRY(visit_json_removes(checkpoint, visit, ctx, err));
    }
    remove_reader reader = {.visit = visit, .ctx = ctx};
    dw__arena_init(&reader.arena, checkpoint->log->env->allocator);
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < checkpoint->file_count; i++) {
        dw_parquet_read request = {.key = checkpoint->files[i].key,
                                   .columns = &dw__ck_remove_spec,
                                   .column_count = 1,
                                   .required_path = required_path};
        status = dw__checkpoint_read_file(checkpoint->log, &request, visit_removes, &reader, err);
    }
    dw__arena_deinit(&reader.arena);
    return status;
}

dw_status
dw__checkpoint_visit_removes(dw_checkpoint *checkpoint, dw_remove_visitor visit, void *ctx,
                             dw_error *err)
{
    dw_status status = visit_all_removes(checkpoint, visit, ctx, err);
    if (status == DW_NOT_FOUND) {
        atomic_store(&checkpoint->is_gone, true);
    }
    return status;
}
