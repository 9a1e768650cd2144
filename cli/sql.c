/*
 * deltaworks sql: statements from the command line, from files, from a pipe, or typed.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQL_FILE_BYTES_MAX ((size_t) 256 << 20)

static const char help[] =
    "Usage: deltaworks sql [-c STATEMENTS | FILE ...] [OPTIONS]\n"
    "\n"
    "Runs SQL statements, one after the other, and stops at the first that fails. Queries are\n"
    "DuckDB's SQL, table statements are those of Delta on Spark. FILE - is the standard input.\n"
    "Without statements and files it is an interactive shell.\n"
    "\n"
    "  deltaworks sql -c 'SELECT count(*) FROM delta.`/data/flights`'\n"
    "  deltaworks sql -c 'SELECT * FROM delta.`/data/flights` VERSION AS OF 3' --format csv\n"
    "\n"
    "  -c, --command STATEMENTS  the statements\n"
    "  --format FORMAT        table (default), vertical, csv, json, ndjson, markdown, parquet,\n"
    "                         arrow, text (the first column as it is)\n"
    "  --output FILE          write the rows there instead of the standard output\n"
    "  --time                 say how long each statement took\n"
    "  --echo                 print each statement before it runs\n"
    "  --quiet                print rows only\n";

typedef struct sql_args {
    runner_options options;
    const char *command;
    const char *format;
} sql_args;

bool
sql_file_read(const char *path, text *out)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rbe");
    if (file == NULL) {
        fprintf(stderr, "deltaworks: cannot read %s: %s [FILE_NOT_FOUND]\n", path, strerror(errno));
        return false;
    }
    char buf[1 << 16];
    size_t got;
    while ((got = fread(buf, 1, sizeof(buf), file)) > 0 && out->len < SQL_FILE_BYTES_MAX) {
        text_append(out, buf, got);
    }
    bool failed = ferror(file) != 0;
    bool too_large = out->len >= SQL_FILE_BYTES_MAX;
    if (!is_stdin) {
        fclose(file);
    }
    if (failed || too_large) {
        fprintf(stderr, "deltaworks: cannot read %s: %s\n", path,
                too_large ? "it is larger than 256 MiB [SIZE_LIMIT]" : strerror(errno));
        return false;
    }
    return true;
}

static int
run_files(runner *r, const char **files)
{
    int status = EXIT_DONE;
    for (size_t i = 0; files[i] != NULL && status == EXIT_DONE; i++) {
        text sql = {0};
        status = sql_file_read(files[i], &sql) ? runner_run(r, text_cstr(&sql)) : EXIT_FAILED;
        text_free(&sql);
    }
    return status;
}

static int
run(runner *r, const char *command, const args *arguments)
{
    static const char *from_stdin[] = {"-", NULL};
    if (command != NULL) {
        return runner_run(r, command);
    }
    if (arguments->positional_count > 0) {
        return run_files(r, arguments->positional);
    }
    return isatty(STDIN_FILENO) != 0 ? shell_run(r) : run_files(r, from_stdin);
}

static int
parse(int argc, char **argv, sql_args *out, args *arguments)
{
    option_spec specs[] = {
        {"--command", 'c', true, false, &out->command, NULL, 0, NULL},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--memory-limit", 0, true, false, &out->options.memory_limit, NULL, 0, NULL},
        {"--threads", 0, true, false, &out->options.threads, NULL, 0, NULL},
        {"--spill-directory", 0, true, false, &out->options.spill_directory, NULL, 0, NULL},
        {"--warehouse", 0, true, false, &out->options.warehouse, NULL, 0, NULL},
        {"--time", 0, false, false, NULL, NULL, 0, &out->options.with_time},
        {"--echo", 0, false, false, NULL, NULL, 0, &out->options.echoes},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("sql", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    if (out->format != NULL && !format_parse(out->format, &out->options.format)) {
        return error_usage("sql", "there is no format %s", out->format);
    }
    if (out->command != NULL && arguments->positional_count > 0) {
        return error_usage("sql", "give either -c STATEMENTS or files, not both");
    }
    return EXIT_DONE;
}

int
verb_sql(int argc, char **argv)
{
    sql_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        printf("%s%s", help, runner_options_help);
    } else if (status == EXIT_DONE) {
        runner r;
        status = runner_open(&r, &parsed.options);
        if (status == EXIT_DONE) {
            status = run(&r, parsed.command, &arguments);
        }
        if (status == EXIT_DONE) {
            status = runner_check_ended(&r);
        }
        status = runner_close(&r, status);
    }
    free(arguments.positional);
    return status;
}
