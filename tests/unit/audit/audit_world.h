/*
 * A log in a directory that goes away again.
 */
#ifndef DWT_AUDIT_WORLD_H
#define DWT_AUDIT_WORLD_H

#include "support/test.h"

#include "support/temp_dir.h"
#include "support/test_env.h"

#include "audit/audit.h"
#include "audit/lines.h"
#include "audit/query.h"
#include "audit/verify.h"

#include <stdlib.h>

#define KEY_TEXT "a secret of many bytes\n"

typedef struct audit_world {
    dwt_env test;
    dwt_temp_dir dir;
    char path[DWT_PATH_SIZE + 32];
    char key_path[DWT_PATH_SIZE + 32];
} audit_world;

static inline int
audit_world_setup(void **state)
{
    audit_world *w = calloc(1, sizeof(*w));
    dwt_env_init(&w->test, 1);
    dwt_temp_dir_make(&w->dir);
    snprintf(w->path, sizeof(w->path), "%s/audit.jsonl", w->dir.path);
    snprintf(w->key_path, sizeof(w->key_path), "%s/key", w->dir.path);
    dwt_write_file(w->dir.path, "key", DW_STR(KEY_TEXT));
    *state = w;
    return 0;
}

static inline int
audit_world_teardown(void **state)
{
    audit_world *w = *state;
    dwt_temp_dir_remove(&w->dir);
    dwt_env_deinit(&w->test);
    free(w);
    return 0;
}

static inline dw_audit_spec
audit_spec(const audit_world *w, bool with_key)
{
    return (dw_audit_spec){.path = dw__str_from(w->path),
                           .key_path = with_key ? dw__str_from(w->key_path) : DW_STR_NULL,
                           .user = DW_STR_NULL,
                           .durability = DW_AUDIT_SYNC_NONE,
                           .file_bytes_max = DW_AUDIT_FILE_BYTES_MIN};
}

static inline dw_audit *
audit_open(audit_world *w, const dw_audit_spec *spec)
{
    dw_error err = DW_ERROR_INIT;
    dw_audit *audit;
    assert_ok(dw__audit_open(&w->test.env, spec, &audit, &err), &err);
    return audit;
}

/* Adds a beginning and an end. */
static inline void
audit_add(const dw_audit *audit, int64_t version)
{
    dw_error err = DW_ERROR_INIT;
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    event.verb = DW_STR("INSERT");
    event.statement = DW_STR("INSERT INTO t VALUES (1, 'it''s')");
    event.table_path = DW_STR("/data/t");
    event.table_id = event.user = event.session = event.code = DW_STR_NULL;
    int64_t number;
    event.read_version = version - 1;
    assert_ok(dw__audit_begin(audit, &event, &number, &err), &err);
    event.outcome = DW_AUDIT_COMMITTED;
    event.statement = DW_STR_NULL;
    event.started = number;
    event.version = version;
    event.has_counts = true;
    event.rows_inserted = 1;
    dw__audit_end(audit, &event);
}

static inline dw_audit_verdict
audit_check(audit_world *w, const dw_audit_verify_spec *spec)
{
    dw_error err = DW_ERROR_INIT;
    dw_audit_verdict verdict;
    struct ArrowArrayStream rows;
    assert_ok(dw__audit_verify(&w->test.env, spec, &rows, &verdict, &err), &err);
    rows.release(&rows);
    return verdict;
}

static inline dw_audit_verify_spec
audit_verify_spec(const audit_world *w, bool with_key)
{
    return (dw_audit_verify_spec){.path = dw__str_from(w->path),
                                  .key_path = with_key ? dw__str_from(w->key_path) : DW_STR_NULL,
                                  .anchor_hash = DW_STR_NULL};
}

#endif
