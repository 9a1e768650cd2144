/*
 * ALTER TABLE: runs it, tells the version and what was done unasked; DRY RUN shows what would
 * change.
 */
#include "table/alter.h"

#include "base/assert.h"
#include "codec/rows.h"
#include "sql/lineage.h"
#include "upkeep/profile.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)

static dw_status
alter_columns(dw_execution *x, dw_table *table, dw_alter_report *report)
{
    const dw_alter_statement *statement = &x->statement.as.alter;
    switch ((unsigned) statement->kind) {
    case DW_ALTER_ADD_COLUMNS:
        return dw__table_add_columns(table, statement->added, statement->column_count, report,
                                     x->err);
    case DW_ALTER_DROP_COLUMNS:
        return dw__table_drop_columns(table, statement->paths, statement->if_exists, report,
                                      x->err);
    case DW_ALTER_RENAME_COLUMN:
        return dw__table_rename_column(table, statement->paths.items[0], statement->item, report,
                                       x->err);
    case DW_ALTER_CHANGE_COLUMNS:
        return dw__table_change_columns(table, x->session->connection, statement->changes,
                                        statement->column_count, report, x->err);
    case DW_ALTER_REPLACE_COLUMNS:
        return dw__table_replace_columns(table, statement->columns->fields,
                                         statement->columns->field_count, report, x->err);
    default:
        dw__error_copy(x->err, statement->failure);
        return statement->failure->status;
    }
}

static dw_status
cluster_by(dw_execution *x, dw_table *table, dw_alter_report *report, dw_advice *advice)
{
    const dw_alter_statement *statement = &x->statement.as.alter;
    if (!statement->clusters_auto) {
        return dw__table_cluster_by(table, statement->cluster_by, report, x->err);
    }
    DW_TRY(dw__execution_advise(x, table, advice));
    return dw__execution_follow_advice(x, table, advice, report);
}

/* The quarantine is opened where its name stands for, whether it is there or not. */
static dw_status
open_quarantine(dw_execution *x, dw_table **out)
{
    const dw_sql_name *name = &x->statement.as.alter.quarantine;
    dw_str root = name->parts[0];
    if (!name->is_path) {
        DW_TRY(dw__catalog_resolve(x->session->catalog, name->parts, name->part_count, &x->arena,
                                   &root, x->err));
    }
    return dw__catalog_table_at(x->session->catalog, root, out, x->err);
}

static dw_status
add_expectation(dw_execution *x, dw_table *table, dw_alter_report *report)
{
    const dw_alter_statement *statement = &x->statement.as.alter;
    DW_AUTO(dw_table_ptr) quarantine = NULL;
    if (statement->has_quarantine) {
        DW_TRY(open_quarantine(x, &quarantine));
    }
    dw_expectation_spec spec = {
        .name = statement->item, .text = statement->expression, .action = statement->on_violation};
    return dw__table_add_expectation(table, x->session->connection, &spec, quarantine, report,
                                     x->err);
}

static dw_status
alter(dw_execution *x, dw_table *table, dw_alter_report *report, dw_advice *advice)
{
    const dw_alter_statement *statement = &x->statement.as.alter;
    switch (statement->kind) {
    case DW_ALTER_SET_PROPERTIES:
        DW_TRY(dw__profile_check_limits(&statement->properties, x->err));
        return dw__table_set_properties(table, x->session->connection, &statement->properties,
                                        report, x->err);
    case DW_ALTER_UNSET_PROPERTIES:
        return dw__table_unset_properties(table, statement->keys, statement->key_count,
                                          statement->if_exists, report, x->err);
    case DW_ALTER_ADD_CONSTRAINT:
        return dw__table_add_constraint(table, x->session->connection, statement->item,
                                        statement->expression, report, x->err);
    case DW_ALTER_DROP_CONSTRAINT:
        return dw__table_drop_constraint(table, statement->item, statement->if_exists, report,
                                         x->err);
    case DW_ALTER_ADD_EXPECTATION:
        return add_expectation(x, table, report);
    case DW_ALTER_DROP_EXPECTATION:
        return dw__table_drop_expectation(table, statement->item, statement->if_exists, report,
                                          x->err);
    case DW_ALTER_DROP_FEATURE:
        return dw__table_drop_feature(table, x->session->connection, statement->item,
                                      statement->truncates, report, x->err);
    case DW_ALTER_CLUSTER_BY:
        return cluster_by(x, table, report, advice);
    case DW_ALTER_SYNC_IDENTITY:
        return dw__table_sync_identity(table, x->session->connection, statement->item, report,
                                       x->err);
    case DW_ALTER_ADD_COLUMNS:
    case DW_ALTER_DROP_COLUMNS:
    case DW_ALTER_RENAME_COLUMN:
    case DW_ALTER_CHANGE_COLUMNS:
    case DW_ALTER_REPLACE_COLUMNS:
    case DW_ALTER_FOREIGN:
        return alter_columns(x, table, report);
    }
    dw_unreachable("every kind is listed");
}

