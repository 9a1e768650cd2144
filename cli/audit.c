/*
 * deltaworks audit: is the audit log what its writers left, and what is in it?
 */
#include "args.h"
#include "audit_options.h"
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHOWN_DEFAULT 50

static const char help[] =
    "Usage: deltaworks audit verify [FILE] [OPTIONS]\n"
    "       deltaworks audit show   [FILE] [OPTIONS]\n"
    "       deltaworks audit export [FILE] [OPTIONS]\n"
    "\n"
    "FILE is the audit log (default: $DELTAWORKS_AUDIT). verify finds edits, gaps and a cut end,\n"
    "says which record, and ends with status 5 when there are any; its last line has the anchor\n"
    "to keep elsewhere. show prints records as a table, export as the lines of JSON that they\n"
    "are. docs/audit.md says what is recorded, and what can be found.\n"
    "\n"
    "  --key-file FILE      verify: the key that records are signed with\n"
    "                       (default: $DELTAWORKS_AUDIT_KEY_FILE)\n"
    "  --anchor N:HASH      verify: record N had this hash, as an earlier verify said\n"
    "  --since, --until TIME  from this time on, before that time; 2024-05-01 or\n"
    "                       2024-05-01T12:30:00, in UTC\n"
    "  --table TABLE        a path, the end of one, or a table's id\n"
    "  --user NAME          of the system (or its number), or as sessions call themselves\n"
    "  -n, --limit N        the newest N (show: 50 unless told otherwise)\n"
    "  --format FORMAT      verify, show: table (default), csv, json, ndjson, markdown, arrow\n"
    "  --output FILE        write there\n"
    "  --quiet              verify: print nothing when nothing was found\n";

typedef struct audit_args {
    runner_options options;
    const char *format, *key_file, *anchor, *since, *until, *table, *user, *limit;
    const char *what; /* verify, show or export */
    const char *path;
} audit_args;

/* ---- Arguments ------------------------------------------------------------------------------- */

/* A day, or a time of it. */
static bool
parse_time(const char *given, int64_t *out)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
                                          "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm parts = {0};
        const char *end = strptime(given, formats[i], &parts);
        if (end != NULL && (*end == '\0' || strcmp(end, "Z") == 0)) {
            *out = (int64_t) timegm(&parts) * 1000000;
            return true;
        }
    }
    return false;
}

static int
take_time(const char *given, int64_t *out)
{
    return given == NULL || parse_time(given, out)
               ? EXIT_DONE
               : error_usage("audit", "a time is 2024-05-01 or 2024-05-01T12:30:00, not %s", given);
}

static int
fill_filter(const audit_args *parsed, dw_audit_filter *out)
{
    *out = (dw_audit_filter) DW_AUDIT_FILTER_INIT;
    out->table = parsed->table;
    out->user = parsed->user;
    int status = take_time(parsed->since, &out->since_us);
    status = status == EXIT_DONE ? take_time(parsed->until, &out->until_us) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    out->limit = strcmp(parsed->what, "show") == 0 ? SHOWN_DEFAULT : 0;
    if (parsed->limit != NULL) {
        char *end = NULL;
        errno = 0;
        out->limit = strtoll(parsed->limit, &end, 10);
        if (errno != 0 || *end != '\0' || out->limit < 1) {
            return error_usage("audit", "--limit takes a number from 1 on, not %s", parsed->limit);
        }
    }
    return EXIT_DONE;
}

/* "17:0f3a..." */
static int
fill_anchor(const audit_args *parsed, dw_audit_check_options *out)
{
    const char *key_file = getenv("DELTAWORKS_AUDIT_KEY_FILE");
    out->key_file = parsed->key_file != NULL                  ? parsed->key_file
                    : key_file == NULL || key_file[0] == '\0' ? NULL
                                                              : key_file;
    if (parsed->anchor == NULL) {
        return EXIT_DONE;
    }
    char *end = NULL;
    errno = 0;
    out->anchor_count = strtoll(parsed->anchor, &end, 10);
    if (errno != 0 || out->anchor_count < 1 || *end != ':') {
        return error_usage("audit", "--anchor takes N:HASH, not %s", parsed->anchor);
    }
    out->anchor_hash = end + 1;
    return EXIT_DONE;
}

static int
check_use(const audit_args *parsed)
{
    bool verifies = strcmp(parsed->what, "verify") == 0;
    bool exports = strcmp(parsed->what, "export") == 0;
    if (!verifies && !exports && strcmp(parsed->what, "show") != 0) {
        return error_usage("audit", "expected verify, show or export, found %s", parsed->what);
    }
    if (parsed->path == NULL) {
        return error_usage("audit", "give the file of the log, or set DELTAWORKS_AUDIT");
    }
    if (verifies && (parsed->since != NULL || parsed->until != NULL || parsed->table != NULL ||
                     parsed->user != NULL || parsed->limit != NULL)) {
        return error_usage("audit", "verify looks at the whole log: --since, --until, --table, "
                                    "--user and --limit go with show and export");
    }
    if (!verifies && (parsed->key_file != NULL || parsed->anchor != NULL)) {
        return error_usage("audit", "--key-file and --anchor go with verify");
    }
    if (exports && parsed->format != NULL) {
        return error_usage("audit", "an export has the lines as they are: show has formats");
    }
    return EXIT_DONE;
}

