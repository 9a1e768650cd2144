/*
 * deltaworks lineage: the statement SHOW LINEAGE on one table, its text as it is.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: deltaworks lineage TABLE [OPTIONS]\n"
    "\n"
    "Shows what a table was made of, as the commits say (docs/lineage.md). The same as\n"
    "SHOW LINEAGE.\n"
    "\n"
    "  --column NAME    of this column only\n"
    "  --downstream     what was made of it instead, among the tables beside it\n"
    "  --in DIR         among those below DIR\n"
    "  --format FORMAT  tree (default), json, dot, svg\n"
    "  --output FILE    write it there\n";

typedef struct lineage_args {
    runner_options options;
    const char *format, *column, *folder;
    bool is_downstream;
} lineage_args;

static bool
is_format(const char *word)
{
    static const char *const formats[] = {"tree", "json", "dot", "svg"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(word, formats[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int
parse(int argc, char **argv, lineage_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--column", 0, true, false, &out->column, NULL, 0, NULL},
        {"--downstream", 0, false, false, NULL, NULL, 0, &out->is_downstream},
        {"--in", 0, true, false, &out->folder, NULL, 0, NULL},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("lineage", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    status = args_expect_table("lineage", arguments);
    if (status == EXIT_DONE && out->format != NULL && !is_format(out->format)) {
        return error_usage("lineage", "--format is tree, json, dot or svg, not %s", out->format);
    }
    return status;
}

/* The text between two of the quotes, which are doubled in it. */
static void
append_quoted(text *out, const char *value, char quote)
{
    text_append_char(out, quote);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == quote) {
            text_append_char(out, quote);
        }
        text_append_char(out, *c);
    }
    text_append_char(out, quote);
}

static int
run(lineage_args *parsed, const char *table)
{
    text sql = {0};
    text_append_cstr(&sql, "SHOW LINEAGE ");
    append_table(&sql, table);
    text_append_cstr(&sql, parsed->is_downstream ? " DOWNSTREAM" : " UPSTREAM");
    if (parsed->column != NULL) {
        text_append_cstr(&sql, " COLUMN ");
        append_quoted(&sql, parsed->column, '`');
    }
    if (parsed->folder != NULL) {
        text_append_cstr(&sql, " IN ");
        append_quoted(&sql, parsed->folder, '\'');
    }
    text_append_cstr(&sql, " FORMAT ");
    text_append_cstr(&sql, parsed->format == NULL ? "tree" : parsed->format);
    parsed->options.format = FORMAT_TEXT;
    int status = runner_run_once(&parsed->options, text_cstr(&sql));
    text_free(&sql);
    return status;
}

int
verb_lineage(int argc, char **argv)
{
    lineage_args parsed = {.format = NULL};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(help, stdout);
    } else if (status == EXIT_DONE) {
        status = run(&parsed, arguments.positional[0]);
    }
    free(arguments.positional);
    return status;
}