/* ---- What comes of it ------------------------------------------------------------------------ */

/* Why the columns were chosen. */
static dw_status
put_advice(dw_execution *x, const dw_advice *advice, dw_rows *rows)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    dw__advice_explain(advice, &text);
    dw__rows_put_str(rows, DW_STR("advice"));
    dw__rows_put_str(rows, DW_STR("CLUSTER BY AUTO"));
    dw__rows_put_str(rows, DW_STR_NULL);
    dw__rows_put_str(rows, dw__strbuf_str(&text));
    return dw__strbuf_ok(&text, "the advice", x->err);
}

static dw_status
set_plan(dw_execution *x, const dw_alter_report *report, const dw_advice *advice)
{
    static const dw_rows_column columns[] = {{"change", DW_ROWS_STR, 0, 0},
                                             {"item", DW_ROWS_STR, 0, 0},
                                             {"before", DW_ROWS_STR, 0, 0},
                                             {"after", DW_ROWS_STR, 0, 0}};
    dw_rows *rows;
    struct ArrowArrayStream stream;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    for (size_t i = 0; i < report->effect_count; i++) {
        const dw_alter_effect *effect = &report->effects[i];
        dw__rows_put_str(rows, dw__str_from(effect->aspect));
        dw__rows_put_str(rows, effect->item);
        dw__rows_put_str(rows, effect->before);
        dw__rows_put_str(rows, effect->after);
    }
    dw_status status = x->statement.as.alter.clusters_auto ? put_advice(x, advice, rows) : DW_OK;
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    return DW_OK;
}

static dw_status
set_message(dw_execution *x, const dw_alter_report *report, const dw_advice *advice)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    if (report->version < 0) {
        dw__strbuf_append_literal(&text, "nothing was to be changed");
    } else {
        dw__strbuf_printf(&text, "changed the table as version %" PRId64, report->version);
    }
    for (size_t i = 0; report->version >= 0 && i < report->notice_count; i++) {
        dw__strbuf_append_literal(&text, "; ");
        dw__strbuf_append(&text, report->notices[i]);
    }
    if (x->statement.as.alter.clusters_auto) {
        dw__strbuf_append_literal(&text, "; ");
        dw__advice_explain(advice, &text);
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

static dw_status
alter_delta(dw_execution *x, dw_table *table)
{
    const dw_alter_statement *statement = &x->statement.as.alter;
    dw_alter_report report = {.arena = &x->arena,
                              .is_dry_run = statement->is_dry_run,
                              .forbids_mapping = x->session->settings.forbids_mapping,
                              .version = -1};
    dw_advice advice = {0};
    if (!statement->is_dry_run) {
        DW_TRY(dw__execution_upkeep_limits(x, table, &report.limits));
    }
    dw_status status = alter(x, table, &report, &advice);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&statement->name, &x->arena);
        dw__error_context(x->err, "ALTER TABLE %.*s", DW_STR_ARG(name));
        return status;
    }
    dw__execution_note_commit(x, report.version);
    return statement->is_dry_run ? set_plan(x, &report, &advice) : set_message(x, &report, &advice);
}

dw_status
dw__execute_alter(dw_execution *x)
{
    const dw_sql_name *name = &x->statement.as.alter.name;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, name, &kind, &table));
    if (kind == DW_TARGET_ENGINE) {
        return dw__execute_engine(x, (dw_sql_range){0});
    }
    if (kind != DW_TARGET_DELTA) {
        return dw__execution_table(x, name, &table);
    }
    return alter_delta(x, table);
}
