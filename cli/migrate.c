/*
 * deltaworks migrate: the statement MIGRATE on a directory of files.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: deltaworks migrate DIR [OPTIONS]\n"
    "\n"
    "Applies the files *.sql of a directory to one table, in the order of their names, each\n"
    "statement once: what was applied is recorded in the table. Running it again goes on from\n"
    "there. The same as MIGRATE (docs/schema-changes.md).\n"
    "\n"
    "  --table TABLE    the table; without it the one that the first statement names\n"
    "  --to N           forward or back to the migration of that name or number; 0: before all\n"
    "  --undo           back by one migration: the table is restored to the version before it\n"
    "  --force          when going back: also what others have written since\n"
    "  --dry-run        change nothing, list what would be done\n"
    "  --format FORMAT  table (default), vertical, csv, json, ndjson, markdown, arrow\n"
    "  --output FILE    write the rows there\n"
    "  --quiet          print no line below the rows\n";

typedef struct migrate_args {
    runner_options options;
    const char *format, *table, *to;
    bool undoes, force, is_dry_run;
} migrate_args;

static int
parse(int argc, char **argv, migrate_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--table", 0, true, false, &out->table, NULL, 0, NULL},
        {"--to", 0, true, false, &out->to, NULL, 0, NULL},
        {"--undo", 0, false, false, NULL, NULL, 0, &out->undoes},
        {"--force", 0, false, false, NULL, NULL, 0, &out->force},
        {"--dry-run", 0, false, false, NULL, NULL, 0, &out->is_dry_run},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {"--memory-limit", 0, true, false, &out->options.memory_limit, NULL, 0, NULL},
        {"--threads", 0, true, false, &out->options.threads, NULL, 0, NULL},
        {"--spill-directory", 0, true, false, &out->options.spill_directory, NULL, 0, NULL},
        {"--warehouse", 0, true, false, &out->options.warehouse, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("migrate", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    if (arguments->positional_count != 1) {
        return error_usage("migrate", "expected one directory of migrations");
    }
    if (out->undoes && out->to != NULL) {
        return error_usage("migrate", "--to and --undo both say where to go: use one of them");
    }
    return runner_take_format(&out->options, "migrate", out->format);
}

static int
migrate(const migrate_args *parsed, const char *directory)
{
    text sql = {0};
    text_append_cstr(&sql, "MIGRATE ");
    if (parsed->table != NULL) {
        text_append_cstr(&sql, "TABLE ");
        append_table(&sql, parsed->table);
    }
    text_append_cstr(&sql, " FROM ");
    text_append_quoted(&sql, directory, '\'');
    if (parsed->to != NULL) {
        text_append_cstr(&sql, " TO ");
        text_append_quoted(&sql, parsed->to, '\'');
    }
    text_append_cstr(&sql, parsed->undoes ? " UNDO" : "");
    text_append_cstr(&sql, parsed->force ? " FORCE" : "");
    text_append_cstr(&sql, parsed->is_dry_run ? " DRY RUN" : "");
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

int
verb_migrate(int argc, char **argv)
{
    migrate_args parsed = {.format = NULL};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        printf("%s%s", help, runner_options_help);
    } else if (status == EXIT_DONE) {
        status = migrate(&parsed, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}
