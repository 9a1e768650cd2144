/*
 * Runs SQL statements in a session and prints what each of them did to the table.
 *
 *     cc change_rows.c $(pkg-config --cflags --libs deltaworks) -o change_rows
 *     ./change_rows /tmp/warehouse
 */
#include <deltaworks.h>

#include <inttypes.h>
#include <stdio.h>

static void
print_change(const char *what, const dw_change_report *change)
{
    if (change->version < 0) {
        printf("%s: nothing to do\n", what);
        return;
    }
    printf("%s: version %" PRId64 ", %" PRId64 " inserted, %" PRId64 " updated, %" PRId64
           " deleted, %" PRId64 " files marked\n",
           what, change->version, change->rows_inserted, change->rows_updated, change->rows_deleted,
           change->files_marked);
}

/* A conflict is an answer, not an accident: another writer changed the same rows first. */
static dw_status
run(dw_session *session, const char *what, const char *sql, dw_error *err)
{
    enum { TRIES_MAX = 5 };
    dw_result *result = NULL;
    dw_status status = DW_CONFLICT;
    for (int i = 0; i < TRIES_MAX && status == DW_CONFLICT; i++) {
        status = dw_session_execute(session, sql, NULL, &result, err);
    }
    dw_change_report change = DW_CHANGE_REPORT_INIT;
    if (status == DW_OK && dw_result_change(result, &change)) {
        print_change(what, &change);
    }
    dw_result_free(result);
    return status;
}

int
main(int argc, char **argv)
{
    static const char *const statements[][2] = {
        {"create", "CREATE TABLE stock (item STRING, n INT) "
                   "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"},
        {"insert", "INSERT INTO stock VALUES ('nut', 10), ('bolt', 0), ('screw', 7)"},
        {"update", "UPDATE stock SET n = n - 1 WHERE n > 0"},
        {"delete", "DELETE FROM stock WHERE n = 0"},
        {"delete again", "DELETE FROM stock WHERE n = 0"},
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s WAREHOUSE\n", argv[0]);
        return 2;
    }
    dw_error err = DW_ERROR_INIT;
    dw_runtime_options options = DW_RUNTIME_OPTIONS_INIT;
    options.warehouse = argv[1];
    dw_runtime *runtime = NULL;
    dw_session *session = NULL;
    dw_status status = dw_runtime_open(&options, &runtime, &err);
    if (status == DW_OK) {
        status = dw_session_open(runtime, &session, &err);
    }
    for (size_t i = 0; status == DW_OK && i < sizeof(statements) / sizeof(statements[0]); i++) {
        status = run(session, statements[i][0], statements[i][1], &err);
    }
    if (status != DW_OK) {
        fprintf(stderr, "%s: %s\n", err.code, err.message);
    }
    dw_session_close(session);
    dw_runtime_close(runtime);
    return status == DW_OK ? 0 : 1;
}
