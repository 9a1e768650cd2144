/*
 * Running statements one after the other.
 */
#include "runner.h"

#include "audit_options.h"
#include "error.h"
#include "interrupt.h"
#include "progress.h"
#include "state.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char runner_options_help[] =
    "  --memory-limit SIZE    for queries and loads, such as 2GB; beyond it they spill\n"
    "  --threads N            how many the engine uses (default: one per core)\n"
    "  --spill-directory DIR  where it spills\n"
    "  --warehouse DIR        where tables without a path live (default: $DELTAWORKS_WAREHOUSE,\n"
    "                         or the current directory)\n";

/* ---- Opening --------------------------------------------------------------------------------- */

/* "512MB", "4GB", "1000": decimal units as the engine has them, or KiB, MiB, GiB. */
static bool
parse_size(const char *text_value, uint64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {{"", 1},          {"KB", 1000},          {"MB", 1000000},  {"GB", 1000000000},
                 {"KiB", 1 << 10}, {"MiB", 1 << 20},      {"GiB", 1 << 30}, {"TB", 1000000000000},
                 {"B", 1},         {"TiB", 1099511627776}};
    char *end = NULL;
    errno = 0;
    double number = strtod(text_value, &end);
    if (end == text_value || number <= 0 || errno != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(end, units[i].unit) == 0) {
            *out = (uint64_t) (number * (double) units[i].factor);
            return true;
        }
    }
    return false;
}

static int
fill_options(const runner_options *options, dw_runtime_options *out)
{
    if (options->memory_limit != NULL &&
        !parse_size(options->memory_limit, &out->memory_limit_bytes)) {
        return error_usage(NULL, "--memory-limit takes a size such as 2GB, not %s",
                           options->memory_limit);
    }
    if (options->threads != NULL) {
        char *end = NULL;
        unsigned long count = strtoul(options->threads, &end, 10);
        if (*end != '\0' || count == 0 || count > 1024) {
            return error_usage(NULL, "--threads takes a number from 1 to 1024, not %s",
                               options->threads);
        }
        out->thread_count = (uint32_t) count;
    }
    out->spill_directory = options->spill_directory;
    out->warehouse =
        options->warehouse != NULL ? options->warehouse : getenv("DELTAWORKS_WAREHOUSE");
    return EXIT_DONE;
}

