/*
 * ADD CONSTRAINT and DROP CONSTRAINT.
 */
#include "table/alter_core.h"
#include "table/change.h"
#include "table/constraint.h"

#define PARAMETERS_BYTES_MAX ((size_t) 16 << 20)

static dw_status
add(dw_alter *alter, dw_connection *connection, dw_str name, dw_str expression, dw_error *err)
{
    dw_str key;
    DW_TRY(dw__constraint_key(name, &alter->arena, &key, err));
    const dw_pair *old = dw__alter_find(alter, key);
    if (old != NULL) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "CONSTRAINT_EXISTS",
                             "the table has a constraint '%.*s' already: %.*s; drop it first",
                             DW_STR_ARG(name), DW_STR_ARG(old->value));
    }
    dw_row_check check;
    DW_TRY(dw__row_check_make(name, expression, alter->schema, &alter->arena, &check, err));
    DW_TRY(dw__row_check_verify(alter->table, connection, alter->snapshot, &check, err));
    alter->reads_all_files = true;
    dw__alter_set(alter, key, expression);
    return DW_OK;
}

dw_status
dw__table_add_constraint(dw_table *table, dw_connection *connection, dw_str name, dw_str expression,
                         dw_alter_report *report, dw_error *err)
{
    report->version = -1;
    DW_AUTO(dw_strbuf) parameters =
        dw__strbuf_make(dw__table_env(table)->allocator, PARAMETERS_BYTES_MAX);
    dw_alter alter;
    dw_status status = dw__alter_open(&alter, table, 1, err);
    if (status == DW_OK) {
        status = add(&alter, connection, name, expression, err);
    }
    if (status == DW_OK) {
        dw__change_put_parameter(&parameters, "name", name);
        dw__change_put_parameter(&parameters, "expr", expression);
        status = dw__alter_commit(&alter, "ADD CONSTRAINT", &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}

static dw_status
drop(dw_alter *alter, dw_str name, bool if_exists, dw_strbuf *parameters, dw_error *err)
{
    dw_str key;
    DW_TRY(dw__constraint_key(name, &alter->arena, &key, err));
    const dw_pair *old = dw__alter_find(alter, key);
    if (old == NULL && !if_exists) {
        return dw__error_set(err, DW_NOT_FOUND, "CONSTRAINT_NOT_FOUND",
                             "the table has no constraint '%.*s'; IF EXISTS lets that pass",
                             DW_STR_ARG(name));
    }
    dw__change_put_parameter(parameters, "name", name);
    if (old != NULL) {
        dw__change_put_parameter(parameters, "expr", old->value);
        (void) dw__alter_unset(alter, old->key);
    }
    dw__change_put_parameter(parameters, "existed", old != NULL ? DW_STR("true") : DW_STR("false"));
    return DW_OK;
}

dw_status
dw__table_drop_constraint(dw_table *table, dw_str name, bool if_exists, dw_alter_report *report,
                          dw_error *err)
{
    report->version = -1;
    DW_AUTO(dw_strbuf) parameters =
        dw__strbuf_make(dw__table_env(table)->allocator, PARAMETERS_BYTES_MAX);
    dw_alter alter;
    dw_status status = dw__alter_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = drop(&alter, name, if_exists, &parameters, err);
    }
    if (status == DW_OK) {
        status = dw__alter_commit(&alter, "DROP CONSTRAINT", &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}
