/*
 * A statement's new rows against the expectations of their table: counted while they are written,
 * left out where they are to be dropped, put into quarantine, and told in the commit.
 *
 *  [JUDGEMENT-1] Rows are judged in the query that writes them, once, after defaults and generated
 *                columns are filled and before constraints are checked: a dropped row breaks none.
 *  [JUDGEMENT-2] Rows for a quarantine are committed there before the commit that leaves them out:
 *                whatever happens in between, no row is lost. A load that is run again under the
 *                same ids does not bring them twice.
 *  [JUDGEMENT-3] What was counted is in the metrics of the commit: expectationViolations.<name>,
 *                numDroppedRows, numQuarantinedRows, quarantineId.
 */
#ifndef DW_TABLE_JUDGEMENT_H
#define DW_TABLE_JUDGEMENT_H

#include "codec/codec.h"
#include "table/change.h"
#include "table/expectation.h"

#define DW_JUDGED_TEXT_SIZE 512
/* Queries of one statement whose rows wait for the quarantine: clauses of a MERGE. */
#define DW_JUDGEMENT_HELD_MAX ((size_t) 1000)

/* Rows that are new, and rows in the place of others. [EXPECTATION-3] */
enum { DW_JUDGED_NEW, DW_JUDGED_PLACED, DW_JUDGED_KINDS };

/* What a statement tells of it. */
typedef struct dw_judged {
    int64_t dropped, quarantined;
    char text[DW_JUDGED_TEXT_SIZE]; /* "3 rows violate expectations (...)"; empty: none did */
} dw_judged;

typedef struct dw_judgement {
    dw_table *table;
    dw_connection *connection;
    const dw_log_snapshot *snapshot; /* NULL: the table is new */
    dw_str table_id;
    const dw_type *schema;
    dw_expectations expectations; /* none: nothing is done */
    dw_arena *arena;
    dw_row_judge *judges[DW_JUDGED_KINDS];
    bool has_quarantine;
    bool is_quarantined; /* rows have been committed there */
    char id[DW_UUID_TEXT_SIZE];
    size_t held_count; /* tables of the connection with rows to be divided */
    dw_judge_counts counts[DW_JUDGED_KINDS];
    dw_judged result;
} dw_judgement;

/* What it is about. All borrowed until it is closed. */
typedef struct dw_judgement_spec {
    dw_table *table;
    dw_connection *connection;
    const dw_log_snapshot *snapshot;
    dw_str table_id;
    const dw_type *schema;
    dw_expectations expectations; /* in memory that outlives the judgement */
    bool is_quarantine;           /* the rows are those that another table has dropped */
    bool is_in_transaction;
} dw_judgement_spec;

/* Close in any case. DW_UNSUPPORTED (QUARANTINE_IN_TRANSACTION), DW_INVALID_ARGUMENT
 * (QUARANTINE_NESTED). */
DW_WARN_UNUSED dw_status dw__judgement_open(dw_judgement *judgement, const dw_judgement_spec *spec,
                                            dw_arena *arena, dw_error *err);
void dw__judgement_close(dw_judgement *judgement);

/* Appends the query for those rows of `query` that are to be written. Where there is a quarantine
 * `query` runs here, and its rows wait in a table of the connection, which may spill. */
DW_WARN_UNUSED dw_status dw__judgement_print(dw_judgement *judgement, dw_str query,
                                             bool are_in_place_of_others, dw_strbuf *out,
                                             dw_error *err);
/* Once the rows are written: refuses them (DW_INVALID_ARGUMENT EXPECTATION_VIOLATION), or gives the
 * change its metrics and fills `result`. */
DW_WARN_UNUSED dw_status dw__judgement_settle(dw_judgement *judgement, dw_change *change,
                                              dw_error *err);
/* Right before the commit: brings dropped rows to their quarantine. `txns` are what the statement
 * records, if it must happen once. [JUDGEMENT-2] */
DW_WARN_UNUSED dw_status dw__judgement_quarantine(dw_judgement *judgement, const dw_txn_id *txns,
                                                  size_t txn_count, dw_error *err);

#endif
