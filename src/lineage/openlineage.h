/*
 * Runs as OpenLineage events, by its specification 2-0-2: what a record says, for catalogs of
 * lineage that others keep.
 */
#ifndef DW_LINEAGE_OPENLINEAGE_H
#define DW_LINEAGE_OPENLINEAGE_H

#include "lineage/lineage.h"

#define DW_OPENLINEAGE_EVENT_BYTES_MAX ((size_t) 4 << 20)

typedef enum dw_openlineage_type {
    DW_OPENLINEAGE_START,
    DW_OPENLINEAGE_COMPLETE,
    DW_OPENLINEAGE_FAIL
} dw_openlineage_type;

/* All borrowed. */
typedef struct dw_openlineage_event {
    dw_openlineage_type type;
    int64_t time_us; /* since 1970-01-01 UTC */
    const dw_lineage_record *record;
    dw_str table;          /* the root of the one that is written */
    int64_t version;       /* that the run made; -1: none */
    const dw_type *schema; /* of the table; NULL: not known */
    dw_str change;         /* "CREATE", "OVERWRITE", "ALTER"; null string: none */
    int64_t row_count, file_count, size_bytes; /* that were written; -1: not known */
    dw_str problem;                            /* FAIL: what the error says */
} dw_openlineage_event;

/* Appends the event as one line of JSON, without a line end. */
void dw__openlineage_print(dw_strbuf *out, const dw_openlineage_event *event);

#endif
