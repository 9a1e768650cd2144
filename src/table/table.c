/*
 * The table handle: root, storage, log and the database that reads its rows.
 */
#include "table/table.h"

#include "base/assert.h"

#include <stdatomic.h>

struct dw_table {
    const dw_env *env;
    dw_database *database;
    dw_storage *storage;
    dw_log *log;
    atomic_int ref_count;
};

dw_status
dw__table_open(const dw_env *env, dw_database *database, dw_str uri, dw_table **out, dw_error *err)
{
    *out = NULL;
    dw_table *table = DW_NEW(env->allocator, dw_table);
    if (table == NULL) {
        return dw__error_oom(err);
    }
    table->env = env;
    table->database = database;
    atomic_init(&table->ref_count, 1);
    dw_status status = dw__storage_open(env, uri, &table->storage, err);
    if (status == DW_OK) {
        status = dw__log_open(env, table->storage, dw__database_engine(database), &table->log, err);
    }
    if (status != DW_OK) {
        dw__table_unref(table);
        return status;
    }
    *out = table;
    return DW_OK;
}

dw_table *
dw__table_ref(dw_table *table)
{
    atomic_fetch_add(&table->ref_count, 1);
    return table;
}

void
dw__table_unref(dw_table *table)
{
    if (table == NULL || atomic_fetch_sub(&table->ref_count, 1) != 1) {
        return;
    }
    dw__log_close(table->log);
    dw__storage_close(table->storage);
    DW_DELETE(table->env->allocator, table);
}

dw_str
dw__table_root(const dw_table *table)
{
    return table->storage->root;
}

dw_log *
dw__table_log(dw_table *table)
{
    return table->log;
}

dw_storage *
dw__table_storage(dw_table *table)
{
    return table->storage;
}

dw_database *
dw__table_database(dw_table *table)
{
    return table->database;
}

const dw_env *
dw__table_env(const dw_table *table)
{
    return table->env;
}
