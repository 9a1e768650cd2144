/*
 * The structs behind the public handles that no other folder owns.
 */
#ifndef DW_API_HANDLES_H
#define DW_API_HANDLES_H

#include "table/catalog.h"

#include <stdatomic.h>

struct dw_runtime {
    dw_env env;
    dw_database *database;
    dw_catalog *catalog;
    struct dw_emitter *emitter; /* NULL: nobody is told of runs */
};

struct dw_snapshot {
    dw_table *table; /* a reference */
    dw_log_snapshot *state;
    char *schema_json;
    size_t schema_json_size;
    atomic_int ref_count;
};

/* DW_INVALID_ARGUMENT (ARGUMENT_NULL) naming the argument when it is NULL. */
#define DW_REQUIRE(argument)                                                                       \
    do {                                                                                           \
        if ((argument) == NULL) {                                                                  \
            return dw__error_set(err, DW_INVALID_ARGUMENT, "ARGUMENT_NULL", "%s must not be NULL", \
                                 #argument);                                                       \
        }                                                                                          \
    } while (0)

/* True when the caller's option struct has the member: structs only ever grow at the end. */
#define DW_HAS_OPTION(options, member)                                                             \
    ((options) != NULL &&                                                                          \
     (options)->size >= offsetof(__typeof__(*(options)), member) + sizeof((options)->member))

#endif
