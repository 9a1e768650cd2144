/*
 * A table as users mean it: its root, its log and the engine that reads and writes its rows. The
 * verbs (create, write, describe, ...) each have a file pair of their own in this folder.
 *
 *  [TABLE-1] A verb either commits or leaves the table as it was and removes what it wrote.
 *  [TABLE-2] Verbs do not call each other, but for load; what they share is in a file of its own.
 */
#ifndef DW_TABLE_TABLE_H
#define DW_TABLE_TABLE_H

#include "audit/audit.h"
#include "engine/database.h"
#include "log/log.h"
#include "scan/column_use.h"

/* struct dw_table is the public handle (include/deltaworks.h). Ref-counted, thread-safe. */

/* Opens storage and log; reads nothing. `env` and `database` must outlive the table. */
DW_WARN_UNUSED dw_status dw__table_open(const dw_env *env, dw_database *database, dw_str uri,
                                        dw_table **out, dw_error *err);
dw_table *dw__table_ref(dw_table *table);
void dw__table_unref(dw_table *table);

/* The root as the engine spells it: an absolute path or a URI. */
dw_str dw__table_root(const dw_table *table);
dw_log *dw__table_log(dw_table *table);
dw_storage *dw__table_storage(dw_table *table);
dw_database *dw__table_database(dw_table *table);
const dw_env *dw__table_env(const dw_table *table);
/* Where the conditions of queries are counted; NULL: nowhere. */
dw_column_use *dw__table_column_use(const dw_table *table);
/* They are, from now on, and kept below `directory`. Before others have the table. */
void dw__table_count_use(dw_table *table, dw_str directory);

/* What is recorded with every change of rows or definition that is committed through this handle,
 * in the very commit: txn actions, and a text for the history where the statement gives none. For
 * a handle that nobody else has. The ids are borrowed until they are set anew. */
typedef struct dw_riders {
    const dw_txn_id *txns;
    size_t txn_count;
    bool happens_once; /* what is recorded as a version above 0 is not committed again */
    dw_str user_metadata;
} dw_riders;
void dw__table_set_riders(dw_table *table, const dw_riders *riders);
const dw_riders *dw__table_riders(const dw_table *table);
/* The state that changes which are only planned through this handle begin with, and leave behind
 * them; NULL: the newest one, which each of them begins with. For a handle that nobody else has,
 * which takes a reference of its own. */
void dw__table_set_planned(dw_table *table, dw_log_snapshot *snapshot);
dw_log_snapshot *dw__table_planned(const dw_table *table);
/* Where it is recorded what is done to tables; NULL: nowhere. */
const dw_audit *dw__table_audit(const dw_table *table);
/* `audit` must outlive the table. Before others have the table. */
void dw__table_set_audit(dw_table *table, const dw_audit *audit);
/* Who writes through this handle without a session; NULL: nothing is recorded of where rows come
 * from. */
const struct dw_lineage_defaults *dw__table_lineage(const dw_table *table);
/* They must outlive the table. Before others have the table. */
void dw__table_set_lineage(dw_table *table, const struct dw_lineage_defaults *defaults);

typedef dw_table *dw_table_ptr;

static inline void
dw__dw_table_ptr_cleanup(dw_table_ptr *table)
{
    dw__table_unref(*table);
}

#endif
