/*
 * What is advised by which columns to cluster a table: asked for, followed and told.
 */
#include "sql/execution.h"

#include <inttypes.h>

dw_status
dw__execution_advise(dw_execution *x, dw_table *table, dw_advice *out)
{
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, x->err));
    return dw__advise(table, snapshot, &x->arena, out, x->err);
}

dw_status
dw__execution_follow_advice(dw_execution *x, dw_table *table, const dw_advice *advice,
                            dw_alter_report *report)
{
    dw_name_paths none = {0};
    return dw__table_cluster_by_auto(table, advice->is_better ? advice->chosen : none, report,
                                     x->err);
}

/* ---- Telling --------------------------------------------------------------------------------- */

void
dw__advice_explain_column(const dw_advice *advice, size_t idx, dw_strbuf *out)
{
    const dw_advised_column *column = &advice->columns[idx];
    if (!column->is_eligible) {
        dw__strbuf_append_literal(out, "rows cannot be ordered by it");
    } else if (!advice->has_enough) {
        dw__strbuf_append_literal(out, "too little use to tell");
    } else if (!column->is_chosen) {
        dw__strbuf_append_literal(out, "not worth what it would cost the columns that are used "
                                       "more");
    } else if (!advice->is_better) {
        dw__strbuf_append_literal(out, "no clear gain: files are in order for it as they are");
    } else {
        dw__strbuf_printf(out, "cluster by it: %.1f of ", column->expected);
        dw__put_counted(out, advice->file_count, "file");
        dw__strbuf_printf(out, " would be looked into, %.1f now", column->depth);
    }
}

void
dw__advice_explain(const dw_advice *advice, dw_strbuf *out)
{
    if (!advice->has_enough) {
        dw__strbuf_append_literal(out, "there is too little use to tell: ");
        dw__put_counted(out, advice->scan_count, "statement");
        dw__strbuf_printf(out, " with conditions %s recorded, and it takes %" PRId64,
                          advice->scan_count == 1 ? "is" : "are", DW_ADVICE_SCANS_MIN);
        return;
    }
    if (!advice->is_better) {
        dw__strbuf_append_literal(out, "no columns are clearly better than what there is, after ");
        dw__put_counted(out, advice->scan_count, "statement");
        return;
    }
    dw__strbuf_append_literal(out, "chosen from ");
    dw__put_counted(out, advice->scan_count, "statement");
    for (size_t i = 0; i < advice->count; i++) {
        const dw_advised_column *column = &advice->columns[i];
        if (column->is_chosen) {
            dw__strbuf_append(out, DW_STR("; "));
            dw__strbuf_append(out, column->column.name);
            dw__strbuf_append_literal(out, ": ");
            dw__put_counted(out, column->use_count, "use");
            dw__strbuf_printf(out, ", of ");
            dw__put_counted(out, column->file_count, "file");
            dw__strbuf_append_literal(out, " statistics ruled out ");
            dw__strbuf_append_i64(out, column->skipped_count);
            dw__strbuf_printf(out, ", a value may be in %.1f, expected are %.1f", column->depth,
                              column->expected);
        }
    }
}
