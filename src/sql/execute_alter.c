/*
 * ALTER TABLE of properties, constraints and features.
 */
#include "table/alter.h"

#include "base/assert.h"
#include "sql/execution.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)

static dw_status
alter(dw_execution *x, dw_table *table, int64_t *version_out)
{
    const dw_alter_statement *statement = &x->statement.as.alter;
    switch (statement->kind) {
    case DW_ALTER_SET_PROPERTIES:
        return dw__table_set_properties(table, x->session->connection, &statement->properties,
                                        version_out, x->err);
    case DW_ALTER_UNSET_PROPERTIES:
        return dw__table_unset_properties(table, statement->keys, statement->key_count,
                                          statement->if_exists, version_out, x->err);
    case DW_ALTER_ADD_CONSTRAINT:
        return dw__table_add_constraint(table, x->session->connection, statement->item,
                                        statement->expression, version_out, x->err);
    case DW_ALTER_DROP_CONSTRAINT:
        return dw__table_drop_constraint(table, statement->item, statement->if_exists, version_out,
                                         x->err);
    case DW_ALTER_DROP_FEATURE:
        return dw__table_drop_feature(table, x->session->connection, statement->item,
                                      statement->truncates, version_out, x->err);
    case DW_ALTER_CLUSTER_BY:
        return dw__table_cluster_by(table, statement->cluster_by, version_out, x->err);
    case DW_ALTER_SYNC_IDENTITY:
        return dw__table_sync_identity(table, x->session->connection, statement->item, version_out,
                                       x->err);
    }
    dw_unreachable("every kind is listed");
}

static dw_status
alter_delta(dw_execution *x, dw_table *table)
{
    int64_t version;
    dw_status status = alter(x, table, &version);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.alter.name, &x->arena);
        dw__error_context(x->err, "ALTER TABLE %.*s", DW_STR_ARG(name));
        return status;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    if (version < 0) {
        dw__strbuf_append_literal(&text, "nothing was to be changed");
    } else {
        dw__strbuf_printf(&text, "changed the table as version %" PRId64, version);
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
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
