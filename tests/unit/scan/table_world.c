#include "table_world.h"

#include <stdlib.h>
#include <sys/stat.h>

int
table_world_setup(void **state)
{
    table_world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    dwt_env_init(&world->test, 1);
    dwt_temp_dir_make(&world->dir);
    dw__arena_init(&world->arena, world->test.env.allocator);
    dw_database_options options = {.thread_count = 2};
    assert_ok(dw__database_open(&world->test.env, &options, &world->database, &world->err),
              &world->err);
    assert_ok(dw__connection_open(world->database, &world->connection, &world->err), &world->err);
    assert_ok(dw__storage_open(&world->test.env, dw__str_from(world->dir.path), &world->storage,
                               &world->err),
              &world->err);
    assert_ok(dw__log_open(&world->test.env, world->storage, dw__database_engine(world->database),
                           &world->log, &world->err),
              &world->err);
    *state = world;
    return 0;
}

int
table_world_teardown(void **state)
{
    table_world *world = *state;
    dw__log_snapshot_unref(world->snapshot);
    dw__log_close(world->log);
    dw__storage_close(world->storage);
    dw__connection_close(world->connection);
    dw__database_close(world->database);
    dw__arena_deinit(&world->arena);
    dwt_temp_dir_remove(&world->dir);
    dwt_env_deinit(&world->test);
    free(world);
    return 0;
}

static void
run_text(table_world *world, const char *sql)
{
    assert_ok(dw__connection_execute(world->connection, dw__str_from(sql), &world->err),
              &world->err);
}

void
table_world_run(table_world *world, const char *fmt, ...)
{
    char sql[8192];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(sql, sizeof(sql), fmt, args);
    va_end(args);
    assert_true(len > 0 && (size_t) len < sizeof(sql));
    run_text(world, sql);
}

void
table_world_write(table_world *world, const char *name, const char *fmt, ...)
{
    char query[8192];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(query, sizeof(query), fmt, args);
    va_end(args);
    assert_true(len > 0 && (size_t) len < sizeof(query));
    char path[DWT_PATH_SIZE * 2];
    snprintf(path, sizeof(path), "%s/%s", world->dir.path, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0755);
    *slash = '/';
    table_world_run(world, "COPY (%s) TO '%s'", query, path);
}

void
table_world_refresh(table_world *world)
{
    dw__log_snapshot_unref(world->snapshot);
    world->snapshot = NULL;
    assert_ok(dw__log_snapshot(world->log, &world->snapshot, &world->err), &world->err);
}

static dw_status
open_scan(table_world *world, const char *sql, dw_scan **out)
{
    dw_scan_source sources[] = {{.name = DW_STR("t"), .snapshot = world->snapshot},
                                {.name = DW_STR("u"), .snapshot = world->snapshot}};
    return dw__scan_open(world->connection, world->database, dw__str_from(sql), sources, 2, out,
                         &world->err);
}

static const char *
rows_as_text(table_world *world, const dw_text_rows *rows)
{
    dw_strbuf text = dw__strbuf_make(world->test.env.allocator, (size_t) 1 << 20);
    for (size_t i = 0; i < rows->row_count * rows->column_count; i++) {
        if (i > 0) {
            dw__strbuf_append_char(&text, i % rows->column_count == 0 ? '\n' : '|');
        }
        dw_str cell = rows->cells[i];
        dw__strbuf_append(&text, dw__str_is_null(cell) ? DW_STR("NULL") : cell);
    }
    char *copy = dw__arena_dup_cstr(&world->arena, dw__strbuf_str(&text));
    assert_non_null(copy);
    dw__strbuf_deinit(&text);
    return copy;
}

const char *
table_world_query(table_world *world, const char *sql, dw_scan **scan_out)
{
    dw_scan *scan;
    dw_text_rows rows;
    assert_ok(open_scan(world, sql, &scan), &world->err);
    assert_ok(dw__connection_query_text(world->connection, dw__str_from(sql), &world->arena, &rows,
                                        &world->err),
              &world->err);
    if (scan_out != NULL) {
        *scan_out = scan;
    } else {
        dw__scan_close(scan);
    }
    return rows_as_text(world, &rows);
}

dw_status
table_world_fail(table_world *world, const char *sql)
{
    dw_scan *scan = NULL;
    dw_text_rows rows;
    dw__error_clear(&world->err);
    dw_status status = open_scan(world, sql, &scan);
    if (status == DW_OK) {
        status = dw__connection_query_text(world->connection, dw__str_from(sql), &world->arena,
                                           &rows, &world->err);
        assert_int_not_equal(status, DW_OK);
        status = dw__scan_explain_error(scan, &world->err);
    }
    dw__scan_close(scan);
    return status;
}

void
table_world_create(table_world *world, dwt_commit *commit, const char *schema,
                   const char *partition_columns, const char *configuration)
{
    (void) world;
    static const char features[] =
        "[\"columnMapping\",\"deletionVectors\",\"timestampNtz\",\"typeWidening\"]";
    dwt_commit_begin(commit);
    dwt_commit_protocol_features(commit, features, features);
    dwt_commit_metadata(commit, schema, partition_columns, configuration);
}

void
table_world_add(table_world *world, dwt_commit *commit, const char *name,
                const char *partition_values, const char *stats, const char *more)
{
    char path[DWT_PATH_SIZE * 2];
    struct stat meta;
    snprintf(path, sizeof(path), "%s/%s", world->dir.path, name);
    assert_int_equal(stat(path, &meta), 0);
    dwt_commit_add(commit, &(dwt_add){.path = name,
                                      .size = meta.st_size,
                                      .partition_values = partition_values,
                                      .stats = stats,
                                      .more = more});
}

void
table_world_commit(table_world *world, dwt_commit *commit, int64_t version)
{
    dwt_commit_write(commit, world->storage, version);
    table_world_refresh(world);
}
