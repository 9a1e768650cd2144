/*
 * UPDATE as a change of rows that others take the place of.
 */
#include "table/update.h"

#include "table/new_rows.h"
#include "table/projection.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)

typedef struct update_state {
    const dw_update_spec *spec;
    dw_row_change *rc;
    dw_str new_rows; /* the query for them */
} update_state;

/* ---- New values ------------------------------------------------------------------------------ */

static dw_status
check_columns(const dw_update_spec *spec, dw_error *err)
{
    for (size_t i = 0; i < spec->column_count; i++) {
        if (spec->is_set[i]) {
            DW_TRY(dw__new_rows_check_update(spec->rows.snapshot, spec->columns[i], err));
        }
    }
    return DW_OK;
}

static dw_status
project(update_state *state, dw_str values, dw_error *err)
{
    dw_row_rules rules;
    const dw_new_rows rows = {.query = values,
                              .columns = state->spec->columns,
                              .column_count = state->spec->column_count,
                              .replace_others = true};
    DW_TRY(dw__new_rows_rules(state->rc, &rules, err));
    return dw__new_rows_print(state->rc, &rows, &rules, &state->new_rows, err);
}

/* ---- With a change data feed ----------------------------------------------------------------- */

/* The new rows as the table's, and as they were and are as change data. */
static dw_status
write_both(update_state *state, dw_str kept, dw_str old_view, dw_error *err)
{
    dw_row_change *rc = state->rc;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(rc->arena.allocator, SQL_BYTES_MAX);
    dw__row_change_print_select(rc, kept, NULL, &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__row_change_write(rc, dw__strbuf_str(&sql), err));
    dw__strbuf_clear(&sql);
    dw__row_change_print_select(rc, old_view, ", 'update_preimage' AS _change_type", &sql);
    dw__strbuf_append_literal(&sql, " UNION ALL ");
    dw__row_change_print_select(rc, kept, ", 'update_postimage' AS _change_type", &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__row_change_write_data(rc, dw__strbuf_str(&sql), err);
}

static dw_status
write_with_feed(update_state *state, const dw_scan_rows *rows, dw_error *err)
{
    dw_str view;
    dw_str kept;
    dw_scan *scan;
    DW_TRY(dw__row_change_keep(state->rc, state->new_rows, &kept, err));
    DW_TRY(dw__row_change_open(state->rc, rows, "old", &view, &scan, err));
    dw_status status = write_both(state, kept, view, err);
    dw__scan_close(scan);
    return status;
}

/* ---- The verb -------------------------------------------------------------------------------- */

static dw_status
write_values(update_state *state, const dw_scan_rows *rows, dw_str values, dw_error *err)
{
    DW_TRY(project(state, values, err));
    return dw__row_change_has_feed(state->rc)
               ? write_with_feed(state, rows, err)
               : dw__row_change_write(state->rc, state->new_rows, err);
}

static dw_status
write_new_rows(update_state *state, dw_error *err)
{
    dw_scan_rows rows;
    dw_scan *scan = NULL;
    dw_str values;
    DW_TRY(dw__row_change_rows(state->rc, &rows, err));
    dw_status status = state->spec->open_values(state->spec->ctx, &rows, &scan, &values, err);
    if (status == DW_OK) {
        dw__row_change_note_inputs(state->rc, scan);
        status = write_values(state, &rows, values, err);
    }
    if (status != DW_OK && scan != NULL && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

static dw_status
run(update_state *state, dw_error *err)
{
    DW_TRY(dw__row_change_init(state->rc, &state->spec->rows, err));
    DW_TRY(check_columns(state->spec, err));
    if (state->rc->file_count == 0) {
        return DW_OK;
    }
    DW_TRY(write_new_rows(state, err));
    DW_TRY(dw__row_change_take_out(state->rc, err));
    return dw__row_change_commit(state->rc, err);
}

dw_status
dw__table_update(const dw_update_spec *spec, dw_row_change_result *out, dw_error *err)
{
    dw_row_change rc;
    update_state state = {.spec = spec, .rc = &rc};
    dw_status status = run(&state, err);
    *out = rc.result;
    dw__row_change_deinit(&rc);
    return status;
}
