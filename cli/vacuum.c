/*
 * deltaworks vacuum: the statement VACUUM on one table.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: deltaworks vacuum TABLE [OPTIONS]\n"
    "\n"
    "Deletes the files below the table that no version within the retention needs,\n"
    "and says what was kept and why (docs/upkeep.md). The same as VACUUM.\n"
    "\n"
    "  --retain HOURS         keep what was removed in the last so many hours; otherwise it is\n"
    "                         delta.deletedFileRetentionDuration of the table, or 2160 (90 days)\n"
    "  --no-retention-check   let HOURS be less than is safe beside readers and writers\n"
    "  --lite                 only look at files that commits removed since the last time\n"
    "  --dry-run              delete nothing, list what would be deleted\n"
    "  --within TIME          stop after that time, such as \"30 minutes\"\n"
    "  --format FORMAT        table (default), vertical, csv, json, ndjson, markdown, arrow\n"
    "  --output FILE          write the rows there\n";

typedef struct vacuum_args {
    runner_options options;
    const char *format, *retain, *within;
    bool skips_check, is_lite, is_dry_run;
} vacuum_args;

static bool
is_number(const char *word)
{
    return word[0] != '\0' && word[strspn(word, "0123456789.")] == '\0';
}

static int
parse(int argc, char **argv, vacuum_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--retain", 0, true, false, &out->retain, NULL, 0, NULL},
        {"--no-retention-check", 0, false, false, NULL, NULL, 0, &out->skips_check},
        {"--lite", 0, false, false, NULL, NULL, 0, &out->is_lite},
        {"--dry-run", 0, false, false, NULL, NULL, 0, &out->is_dry_run},
        {"--within", 0, true, false, &out->within, NULL, 0, NULL},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("vacuum", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    status = args_expect_table("vacuum", arguments);
    if (status != EXIT_DONE) {
        return status;
    }
    if (out->retain != NULL && !is_number(out->retain)) {
        return error_usage("vacuum", "--retain takes a number of hours, not %s", out->retain);
    }
    return runner_take_format(&out->options, "vacuum", out->format);
}

/* The setting is of this session, and not worth a line. */
static int
switch_check_off(runner *r)
{
    bool is_quiet = r->options.is_quiet;
    r->options.is_quiet = true;
    int status = runner_run(r, "SET spark.databricks.delta.retentionDurationCheck.enabled = false");
    r->options.is_quiet = is_quiet;
    return status;
}

static int
vacuum(const vacuum_args *parsed, const char *table)
{
    text sql = {0};
    text_append_cstr(&sql, "VACUUM ");
    append_table(&sql, table);
    text_append_cstr(&sql, parsed->is_lite ? " LITE" : " FULL");
    if (parsed->retain != NULL) {
        text_printf(&sql, " RETAIN %s HOURS", parsed->retain);
    }
    text_append_cstr(&sql, parsed->is_dry_run ? " DRY RUN" : "");
    if (parsed->within != NULL) {
        text_printf(&sql, " WITHIN %s", parsed->within);
    }
    runner r;
    int status = runner_open(&r, &parsed->options);
    if (status == EXIT_DONE && parsed->skips_check) {
        status = switch_check_off(&r);
    }
    if (status == EXIT_DONE) {
        status = runner_run(&r, text_cstr(&sql));
    }
    text_free(&sql);
    return runner_close(&r, status);
}

int
verb_vacuum(int argc, char **argv)
{
    vacuum_args parsed = {.format = NULL};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(help, stdout);
    } else if (status == EXIT_DONE) {
        status = vacuum(&parsed, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}
