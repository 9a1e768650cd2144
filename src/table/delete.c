/*
 * DELETE as a change of rows that nothing takes the place of.
 */
#include "table/delete.h"

/* Once a version has change data its readers look at nothing else: rows of removed files are put
 * there, too. With deletion vectors, or files removed as a whole, readers see what is gone. */
static dw_status
write_change_data(dw_row_change *rc, dw_error *err)
{
    dw_scan_rows rows;
    DW_TRY(dw__row_change_rows(rc, &rows, err));
    return dw__row_change_copy(rc, &rows, "old", ", 'delete' AS _change_type",
                               dw__row_change_write_data, err);
}

static dw_status
run(dw_row_change *rc, const dw_row_change_spec *spec, dw_error *err)
{
    DW_TRY(dw__row_change_init(rc, spec, err));
    DW_TRY(dw__row_change_take_out(rc, err));
    if (dw__row_change_has_feed(rc) && dw__row_change_rewrites(rc)) {
        DW_TRY(write_change_data(rc, err));
    }
    return dw__row_change_commit(rc, err);
}

dw_status
dw__table_delete(const dw_row_change_spec *spec, dw_row_change_result *out, dw_error *err)
{
    dw_row_change rc;
    dw_status status = run(&rc, spec, err);
    *out = rc.result;
    dw__row_change_deinit(&rc);
    return status;
}
