/*
 * Naming, putting and listing the files of a V2 checkpoint. As the reference does by default, the
 * main file is JSON: it is small, and read without a Parquet reader.
 */
#include "log/checkpoint_v2.h"

#include "base/assert.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "log/log_core.h"
#include "log/names.h"

#include <inttypes.h>

/* The hint repeats no more sidecars, and no more other actions: the reference's limit. */
#define HINT_ITEMS_MAX ((size_t) 30)

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

/* Appends the lines of the main file that are sidecars, or the others, as the items of a list;
 * nothing where there are too many. */
static void
put_lines(dw_strbuf *out, const char *key, dw_str lines, size_t count, bool are_sidecars)
{
    const dw_str head = DW_STR("{\"sidecar\":");
    if (count > HINT_ITEMS_MAX) {
        return;
    }
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append_char(out, '[');
    while (lines.len > 0) {
        size_t end = dw__str_find(lines, '\n');
        dw_str line = dw__str_slice(lines, 0, end);
        if (dw__str_starts_with(line, head) == are_sidecars) {
            dw__json_put_comma(out);
            dw__strbuf_append(
                out, are_sidecars ? dw__str_slice(line, head.len, line.len - head.len - 1) : line);
        }
        lines = dw__str_slice(lines, end + 1, lines.len);
    }
    dw__strbuf_append_char(out, ']');
}

/* Readers that trust the hint need not read the main file. */
static dw_status
make_hint(dw_v2_checkpoint *checkpoint, dw_str key, dw_str lines, size_t other_count, dw_error *err)
{
    dw_object_meta meta;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(checkpoint->log->env->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__storage_head(checkpoint->log->storage, key, &meta, err));
    dw__strbuf_append_char(&text, '{');
    dw__json_put_key(&text, DW_STR("path"));
    dw__json_put_string(&text, dw__str_slice(key, strlen(DW_LOG_DIR), key.len));
    dw__strbuf_printf(&text, ",\"sizeInBytes\":%" PRId64 ",\"modificationTime\":%" PRId64,
                      meta.size_bytes, meta.modified_ms);
    put_lines(&text, "nonFileActions", lines, other_count, false);
    put_lines(&text, "sidecarFiles", lines, checkpoint->sidecars.count, true);
    dw__strbuf_append_char(&text, '}');
    DW_TRY(dw__strbuf_ok(&text, "the hint", err));
    return dw__arena_dup(checkpoint->arena, dw__strbuf_str(&text), &checkpoint->hint_json)
               ? DW_OK
               : dw__error_oom(err);
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
    DW_TRY(dw__storage_put(log->storage, key, dw__strbuf_str(&text), err));
    return make_hint(checkpoint, key, dw__strbuf_str(&text), count, err);
}
