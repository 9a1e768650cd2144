/*
 * A whole log: the input holds objects, each behind a line `=== name`, which are put below
 * _delta_log. Opening, history, going back and refreshing end with a snapshot or an error, and
 * opening twice gives the same. There is no engine: checkpoints are files of JSON.
 */
#include "fuzz.h"

#include "env/env.h"
#include "log/log.h"
#include "storage/storage.h"

#define MARK DW_STR("=== ")
enum { OBJECTS_MAX = 16 };

static int64_t
clock_us(void *ctx)
{
    return ++*(int64_t *) ctx;
}

static void
no_sleep(void *ctx, int64_t duration_us)
{
    (void) ctx;
    (void) duration_us;
}

static void
no_chance(void *ctx, void *bytes, size_t size)
{
    (void) ctx;
    memset(bytes, 7, size);
}

static void
no_log(void *ctx, dw_log_level level, const char *line)
{
    (void) ctx;
    (void) level;
    dw_assert(line != NULL);
}

static const dw_env_ops env_ops = {clock_us, clock_us, no_sleep, no_chance, no_log, NULL};

/* Takes the next line off, without its end. */
static dw_str
take_line(dw_str *rest)
{
    size_t len = dw__str_find(*rest, '\n');
    dw_str line = dw__str_slice(*rest, 0, len);
    *rest = dw__str_slice(*rest, len == SIZE_MAX ? rest->len : len + 1, rest->len);
    return line;
}

/* The bytes up to the next mark at the start of a line. */
static dw_str
take_object(dw_str *rest)
{
    dw_str start = *rest;
    while (rest->len > 0 && !dw__str_starts_with(*rest, MARK)) {
        (void) take_line(rest);
    }
    return dw__str_slice(start, 0, start.len - rest->len);
}

static void
put_objects(dw_storage *storage, dw_str input)
{
    (void) take_object(&input);
    for (size_t i = 0; i < OBJECTS_MAX && input.len > 0; i++) {
        dw_str line = take_line(&input);
        dw_str name = dw__str_slice(line, MARK.len, line.len);
        dw_str bytes = take_object(&input);
        if (dw__str_ends_with(name, DW_STR(".parquet"))) {
            continue;
        }
        DW_AUTO(dw_strbuf) key = fuzz_strbuf();
        dw__strbuf_append_literal(&key, DW_LOG_DIR);
        dw__strbuf_append(&key, name);
        fuzz_run(dw__storage_put(storage, dw__strbuf_str(&key), bytes, NULL));
    }
}

static void
look_at(dw_log *log, dw_arena *arena, dw_log_snapshot *snapshot)
{
    dw_history_entry *entries;
    size_t count;
    int64_t version = dw__log_snapshot_version(snapshot);
    dw_assert(version >= 0);
    dw_assert(dw__log_snapshot_schema(snapshot) != NULL);
    DW_AUTO(dw_log_snapshot_ptr) again = NULL;
    DW_AUTO(dw_log_snapshot_ptr) before = NULL;
    dw_status status = dw__log_snapshot(log, &again, NULL);
    dw_assert(status == DW_OK);
    dw_assert(dw__log_snapshot_version(again) == version);
    if (version > 0) {
        fuzz_run(dw__log_snapshot_at(log, version - 1, &before, NULL));
    }
    fuzz_run(dw__log_history(log, 0, arena, &entries, &count, NULL));
    fuzz_run(dw__log_version_at(log, INT64_MAX / 2, &version, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t now = INT64_C(1704067200000000);
    dw_env env = {dw__allocator_libc(), &env_ops, &now};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env.allocator);
    dw_storage *storage = NULL;
    dw_log *log = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_memory_open(&env, &storage, &err);
    dw_assert(status == DW_OK);
    put_objects(storage, fuzz_text(data, size));
    status = dw__log_open(&env, storage, NULL, &log, &err);
    dw_assert(status == DW_OK);
    {
        DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
        status = dw__log_snapshot(log, &snapshot, &err);
        dw_assert((status == DW_OK) == (err.status == DW_OK));
        dw_assert(strchr(err.message, '\n') == NULL && strchr(err.context, '\n') == NULL);
        if (status == DW_OK) {
            look_at(log, &arena, snapshot);
        }
    }
    dw__log_close(log);
    dw__storage_close(storage);
    return 0;
}
