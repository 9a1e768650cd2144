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
    dw_column_use *column_use; /* NULL: nothing is counted */
    dw_riders riders;
    dw_log_snapshot *planned;
    const dw_audit *audit; /* NULL: nothing is recorded */
    const struct dw_lineage_defaults *lineage;
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
    dw__column_use_close(table->column_use);
    dw__log_snapshot_unref(table->planned);
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

dw_column_use *
dw__table_column_use(const dw_table *table)
{
    return table->column_use;
}

void
dw__table_count_use(dw_table *table, dw_str directory)
{
    if (table->column_use == NULL) { /* stays so without memory: that nothing is counted is legal */
        table->column_use = dw__column_use_open(table->env, directory, dw__table_root(table));
    }
}

const dw_audit *
dw__table_audit(const dw_table *table)
{
    return table->audit;
}

void
dw__table_set_audit(dw_table *table, const dw_audit *audit)
{
    table->audit = audit;
}

const struct dw_lineage_defaults *
dw__table_lineage(const dw_table *table)
{
    return table->lineage;
}

void
dw__table_set_lineage(dw_table *table, const struct dw_lineage_defaults *defaults)
{
    table->lineage = defaults;
}

void
dw__table_set_riders(dw_table *table, const dw_riders *riders)
{
    table->riders = *riders;
}

const dw_riders *
dw__table_riders(const dw_table *table)
{
    return &table->riders;
}

void
dw__table_set_planned(dw_table *table, dw_log_snapshot *snapshot)
{
    dw__log_snapshot_unref(table->planned);
    table->planned = dw__log_snapshot_ref(snapshot);
}

dw_log_snapshot *
dw__table_planned(const dw_table *table)
{
    return table->planned;
}

const dw_env *
dw__table_env(const dw_table *table)
{
    return table->env;
}
