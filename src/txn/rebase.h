/*
 * A change on its way past the commits of others: what each of them means for it, and what has to
 * be made anew so that it comes behind them. Reads of deletion vectors and of statistics happen
 * here; the verdict itself is a pure function (conflict.h).
 *
 *  [REBASE-1] What is committed behind a winner is what would have been committed, had the change
 *             been made on the winner's state.
 *  [REBASE-2] A deletion vector made anew is the newest one of the file and the rows that this
 *             change takes out; a row that both take out is a conflict.
 *  [REBASE-3] What has row ids keeps them, also those that it was given meanwhile.
 *  [REBASE-4] A part of a rearrangement is left out as a whole, when a file that it moves has gone
 *             or lost rows.
 */
#ifndef DW_TXN_REBASE_H
#define DW_TXN_REBASE_H

#include "txn/conflict.h"
#include "txn/definition.h"

/* A file that the change removes. */
typedef struct dw_rebase_file {
    dw_str key; /* canonical path */
    size_t remove_idx;
    const dw_row_mark *mark; /* NULL: it goes as a whole */
    /* Once others deleted rows of it: */
    dw_rowset *others; /* all that they deleted; owned */
    dw_file newest;    /* as they left it */
} dw_rebase_file;

typedef struct dw_rebase {
    const dw_txn *asked;  /* as the caller made it */
    dw_txn change;        /* as it has to be made now; good after _settle */
    dw_definition newest; /* the table's, behind the last winner */
    dw_conflict_self self;
    dw_arena arena;        /* as long as the rebase */
    dw_arena turn;         /* as long as the change stays as it is */
    dw_action *work;       /* those that were asked for, as far as they were altered */
    bool *is_dropped;      /* of them: nothing is left of the file */
    dw_rebase_file *files; /* by key */
    size_t file_count;
    dw_str *new_domains; /* of others, to go with a table that is replaced */
    size_t new_domain_count;
    bool is_altered; /* since the last _settle */
} dw_rebase;

/* What became of one winner. */
typedef struct dw_judgement {
    dw_verdict verdict;
    const dw_action *culprit; /* of the winner; NULL: none in particular */
    dw_row_overlap overlap;   /* of the culprit */
} dw_judgement;

/* Borrows `txn`. Release with _deinit, also after a failure. */
DW_WARN_UNUSED dw_status dw__rebase_init(dw_rebase *rebase, const dw_txn *txn, dw_error *err);
void dw__rebase_deinit(dw_rebase *rebase);
/* Looks at the next winner and takes over what it means, unless it is a conflict. The culprit lives
 * as long as the commit. DW_UNSUPPORTED when the winner made the table one that is not
 * understood. */
DW_WARN_UNUSED dw_status dw__rebase_over(dw_rebase *rebase, const dw_commit_actions *commit,
                                         const dw_commit_info *info, dw_txn_isolation isolation,
                                         dw_judgement *out, dw_error *err);
/* Makes the change anew where a winner altered it: *altered_out. */
DW_WARN_UNUSED dw_status dw__rebase_settle(dw_rebase *rebase, bool *altered_out, dw_error *err);

#endif
