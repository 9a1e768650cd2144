/*
 * The conflict rules, as one pure function: what this transaction read and writes, what one winning
 * commit did, at which isolation level: may this transaction still commit behind it?
 * The order of checks and the names are those of the reference's ConflictChecker; where the verdict
 * is a milder one, docs/concurrency.md says so.
 */
#ifndef DW_TXN_CONFLICT_H
#define DW_TXN_CONFLICT_H

#include "txn/txn.h"

typedef enum dw_verdict {
    DW_VERDICT_NONE, /* no conflict */
    DW_VERDICT_PROTOCOL_CHANGED,
    DW_VERDICT_METADATA_CHANGED,
    DW_VERDICT_CONCURRENT_TRANSACTION,
    DW_VERDICT_CONCURRENT_APPEND,
    DW_VERDICT_CONCURRENT_DELETE_READ,
    DW_VERDICT_CONCURRENT_DELETE_DELETE,
    DW_VERDICT_CONCURRENT_VACUUM,
    DW_VERDICT_DUPLICATE /* the winner recorded our own txn id at our version or later */
} dw_verdict;

/* Canonical paths, sorted bytewise. Borrowed. */
typedef struct dw_key_list {
    const dw_str *items;
    size_t count;
} dw_key_list;

/* The side of the transaction that asks. Borrowed. */
typedef struct dw_conflict_self {
    const dw_action *actions;
    size_t action_count;
    bool is_blind_append;
    bool reads_whole_table;
    bool looks_for_rows;
    bool recommits_files;
    bool brings_files_back;
    dw_key_list read;     /* files whose rows were read together */
    dw_key_list searched; /* files whose rows were looked at one by one */
    dw_key_list removed;
    const dw_protocol *protocol; /* the table's as it was read; NULL: not known */
} dw_conflict_self;

/* What a winner did to the rows of a file that was searched, by an action of it. */
typedef enum dw_row_overlap {
    DW_ROWS_UNKNOWN, /* nothing is known, or the action is none of those */
    DW_ROWS_APART,   /* it deleted rows of the file that stays, and none that we take out */
    DW_ROWS_SHARED   /* some of them were ours, too */
} dw_row_overlap;

/* What is known of an action of the winner beyond itself. */
typedef struct dw_winner_fact {
    dw_str key;             /* canonical path of an ADD or REMOVE; the null string for others */
    bool is_out_of_sight;   /* ADD: it cannot have rows that we look for */
    dw_row_overlap overlap; /* ADD, REMOVE */
} dw_winner_fact;

/* A commit that came first. Borrowed. */
typedef struct dw_conflict_winner {
    const dw_action *actions;
    const dw_winner_fact *facts; /* as many as actions */
    size_t action_count;
    bool is_blind_append;
    bool begins_vacuum;        /* files that no version within the retention needs go from now on */
    bool moves_identity_marks; /* its metadata changes in high-water marks only */
    bool is_metadata_harmless; /* its metadata leaves what others were about to write valid */
} dw_conflict_winner;

/* `culprit_out` is the index of the winner's action that decided, or SIZE_MAX. */
dw_verdict dw__conflict_check(const dw_conflict_self *self, const dw_conflict_winner *winner,
                              dw_txn_isolation isolation, size_t *culprit_out);
/* The level that a commit is checked at: checklist "Isolation level used". */
dw_txn_isolation dw__conflict_isolation(dw_isolation property, const dw_action *actions,
                                        size_t action_count, bool data_change);
bool dw__conflict_is_blind_append(const dw_txn *txn);
/* True when all file actions there are only move rows about: it has some, and no dataChange. */
bool dw__conflict_rearranges(const dw_action *actions, size_t count);
bool dw__key_list_has(dw_key_list keys, dw_str key);
/* The stable code of a verdict: "CONCURRENT_APPEND". */
const char *dw__verdict_code(dw_verdict verdict);

#endif
