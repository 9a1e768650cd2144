/*
 * Goes through all lines once and holds them against the chain, the head, the key and the anchor.
 * [VERIFY-1,2]
 */
#include "audit/verify.h"

#include "audit/head.h"
#include "audit/lines.h"
#include "base/assert.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_SIZE 512

typedef struct verifier {
    const dw_env *env;
    const dw_audit_verify_spec *spec;
    dw_str key; /* null string: none */
    dw_json_parser parser;
    dw_rows *rows;
    dw_audit_verdict *verdict;
    dw_audit_mark last; /* the last record that is one */
    bool has_any;
    bool met_mac, met_anchor;
    /* The newest file and the head as they were at one moment. */
    dw_audit_head head;
    dw_audit_head_state head_state;
    bool met_head;
    dw_local_file newest;
    int64_t newest_size;
    /* Where we are. */
    char path[DW_LOCAL_PATH_SIZE];
    int64_t line;
    /* Lines that are no records, since the last one that is. */
    dw_sha256 odd;
    int64_t odd_bytes, odd_lines, odd_line;
    bool odd_ends; /* the last of them ends with a line end */
} verifier;

/* ---- Findings -------------------------------------------------------------------------------- */

static void
put_cells(verifier *v, bool is_error, const char *code, int64_t record, int64_t line,
          const char *message)
{
    dw__rows_put_str(v->rows, is_error ? DW_STR("error") : DW_STR("note"));
    dw__rows_put_str(v->rows, dw__str_from(code));
    if (record > 0) {
        dw__rows_put_i64(v->rows, record);
    } else {
        dw__rows_put_null(v->rows);
    }
    dw__rows_put_str(v->rows, dw__str_from(v->path));
    if (line > 0) {
        dw__rows_put_i64(v->rows, line);
    } else {
        dw__rows_put_null(v->rows);
    }
    dw__rows_put_str(v->rows, dw__str_from(message));
}

DW_PRINTF(6, 7)
static void
find(verifier *v, bool is_error, const char *code, int64_t record, int64_t line, const char *fmt,
     ...)
{
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    if (is_error) {
        v->verdict->error_count++;
    } else {
        v->verdict->note_count++;
    }
    if (v->verdict->error_count + v->verdict->note_count <= DW_AUDIT_FINDINGS_MAX) {
        put_cells(v, is_error, code, record, line, message);
    }
}

/* ---- Lines that are no records --------------------------------------------------------------- */

static void
clear_odd(verifier *v)
{
    dw__sha256_init(&v->odd);
    v->odd_bytes = 0;
    v->odd_lines = 0;
    v->odd_ends = false;
}

static void
add_odd(verifier *v, dw_str bytes)
{
    if (v->odd_bytes == 0) {
        v->odd_line = v->line;
    }
    dw__sha256_add(&v->odd, bytes);
    v->odd_bytes += (int64_t) bytes.len;
    v->odd_ends = dw__str_ends_with(bytes, DW_STR("\n"));
    v->odd_lines += v->odd_ends ? 1 : 0;
}

static void
tell_odd(verifier *v)
{
    int64_t count = v->odd_lines + (v->odd_ends ? 0 : 1);
    find(v, true, "AUDIT_RECORD_CHANGED", v->last.count + 1, v->odd_line,
         count == 1 ? "expected record %" PRId64 ", found a line whose digest is not that of its "
                      "bytes: it was changed, cut or put here"
                    : "expected record %" PRId64
                      ", found several lines whose digests are not those "
                      "of their bytes: they were changed, cut or put here",
         v->last.count + 1);
    clear_odd(v);
}

/* ---- Records --------------------------------------------------------------------------------- */

/* A writer tells what it found. What a crash left is right there, in front of it. */
static void
check_repair(verifier *v, const dw_audit_line *line, const dw_audit_repair *repair)
{
    char digest[DW_SHA256_TEXT_SIZE];
    dw_sha256 odd = v->odd;
    dw__sha256_end(&odd, digest);
    bool is_right = repair->torn_bytes == v->odd_bytes &&
                    dw__sha256_text_equal(digest, repair->torn_hash) &&
                    dw__audit_line_follows(line, &v->last);
    if (repair->damage == DW_AUDIT_TORN && is_right) {
        find(v, false, "AUDIT_TORN", line->number, v->line,
             "the writer before record %" PRId64 " was stopped: %" PRId64
             " bytes of its record are left",
             line->number, repair->torn_bytes);
        clear_odd(v);
        return;
    }
    if (repair->damage == DW_AUDIT_TORN && v->odd_bytes == 0) {
        find(v, true, "AUDIT_RECORD_CHANGED", line->number, v->line,
             "record %" PRId64 " tells of %" PRId64 " bytes that a writer left, and they are gone",
             line->number, repair->torn_bytes);
    } else if (repair->damage != DW_AUDIT_TORN) {
        find(v, true, "AUDIT_DAMAGE_TOLD", line->number, v->line,
             repair->damage == DW_AUDIT_SHORTER
                 ? "who wrote record %" PRId64 " found the log shorter than its head said: records "
                   "before it were cut off, or lost by a power failure"
                 : "who wrote record %" PRId64 " found the log without its head, or with another: "
                   "records before it may be gone",
             line->number);
    }
}

