/*
 * deltaworks check-schema: the statement CHECK COMPATIBILITY, for pipelines.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char help[] =
    "Usage: deltaworks check-schema SCHEMA TABLE [OPTIONS]\n"
    "\n"
    "Tells what would break if the table had that schema, column by column, and ends with\n"
    "status 7 when something would. SCHEMA is a Parquet, CSV or JSON file, a file with the JSON\n"
    "text of a schema, or a table, also at a version: /data/flights@v3. The same as\n"
    "CHECK COMPATIBILITY OF SCHEMA ... WITH ... MODE ... (docs/schema-changes.md).\n"
    "\n"
    "  --mode MODE      backward (readers with the new schema read the data of the table),\n"
    "                   forward (readers of the table read data of the new schema),\n"
    "                   full (both, the default)\n"
    "  --format FORMAT  table (default), vertical, csv, json, ndjson, markdown, arrow\n"
    "  --output FILE    write the rows there\n"
    "  --quiet          print no line below the rows\n";

typedef struct check_args {
    runner_options options;
    const char *format, *mode;
} check_args;

static int
parse(int argc, char **argv, check_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--mode", 0, true, false, &out->mode, NULL, 0, NULL},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {"--warehouse", 0, true, false, &out->options.warehouse, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("check-schema", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    if (arguments->positional_count != 2) {
        return error_usage("check-schema", "expected a schema and a table");
    }
    if (out->mode == NULL) {
        out->mode = "full";
    }
    if (strcasecmp(out->mode, "backward") != 0 && strcasecmp(out->mode, "forward") != 0 &&
        strcasecmp(out->mode, "full") != 0) {
        return error_usage("check-schema", "--mode is backward, forward or full, not %s",
                           out->mode);
    }
    return runner_take_format(&out->options, "check-schema", out->format);
}

/* A directory is a table, which may be followed by a version: "@v3". */
static bool
is_table(const char *schema)
{
    struct stat found;
    const char *at = strrchr(schema, '@');
    size_t len = at == NULL ? strlen(schema) : (size_t) (at - schema);
    text path = {0};
    text_append(&path, schema, len);
    bool is_directory = (stat(text_cstr(&path), &found) == 0 && S_ISDIR(found.st_mode)) ||
                        (stat(schema, &found) == 0 && S_ISDIR(found.st_mode)) ||
                        strncmp(schema, "file:", strlen("file:")) == 0;
    text_free(&path);
    return is_directory;
}

static int
check(const check_args *parsed, const char *schema, const char *table)
{
    text sql = {0};
    text_append_cstr(&sql, "CHECK COMPATIBILITY OF SCHEMA ");
    if (is_table(schema)) {
        append_table(&sql, schema);
    } else {
        text_append_quoted(&sql, schema, '\'');
    }
    text_append_cstr(&sql, " WITH ");
    append_table(&sql, table);
    text_printf(&sql, " MODE %s", parsed->mode);
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

int
verb_check_schema(int argc, char **argv)
{
    check_args parsed = {.format = NULL};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(help, stdout);
    } else if (status == EXIT_DONE) {
        status = check(&parsed, arguments.positional[0], arguments.positional[1]);
    }
    free(arguments.positional);
    return status;
}
