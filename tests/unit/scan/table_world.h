/*
 * Tables on disk whose files the engine wrote and whose log the test wrote, and queries over them
 * through scans.
 */
#ifndef DW_TEST_SCAN_TABLE_WORLD_H
#define DW_TEST_SCAN_TABLE_WORLD_H

#include "support/delta_log.h"
#include "support/temp_dir.h"
#include "support/test.h"
#include "support/test_env.h"

#include "scan/scan.h"

typedef struct table_world {
    dwt_env test;
    dwt_temp_dir dir;
    dw_storage *storage;
    dw_database *database;
    dw_connection *connection;
    dw_log *log;
    dw_log_snapshot *snapshot;
    dw_arena arena;
    dw_error err;
} table_world;

/* Members of a schema; the second kind follows another one. Nested types are JSON. */
#define FIELD(name, type) DWT_SCHEMA_FIELD(name, type)
#define NEXT(name, type) "," FIELD(name, type)
#define NEXT_NESTED(name, type)                                                                    \
    ",{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{}}"
#define MAPPED(name, type, id, physical)                                                           \
    "{\"name\":\"" name "\",\"type\":" type                                                        \
    ",\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":" id                              \
    ",\"delta.columnMapping.physicalName\":\"" physical "\"}}"
#define NEXT_MAPPED(name, type, id, physical) "," MAPPED(name, type, id, physical)
#define ARRAY(element) "{\"type\":\"array\",\"elementType\":" element ",\"containsNull\":true}"
#define MAP(key, value)                                                                            \
    "{\"type\":\"map\",\"keyType\":" key ",\"valueType\":" value ",\"valueContainsNull\":true}"

#define TABLE_TEST(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, table_world_setup, table_world_teardown)

/* cmocka's setup and teardown; *state is the world. */
int table_world_setup(void **state);
int table_world_teardown(void **state);

/* Runs a statement of the engine; a printf format. */
void table_world_run(table_world *world, const char *fmt, ...) DW_PRINTF(2, 3);
/* Writes the rows of a query to the file `name` of the table; a printf format. */
void table_world_write(table_world *world, const char *name, const char *fmt, ...) DW_PRINTF(3, 4);
/* Sets the snapshot to the newest version. */
void table_world_refresh(table_world *world);

/* Runs a query in which t, and u, stand for the table, and gives its rows as text: cells joined by
 * '|', rows by '\n', NULL as "NULL". `scan_out` may be NULL; else the scan is the caller's to
 * close. */
const char *table_world_query(table_world *world, const char *sql, dw_scan **scan_out);
/* The same for a query that fails; the error is in world->err, explained by the scan. */
dw_status table_world_fail(table_world *world, const char *sql);

#define assert_query(world, expected, sql)                                                         \
    assert_string_equal(table_world_query((world), (sql), NULL), (expected))

/* Starts version 0; `features` true: with column mapping, deletion vectors and others. */
void table_world_create(table_world *world, dwt_commit *commit, const char *schema,
                        const char *partition_columns, const char *configuration);
/* Writes the commit as that version and sets the snapshot to it. */
void table_world_commit(table_world *world, dwt_commit *commit, int64_t version);
/* Adds a file that is there, with its true size. */
void table_world_add(table_world *world, dwt_commit *commit, const char *name,
                     const char *partition_values, const char *stats, const char *more);

#endif
