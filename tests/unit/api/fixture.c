#include "fixture.h"

static void
open_runtime(fixture *f, dw_runtime_options options)
{
    options.warehouse = f->dir.path;
    assert_ok(dw_runtime_open(&options, &f->runtime, &f->err), &f->err);
    assert_ok(dw_session_open(f->runtime, &f->session, &f->err), &f->err);
}

static void
close_runtime(fixture *f)
{
    dw_snapshot_unref(f->snapshot);
    dw_table_close(f->table);
    dw_session_close(f->session);
    dw_runtime_close(f->runtime);
    f->snapshot = NULL;
    f->table = NULL;
}

void
fixture_reopen(fixture *f, dw_runtime_options options)
{
    close_runtime(f);
    open_runtime(f, options);
}

int
fixture_setup(void **state)
{
    fixture *f = test_calloc(1, sizeof *f);
    dwt_temp_dir_make(&f->dir);
    (void) snprintf(f->path, sizeof f->path, "%s/t", f->dir.path);
    open_runtime(f, (dw_runtime_options) DW_RUNTIME_OPTIONS_INIT);
    *state = f;
    return 0;
}

int
fixture_teardown(void **state)
{
    fixture *f = *state;
    close_runtime(f);
    dwt_temp_dir_remove(&f->dir);
    test_free(f);
    return 0;
}

void
fixture_run(fixture *f, const char *sql)
{
    dw_result *result = NULL;
    assert_ok(dw_session_execute(f->session, sql, NULL, &result, &f->err), &f->err);
    dw_result_free(result);
}

dw_result *
fixture_query(fixture *f, const char *sql, struct ArrowArrayStream *rows)
{
    dw_result *result = NULL;
    assert_ok(dw_session_execute(f->session, sql, NULL, &result, &f->err), &f->err);
    assert_ok(dw_result_stream(result, rows, &f->err), &f->err);
    return result;
}

void
fixture_make_table(fixture *f, const char *sql)
{
    fixture_run(f, sql);
    assert_ok(dw_table_open(f->runtime, f->path, &f->table, &f->err), &f->err);
}