/* What is there is replaced only when there is something to write. */
static FILE *
open_file(runner *r)
{
    r->is_new_output = access(r->options.output, F_OK) != 0;
    int fd = open(r->options.output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    return fd < 0 ? NULL : fdopen(fd, "wb");
}

static int
open_output(runner *r)
{
    bool by_engine = r->options.format == FORMAT_PARQUET;
    if (by_engine && r->options.output == NULL) {
        return error_usage("sql", "--format parquet needs --output FILE");
    }
    r->file = stdout;
    if (r->options.output != NULL) {
        r->file = open_file(r);
    }
    if (r->file != NULL && by_engine) { /* the engine opens it again; now it is known that it can */
        fclose(r->file);
        r->file = stdout;
    }
    if (r->file == NULL) {
        fprintf(stderr, "deltaworks: cannot write %s: %s [OUTPUT_FAILED]\n", r->options.output,
                strerror(errno));
        return EXIT_STORAGE;
    }
    return EXIT_DONE;
}

int
runner_take_format(runner_options *options, const char *verb, const char *format)
{
    if (format != NULL && !format_parse(format, &options->format)) {
        return error_usage(verb, "there is no format %s", format);
    }
    if (options->format == FORMAT_PARQUET) {
        return error_usage(verb, "--format parquet is for queries: use deltaworks sql");
    }
    return EXIT_DONE;
}

int
runner_open_output(runner *r, const runner_options *options)
{
    *r = (runner){.options = *options};
    return open_output(r);
}

int
runner_open(runner *r, const runner_options *options)
{
    *r = (runner){.options = *options};
    dw_runtime_options runtime = DW_RUNTIME_OPTIONS_INIT;
    dw_audit_options audit;
    int status = fill_options(options, &runtime);
    if (status == EXIT_DONE) {
        status = audit_options_read(&audit);
        runtime.audit = audit.path != NULL ? &audit : NULL;
    }
    if (status == EXIT_DONE) {
        status = open_output(r);
    }
    if (status != EXIT_DONE) {
        return status;
    }
    dw_error err = DW_ERROR_INIT;
    char *state = state_directory(false);
    runtime.state_directory = state;
    if (dw_runtime_open(&runtime, &r->runtime, &err) != DW_OK ||
        dw_session_open(r->runtime, &r->session, &err) != DW_OK) {
        status = error_report(&err);
    }
    free(state);
    return status;
}

int
runner_check_ended(const runner *r)
{
    if (!dw_session_in_transaction(r->session)) {
        return EXIT_DONE;
    }
    fprintf(stderr, "deltaworks: the transaction was begun and never committed: it is rolled back; "
                    "end it with COMMIT [TRANSACTION_OPEN]\n");
    return EXIT_FAILED;
}

/* Takes away what is there of an older output, or what a failure has begun. */
static void
cut_output(const runner *r, int status)
{
    struct stat found;
    if (r->options.output == NULL) {
        return;
    }
    bool is_empty = r->file == NULL || r->file == stdout || ftello(r->file) <= 0;
    bool is_regular = stat(r->options.output, &found) == 0 && S_ISREG(found.st_mode);
    if (status != EXIT_DONE && is_empty && r->is_new_output && is_regular && found.st_size == 0) {
        (void) unlink(r->options.output);
    } else if ((status == EXIT_DONE || !is_empty) && r->file != NULL && r->file != stdout) {
        (void) !ftruncate(fileno(r->file), ftello(r->file)); /* which a pipe refuses */
    }
}

int
runner_close(runner *r, int status)
{
    dw_session_close(r->session);
    dw_runtime_close(r->runtime);
    bool is_file = r->file != NULL && r->file != stdout;
    bool failed = r->file != NULL && (fflush(r->file) != 0 || ferror(r->file) != 0);
    int errnum = errno;
    cut_output(r, failed ? EXIT_STORAGE : status);
    if (is_file && fclose(r->file) != 0) {
        failed = true;
        errnum = errno;
    }
    if (status != EXIT_DONE || !failed) {
        return status;
    }
    if (errnum == EPIPE) {
        return EXIT_UNREAD;
    }
    fprintf(stderr, "deltaworks: writing the output failed: %s [OUTPUT_FAILED]\n",
            strerror(errnum));
    return EXIT_STORAGE;
}

void
runner_begin(runner *r)
{
    interrupt_watch(r->session);
    progress_start(r->session);
}

void
runner_end(runner *r)
{
    (void) r;
    progress_stop();
    interrupt_unwatch();
}

/* ---- Running --------------------------------------------------------------------------------- */

static double
now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* The statement's own text without the white space around it and its semicolon. */
static void
trim(const char *sql, size_t *start, size_t *len)
{
    while (*len > 0 && strchr(" \t\r\n", sql[*start]) != NULL) {
        ++*start;
        --*len;
    }
    while (*len > 0 && strchr(" \t\r\n;", sql[*start + *len - 1]) != NULL) {
        --*len;
    }
}

/* "31,033" */
static void
append_count(text *out, int64_t count)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, count);
    for (int i = 0; i < len; i++) {
        text_append_cstr(out, i > 0 && (len - i) % 3 == 0 ? "," : "");
        text_append_char(out, digits[i]);
    }
}

static bool
is_for_people(const runner *r)
{
    return r->options.format == FORMAT_TABLE || r->options.format == FORMAT_VERTICAL;
}

/* Where a statement says in a line what its rows say in figures, people read the line. */
static bool
shows_rows(const runner *r, const dw_result *result)
{
    return dw_result_has_rows(result) &&
           (r->options.format != FORMAT_TABLE || dw_result_message(result)[0] == '\0');
}

