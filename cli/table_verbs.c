/*
 * The verbs that are one statement on one table: history, detail, compact-log, checkpoint.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct table_verb {
    const char *name;
    const char *help;
    bool takes_limit;
} table_verb;

typedef struct table_args {
    runner_options options;
    const char *format;
    const char *limit;
} table_args;

void
append_table(text *out, const char *table)
{
    text_append_cstr(out, "delta.");
    text_append_quoted(out, table, '`');
}

static int
parse(const table_verb *verb, int argc, char **argv, table_args *out, args *arguments)
{
    option_spec specs[] = {
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--limit", 'n', true, false, &out->limit, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse(verb->name, argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    status = args_expect_table(verb->name, arguments);
    if (status != EXIT_DONE) {
        return status;
    }
    if (out->limit != NULL && !verb->takes_limit) {
        return error_usage(verb->name, "unknown option --limit");
    }
    if (out->limit != NULL &&
        (out->limit[0] == '\0' || out->limit[strspn(out->limit, "0123456789")] != '\0')) {
        return error_usage(verb->name, "--limit takes a number, not %s", out->limit);
    }
    return runner_take_format(&out->options, verb->name, out->format);
}

static int
run_statement(const table_args *parsed, const char *before, const char *table)
{
    text sql = {0};
    text_append_cstr(&sql, before);
    append_table(&sql, table);
    if (parsed->limit != NULL) {
        text_printf(&sql, " LIMIT %s", parsed->limit);
    }
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

static int
run_verb(const table_verb *verb, const char *statement, int argc, char **argv)
{
    table_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(verb, argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(verb->help, stdout);
    } else if (status == EXIT_DONE) {
        status = run_statement(&parsed, statement, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}

int
verb_history(int argc, char **argv)
{
    static const table_verb verb = {
        "history",
        "Usage: deltaworks history TABLE [OPTIONS]\n"
        "\n"
        "Lists the table's versions, newest first: when, what, how many rows.\n"
        "The same as DESCRIBE HISTORY.\n"
        "\n"
        "  -n, --limit N    only the newest N\n"
        "  --format FORMAT  table (default), vertical, csv, json, ndjson, markdown, arrow\n"
        "  --output FILE    write the rows there\n",
        true};
    return run_verb(&verb, "DESCRIBE HISTORY ", argc, argv);
}

int
verb_detail(int argc, char **argv)
{
    static const table_verb verb = {
        "detail",
        "Usage: deltaworks detail TABLE [OPTIONS]\n"
        "\n"
        "Says what the table is: id, location, partitions, files, size, properties, features.\n"
        "The same as DESCRIBE DETAIL.\n"
        "\n"
        "  --format FORMAT  table (default), vertical, csv, json, ndjson, markdown, arrow\n"
        "  --output FILE    write the row there\n",
        false};
    return run_verb(&verb, "DESCRIBE DETAIL ", argc, argv);
}

int
verb_compact_log(int argc, char **argv)
{
    static const table_verb verb = {
        "compact-log",
        "Usage: deltaworks compact-log TABLE\n"
        "\n"
        "Writes what the commits behind the last checkpoint come to as one file,\n"
        "which readers take instead of them; the commits stay. The same as\n"
        "COMPACT LOG, which can take a range of versions. Writers do it by\n"
        "themselves where deltaworks.logCompactionInterval is set.\n",
        false};
    return run_verb(&verb, "COMPACT LOG ", argc, argv);
}

/* ---- Checkpoint ------------------------------------------------------------------------------ */

static int
write_checkpoint(const char *uri)
{
    dw_error err = DW_ERROR_INIT;
    dw_runtime *runtime = NULL;
    dw_table *table = NULL;
    int64_t version = -1;
    dw_status status = dw_runtime_open(NULL, &runtime, &err);
    if (status == DW_OK) {
        status = dw_table_open(runtime, uri, &table, &err);
    }
    if (status == DW_OK) {
        status = dw_table_checkpoint(table, &version, &err);
    }
    dw_table_close(table);
    dw_runtime_close(runtime);
    if (status != DW_OK) {
        return error_report(&err);
    }
    printf("wrote the checkpoint of version %" PRId64 "\n", version);
    return EXIT_DONE;
}

int
verb_checkpoint(int argc, char **argv)
{
    static const char help[] =
        "Usage: deltaworks checkpoint TABLE\n"
        "\n"
        "Writes a checkpoint of the table's newest version, so that readers\n"
        "need not replay its log. Writers do it by themselves every\n"
        "delta.checkpointInterval versions.\n";
    static const option_spec specs[] = {{NULL, 0, false, false, NULL, NULL, 0, NULL}};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = args_parse("checkpoint", argc, argv, specs, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(help, stdout);
    } else if (status == EXIT_DONE) {
        status = args_expect_table("checkpoint", &arguments);
        status = status == EXIT_DONE ? write_checkpoint(arguments.positional[0]) : status;
    }
    free(arguments.positional);
    return status;
}
