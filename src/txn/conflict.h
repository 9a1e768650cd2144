/*
 * The conflict rules, as one pure function: what this transaction read and writes, what one winning
 * commit did, at which isolation level: may this transaction still commit behind it?
 * The order of checks and the names are those of the reference's ConflictChecker.
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
    DW_VERDICT_DUPLICATE /* the winner recorded our own txn id at our version or later */
} dw_verdict;

/* The side of the transaction that asks. Borrowed. */
typedef struct dw_conflict_self {
    const dw_action *actions;
    size_t action_count;
    bool is_blind_append;
    bool reads_whole_table;
    bool looks_for_rows;
    bool recommits_files;
    const dw_str *read_keys; /* canonical paths, sorted bytewise */
    size_t read_key_count;
    const dw_str *removed_keys; /* canonical paths, sorted bytewise */
    size_t removed_key_count;
} dw_conflict_self;

/* A commit that came first. Borrowed. `canonical` holds the canonical path of each ADD and REMOVE
 * action (the null string for others), as many as actions. */
typedef struct dw_conflict_winner {
    const dw_action *actions;
    const dw_str *canonical;
    size_t action_count;
    bool is_blind_append;
    bool moves_identity_marks; /* its metadata changes in high-water marks only */
} dw_conflict_winner;

/* `culprit_out` is the index of the winner's action that decided, or SIZE_MAX. */
dw_verdict dw__conflict_check(const dw_conflict_self *self, const dw_conflict_winner *winner,
                              dw_txn_isolation isolation, size_t *culprit_out);
/* The level that a commit is checked at: checklist "Isolation level used". */
dw_txn_isolation dw__conflict_isolation(dw_isolation property, const dw_action *actions,
                                        size_t action_count, bool data_change);
bool dw__conflict_is_blind_append(const dw_txn *txn);
/* The stable code of a verdict: "CONCURRENT_APPEND". */
const char *dw__verdict_code(dw_verdict verdict);

#endif