static void
print_footer(runner *r, const dw_result *result, const format_count *count, double seconds)
{
    if (!is_for_people(r) || r->options.is_quiet) {
        return;
    }
    text line = {0};
    const char *message = dw_result_message(result);
    if (shows_rows(r, result)) {
        text_append_cstr(&line, count->has_more ? "(the first " : "(");
        append_count(&line, count->rows);
        text_append_cstr(&line, count->rows == 1 ? " row" : " rows");
        text_append_cstr(&line, count->has_more ? "; .rows all shows every one" : "");
    } else {
        text_append_cstr(&line, message[0] == '\0' ? "done" : message);
    }
    if (r->options.with_time) {
        text_printf(&line, ", %.3f s", seconds);
    }
    fprintf(r->file, "%s%s\n", text_cstr(&line), shows_rows(r, result) ? ")" : "");
    fflush(r->file);
    text_free(&line);
}

static dw_status
print_result(runner *r, dw_result *result, double started, dw_error *err)
{
    format_count count = {0};
    if (shows_rows(r, result)) {
        struct ArrowArrayStream rows;
        dw_status status = dw_result_stream(result, &rows, err);
        if (status == DW_OK) {
            status =
                format_print(r->options.format, r->options.rows_max, &rows, r->file, &count, err);
        }
        if (status != DW_OK) {
            return status;
        }
    }
    print_footer(r, result, &count, now_seconds() - started);
    return DW_OK;
}

static bool
starts_with_word(const char *sql, const char *word)
{
    return strncasecmp(sql, word, strlen(word)) == 0;
}

/* Rows as Parquet are written by the engine itself: a query becomes COPY (query) TO file. */
static char *
wrap_for_parquet(const runner *r, const char *sql, size_t start, size_t len)
{
    static const char *const queries[] = {"select", "with", "from", "values", "("};
    bool is_query = false;
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        is_query = is_query || starts_with_word(sql + start, queries[i]);
    }
    if (r->options.format != FORMAT_PARQUET || !is_query) {
        return NULL;
    }
    text out = {0};
    text_append_cstr(&out, "COPY (");
    text_append(&out, sql + start, len);
    text_append_cstr(&out, "\n) TO ");
    text_append_quoted(&out, r->options.output, '\'');
    text_append_cstr(&out, " (FORMAT parquet, COMPRESSION zstd)");
    return out.ptr;
}

static int
run_one(runner *r, const char *sql, size_t len)
{
    size_t start = 0;
    trim(sql, &start, &len);
    if (r->options.echoes && len > 0) {
        fprintf(r->file, "\n> %.*s;\n", (int) len, sql + start);
        fflush(r->file);
    }
    char *wrapped = wrap_for_parquet(r, sql, start, len);
    char *statement = wrapped != NULL ? wrapped : memory_dup(sql + start, len);
    double started = now_seconds();
    dw_error err = DW_ERROR_INIT;
    dw_result *result = NULL;
    runner_begin(r);
    dw_status status = dw_session_execute(r->session, statement, NULL, &result, &err);
    if (status == DW_OK && result != NULL) {
        status = print_result(r, result, started, &err);
    }
    runner_end(r);
    bool is_compatible = result == NULL || dw_result_incompatible_count(result) <= 0;
    dw_result_free(result);
    free(statement);
    if (status != DW_OK) {
        return error_report(&err);
    }
    return is_compatible ? EXIT_DONE : EXIT_INCOMPATIBLE;
}

int
runner_run(runner *r, const char *sql)
{
    while (*sql != '\0') {
        size_t len = dw_sql_statement_length(sql);
        if (len == 0) {
            len = strlen(sql); /* the last one may lack its semicolon */
        }
        int status = run_one(r, sql, len);
        if (status != EXIT_DONE) {
            return status;
        }
        sql += len;
    }
    return EXIT_DONE;
}

int
runner_run_once(const runner_options *options, const char *sql)
{
    runner r;
    int status = runner_open(&r, options);
    if (status == EXIT_DONE) {
        status = runner_run(&r, sql);
    }
    return runner_close(&r, status);
}
