/*
 * ADD CONSTRAINT and DROP CONSTRAINT.
 */
#include "table/alter_core.h"
#include "table/change.h"
#include "table/constraint.h"

typedef struct constraint_change {
    dw_connection *connection;
    dw_str name;
    dw_str expression;
    bool if_exists;
} constraint_change;

static dw_status
add(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const constraint_change *change = ctx;
    dw_str key, name = change->name, expression = change->expression;
    DW_TRY(dw__constraint_key(name, &alter->arena, &key, err));
    const dw_pair *old = dw__alter_find(alter, key);
    if (old != NULL) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "CONSTRAINT_EXISTS",
                             "the table has a constraint '%.*s' already: %.*s; drop it first",
                             DW_STR_ARG(name), DW_STR_ARG(old->value));
    }
    dw_row_check check;
    DW_TRY(dw__row_check_make(name, expression, alter->schema, &alter->arena, &check, err));
    DW_TRY(dw__row_check_verify(alter->table, change->connection, alter->snapshot, &check, err));
    alter->reads_all_files = true;
    dw__alter_set(alter, key, expression);
    dw__change_put_parameter(parameters, "name", name);
    dw__change_put_parameter(parameters, "expr", expression);
    return DW_OK;
}

dw_status
dw__table_add_constraint(dw_table *table, dw_connection *connection, dw_str name, dw_str expression,
                         dw_alter_report *report, dw_error *err)
{
    constraint_change change = {connection, name, expression, false};
    return dw__alter_run(table, 1, "ADD CONSTRAINT", add, &change, report, err);
}

static dw_status
drop(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const constraint_change *change = ctx;
    dw_str key, name = change->name;
    DW_TRY(dw__constraint_key(name, &alter->arena, &key, err));
    const dw_pair *old = dw__alter_find(alter, key);
    if (old == NULL && !change->if_exists) {
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
    constraint_change change = {.name = name, .if_exists = if_exists};
    return dw__alter_run(table, 0, "DROP CONSTRAINT", drop, &change, report, err);
}
