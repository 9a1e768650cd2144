/*
 * Naming, putting and listing the files of a V2 checkpoint. As the reference does by default, the
 * main file is JSON: it is small, and read without a Parquet reader.
 */
#include "log/checkpoint_v2.h"

#include "base/assert.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "log/log_core.h"
#include "log/names.h"

#include <inttypes.h>

dw_v2_checkpoint
dw__v2_checkpoint_make(dw_log *log, int64_t version, dw_arena *arena)
{
    return (dw_v2_checkpoint){.log = log, .arena = arena, .version = version};
}

void
dw__v2_checkpoint_deinit(dw_v2_checkpoint *checkpoint)
{
    DW_VEC_DEINIT(checkpoint->log->env->allocator, &checkpoint->sidecars);
}

dw_status
dw__v2_checkpoint_add(dw_v2_checkpoint *checkpoint, dw_str bytes, int64_t row_count, dw_error *err)
{
    dw_log *log = checkpoint->log;
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(log->env, uuid);
    dw_str name = dw__arena_printf(checkpoint->arena, "%s.parquet", uuid);
    dw_str key = dw__arena_printf(checkpoint->arena, DW_SIDECAR_DIR "%s.parquet", uuid);
    dw_action *sidecar = DW_VEC_PUSH(log->env->allocator, &checkpoint->sidecars);
    if (dw__str_is_null(name) || dw__str_is_null(key) || sidecar == NULL) {
        return dw__error_oom(err);
    }
    *sidecar = (dw_action){.kind = DW_ACTION_SIDECAR,
                           .as.sidecar = {.path = name,
                                          .size_bytes = (int64_t) bytes.len,
                                          .modification_time_ms = dw__env_now_ms(log->env)}};
    checkpoint->sidecar_rows += row_count;
    checkpoint->sidecar_bytes += (int64_t) bytes.len;
    return dw__storage_put(log->storage, key, bytes, err);
}

static void
print_metadata(const dw_v2_checkpoint *checkpoint, dw_strbuf *out)
{
    dw__strbuf_printf(out,
                      "{\"checkpointMetadata\":{\"version\":%" PRId64 ",\"tags\":{"
                      "\"sidecarNumActions\":\"%" PRId64 "\",\"sidecarSizeInBytes\":\"%" PRId64
                      "\",\"numOfAddFiles\":\"%" PRId64 "\"}}}\n",
                      checkpoint->version, checkpoint->sidecar_rows, checkpoint->sidecar_bytes,
                      checkpoint->add_count);
}

dw_status
dw__v2_checkpoint_finish(dw_v2_checkpoint *checkpoint, const dw_action *actions, size_t count,
                         dw_error *err)
{
    dw_log *log = checkpoint->log;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(log->env->allocator, DW_COMMIT_BYTES_MAX);
    print_metadata(checkpoint, &text);
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind != DW_ACTION_CHECKPOINT_METADATA) {
            dw__action_print(&text, &actions[i]);
        }
    }
    for (size_t i = 0; i < checkpoint->sidecars.count; i++) {
        dw__action_print(&text, &checkpoint->sidecars.items[i]);
    }
    DW_TRY(dw__strbuf_ok(&text, "the checkpoint", err));
    char uuid[DW_UUID_TEXT_SIZE];
    char prefix[DW_CHECKPOINT_KEY_SIZE];
    dw__uuid_make(log->env, uuid);
    dw_str stem = dw__version_prefix(checkpoint->version, prefix);
    dw_str key =
        dw__arena_printf(checkpoint->arena, "%.*s.checkpoint.%s.json", DW_STR_ARG(stem), uuid);
    if (dw__str_is_null(key)) {
        return dw__error_oom(err);
    }
    checkpoint->main_bytes = (int64_t) text.len;
    return dw__storage_put(log->storage, key, dw__strbuf_str(&text), err);
}
