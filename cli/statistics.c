/*
 * deltaworks statistics and report: what a table has, as rows and as a page.
 */
#include "args.h"
#include "cell.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

static const char statistics_help[] =
    "Usage: deltaworks statistics TABLE [OPTIONS]\n"
    "\n"
    "Says how many rows, files and bytes the table has, from its metadata alone. The same as\n"
    "DESCRIBE STATISTICS (docs/statistics.md).\n"
    "\n"
    "  --partitions     partition by partition\n"
    "  --histogram      how many files are how large\n"
    "  --history        version by version, and what came and went\n"
    "  -n, --limit N    with --history: only the newest N\n"
    "  --format FORMAT  table (default), vertical, csv, json, ndjson, markdown, arrow\n"
    "  --output FILE    write the rows there\n";

static const char report_help[] =
    "Usage: deltaworks report TABLE [OPTIONS]\n"
    "\n"
    "Prints a page of HTML with the table's growth, sizes, partitions and operations as pictures.\n"
    "It is one file, without scripts, and loads nothing.\n"
    "\n"
    "  deltaworks report /data/flights --output flights.html\n"
    "\n"
    "  --output FILE  write the page there\n";

typedef struct statistics_args {
    runner_options options;
    const char *format, *limit;
    bool partitions, histogram, history;
} statistics_args;

static int
parse(int argc, char **argv, statistics_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--partitions", 0, false, false, NULL, NULL, 0, &out->partitions},
        {"--histogram", 0, false, false, NULL, NULL, 0, &out->histogram},
        {"--history", 0, false, false, NULL, NULL, 0, &out->history},
        {"--limit", 'n', true, false, &out->limit, NULL, 0, NULL},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("statistics", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    status = args_expect_table("statistics", arguments);
    if (status != EXIT_DONE) {
        return status;
    }
    if (out->partitions + out->histogram + out->history > 1) {
        return error_usage("statistics", "give one of --partitions, --histogram and --history");
    }
    if (out->limit != NULL && (!out->history || out->limit[0] == '\0' ||
                               out->limit[strspn(out->limit, "0123456789")] != '\0')) {
        return error_usage("statistics", "--limit takes a number, and goes with --history");
    }
    return runner_take_format(&out->options, "statistics", out->format);
}

static int
run_statistics(const statistics_args *parsed, const char *table)
{
    text sql = {0};
    text_append_cstr(&sql, "DESCRIBE STATISTICS ");
    append_table(&sql, table);
    text_append_cstr(&sql, parsed->partitions  ? " PARTITIONS"
                           : parsed->histogram ? " HISTOGRAM"
                           : parsed->history   ? " HISTORY"
                                               : "");
    if (parsed->limit != NULL) {
        text_printf(&sql, " LIMIT %s", parsed->limit);
    }
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

int
verb_statistics(int argc, char **argv)
{
    statistics_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(statistics_help, stdout);
    } else if (status == EXIT_DONE) {
        status = run_statistics(&parsed, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}

/* ---- The page -------------------------------------------------------------------------------- */

/* Prints the only value of the rows as it is. */
static dw_status
print_page(struct ArrowArrayStream *rows, FILE *file, dw_error *err)
{
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    text page = {0};
    int failed = rows->get_schema(rows, &schema);
    dw_status status = failed != 0 ? format_stream_error(rows, failed, err) : DW_OK;
    if (status == DW_OK) {
        status = format_next(rows, file, &batch, err);
    }
    if (status == DW_OK && batch.release != NULL && batch.length == 1) {
        cell_append_text(&page, schema.children[0], batch.children[0], 0);
        if (fwrite(page.ptr, 1, page.len, file) != page.len) {
            status = format_output_error(err);
        }
    }
    text_free(&page);
    if (batch.release != NULL) {
        batch.release(&batch);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return status;
}

static int
run_report(runner *r, const char *table)
{
    text sql = {0};
    dw_error err = DW_ERROR_INIT;
    dw_result *result = NULL;
    struct ArrowArrayStream rows = {0};
    text_append_cstr(&sql, "DESCRIBE STATISTICS ");
    append_table(&sql, table);
    text_append_cstr(&sql, " REPORT");
    runner_begin(r);
    dw_status status = dw_session_execute(r->session, text_cstr(&sql), NULL, &result, &err);
    runner_end(r);
    if (status == DW_OK) {
        status = dw_result_stream(result, &rows, &err);
    }
    if (status == DW_OK) {
        status = print_page(&rows, r->file, &err);
        rows.release(&rows);
    }
    dw_result_free(result);
    text_free(&sql);
    return status == DW_OK ? EXIT_DONE : error_report(&err);
}

int
verb_report(int argc, char **argv)
{
    runner_options options = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    const option_spec specs[] = {{"--output", 'o', true, false, &options.output, NULL, 0, NULL},
                                 {NULL, 0, false, false, NULL, NULL, 0, NULL}};
    int status = args_parse("report", argc, argv, specs, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(report_help, stdout);
    } else if (status == EXIT_DONE) {
        status = args_expect_table("report", &arguments);
        if (status == EXIT_DONE) {
            runner r;
            status = runner_open(&r, &options);
            status = status == EXIT_DONE ? run_report(&r, arguments.positional[0]) : status;
            status = runner_close(&r, status);
        }
    }
    free(arguments.positional);
    return status;
}