static void
check_chain(verifier *v, const dw_audit_line *line, int64_t odd_lines)
{
    int64_t expected = v->last.count + 1;
    const dw_audit_verify_spec *spec = v->spec;
    if (dw__audit_line_follows(line, &v->last)) {
        return;
    }
    if (!v->has_any && spec->anchor_count > 0 && line->number == spec->anchor_count + 1 &&
        dw__str_equal(line->prev, spec->anchor_hash)) {
        v->met_anchor = true; /* what is older is kept elsewhere */
        return;
    }
    if (odd_lines > 0 && line->number > expected && line->number <= expected + odd_lines) {
        return; /* lines that are no records were told of in its place */
    }
    if (line->number < expected) {
        find(v, true, "AUDIT_RECORD_REPEATED", line->number, v->line,
             "expected record %" PRId64 ", found record %" PRId64
             ": it was put here again, or records were swapped",
             expected, line->number);
    } else if (line->number == expected + 1) {
        find(v, true, "AUDIT_RECORDS_MISSING", expected, v->line, "record %" PRId64 " is missing",
             expected);
    } else if (line->number > expected) {
        find(v, true, "AUDIT_RECORDS_MISSING", expected, v->line,
             "the records %" PRId64 " to %" PRId64 " are missing", expected, line->number - 1);
    } else {
        find(v, true, "AUDIT_CHAIN_BROKEN", line->number, v->line,
             "record %" PRId64 " does not continue the record before it: one of them was replaced",
             line->number);
    }
}

static void
check_mac(verifier *v, const dw_audit_line *line)
{
    if (dw__str_is_null(v->key)) {
        return;
    }
    if (line->has_mac && !v->met_mac && v->has_any) {
        find(v, false, "AUDIT_UNSIGNED", v->last.count, v->line,
             "the records up to %" PRId64 " have no MAC: they are from before the key was first "
             "used, or were written anew",
             v->last.count);
    }
    if (!line->has_mac && v->met_mac) {
        find(v, true, "AUDIT_MAC_MISSING", line->number, v->line,
             "record %" PRId64 " has no MAC, but older ones have", line->number);
    } else if (line->has_mac && !dw__audit_line_is_signed(line, v->key)) {
        find(v, true, "AUDIT_MAC_WRONG", line->number, v->line,
             "the MAC of record %" PRId64 " is not by this key: it was forged, or the key is "
             "another",
             line->number);
    }
    v->met_mac = v->met_mac || line->has_mac;
}

/* Whether a digest that is known from elsewhere is that of the record. */
static void
check_known(verifier *v, const dw_audit_line *line)
{
    if (line->number == v->spec->anchor_count) {
        v->met_anchor = true;
        if (!dw__str_equal(dw__str_from(line->hash), v->spec->anchor_hash)) {
            find(v, true, "AUDIT_ANCHOR_MISMATCH", line->number, v->line,
                 "record %" PRId64 " is not the one of the anchor: the log was written anew",
                 line->number);
        }
    }
    if (v->head_state == DW_AUDIT_HEAD_RIGHT && line->number == v->head.last.count &&
        dw__sha256_text_equal(line->hash, v->head.last.hash)) {
        v->met_head = true;
        if (line->has_mac != v->head.last.has_mac) { /* a head without a MAC is easily made */
            v->head_state = DW_AUDIT_HEAD_INVALID;
        }
    }
}

static void
check_record(verifier *v, const dw_audit_line *line)
{
    dw_audit_repair repair;
    int64_t odd_lines = v->odd_lines;
    if (dw__audit_line_repair(line, &repair)) {
        check_repair(v, line, &repair);
    }
    if (v->odd_bytes > 0) {
        tell_odd(v);
    } else {
        odd_lines = 0;
    }
    check_chain(v, line, odd_lines);
    check_mac(v, line);
    check_known(v, line);
    if (line->number > v->last.count) {
        dw__audit_mark_set(&v->last, line);
    }
    v->has_any = true;
}

