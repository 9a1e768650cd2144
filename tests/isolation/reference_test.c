/*
 * Replays the cases of reference.txt through the real commit loop. At the end of each the log is
 * read again from its beginning: a case that leaves a table that cannot be read fails, too.
 */
#include "script.h"

#include "base/assert.h"
#include "support/fake_engine.h"
#include "support/test_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct world {
    dwt_env env;
    dw_storage *storage;
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *seen; /* what self and the first winner begin with */
    char name[200];
    char self[400];
    bool is_open;
} world;

static int64_t passed, failed;

static dw_log_snapshot *
newest(dw_log *log)
{
    dw_error err = DW_ERROR_INIT;
    dw_log_snapshot *snapshot;
    dw_status status = dw__log_snapshot(log, &snapshot, &err);
    dw_assert(status == DW_OK);
    return snapshot;
}

static void
world_open(world *w, const char *name)
{
    dw_error err = DW_ERROR_INIT;
    *w = (world){.is_open = true};
    snprintf(w->name, sizeof(w->name), "%s", name);
    dwt_env_init(&w->env, 1);
    dw_status status = dw__storage_memory_open(&w->env.env, &w->storage, &err);
    dw_assert(status == DW_OK);
    w->engine = dwt_fake_engine_open(&w->env.env);
    script_create_table(w->storage, "");
    status = dw__log_open(&w->env.env, w->storage, w->engine, &w->log, &err);
    dw_assert(status == DW_OK);
    w->seen = newest(w->log);
}

static void
world_close(world *w)
{
    if (!w->is_open) {
        return;
    }
    dw__log_snapshot_unref(w->seen);
    dw__log_close(w->log);
    dw__engine_close(w->engine);
    dw__storage_close(w->storage);
    dwt_env_deinit(&w->env);
    w->is_open = false;
}

static const char *
run(world *w, const char *text, dw_log_snapshot *snapshot, char out[64])
{
    dwt_change change;
    dw_txn_result result;
    dw_error err = DW_ERROR_INIT;
    dwt_change_init(&change, w->log, snapshot, "TEST");
    bool is_possible = script_run(text, &change);
    dw_assert(is_possible);
    dw_status status = dwt_change_commit(&change, &result, &err);
    snprintf(out, 64, "%s", script_outcome(status, &result, &err));
    dwt_change_deinit(&change);
    return out;
}

static void
must_run(world *w, const char *text)
{
    char outcome[64];
    dw_log_snapshot *snapshot = newest(w->log);
    if (strcmp(run(w, text, snapshot, outcome), "OK") != 0) {
        printf("%s: \"%s\" should go through: %s\n", w->name, text, outcome);
        failed++;
    }
    dw__log_snapshot_unref(snapshot);
}

/* By somebody who knows nothing yet. */
static void
check_readable(world *w)
{
    dw_error err = DW_ERROR_INIT;
    dw_log *log;
    dw_log_snapshot *snapshot = NULL;
    dw_status status = dw__log_open(&w->env.env, w->storage, w->engine, &log, &err);
    if (status != DW_OK || dw__log_snapshot(log, &snapshot, &err) != DW_OK) {
        printf("%s: the table cannot be read: %s\n", w->name, err.message);
        failed++;
    }
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
}

static void
check(world *w, const char *expected)
{
    char outcome[64];
    run(w, w->self, w->seen, outcome);
    check_readable(w);
    if (strcmp(outcome, expected) == 0) {
        passed++;
    } else {
        printf("%s: expected %s, found %s\n", w->name, expected, outcome);
        failed++;
    }
}

static void
read_line(world *w, const char *line)
{
    const char *rest = strchr(line, ' ');
    dw_assert(rest != NULL);
    rest++;
    if (strncmp(line, "case ", 5) == 0) {
        world_close(w);
        world_open(w, rest);
    } else if (strncmp(line, "setup ", 6) == 0) {
        must_run(w, rest);
        dw__log_snapshot_unref(w->seen);
        w->seen = newest(w->log);
    } else if (strncmp(line, "winner ", 7) == 0) {
        must_run(w, rest);
    } else if (strncmp(line, "self ", 5) == 0) {
        snprintf(w->self, sizeof(w->self), "%s", rest);
    } else if (strncmp(line, "expect ", 7) == 0) {
        check(w, rest);
    } else if (strncmp(line, "spark ", 6) != 0) {
        fprintf(stderr, "reference.txt: not understood: %s\n", line);
        exit(1);
    }
}

int
main(void)
{
    static world w;
    char *text = script_load("reference.txt");
    char *rest = text;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] != '#') {
            read_line(&w, line);
        }
    }
    world_close(&w);
    free(text);
    printf("%lld passed, %lld failed\n", (long long) passed, (long long) failed);
    return failed == 0 ? 0 : 1;
}
