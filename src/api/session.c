/*
 * Sessions and results: src/sql under its public names.
 */
#include "api/handles.h"
#include "api/options.h"
#include "sql/sql.h"

dw_status
dw_session_open(dw_runtime *runtime, dw_session **out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = NULL;
    DW_REQUIRE(runtime);
    return dw__session_open(runtime->catalog, out, err);
}

void
dw_session_close(dw_session *session)
{
    dw__session_close(session);
}

size_t
dw_sql_statement_length(const char *sql)
{
    return sql == NULL ? 0 : dw__sql_statement_length(dw__str_from(sql));
}

dw_status
dw_session_execute(dw_session *session, const char *sql, const char **rest_out, dw_result **out,
                   dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = NULL;
    DW_REQUIRE(session);
    DW_REQUIRE(sql);
    size_t used = 0;
    dw_status status = dw__session_execute(session, dw__str_from(sql), &used, out, err);
    if (rest_out != NULL) {
        *rest_out = sql + used;
    }
    return status;
}

void
dw_session_cancel(dw_session *session)
{
    dw__session_cancel(session);
}

bool
dw_session_in_transaction(const dw_session *session)
{
    return dw__session_in_transaction(session);
}

double
dw_session_progress(dw_session *session)
{
    return dw__session_progress(session);
}

bool
dw_result_has_rows(const dw_result *result)
{
    return dw__result_has_rows(result);
}

const char *
dw_result_message(const dw_result *result)
{
    return dw__result_message(result);
}

int64_t
dw_result_row_count(const dw_result *result)
{
    return dw__result_row_count(result);
}

int64_t
dw_result_incompatible_count(const dw_result *result)
{
    return dw__result_incompatible_count(result);
}

bool
dw_result_change(const dw_result *result, dw_change_report *out)
{
    dw_change_report report = DW_CHANGE_REPORT_INIT;
    if (result == NULL || out == NULL || !dw__result_change(result, &report)) {
        return false;
    }
    /* A caller that was built against an older header knows fewer members. */
    size_t size = out->size < sizeof(report) ? out->size : sizeof(report);
    memcpy(out, &report, size);
    if (size >= sizeof(out->size)) {
        out->size = size;
    }
    return true;
}

dw_status
dw_result_stream(dw_result *result, struct ArrowArrayStream *out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    memset(out, 0, sizeof(*out));
    DW_REQUIRE(result);
    return dw__result_stream(result, out, err);
}

void
dw_result_free(dw_result *result)
{
    dw__result_free(result);
}

dw_status
dw_session_fsck(dw_session *session, const char *uri, const dw_fsck_options *options,
                struct ArrowArrayStream *out, dw_fsck_report *report_out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    memset(out, 0, sizeof(*out));
    DW_REQUIRE(session);
    DW_REQUIRE(uri);
    dw_fsck_counts counts;
    bool with_data = DW_HAS_OPTION(options, with_data) && options->with_data;
    dw_status status = dw__session_fsck(session, dw__str_from(uri), with_data, out, &counts, err);
    if (report_out != NULL) {
        *report_out = (dw_fsck_report){.error_count = counts.errors,
                                       .warning_count = counts.warnings,
                                       .note_count = counts.notes};
    }
    return status;
}
