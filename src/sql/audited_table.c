/*
 * What a statement is for the audit log, and which table it is about.
 */
#include "base/assert.h"
#include "sql/audited.h"

/* Of a transaction only what makes it count, or drops it. */
static dw_audited_kind
kind_of_transaction(dw_transaction_kind kind)
{
    return kind == DW_TRANSACTION_COMMIT || kind == DW_TRANSACTION_ROLLBACK ? DW_AUDITED_CHANGE
                                                                            : DW_AUDITED_NOT;
}

dw_audited_kind
dw__audited_kind(const dw_statement *statement)
{
    switch (statement->kind) {
    case DW_STATEMENT_EMPTY:
    case DW_STATEMENT_SETTING:
        return DW_AUDITED_NOT;
    case DW_STATEMENT_QUERY:
    case DW_STATEMENT_EXPLAIN:
    case DW_STATEMENT_DESCRIBE:
    case DW_STATEMENT_SHOW_TABLES:
    case DW_STATEMENT_FSCK:
    case DW_STATEMENT_CHECK:
    case DW_STATEMENT_SHOW_LINEAGE:
    case DW_STATEMENT_CREATE_VIEW:
    case DW_STATEMENT_DROP_VIEW:
    case DW_STATEMENT_ENGINE:
        return DW_AUDITED_READ;
    case DW_STATEMENT_MODIFY:
        return statement->as.modify.explains ? DW_AUDITED_READ : DW_AUDITED_CHANGE;
    case DW_STATEMENT_BLOOM:
        return statement->as.bloom.kind == DW_BLOOM_SHOW ? DW_AUDITED_READ : DW_AUDITED_CHANGE;
    case DW_STATEMENT_TRANSACTION:
        return kind_of_transaction(statement->as.transaction.kind);
    case DW_STATEMENT_CREATE_TABLE:
    case DW_STATEMENT_INSERT:
    case DW_STATEMENT_COPY_INTO:
    case DW_STATEMENT_CHECKPOINT:
    case DW_STATEMENT_COMPACT_LOG:
    case DW_STATEMENT_VACUUM:
    case DW_STATEMENT_OPTIMIZE:
    case DW_STATEMENT_ALTER:
    case DW_STATEMENT_RESTORE:
    case DW_STATEMENT_REPAIR:
    case DW_STATEMENT_GENERATE:
    case DW_STATEMENT_CONVERT:
    case DW_STATEMENT_ANALYZE:
    case DW_STATEMENT_MIGRATE:
        return DW_AUDITED_CHANGE;
    }
    dw_unreachable("statement kind");
}

/* The commands that look after a table. */
static const dw_sql_name *
name_of_upkeep(const dw_statement *statement)
{
    switch ((int) statement->kind) {
    case DW_STATEMENT_CHECKPOINT:
        return &statement->as.checkpoint;
    case DW_STATEMENT_COMPACT_LOG:
        return &statement->as.compact.name;
    case DW_STATEMENT_VACUUM:
        return &statement->as.vacuum.name;
    case DW_STATEMENT_OPTIMIZE:
        return &statement->as.optimize.name;
    case DW_STATEMENT_RESTORE:
        return &statement->as.restore.name;
    case DW_STATEMENT_REPAIR:
        return &statement->as.repair.name;
    case DW_STATEMENT_GENERATE:
        return &statement->as.manifest.name;
    case DW_STATEMENT_CONVERT:
        return &statement->as.convert.name;
    case DW_STATEMENT_ANALYZE:
        return &statement->as.analyze.name;
    case DW_STATEMENT_BLOOM:
        return &statement->as.bloom.name;
    case DW_STATEMENT_MIGRATE:
        return statement->as.migrate.name.part_count > 0 ? &statement->as.migrate.name : NULL;
    default:
        return NULL;
    }
}

const dw_sql_name *
dw__audited_name(const dw_statement *statement)
{
    switch ((int) statement->kind) {
    case DW_STATEMENT_CREATE_TABLE:
        return &statement->as.create.name;
    case DW_STATEMENT_INSERT:
        return &statement->as.insert.name;
    case DW_STATEMENT_COPY_INTO:
        return &statement->as.copy.name;
    case DW_STATEMENT_ALTER:
        return &statement->as.alter.name;
    case DW_STATEMENT_MODIFY:
        return statement->as.modify.name.part_count > 0 ? &statement->as.modify.name : NULL;
    default:
        return name_of_upkeep(statement);
    }
}
