/*
 * What the tests of the log share: a table in memory, a log over it, and short ways to say what is
 * in both.
 */
#ifndef DWT_UNIT_LOG_LOG_WORLD_H
#define DWT_UNIT_LOG_LOG_WORLD_H

#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/test.h"
#include "support/test_env.h"

#include "log/checkpoint_put.h"
#include "log/lean.h"
#include "log/log.h"
#include "log/log_core.h"
#include "log/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct log_world {
    dwt_env env;
    dw_storage *storage;
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *snapshot; /* of the last refresh */
    dw_error err;
} log_world;

static inline void
world_open_log(log_world *w)
{
    dw_status status = dw__log_open(&w->env.env, w->storage, w->engine, &w->log, &w->err);
    assert_ok(status, &w->err);
}

static inline int
world_setup(void **state)
{
    log_world *w = calloc(1, sizeof(*w));
    dwt_env_init(&w->env, 1);
    dw_status status = dw__storage_memory_open(&w->env.env, &w->storage, &w->err);
    assert_ok(status, &w->err);
    w->engine = dwt_fake_engine_open(&w->env.env);
    world_open_log(w);
    *state = w;
    return 0;
}

static inline void
world_close_log(log_world *w)
{
    dw__log_snapshot_unref(w->snapshot);
    w->snapshot = NULL;
    dw__log_close(w->log);
    w->log = NULL;
}

static inline int
world_teardown(void **state)
{
    log_world *w = *state;
    world_close_log(w);
    dw__engine_close(w->engine);
    dw__storage_close(w->storage);
    dwt_env_deinit(&w->env);
    free(w);
    return 0;
}

/* Forgets what was read, as another process would not know it. */
static inline void
world_reopen(log_world *w)
{
    world_close_log(w);
    world_open_log(w);
}

static inline dw_status
world_refresh(log_world *w)
{
    dw__error_clear(&w->err);
    dw__log_snapshot_unref(w->snapshot);
    w->snapshot = NULL;
    return dw__log_snapshot(w->log, &w->snapshot, &w->err);
}

static inline void
assert_refreshes(log_world *w)
{
    dw_status status = world_refresh(w);
    assert_ok(status, &w->err);
}

/* Writes the lines (NDJSON without a protocol and metadata of their own) as a commit. */
static inline void
world_commit(log_world *w, int64_t version, const char *lines)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    if (version == 0) {
        dwt_commit_protocol(&commit, 1, 2);
        dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, NULL);
    }
    dw__strbuf_append(&commit.text, dw__str_from(lines));
    dwt_commit_write(&commit, w->storage, version);
}

#define ADD(path)                                                                                  \
    "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":10,"                          \
    "\"modificationTime\":1,\"dataChange\":true}}\n"
#define ADD_MORE(path, more)                                                                       \
    "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":10,"                          \
    "\"modificationTime\":1,\"dataChange\":true," more "}}\n"
#define REMOVE(path)                                                                               \
    "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":1704067200000,"                      \
    "\"dataChange\":true}}\n"
#define REMOVE_MORE(path, more)                                                                    \
    "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":1704067200000,"                      \
    "\"dataChange\":true," more "}}\n"
#define DV(id)                                                                                     \
    "\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"" id                           \
    "\",\"offset\":1,\"sizeInBytes\":36,\"cardinality\":2}"

static inline int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The live files as sorted words: "a b#dv". To be freed. */
static inline char *
file_words(const dw_file_set *files)
{
    size_t count = dw__file_set_count(files);
    char **words = calloc(count + 1, sizeof(char *));
    size_t used = 0, size = 1;
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        dw_str path = dw__file_set_path(files, ref);
        const dw_dv_descriptor *dv = dw__file_set_dv(files, ref);
        dw_str id = dv == NULL ? DW_STR("") : dv->path_or_inline_dv;
        assert_true(used < count);
        size_t word_size = path.len + id.len + 2;
        words[used] = calloc(1, word_size);
        snprintf(words[used], word_size, "%.*s%s%.*s", DW_STR_ARG(path), dv == NULL ? "" : "#",
                 DW_STR_ARG(id));
        size += strlen(words[used++]) + 1;
    }
    assert_int_equal(used, count);
    qsort(words, used, sizeof(char *), compare_texts);
    char *text = calloc(1, size);
    for (size_t i = 0, len = 0; i < used; i++) {
        len += (size_t) snprintf(text + len, size - len, "%s%s", i > 0 ? " " : "", words[i]);
        free(words[i]);
    }
    free(words);
    return text;
}

