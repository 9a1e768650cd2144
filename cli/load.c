/*
 * deltaworks load: files into a table, in one commit.
 */
#include "args.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 256

static const char help[] =
    "Usage: deltaworks load TABLE FILE ... [OPTIONS]\n"
    "\n"
    "Loads Parquet, CSV or JSON files (paths or quoted globs) into a Delta table, in one\n"
    "commit. The table is made from the files' columns when there is none. A file that was\n"
    "loaded before is skipped, so that running a load again is safe.\n"
    "\n"
    "  deltaworks load /data/flights 'staging/2001-01/*.parquet' --partition-by month\n"
    "\n"
    "  --mode MODE            append (default), overwrite, error (fail when the table\n"
    "                         exists), ignore (do nothing when it exists)\n"
    "  --file-format FORMAT   parquet, csv or json (default: by the files' names)\n"
    "  --option KEY=VALUE     for the files' reader, such as header=true or delim=; (may repeat)\n"
    "  --partition-by A,B     partition columns of a table that is made\n"
    "  --property KEY=VALUE   table property of a table that is made (may repeat)\n"
    "  --merge-schema         add columns that the table lacks; they are NULL in older rows\n"
    "  --overwrite-schema     with --mode overwrite: replace the columns, too, and with\n"
    "                         --partition-by the partitions\n"
    "  --txn APP:VERSION      the whole load happens once under this id, instead of each file\n"
    "  --force                load files again that were loaded before\n"
    "  --user-metadata TEXT   stored in the commit\n"
    "  --quiet                print nothing when all went well\n";

typedef struct load_args {
    runner_options options;
    const char *mode;
    const char *file_format;
    const char *partition_by;
    const char *txn;
    const char *user_metadata;
    const char *options_given[LIST_MAX];
    const char *properties_given[LIST_MAX];
    bool force;
    bool merge_schema;
    bool overwrite_schema;
} load_args;

/* ---- Arguments to options -------------------------------------------------------------------- */

static int
parse_mode(const char *mode, dw_load_mode *out)
{
    static const char *const names[] = {"append", "overwrite", "error", "ignore"};
    static const dw_load_mode modes[] = {DW_LOAD_APPEND, DW_LOAD_OVERWRITE, DW_LOAD_ERROR,
                                         DW_LOAD_IGNORE};
    for (size_t i = 0; mode != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(mode, names[i]) == 0) {
            *out = modes[i];
            return EXIT_DONE;
        }
    }
    return mode == NULL
               ? EXIT_DONE
               : error_usage("load", "--mode is append, overwrite, error or ignore, not %s", mode);
}

static int
parse_file_format(const char *format, dw_load_format *out)
{
    static const char *const names[] = {"parquet", "csv", "json"};
    static const dw_load_format formats[] = {DW_LOAD_PARQUET, DW_LOAD_CSV, DW_LOAD_JSON};
    for (size_t i = 0; format != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(format, names[i]) == 0) {
            *out = formats[i];
            return EXIT_DONE;
        }
    }
    return format == NULL
               ? EXIT_DONE
               : error_usage("load", "--file-format is parquet, csv or json, not %s", format);
}

/* Cuts "APP:VERSION" at its last colon. `text_value` is changed. */
static int
parse_txn(char *text_value, dw_load_options *out)
{
    if (text_value == NULL) {
        return EXIT_DONE;
    }
    char *colon = strrchr(text_value, ':');
    char *end = NULL;
    errno = 0;
    long long version = colon == NULL ? -1 : strtoll(colon + 1, &end, 10);
    if (colon == NULL || colon == text_value || *end != '\0' || end == colon + 1 || version < 0 ||
        errno != 0) {
        return error_usage("load", "--txn takes APP:VERSION with a version from 0 on, not %s",
                           text_value);
    }
    *colon = '\0';
    out->txn_app_id = text_value;
    out->txn_version = version;
    return EXIT_DONE;
}

/* Cuts each "key=value" in place. */
static int
split_pairs(const char *option, char **pairs, const char **keys, const char **values)
{
    size_t count = 0;
    for (; pairs[count] != NULL; count++) {
        char *equals = strchr(pairs[count], '=');
        if (equals == NULL || equals == pairs[count]) {
            return error_usage("load", "%s takes KEY=VALUE, not %s", option, pairs[count]);
        }
        *equals = '\0';
        keys[count] = pairs[count];
        values[count] = equals + 1;
    }
    keys[count] = NULL;
    values[count] = NULL;
    return EXIT_DONE;
}

