/*
 * Results: rows as a stream, or one line that says what was done.
 */
#ifndef DW_SQL_RESULT_H
#define DW_SQL_RESULT_H

#include "scan/scan.h"
#include "sql/session.h"

/* Long enough for every message; what is longer is cut. */
#define DW_RESULT_MESSAGE_SIZE 512

struct dw_result {
    const dw_allocator *allocator;
    struct ArrowArrayStream stream; /* release NULL: none, or moved out */
    bool has_rows;
    int64_t row_count;          /* inserted, updated or deleted; -1: none */
    int64_t incompatible_count; /* findings of CHECK COMPATIBILITY; -1: it is none */
    bool has_change;
    dw_change_report change;
    char message[DW_RESULT_MESSAGE_SIZE];
};

DW_WARN_UNUSED dw_status dw__result_new(const dw_session *session, dw_result **out, dw_error *err);

/* Appends 31033 as "31,033". */
void dw__put_count(dw_strbuf *out, int64_t count);
/* Appends "1 file", "3 files". */
void dw__put_counted(dw_strbuf *out, int64_t count, const char *noun);
/* Appends "812 bytes", "1.2 MB". */
void dw__put_size(dw_strbuf *out, int64_t size_bytes);

#endif