static inline void
assert_files(const log_world *w, const char *expected)
{
    char *words = file_words(dw__log_snapshot_files(w->snapshot));
    assert_string_equal(words, expected);
    free(words);
}

static inline dw_status
gather_files(void *ctx, const dw_file_set *files, dw_error *err)
{
    return dw__file_set_append_set(ctx, files, err);
}

/* What a visit of the files comes to; to be freed. */
static inline dw_status
visited_files(const dw_log_snapshot *snapshot, const dw_allocator *allocator, dw_file_set **out,
              dw_error *err)
{
    *out = dw__file_set_new(allocator, false);
    return *out == NULL ? dw__error_oom(err)
                        : dw__log_snapshot_visit_files(snapshot, gather_files, *out, err);
}

/* The live files of the newest version, for one who leaves those of the checkpoint there. */
static inline void
assert_lean_files(log_world *w, bool is_lean, const char *expected)
{
    dw_log *log;
    dw_log_snapshot *snapshot;
    dw_file_set *files;
    assert_ok(dw__log_open(&w->env.env, w->storage, w->engine, &log, &w->err), &w->err);
    assert_ok(dw__log_snapshot_lean(log, &snapshot, &w->err), &w->err);
    assert_int_equal(dw__snapshot_is_lean(snapshot), is_lean);
    for (int round = 0; round < 2; round++) {
        assert_ok(visited_files(snapshot, w->env.env.allocator, &files, &w->err), &w->err);
        char *words = file_words(files);
        assert_string_equal(words, expected);
        free(words);
        dw__file_set_free(files);
    }
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
}

/* ---- Checkpoints by hand --------------------------------------------------------------------- */

enum { CK_TXN, CK_ADD, CK_REMOVE, CK_METADATA, CK_PROTOCOL, CK_DOMAIN, CK_SIDECAR, CK_COUNT };

typedef struct checkpoint_maker {
    dw_column columns[CK_COUNT];
    dw_column_spec specs[CK_COUNT];
    dw_vector vectors[CK_COUNT];
    dw_file_block *files; /* adds and removes, so that their strings stay */
    size_t row_count;
    bool is_given;
} checkpoint_maker;

