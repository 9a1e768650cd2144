/*
 * deltaworks fsck: is a table what the protocol says? And, with --repair, lets go what is lost.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>

static const char help[] =
    "Usage: deltaworks fsck TABLE [OPTIONS]\n"
    "\n"
    "Checks the table against the rules of the Delta protocol: every commit, every checkpoint,\n"
    "checksum and compacted commit against the replayed log, deletion vectors, row ids, missing\n"
    "and orphan files. Nothing is changed. Each finding has the number of the rule that it\n"
    "breaks (docs/fsck.md). The same as FSCK TABLE.\n"
    "\n"
    "With --repair the files that are missing in storage are removed from the table instead, and\n"
    "listed: the rows that are left can be read again. The same as FSCK REPAIR TABLE.\n"
    "\n"
    "  --data           read all data files, too, and compare statistics with rows\n"
    "  --repair         remove missing files from the table\n"
    "  --dry-run        with --repair: list them, and remove nothing\n"
    "  --force          with --repair: also when not one file is there\n"
    "  --format FORMAT  table (default), csv, json, ndjson, markdown, arrow\n"
    "  --output FILE    write the findings, or what was missing, there\n"
    "  --quiet          print nothing when there is nothing to print\n";

typedef struct fsck_args {
    runner_options options;
    const char *format;
    bool with_data, repairs, is_dry_run, force;
} fsck_args;

static int
parse(int argc, char **argv, fsck_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--data", 0, false, false, NULL, NULL, 0, &out->with_data},
        {"--repair", 0, false, false, NULL, NULL, 0, &out->repairs},
        {"--dry-run", 0, false, false, NULL, NULL, 0, &out->is_dry_run},
        {"--force", 0, false, false, NULL, NULL, 0, &out->force},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {"--memory-limit", 0, true, false, &out->options.memory_limit, NULL, 0, NULL},
        {"--threads", 0, true, false, &out->options.threads, NULL, 0, NULL},
        {"--spill-directory", 0, true, false, &out->options.spill_directory, NULL, 0, NULL},
        {"--warehouse", 0, true, false, &out->options.warehouse, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("fsck", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    status = args_expect_table("fsck", arguments);
    if (status != EXIT_DONE) {
        return status;
    }
    if (out->repairs ? out->with_data : out->is_dry_run || out->force) {
        return error_usage("fsck", "--dry-run and --force go with --repair, --data without it");
    }
    return runner_take_format(&out->options, "fsck", out->format);
}

static int
print_findings(const runner *r, struct ArrowArrayStream *rows, const dw_fsck_report *report)
{
    dw_error err = DW_ERROR_INIT;
    format_count printed;
    int64_t total = report->error_count + report->warning_count + report->note_count;
    bool is_table = r->options.format == FORMAT_TABLE || r->options.format == FORMAT_VERTICAL;
    if (is_table && total == 0) {
        rows->release(rows);
        if (!r->options.is_quiet) {
            fprintf(r->file, "nothing was found\n");
        }
        return EXIT_DONE;
    }
    if (format_print(r->options.format, 0, rows, r->file, &printed, &err) != DW_OK) {
        return error_report(&err);
    }
    if (is_table && !r->options.is_quiet) {
        fprintf(r->file, "%" PRId64 " errors, %" PRId64 " warnings, %" PRId64 " notes\n",
                report->error_count, report->warning_count, report->note_count);
    }
    return report->error_count > 0 ? EXIT_DAMAGED : EXIT_DONE;
}

static int
check(const fsck_args *parsed, const char *table)
{
    runner r;
    int status = runner_open(&r, &parsed->options);
    if (status == EXIT_DONE) {
        dw_fsck_options options = DW_FSCK_OPTIONS_INIT;
        dw_fsck_report report;
        dw_error err = DW_ERROR_INIT;
        struct ArrowArrayStream rows;
        options.with_data = parsed->with_data;
        runner_begin(&r);
        dw_status checked = dw_session_fsck(r.session, table, &options, &rows, &report, &err);
        runner_end(&r);
        status = checked == DW_OK ? print_findings(&r, &rows, &report) : error_report(&err);
    }
    return runner_close(&r, status);
}

static int
repair(const fsck_args *parsed, const char *table)
{
    text sql = {0};
    text_append_cstr(&sql, "FSCK REPAIR TABLE ");
    append_table(&sql, table);
    text_append_cstr(&sql, parsed->force ? " FORCE" : "");
    text_append_cstr(&sql, parsed->is_dry_run ? " DRY RUN" : "");
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

int
verb_fsck(int argc, char **argv)
{
    fsck_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        printf("%s%s", help, runner_options_help);
    } else if (status == EXIT_DONE) {
        status = parsed.repairs ? repair(&parsed, arguments.positional[0])
                                : check(&parsed, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}
