/*
 * The rules that FSCK knows, by the numbers of docs/fsck.md, and the list of findings.
 */
#include "base/assert.h"
#include "fsck/core.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_SIZE 1024

static const char *const rules[] = {
    "A2", "A3", "A4", "A5",  "A6",  "A7",  "A9",  "A12", "A13", "A15", "B1",  "B2",  "B3",  "B4",
    "B6", "B8", "B9", "B10", "B12", "B13", "B15", "C1",  "C5",  "C6",  "D1",  "D2",  "D3",  "D4",
    "D5", "D7", "D8", "D9",  "D10", "D12", "D13", "D14", "D15", "D16", "D19", "D21", "D22", "D23",
    "E1", "E4", "E5", "G1",  "G2",  "G5",  "G6",  "H1",  "H2",  "H3",  "I1",  "I2",  "J1",  "J2",
    "J3", "K1", "K2", "L1",  "L2",  "M1",  "M2",  "M4",  "N5",  "O1",  "P1",
};

enum { RULE_COUNT = sizeof(rules) / sizeof(rules[0]) };
_Static_assert(RULE_COUNT <= DW_FSCK_RULES_MAX, "every rule has a counter");

static size_t
rule_idx(const char *rule)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (strcmp(rules[i], rule) == 0) {
            return i;
        }
    }
    dw_unreachable("every rule that is reported is listed");
}

static void
put_row(dw_fsck *fsck, dw_fsck_severity severity, dw_str rule, dw_str path, dw_str message)
{
    static const char *const names[] = {"note", "warning", "error"};
    dw__rows_put_str(fsck->rows, dw__str_from(names[severity]));
    dw__rows_put_str(fsck->rows, rule);
    if (fsck->version >= 0) {
        dw__rows_put_i64(fsck->rows, fsck->version);
    } else {
        dw__rows_put_null(fsck->rows);
    }
    dw__rows_put_str(fsck->rows, path);
    dw__rows_put_str(fsck->rows, message);
}

void
dw__fsck_find(dw_fsck *fsck, dw_fsck_severity severity, const char *rule, dw_str path,
              const char *fmt, ...)
{
    size_t idx = rule_idx(rule);
    int64_t *count = severity == DW_FSCK_ERROR     ? &fsck->counts.errors
                     : severity == DW_FSCK_WARNING ? &fsck->counts.warnings
                                                   : &fsck->counts.notes;
    *count += 1;
    if (++fsck->rule_counts[idx] > DW_FSCK_FINDINGS_MAX) {
        return;
    }
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    size_t used = len < 0 ? 0 : ((size_t) len < sizeof(text) ? (size_t) len : sizeof(text) - 1);
    put_row(fsck, severity, dw__str_from(rule), path, dw__str_make(text, used));
}

void
dw__fsck_find_unlisted(dw_fsck *fsck)
{
    fsck->version = -1;
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (fsck->rule_counts[i] > DW_FSCK_FINDINGS_MAX) {
            char text[MESSAGE_SIZE];
            int len = snprintf(text, sizeof(text), "%lld more findings of this rule are not listed",
                               (long long) fsck->rule_counts[i] - DW_FSCK_FINDINGS_MAX);
            put_row(fsck, DW_FSCK_NOTE, dw__str_from(rules[i]), DW_STR_NULL,
                    dw__str_make(text, (size_t) len));
        }
    }
}

dw_status
dw__fsck_find_error(dw_fsck *fsck, const char *rule, dw_str path, const dw_error *cause,
                    dw_error *err)
{
    switch ((unsigned) cause->status) {
    case DW_CORRUPT:
    case DW_NOT_FOUND:
    case DW_INVALID_ARGUMENT:
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, path, "%s%s%s", cause->context,
                      cause->context[0] == '\0' ? "" : ": ", cause->message);
        return DW_OK;
    default:
        dw__error_copy(err, cause);
        return cause->status;
    }
}

dw_status
dw__fsck_parse(dw_fsck *fsck, dw_str text, const char *what, dw_json_doc **out, dw_error *cause)
{
    dw_status status = dw__json_parse(fsck->env->allocator, text, what, out, cause);
    fsck->is_out_of_memory = fsck->is_out_of_memory || status == DW_OUT_OF_MEMORY;
    return status;
}

dw_status
dw__fsck_go_on(dw_fsck *fsck, double share, dw_error *err)
{
    if (fsck->spec->progress != NULL) {
        fsck->spec->progress(fsck->spec->ctx, share);
    }
    if (dw__env_is_cancelled(fsck->env) ||
        (fsck->spec->is_cancelled != NULL && fsck->spec->is_cancelled(fsck->spec->ctx))) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "the check was cancelled");
    }
    return DW_OK;
}