static inline dw_status
checkpoint_row(void *ctx, const dw_action *action, dw_error *err)
{
    checkpoint_maker *maker = ctx;
    bool is_file = action->kind == DW_ACTION_ADD || action->kind == DW_ACTION_REMOVE;
    bool is_remove = action->kind == DW_ACTION_REMOVE;
    size_t column = SIZE_MAX;
    if (is_file) {
        column = is_remove ? CK_REMOVE : CK_ADD;
        DW_TRY(dw__file_block_push_file(maker->files, &action->as.file, is_remove, 0, err));
        size_t row = maker->files->row_count - 1;
        static dw_arena none;
        if (is_remove) {
            dw__ck_put_remove(&maker->columns[column], maker->files, row);
        } else {
            /* Strings of an open block may move: they are put in again by checkpoint_source. */
            dw_status status = dw__ck_put_add(&maker->columns[column], maker->files, row,
                                              action->as.file.stats, &none, err);
            DW_TRY(status);
        }
    } else if (action->kind == DW_ACTION_TXN) {
        column = CK_TXN;
        dw__ck_put_txn(&maker->columns[column], &action->as.txn);
    } else if (action->kind == DW_ACTION_METADATA) {
        column = CK_METADATA;
        dw__ck_put_metadata(&maker->columns[column], &action->as.metadata);
    } else if (action->kind == DW_ACTION_PROTOCOL) {
        column = CK_PROTOCOL;
        dw__ck_put_protocol(&maker->columns[column], &action->as.protocol);
    } else if (action->kind == DW_ACTION_DOMAIN) {
        column = CK_DOMAIN;
        dw__ck_put_domain(&maker->columns[column], &action->as.domain);
    } else if (action->kind == DW_ACTION_SIDECAR) {
        column = CK_SIDECAR;
        dw_column *fields = maker->columns[column].children;
        dw__column_put_struct(&maker->columns[column]);
        dw__column_put_str(&fields[DW_CK_SIDECAR_PATH], action->as.sidecar.path);
        dw__column_put_i64(&fields[DW_CK_SIDECAR_SIZE], action->as.sidecar.size_bytes);
        dw__column_put_i64(&fields[DW_CK_SIDECAR_MODIFICATION_TIME],
                           action->as.sidecar.modification_time_ms);
    }
    for (size_t i = 0; i < CK_COUNT && column != SIZE_MAX; i++) {
        if (i != column) {
            dw__column_put_null(&maker->columns[i]);
        }
    }
    maker->row_count += column != SIZE_MAX;
    return DW_OK;
}

static inline dw_status
checkpoint_source(void *ctx, dw_batch *out, dw_error *err)
{
    (void) err;
    checkpoint_maker *maker = ctx;
    *out = (dw_batch){maker->is_given ? 0 : maker->row_count, maker->vectors};
    maker->is_given = true;
    return DW_OK;
}

/* Puts a checkpoint file (main, part, or sidecar) that holds the given actions, at most 2048. */
static inline void
world_put_checkpoint(log_world *w, const char *key, const char *lines)
{
    const dw_column_spec *all[CK_COUNT] = {
        &dw__ck_txn_spec,      &dw__ck_add_spec,    &dw__ck_remove_spec, &dw__ck_metadata_spec,
        &dw__ck_protocol_spec, &dw__ck_domain_spec, &dw__ck_sidecar_spec};
    const dw_allocator *allocator = dw__allocator_libc();
    checkpoint_maker maker = {.files = dw__file_block_new(allocator, NULL, 0)};
    for (size_t i = 0; i < CK_COUNT; i++) {
        maker.specs[i] = *all[i];
        assert_true(dw__column_init(&maker.columns[i], all[i], allocator));
    }
    dw_arena arena;
    dw__arena_init(&arena, allocator);
    /*
     * Twice: the first time brings the block to its size, so that its strings then stay in place.
     */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < CK_COUNT; i++) {
            dw__column_clear(&maker.columns[i]);
        }
        maker.row_count = 0;
        maker.files->row_count = 0;
        maker.files->paths.len = 0;
        maker.files->stats.len = 0;
        maker.files->dvs.count = 0;
        dw_status status =
            dw__actions_parse(dw__str_from(lines), &arena, checkpoint_row, &maker, &w->err);
        assert_ok(status, &w->err);
    }
    for (size_t i = 0; i < CK_COUNT; i++) {
        assert_true(dw__column_view(&maker.columns[i], &maker.vectors[i]));
    }
    dw_strbuf bytes = dw__strbuf_make(allocator, 1 << 24);
    dw_status status = w->engine->ops->write_parquet(w->engine, maker.specs, CK_COUNT,
                                                     checkpoint_source, &maker, &bytes, &w->err);
    assert_ok(status, &w->err);
    dwt_put(w->storage, key, dw__strbuf_str(&bytes));
    dw__strbuf_deinit(&bytes);
    dw__arena_deinit(&arena);
    for (size_t i = 0; i < CK_COUNT; i++) {
        dw__column_deinit(&maker.columns[i]);
    }
    dw__file_block_unref(maker.files);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#endif
