/*
 * Advice from use: by which columns a table should be clustered, as far as the conditions of
 * statements that were recorded (scan/column_use.h) tell.
 *
 * What a condition costs is the share of the files that have to be looked into. Rows that are in
 * order by k columns lie in a grid of n files with n^(1/k) ranges of each: a condition on one of
 * them looks into n^(1-1/k) files, a condition on another into all. So each further column costs
 * the others something, and is taken when it gains more, for all uses together.
 *
 *  [ADVICE-1] The same use and the same table give the same advice.
 *  [ADVICE-2] What there is stays unless another choice costs clearly less, so that the choice does
 *             not go to and fro: it is taken for as good as the model or the files say, whichever
 *             is better.
 */
#ifndef DW_UPKEEP_ADVICE_H
#define DW_UPKEEP_ADVICE_H

#include "scan/column_use.h"
#include "table/clustering.h"
#include "table/table.h"

/* Fewer scans with conditions tell nothing. */
#define DW_ADVICE_SCANS_MIN ((int64_t) 10)
/* What clearly less is: the costs before, through those after. */
#define DW_ADVICE_GAIN_MIN 1.25

/* ---- The choice ------------------------------------------------------------------------------ */

typedef struct dw_advice_use {
    double use_count;
    double share;     /* of the files that a condition looks into now: from 0 to 1 */
    bool is_present;  /* the table is clustered by it */
    bool is_eligible; /* it may be */
} dw_advice_use;

typedef struct dw_advice_choice {
    size_t items[DW_CLUSTER_COLUMNS_MAX]; /* those that are used most first */
    size_t count;
    double share;                   /* that a condition on one of them would look into */
    double cost_before, cost_after; /* of all uses, in tables that are read whole */
    bool is_better;                 /* clearly: it should be taken */
} dw_advice_choice;

/* Pure. The uses are sorted by their counts. */
dw_advice_choice dw__advice_choose(const dw_advice_use *uses, size_t count, double file_count);

/* ---- The advice ------------------------------------------------------------------------------ */

typedef struct dw_advised_column {
    dw_cluster_column column;
    int64_t use_count;
    int64_t file_count, skipped_count;
    bool is_eligible, is_present, is_chosen;
    double depth;    /* files that may have a value now */
    double expected; /* the same where it is chosen and the table in order; else all */
} dw_advised_column;

typedef struct dw_advice {
    int64_t scan_count;
    int64_t file_count;
    dw_advised_column *columns; /* that conditions are on, those that are used most first */
    size_t count;
    dw_cluster_columns present;
    dw_name_paths chosen;
    bool has_enough; /* use to tell */
    bool is_better;  /* the choice, than what there is */
} dw_advice;

/* What is advised for the state of a table. In `arena`. */
DW_WARN_UNUSED dw_status dw__advise(dw_table *table, const dw_log_snapshot *snapshot,
                                    dw_arena *arena, dw_advice *out, dw_error *err);

#endif