static dw_status
check_line(void *ctx, dw_str bytes, bool is_whole, dw_error *err)
{
    verifier *v = ctx;
    dw_audit_line line;
    bool is_oom = false;
    if (dw__env_is_cancelled(v->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading the log");
    }
    v->line++;
    if (is_whole && dw__audit_line_read(bytes, &v->parser, &line, &is_oom)) {
        check_record(v, &line);
    } else {
        add_odd(v, bytes);
    }
    return is_oom ? dw__error_oom(err) : DW_OK;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static dw_status
check_bytes(verifier *v, const dw_local_file *file, int64_t size, dw_error *err)
{
    v->line = 0;
    clear_odd(v);
    return dw__audit_visit(v->env->allocator, file, 0, size, check_line, v, err);
}

static dw_status
check_older(verifier *v, int64_t number, dw_error *err)
{
    int64_t size;
    DW_AUTO(dw_local_file) file = DW_LOCAL_FILE_NONE;
    if (!dw__audit_file_path(v->spec->path, number, v->path)) {
        dw_unreachable("a path that was listed is too long");
    }
    DW_TRY(dw__local_file_open(dw__str_from(v->path), DW_LOCAL_READ, &file, err));
    DW_TRY(dw__local_file_size(&file, &size, err));
    DW_TRY(check_bytes(v, &file, size, err));
    if (v->odd_bytes > 0) {
        tell_odd(v);
    }
    if (size == 0) {
        find(v, true, "AUDIT_FILE_EMPTIED", 0, 0,
             "file %" PRId64 " of the log is empty, and was full when the next one began", number);
    }
    return DW_OK;
}

/* Those that are not there are missing, unless the anchor stands for them. */
static void
tell_missing_files(verifier *v, int64_t first, int64_t end)
{
    bool is_kept_elsewhere = !v->has_any && v->spec->anchor_count > 0;
    for (int64_t number = first; number < end; number++) {
        if (!dw__audit_file_path(v->spec->path, number, v->path)) {
            return;
        }
        find(v, !is_kept_elsewhere, "AUDIT_FILE_MISSING", 0, 0,
             "file %" PRId64 " of the log is missing", number);
        if (v->verdict->error_count > DW_AUDIT_FINDINGS_MAX) {
            return;
        }
    }
}

static dw_status
check_files(verifier *v, const int64_t *numbers, size_t count, dw_error *err)
{
    int64_t next = 1;
    for (size_t i = 0; i < count; i++) {
        tell_missing_files(v, next, numbers[i]);
        DW_TRY(check_older(v, numbers[i], err));
        next = numbers[i] + 1;
    }
    (void) snprintf(v->path, sizeof(v->path), "%.*s", DW_STR_ARG(v->spec->path));
    return v->newest.fd < 0 ? DW_OK : check_bytes(v, &v->newest, v->newest_size, err);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* A crash leaves bytes behind all that the head counts. */
static void
check_tail(verifier *v)
{
    if (v->odd_bytes == 0) {
        return;
    }
    bool is_torn = v->head_state == DW_AUDIT_HEAD_RIGHT && v->head.last.count <= v->last.count &&
                   v->head.size_bytes <= v->newest_size - v->odd_bytes;
    if (!is_torn) {
        tell_odd(v);
        return;
    }
    find(v, false, "AUDIT_TORN", v->last.count + 1, v->odd_line,
         "the last writer was stopped: %" PRId64 " bytes of its record are left, and the next one "
         "will say so",
         v->odd_bytes);
    clear_odd(v);
}

static void
check_head(verifier *v)
{
    const dw_audit_head *head = &v->head;
    if (v->head_state != DW_AUDIT_HEAD_RIGHT) {
        bool is_gone = v->head_state == DW_AUDIT_HEAD_EMPTY;
        find(v, true, is_gone ? "AUDIT_HEAD_MISSING" : "AUDIT_HEAD_CHANGED", 0, 0,
             is_gone ? "the head of the log is missing: records at its end may be, too"
                     : "the head of the log was changed: records at its end may be missing");
        return;
    }
    if (head->last.count > v->last.count) {
        find(v, true, "AUDIT_LOG_TRUNCATED", v->last.count + 1, 0,
             "the head counts %" PRId64 " records, and the last one is %" PRId64
             ": the end was cut off",
             head->last.count, v->last.count);
    } else if (head->last.count > 0 && !v->met_head) {
        find(v, true, "AUDIT_HEAD_MISMATCH", head->last.count, 0,
             "record %" PRId64 " is not the one of the head: one of them was replaced",
             head->last.count);
    } else if (head->last.count < v->last.count) {
        find(v, false, "AUDIT_HEAD_BEHIND", head->last.count, 0,
             "the head is that of record %" PRId64 ": the writer of record %" PRId64
             " was stopped, or an older head was put back",
             head->last.count, v->last.count);
    }
}

static void
check_end(verifier *v)
{
    check_tail(v);
    check_head(v);
    if (!dw__str_is_null(v->key) && v->last.count > 0 && !v->met_mac) {
        find(v, true, "AUDIT_MAC_MISSING", v->last.count, 0,
             "a key is given, and no record has a MAC");
    }
    if (v->spec->anchor_count > 0 && !v->met_anchor) {
        find(v, true, "AUDIT_LOG_TRUNCATED", v->spec->anchor_count, 0,
             "record %" PRId64 " of the anchor is not there", v->spec->anchor_count);
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* The head, and how long the newest file is, while no writer is at it. */
static dw_status
open_newest(verifier *v, dw_error *err)
{
    char path[DW_LOCAL_PATH_SIZE];
    DW_AUTO(dw_local_file) head_file = DW_LOCAL_FILE_NONE;
    if (!dw__audit_head_path(v->spec->path, path)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID",
                             "the path of the audit log is too long");
    }
    dw_status status = dw__local_file_open(dw__str_from(path), DW_LOCAL_READ, &head_file, err);
    if (status == DW_OK) {
        DW_TRY(dw__local_file_lock(&head_file, v->env, true, DW_AUDIT_WAIT_MAX_MS, err));
        DW_TRY(dw__audit_head_read(&head_file, v->env->allocator, v->key, &v->head, &v->head_state,
                                   err));
    } else if (status != DW_NOT_FOUND) {
        return status;
    }
    status = dw__local_file_open(v->spec->path, DW_LOCAL_READ, &v->newest, err);
    if (status == DW_NOT_FOUND) {
        dw__error_clear(err);
        return DW_OK;
    }
    DW_TRY(status);
    return dw__local_file_size(&v->newest, &v->newest_size, err);
}

static dw_status
verify(verifier *v, dw_error *err)
{
    int64_t *numbers;
    size_t count;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, v->env->allocator);
    DW_TRY(open_newest(v, err));
    DW_TRY(dw__audit_list(v->env, v->spec->path, &arena, &numbers, &count, err));
    if (v->newest_size == 0 && count == 0 && v->head_state == DW_AUDIT_HEAD_EMPTY) {
        return dw__error_set(err, DW_NOT_FOUND, "AUDIT_LOG_NOT_FOUND",
                             "there is no audit log %.*s: check the path",
                             DW_STR_ARG(v->spec->path));
    }
    DW_TRY(check_files(v, numbers, count, err));
    check_end(v);
    v->verdict->record_count = v->last.count;
    memcpy(v->verdict->last_hash, v->last.hash, sizeof(v->verdict->last_hash));
    return DW_OK;
}

static dw_status
check_spec(const dw_audit_verify_spec *spec, dw_error *err)
{
    if (spec->anchor_count < 0 ||
        (spec->anchor_count > 0 && spec->anchor_hash.len != DW_SHA256_TEXT_SIZE - 1)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "AUDIT_ANCHOR_INVALID",
                             "an anchor is the number of a record and its digest of %d digits, as "
                             "verify prints it",
                             DW_SHA256_TEXT_SIZE - 1);
    }
    return DW_OK;
}

dw_status
dw__audit_verify(const dw_env *env, const dw_audit_verify_spec *spec, struct ArrowArrayStream *out,
                 dw_audit_verdict *verdict_out, dw_error *err)
{
    static const dw_rows_column columns[] = {
        {"severity", DW_ROWS_STR, 0, 0}, {"code", DW_ROWS_STR, 0, 0},
        {"record", DW_ROWS_I64, 0, 0},   {"file", DW_ROWS_STR, 0, 0},
        {"line", DW_ROWS_I64, 0, 0},     {"message", DW_ROWS_STR, 0, 0}};
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(env->allocator, DW_AUDIT_KEY_BYTES_MAX + 1);
    memset(out, 0, sizeof(*out));
    *verdict_out = (dw_audit_verdict){0};
    DW_TRY(check_spec(spec, err));
    verifier v = {.env = env,
                  .spec = spec,
                  .key = DW_STR_NULL,
                  .verdict = verdict_out,
                  .newest = DW_LOCAL_FILE_NONE};
    if (!dw__str_is_null(spec->key_path)) {
        DW_TRY(dw__audit_key_read(spec->key_path, &key, err));
        v.key = dw__strbuf_str(&key);
    }
    DW_TRY(
        dw__rows_new(env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &v.rows, err));
    v.parser = dw__json_parser_make(env->allocator);
    dw__audit_mark_zero(&v.last);
    clear_odd(&v);
    dw_status status = verify(&v, err);
    dw__json_parser_deinit(&v.parser);
    dw__local_file_close(&v.newest);
    if (status != DW_OK) {
        dw__rows_free(v.rows);
        return status;
    }
    return dw__rows_stream(v.rows, out, err);
}