static int
parse(int argc, char **argv, audit_args *out, args *arguments)
{
    const option_spec specs[] = {
        {"--key-file", 0, true, false, &out->key_file, NULL, 0, NULL},
        {"--anchor", 0, true, false, &out->anchor, NULL, 0, NULL},
        {"--since", 0, true, false, &out->since, NULL, 0, NULL},
        {"--until", 0, true, false, &out->until, NULL, 0, NULL},
        {"--table", 0, true, false, &out->table, NULL, 0, NULL},
        {"--user", 0, true, false, &out->user, NULL, 0, NULL},
        {"--limit", 'n', true, false, &out->limit, NULL, 0, NULL},
        {"--format", 0, true, false, &out->format, NULL, 0, NULL},
        {"--output", 'o', true, false, &out->options.output, NULL, 0, NULL},
        {"--quiet", 'q', false, false, NULL, NULL, 0, &out->options.is_quiet},
        {NULL, 0, false, false, NULL, NULL, 0, NULL},
    };
    int status = args_parse("audit", argc, argv, specs, arguments);
    if (status != EXIT_DONE || arguments->wants_help) {
        return status;
    }
    if (arguments->positional_count < 1 || arguments->positional_count > 2) {
        return error_usage("audit", "expected verify, show or export, and at most one file");
    }
    out->what = arguments->positional[0];
    out->path = arguments->positional_count > 1 ? arguments->positional[1] : audit_path();
    status = check_use(out);
    return status == EXIT_DONE ? runner_take_format(&out->options, "audit", out->format) : status;
}

/* ---- What it does ---------------------------------------------------------------------------- */

static void
print_count(const runner *r, int64_t count, const char *noun, const char *behind)
{
    fprintf(r->file, "%" PRId64 " %s%s%s", count, noun, count == 1 ? "" : "s", behind);
}

static void
print_verdict(const runner *r, const dw_audit_report *report)
{
    print_count(r, report->record_count, "record", ", ");
    print_count(r, report->error_count, "error", ", ");
    print_count(r, report->note_count, "note", "; ");
    fprintf(r->file, "anchor %" PRId64 ":%s\n", report->record_count, report->last_hash);
}

static int
verify(runner *r, const audit_args *parsed)
{
    dw_audit_check_options options = DW_AUDIT_CHECK_OPTIONS_INIT;
    dw_audit_report report;
    dw_error err = DW_ERROR_INIT;
    struct ArrowArrayStream rows;
    format_count printed;
    int status = fill_anchor(parsed, &options);
    if (status != EXIT_DONE) {
        return status;
    }
    if (dw_audit_verify(parsed->path, &options, &rows, &report, &err) != DW_OK) {
        return error_report(&err);
    }
    bool is_table = r->options.format == FORMAT_TABLE || r->options.format == FORMAT_VERTICAL;
    if (is_table && report.error_count + report.note_count == 0) {
        rows.release(&rows);
    } else if (format_print(r->options.format, 0, &rows, r->file, &printed, &err) != DW_OK) {
        return error_report(&err);
    }
    if (is_table && (report.error_count > 0 || !r->options.is_quiet)) {
        print_verdict(r, &report);
    }
    return report.error_count > 0 ? EXIT_DAMAGED : EXIT_DONE;
}

static int
show(runner *r, const audit_args *parsed)
{
    dw_audit_filter filter;
    dw_error err = DW_ERROR_INIT;
    struct ArrowArrayStream rows;
    format_count printed;
    int status = fill_filter(parsed, &filter);
    if (status != EXIT_DONE) {
        return status;
    }
    if (dw_audit_records(parsed->path, &filter, &rows, &err) != DW_OK ||
        format_print(r->options.format, 0, &rows, r->file, &printed, &err) != DW_OK) {
        return error_report(&err);
    }
    return EXIT_DONE;
}

static int
write_line(void *ctx, const char *line, size_t len)
{
    return fwrite(line, 1, len, (FILE *) ctx) == len ? 0 : -1;
}

static int
export_lines(runner *r, const audit_args *parsed)
{
    dw_audit_filter filter;
    dw_error err = DW_ERROR_INIT;
    int status = fill_filter(parsed, &filter);
    if (status != EXIT_DONE) {
        return status;
    }
    dw_status done = dw_audit_export(parsed->path, &filter, write_line, r->file, &err);
    if (done == DW_CANCELLED) {
        (void) format_output_error(&err);
    }
    return done == DW_OK ? EXIT_DONE : error_report(&err);
}

static int
run(const audit_args *parsed)
{
    runner r;
    int status = runner_open_output(&r, &parsed->options);
    if (status == EXIT_DONE && strcmp(parsed->what, "verify") == 0) {
        status = verify(&r, parsed);
    } else if (status == EXIT_DONE && strcmp(parsed->what, "show") == 0) {
        status = show(&r, parsed);
    } else if (status == EXIT_DONE) {
        status = export_lines(&r, parsed);
    }
    return runner_close(&r, status);
}

int
verb_audit(int argc, char **argv)
{
    audit_args parsed = {0};
    args arguments = {.positional = memory_resize(NULL, ((size_t) argc + 1) * sizeof(char *))};
    int status = parse(argc, argv, &parsed, &arguments);
    if (status == EXIT_DONE && arguments.wants_help) {
        fputs(help, stdout);
    } else if (status == EXIT_DONE) {
        status = run(&parsed);
    }
    free(arguments.positional);
    return status;
}
