/*
 * From one version to a certain later one, commit by commit.
 */
#include "base/assert.h"
#include "log/commit.h"
#include "log/load.h"
#include "log/log_core.h"
#include "log/snapshot.h"

/* A snapshot on its way. */
typedef struct advance {
    dw_replay tail;
    dw_file_identity identity;
    int64_t file_time_ms;
} advance;

static dw_status
replay_commit(advance *a, dw_log *log, int64_t version, dw_strbuf *bytes, dw_error *err)
{
    int64_t modified_ms;
    DW_TRY(dw__commit_get(log, version, bytes, &modified_ms, err));
    dw_status status = dw__replay_text(&a->tail, dw__strbuf_str(bytes), err);
    if (status != DW_OK) {
        char key[DW_COMMIT_KEY_SIZE];
        dw__commit_context(err, dw__commit_key(version, key));
        return status;
    }
    a->identity = (dw_file_identity){true, false, (int64_t) bytes->len, modified_ms};
    a->file_time_ms = modified_ms > a->file_time_ms ? modified_ms : a->file_time_ms + 1;
    return DW_OK;
}

static dw_status
join(advance *a, const dw_log_snapshot *base, int64_t version, dw_log_snapshot **out, dw_error *err)
{
    dw__replay_seal(&a->tail);
    dw_snapshot_parts parts = {.log = base->log,
                               .version = version,
                               .identity = a->identity,
                               .tail = &a->tail,
                               .base_snapshot = base};
    DW_TRY(dw__snapshot_join(dw__log_env(base->log), &parts, out, err));
    dw_status status = dw__load_set_timestamp(*out, &a->tail, a->file_time_ms, err);
    if (status != DW_OK) {
        dw__log_snapshot_unref(*out);
        *out = NULL;
    }
    return status;
}

dw_status
dw__log_snapshot_advance(const dw_log_snapshot *base, int64_t version, dw_log_snapshot **out,
                         dw_error *err)
{
    dw_assert(version > base->version);
    *out = NULL;
    const dw_env *env = dw__log_env(base->log);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(env->allocator, DW_COMMIT_BYTES_MAX);
    advance a = {.file_time_ms = base->timestamp_ms};
    dw_status status = dw__replay_init(&a.tail, env, err);
    for (int64_t v = base->version + 1; status == DW_OK && v <= version; v++) {
        status = replay_commit(&a, base->log, v, &bytes, err);
    }
    if (status == DW_OK) {
        status = join(&a, base, version, out, err);
    }
    dw__replay_deinit(&a.tail);
    if (status == DW_OK) {
        dw__log_keep_instead(base->log, base, *out);
    }
    return status;
}
