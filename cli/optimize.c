/*
 * deltaworks optimize: packs the small files of a table, or what REORG TABLE does.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <stdlib.h>

static const char help[] =
    "Usage: deltaworks optimize TABLE [OPTIONS]\n"
    "\n"
    "Packs the small files of each partition into large ones and drops deleted rows for good;\n"
    "no row changes. A second run finds nothing to do. The same as OPTIMIZE.\n"
    "\n"
    "  --where CONDITION  only partitions that meet the condition\n"
    "  --full             look at all files and partitions\n"
    "  --purge            instead: write files with deleted rows or dropped columns again,\n"
    "                     as REORG TABLE ... APPLY (PURGE)\n"
    "  --dry-run          say what would be done\n"
    "  --within TIME      begin no further commit after \"30 MINUTES\" or the like\n"
    "  --format FORMAT    table (default), csv, json, ndjson, markdown, arrow\n"
    "  --output FILE      write the figures there\n"
    "  --quiet            print no line for people\n";

typedef struct optimize_args {
    runner_options options;
    const char *format, *where, *within;
    bool full, purges, dry_run;
} optimize_args;

static int
parse(int argc, char **argv, optimize_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--where", 0, true, false, &out->where, NULL, 0, NULL},
        {"--within", 0, true, false, &out->within, NULL, 0, NULL},
        {"--full", 0, false, false, NULL, NULL, 0, &out->full},
        {"--purge", 0, false, false, NULL, NULL, 0, &out->purges},
        {"--dry-run", 0, false, false, NULL, NULL, 0, &out->dry_run},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {"--memory-limit", 0, true, false, &out->options.memory_limit, NULL, 0, NULL},
        {"--threads", 0, true, false, &out->options.threads, NULL, 0, NULL},
        {"--spill-directory", 0, true, false, &out->options.spill_directory, NULL, 0, NULL},
        {"--warehouse", 0, true, false, &out->options.warehouse, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("optimize", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    status = args_expect_table("optimize", arguments);
    if (status != EXIT_DONE) {
        return status;
    }
    if (out->full && out->purges) {
        return error_usage("optimize", "--full and --purge are two things: choose one");
    }
    return runner_take_format(&out->options, "optimize", out->format);
}

static void
append_statement(const optimize_args *parsed, const char *table, text *sql)
{
    text_append_cstr(sql, parsed->purges ? "REORG TABLE " : "OPTIMIZE ");
    append_table(sql, table);
    text_append_cstr(sql, parsed->full ? " FULL" : "");
    if (parsed->where != NULL) {
        text_printf(sql, " WHERE (%s\n)", parsed->where);
    }
    text_append_cstr(sql, parsed->purges ? " APPLY (PURGE)" : "");
    text_append_cstr(sql, parsed->dry_run ? " DRY RUN" : "");
    if (parsed->within != NULL) {
        text_printf(sql, " WITHIN %s", parsed->within);
    }
}

static int
run(const optimize_args *parsed, const char *table)
{
    text sql = {0};
    append_statement(parsed, table, &sql);
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

int
verb_optimize(int argc, char **argv)
{
    optimize_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        printf("%s%s", help, runner_options_help);
    } else if (status == EXIT_DONE) {
        status = run(&parsed, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}
