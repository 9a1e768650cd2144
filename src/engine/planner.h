/*
 * The second instance: empty tables of the same columns, to see what the optimiser makes of a
 * statement. [DATABASE-1] Private to this folder.
 */
#ifndef DW_ENGINE_PLANNER_H
#define DW_ENGINE_PLANNER_H

#include "base/strbuf.h"
#include "engine/duck.h"

#include <pthread.h>

/* Stubs are kept for the next statement over the same table. */
enum { DW_PLAN_STUBS_MAX = 64 };

/* A table on the instance, and the statement that made it: the same one need not run again. */
typedef struct dw_stub {
    char *name;
    size_t name_size;
    char *definition;
    size_t definition_size;
    uint64_t used_at; /* of use_count: the one that was used longest ago makes room */
} dw_stub;

typedef struct dw_planner {
    pthread_mutex_t mutex;    /* guards all below */
    duckdb_database instance; /* NULL until it is needed */
    duckdb_connection handle;
    dw_stub stubs[DW_PLAN_STUBS_MAX];
    size_t stub_count;
    uint64_t use_count;
    char *settings; /* SET statements that are in force; NULL: none, or some of them */
    size_t settings_size;
    pthread_t opener; /* opens the instance while the first one opens */
    bool has_opener;
} dw_planner;

#endif