static int
parse(int argc, char **argv, load_args *out, args *arguments)
{
    option_spec specs[] = {
        {"--mode", 0, true, false, &out->mode, NULL, 0, NULL},
        {"--file-format", 0, true, false, &out->file_format, NULL, 0, NULL},
        {"--partition-by", 0, true, false, &out->partition_by, NULL, 0, NULL},
        {"--txn", 0, true, false, &out->txn, NULL, 0, NULL},
        {"--user-metadata", 0, true, false, &out->user_metadata, NULL, 0, NULL},
        {"--option", 0, true, true, NULL, out->options_given, LIST_MAX, NULL},
        {"--property", 0, true, true, NULL, out->properties_given, LIST_MAX, NULL},
        {"--merge-schema", 0, false, false, NULL, NULL, 0, &out->merge_schema},
        {"--overwrite-schema", 0, false, false, NULL, NULL, 0, &out->overwrite_schema},
        {"--force", 0, false, false, NULL, NULL, 0, &out->force},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {"--memory-limit", 0, true, false, &out->options.memory_limit, NULL, 0, NULL},
        {"--threads", 0, true, false, &out->options.threads, NULL, 0, NULL},
        {"--spill-directory", 0, true, false, &out->options.spill_directory, NULL, 0, NULL},
        {"--warehouse", 0, true, false, &out->options.warehouse, NULL, 0, NULL},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("load", argc, argv, specs, arguments);
    if (status == EXIT_DONE && !arguments->wants_help && arguments->positional_count < 2) {
        return error_usage("load", "expected a table and at least one file");
    }
    return status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static void
print_nothing_loaded(const dw_load *done, const dw_load_options *options)
{
    if (options->txn_app_id != NULL && done->files_skipped > 0) {
        printf("nothing to load: %s:%" PRId64 " or a later one was loaded before\n",
               options->txn_app_id, options->txn_version);
    } else if (done->files_skipped > 0) {
        printf("nothing to load: %" PRId64 " file%s loaded before (--force loads again)\n",
               done->files_skipped, done->files_skipped == 1 ? " was" : "s were");
    } else {
        printf("nothing to do: the table is there\n");
    }
}

static void
print_load(const dw_load *done, const dw_load_options *options, const char *table)
{
    if (done->files_loaded == 0) {
        print_nothing_loaded(done, options);
        return;
    }
    printf("%s %s: %" PRId64 " row%s from %" PRId64 " file%s as version %" PRId64,
           done->created ? "created" : "loaded", table, done->commit.rows_added,
           done->commit.rows_added == 1 ? "" : "s", done->files_loaded,
           done->files_loaded == 1 ? "" : "s", done->commit.version);
    if (done->files_skipped > 0) {
        printf(", skipped %" PRId64 " loaded before", done->files_skipped);
    }
    printf("\n");
}

static int
run_load(const load_args *parsed, const dw_load_options *options, const char **positional)
{
    runner r;
    int status = runner_open(&r, &parsed->options);
    if (status == EXIT_DONE) {
        dw_load done;
        dw_error err = DW_ERROR_INIT;
        runner_begin(&r);
        dw_status loaded =
            dw_session_load(r.session, positional[0], positional + 1, options, &done, &err);
        runner_end(&r);
        if (loaded != DW_OK) {
            status = error_report(&err);
        } else if (!parsed->options.is_quiet) {
            print_load(&done, options, positional[0]);
        }
    }
    return runner_close(&r, status);
}

/* The command line's own strings may be cut up: they belong to the program. */
static char *
writable(const char *argument)
{
    return (char *) (uintptr_t) argument;
}

static int
load(const load_args *parsed, const char **positional)
{
    const char *partition_columns[LIST_MAX] = {NULL};
    const char *option_keys[LIST_MAX];
    const char *option_values[LIST_MAX];
    const char *property_keys[LIST_MAX];
    const char *property_values[LIST_MAX];
    dw_load_options options = DW_LOAD_OPTIONS_INIT;
    options.force = parsed->force;
    options.merge_schema = parsed->merge_schema;
    options.overwrite_schema = parsed->overwrite_schema;
    options.user_metadata = parsed->user_metadata;
    options.option_keys = option_keys;
    options.option_values = option_values;
    options.property_keys = property_keys;
    options.property_values = property_values;
    if (parsed->partition_by != NULL) {
        args_split(writable(parsed->partition_by), partition_columns, LIST_MAX);
        options.partition_columns = partition_columns;
    }
    int status = parse_mode(parsed->mode, &options.mode);
    if (status == EXIT_DONE) {
        status = parse_file_format(parsed->file_format, &options.format);
    }
    if (status == EXIT_DONE) {
        status = parse_txn(writable(parsed->txn), &options);
    }
    if (status == EXIT_DONE) {
        status = split_pairs("--option", (char **) (uintptr_t) parsed->options_given, option_keys,
                             option_values);
    }
    if (status == EXIT_DONE) {
        status = split_pairs("--property", (char **) (uintptr_t) parsed->properties_given,
                             property_keys, property_values);
    }
    return status == EXIT_DONE ? run_load(parsed, &options, positional) : status;
}

int
verb_load(int argc, char **argv)
{
    load_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        printf("%s%s", help, runner_options_help);
    } else if (status == EXIT_DONE) {
        status = load(&parsed, arguments.positional);
    }
    free(arguments.positional);
    return status;
}
