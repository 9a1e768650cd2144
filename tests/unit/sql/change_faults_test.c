/*
 * Statements that change rows, and commands that look after a table, while any one allocation or
 * storage call fails: the error is said, nothing leaks, the table and its files are as before, and
 * the session goes on.
 */
#include "support/fault_storage.h"
#include "support/temp_dir.h"
#include "support/test.h"
#include "support/test_env.h"

#include "sql/sql.h"

#include <dirent.h>
#include <stdlib.h>

/* A statement has thousands of allocations: of the later ones only some fail. */
enum { ALL_UNTIL = 40, STEP_SHARE = 12 };
/* 2100: later than files, which the system dates. */
#define LATER_MS INT64_C(4102444800000)

typedef struct rival_storage {
    dw_storage_ops ops;          /* the table's, with faults in them */
    const dw_storage_ops *inner; /* as they were */
    int64_t call_count;
    int64_t fault_at; /* 0: none */
    dw_status fault_status;
    bool loses_answers; /* of calls that write; else the call does nothing */
    bool has_failed;
} rival_storage;

typedef struct fixture {
    dwt_temp_dir dir;
    dwt_env env;
    dw_database *database;
    dw_catalog *catalog;
    dw_session *session;
    dw_storage *storage; /* of the table, borrowed */
    int table_number;
    dw_error err;
} fixture;

/* The storage's functions are given no context of ours. */
static rival_storage rival;

/* ---- Storage that fails ---------------------------------------------------------------------- */

/* True when this call does nothing and `*status_out` is its outcome. */
static bool
fails_now(bool writes, dw_status *status_out, dw_error *err)
{
    bool counts = !rival.loses_answers || writes;
    if (!counts || ++rival.call_count != rival.fault_at) {
        return false;
    }
    rival.has_failed = true;
    *status_out = dw__error_set(err, rival.fault_status, "FAULT_INJECTED", "the call failed");
    return !rival.loses_answers;
}

static dw_status
outcome(dw_status done, dw_status status)
{
    return status == DW_OK ? done : status;
}

static dw_status
get(dw_storage *storage, dw_str key, dw_strbuf *buf, int64_t *modified_ms_out, dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err)
               ? status
               : rival.inner->get(storage, key, buf, modified_ms_out, err);
}

static dw_status
put_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_status status = DW_OK;
    if (fails_now(true, &status, err)) {
        return status;
    }
    return outcome(rival.inner->put_if_absent(storage, key, bytes, status == DW_OK ? err : NULL),
                   status);
}

/* A draft is left behind for no outcome but that somebody was first. */
static dw_status
put_draft_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_draft **draft_io,
                    dw_error *err)
{
    dw_status status = DW_OK;
    if (fails_now(true, &status, err)) {
        return status;
    }
    dw_status done = rival.inner->put_draft_if_absent(storage, key, bytes, draft_io,
                                                      status == DW_OK ? err : NULL);
    if (status != DW_OK && *draft_io != NULL) {
        rival.inner->draft_free(storage, *draft_io);
        *draft_io = NULL;
    }
    return outcome(done, status);
}

static dw_status
put(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_status status = DW_OK;
    if (fails_now(true, &status, err)) {
        return status;
    }
    return outcome(rival.inner->put(storage, key, bytes, status == DW_OK ? err : NULL), status);
}

static dw_status
list(dw_storage *storage, const dw_list_request *request, dw_arena *arena, dw_list_page *page_out,
     dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err)
               ? status
               : rival.inner->list(storage, request, arena, page_out, err);
}

static dw_status
sync_objects(dw_storage *storage, const dw_sync_request *requests, size_t count, dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err) ? status
                                          : rival.inner->sync(storage, requests, count, err);
}

static dw_status
prepare(dw_storage *storage, dw_str prefix, dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err) ? status : rival.inner->prepare(storage, prefix, err);
}

static dw_status
get_range(dw_storage *storage, dw_str key, uint64_t offset, size_t len, dw_strbuf *buf,
          dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err)
               ? status
               : rival.inner->get_range(storage, key, offset, len, buf, err);
}

static dw_status
head(dw_storage *storage, dw_str key, dw_object_meta *meta_out, dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err) ? status : rival.inner->head(storage, key, meta_out, err);
}

static dw_status
remove_object(dw_storage *storage, dw_str key, dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err) ? status : rival.inner->remove(storage, key, err);
}

static dw_status
compose(dw_storage *storage, dw_str key, const dw_piece *pieces, size_t count, dw_error *err)
{
    dw_status status = DW_OK;
    return fails_now(false, &status, err) ? status
                                          : rival.inner->compose(storage, key, pieces, count, err);
}

static void
take_over(dw_storage *storage)
{
    rival = (rival_storage){.ops = *storage->ops, .inner = storage->ops};
    rival.ops.get = get;
    rival.ops.get_range = get_range;
    rival.ops.head = head;
    rival.ops.remove = remove_object;
    rival.ops.compose = compose;
    rival.ops.put_if_absent = put_if_absent;
    rival.ops.put_draft_if_absent = put_draft_if_absent;
    rival.ops.put = put;
    rival.ops.list = list;
    rival.ops.sync = sync_objects;
    rival.ops.prepare = prepare;
    storage->ops = &rival.ops;
}

/* ---- The table ------------------------------------------------------------------------------- */

/* Runs the statement, of which %d is the table's number and %s the folder of all tables. A number
 * that it answers goes to `*number_out`, which may be NULL. */
static dw_status
execute(fixture *f, const char *format, int64_t *number_out)
{
    char sql[2048];
    const char *at = format;
    size_t used;
    dw_status status = DW_OK;
    int len = 0;
    for (; *at != '\0'; at++) {
        bool is_number = at[0] == '%' && at[1] == 'd';
        bool is_folder = at[0] == '%' && at[1] == 's';
        if (is_folder) {
            len += snprintf(sql + len, sizeof sql - (size_t) len, "%s", f->dir.path);
        } else {
            len += snprintf(sql + len, sizeof sql - (size_t) len, is_number ? "%d" : "%c",
                            is_number ? f->table_number : *at);
        }
        at += is_number || is_folder;
    }
    at = sql;
    while (status == DW_OK && *at != '\0') {
        dw_result *result = NULL;
        status = dw__session_execute(f->session, dw__str_from(at), &used, &result, &f->err);
        at += used;
        if (status == DW_OK && number_out != NULL && result != NULL) {
            struct ArrowArrayStream stream;
            struct ArrowArray batch = {0};
            assert_ok(dw__result_stream(result, &stream, &f->err), &f->err);
            assert_int_equal(stream.get_next(&stream, &batch), 0);
            *number_out = ((const int64_t *) batch.children[0]->buffers[1])[0];
            batch.release(&batch);
            stream.release(&stream);
        }
        dw__result_free(result);
    }
    return status;
}

static void
begin(fixture *f)
{
    memset(f, 0, sizeof *f);
    dwt_temp_dir_make(&f->dir);
    dwt_env_init(&f->env, 1);
    dw_database_options options = {0};
    assert_ok(dw__database_open(&f->env.env, &options, &f->database, &f->err), &f->err);
    assert_ok(
        dw__catalog_open(&f->env.env, f->database, dw__str_from(f->dir.path), &f->catalog, &f->err),
        &f->err);
    assert_ok(dw__session_open(f->catalog, &f->session, &f->err), &f->err);
    const char *any = "SET spark.databricks.delta.retentionDurationCheck.enabled = false";
    assert_ok(execute(f, any, NULL), &f->err);
    dwt_env_set_now_ms(&f->env, LATER_MS); /* VACUUM goes by the times of files */
}

static void
end(fixture *f)
{
    dw__session_close(f->session);
    dw__catalog_close(f->catalog);
    dw__database_close(f->database);
    dwt_env_deinit(&f->env);
    dwt_temp_dir_remove(&f->dir);
}

typedef struct change_case {
    const char *sql;
    int64_t change;      /* of the digest */
    const char *prepare; /* run on the table before; may be NULL */
    bool clones;         /* makes c%d with the rows of t%d: its storage it is that fails */
    bool keeps_unnamed;  /* files that no version names may stay, or go */
} change_case;

static void
make_table(fixture *f, const change_case *c, const char *properties)
{
    char sql[512];
    dw_arena arena;
    dw_str name, root;
    dw_table *table;
    f->table_number++;
    (void) snprintf(sql, sizeof sql,
                    "CREATE TABLE t%%d (id BIGINT, v BIGINT) TBLPROPERTIES (%s);"
                    "INSERT INTO t%%d SELECT range, 0 FROM range(6);"
                    "INSERT INTO t%%d SELECT range, 0 FROM range(6, 12)",
                    properties);
    assert_ok(execute(f, sql, NULL), &f->err);
    if (c->prepare != NULL) {
        assert_ok(execute(f, c->prepare, NULL), &f->err);
    }
    dw__arena_init(&arena, &f->env.memory.allocator);
    name = dw__arena_printf(&arena, "%c%d", c->clones ? 'c' : 't', f->table_number);
    assert_ok(dw__catalog_resolve(f->catalog, &name, 1, &arena, &root, &f->err), &f->err);
    assert_ok(dw__catalog_table_at(f->catalog, root, &table, &f->err), &f->err);
    f->storage = dw__table_storage(table);
    take_over(f->storage);
    dw__table_unref(table);
    dw__arena_deinit(&arena);
}

static void
leave_table(fixture *f)
{
    f->storage->ops = rival.inner;
}

#define DIGEST "SELECT sum(id * 1000 + v)::BIGINT + count(*) * 1000000 FROM "

/* Of the rows, whatever their order. */
static int64_t
digest(fixture *f)
{
    int64_t number = 0;
    assert_ok(execute(f, DIGEST "t%d", &number), &f->err);
    return number;
}

/* 0 when there is no clone. */
static int64_t
digest_clone(fixture *f)
{
    int64_t number = 0;
    dw_status status = execute(f, DIGEST "c%d", &number);
    assert_true(status == DW_OK || status == DW_NOT_FOUND);
    return number;
}

static size_t
count_files(const char *folder)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[DWT_PATH_SIZE * 2];
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "_delta_log") == 0) {
            continue;
        }
        (void) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count += entry->d_type == DT_DIR ? count_files(path) : 1;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

static size_t
count_table_files(const fixture *f)
{
    char folder[DWT_PATH_SIZE + 16];
    (void) snprintf(folder, sizeof folder, "%s/t%d", f->dir.path, f->table_number);
    return count_files(folder);
}

/* ---- The loops ------------------------------------------------------------------------------- */

static const change_case changes[] = {
    {.sql = "DELETE FROM t%d WHERE id IN (1, 2, 7)", .change = -10 * 1000 - 3 * 1000000},
    {.sql = "UPDATE t%d SET v = v + 5 WHERE id >= 4 AND id < 8", .change = 20},
    {.sql =
         "MERGE INTO t%d AS t USING (SELECT range AS id, 3 AS v FROM range(4, 16)) AS s "
         "ON t.id = s.id "
         "WHEN MATCHED AND s.id = 5 THEN DELETE WHEN MATCHED AND s.id < 9 THEN UPDATE SET v = s.v "
         "WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.id = 0 THEN DELETE",
     .change = -5 * 1000 + 4 * 3 + (12 + 13 + 14 + 15) * 1000 + 4 * 3 + 2 * 1000000},
    {.sql = "INSERT INTO t%d REPLACE WHERE id > 9 VALUES (20, 1)",
     .change = -21 * 1000 + 20 * 1000 + 1 - 1000000},
    {.sql = "INSERT INTO t%d VALUES (20, 1), (200, 1)",
     .prepare = "ALTER TABLE t%d ADD EXPECTATION small (id < 100) ON VIOLATION DROP",
     .change = 20 * 1000 + 1 + 1000000},
    {.sql = "INSERT INTO t%d VALUES (20, 1), (200, 1)",
     .prepare = "ALTER TABLE t%d ADD EXPECTATION small (id < 100) ON VIOLATION DROP QUARANTINE "
                "INTO q%d; ALTER TABLE t%d ADD EXPECTATION odd (v = 1)",
     .change = 20 * 1000 + 1 + 1000000},
    {.sql = NULL},
};

/* Row groups that are worth copying as they are. */
#define LARGE_FILES                                                                                \
    "INSERT INTO t%d SELECT range, 0 FROM range(100, 16100);"                                      \
    "INSERT INTO t%d SELECT range, 0 FROM range(20000, 36000)"

static const change_case upkeep[] = {
    {.sql = "OPTIMIZE t%d", .prepare = "DELETE FROM t%d WHERE id = 3"},
    {.sql = "OPTIMIZE t%d", .prepare = "DELETE FROM t%d; " LARGE_FILES},
    {.sql = "OPTIMIZE t%d ZORDER BY (id)"},
    {.sql = "RESTORE t%d TO VERSION AS OF 1", .change = -51 * 1000 - 6 * 1000000},
    {.sql = "VACUUM t%d RETAIN 0 HOURS", .prepare = "OPTIMIZE t%d", .keeps_unnamed = true},
    {.sql = "ALTER TABLE t%d ADD COLUMNS (x STRUCT<a: INT> COMMENT 'x' FIRST, y INT AFTER id)"},
    {.sql = "ALTER TABLE t%d DROP COLUMN x", .prepare = "ALTER TABLE t%d ADD COLUMN x INT"},
    {.sql = "ALTER TABLE t%d ALTER COLUMN id SET NOT NULL, v COMMENT 'value', v FIRST"},
    {.sql = "ALTER TABLE t%d ADD EXPECTATION small (id < 100) ON VIOLATION FAIL"},
    {.sql = "CREATE OR REPLACE TABLE c%d SHALLOW CLONE t%d", .clones = true},
    {.sql = "CREATE OR REPLACE TABLE c%d DEEP CLONE t%d", .clones = true},
    {.sql = "CONVERT TO DELTA parquet.`%s/c%d`",
     .prepare = "COPY (SELECT * FROM t%d) TO '%s/c%d' (FORMAT parquet, PER_THREAD_OUTPUT true)",
     .clones = true},
    {.sql = NULL},
};

static const char *const kinds_of_table[] = {
    "'delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true', "
    "'delta.enableRowTracking' = 'true'",
    "'delta.enableDeletionVectors' = 'false'",
};

/* What is seen of a table from outside. */
typedef struct table_state {
    int64_t digest, clone;
    int64_t version; /* the newest */
    size_t files;
} table_state;

static table_state
look(fixture *f, const change_case *c)
{
    table_state state = {.digest = digest(f), .clone = c->clones ? digest_clone(f) : 0};
    assert_ok(execute(f, "DESCRIBE HISTORY t%d LIMIT 1", &state.version), &f->err);
    state.files = count_table_files(f);
    return state;
}

/* Nothing has happened, or all of it. True when the table is as before. */
static bool
check_outcome(fixture *f, const change_case *c, dw_status status, const table_state *before)
{
    dw_error said = f->err;
    table_state now = look(f, c);
    bool is_same = now.version == before->version && now.clone == before->clone;
    bool is_done = now.digest == before->digest + c->change &&
                   (!c->clones || now.clone == before->digest) &&
                   (!c->keeps_unnamed || status != DW_OK || now.files < before->files);
    if (status == DW_OK) {
        assert_true(is_done);
        return is_same;
    }
    assert_int_equal(said.status, status);
    assert_true(said.code[0] != '\0');
    assert_null(strchr(said.message, '\n'));
    bool says_so = status == DW_AMBIGUOUS || strstr(said.context, "was committed") != NULL;
    bool is_whole = is_same ? now.digest == before->digest : says_so && is_done;
    bool is_tidy = !is_same || says_so || c->keeps_unnamed || now.files == before->files;
    if (!is_whole || !is_tidy) {
        print_error("%s: %s (%s): digest %lld to %lld, version %lld to %lld, files %zu to %zu\n",
                    c->sql, said.message, said.context, (long long) before->digest,
                    (long long) now.digest, (long long) before->version, (long long) now.version,
                    before->files, now.files);
    }
    assert_true(is_whole);
    assert_true(is_tidy);
    return is_same;
}

/* Fails the n-th of something each time, until the statement meets no fault. */
static void
run_rounds(fixture *f, const change_case *c, const char *properties,
           void (*arm)(fixture *f, int64_t n), bool (*has_failed)(fixture *f))
{
    bool is_changed = true;
    bool is_hit = true;
    table_state before = {0};
    for (int64_t n = 1; is_hit; n += n < ALL_UNTIL ? 1 : n / STEP_SHARE) {
        if (is_changed) {
            make_table(f, c, properties);
            before = look(f, c);
        }
        arm(f, n);
        dw__error_clear(&f->err);
        dw_status status = execute(f, c->sql, NULL);
        is_hit = has_failed(f);
        arm(f, 0);
        if (status != DW_OK && !is_hit) {
            print_error("round %d of %s: %s\n", (int) n, c->sql, f->err.message);
        }
        assert_true(is_hit || status == DW_OK);
        assert_true(is_hit || n > 1);
        is_changed = !check_outcome(f, c, status, &before) || status == DW_AMBIGUOUS;
        is_changed = is_changed || (c->keeps_unnamed && status == DW_OK);
        if (is_changed) {
            leave_table(f);
        }
    }
}

static void
fail_allocation(fixture *f, int64_t n)
{
    dwt_fault_allocator_fail_at(&f->env.memory, n, false);
}

static bool
allocation_failed(fixture *f)
{
    return dwt_fault_allocator_has_failed(&f->env.memory);
}

static void
arm_storage(int64_t n, dw_status status, bool loses_answers)
{
    bool had_failed = rival.has_failed;
    rival.call_count = 0;
    rival.fault_at = n;
    rival.fault_status = status;
    rival.loses_answers = loses_answers;
    rival.has_failed = n == 0 && had_failed;
}

static void
fail_storage(fixture *f, int64_t n)
{
    (void) f;
    arm_storage(n, DW_IO, false);
}

static void
lose_answer(fixture *f, int64_t n)
{
    (void) f;
    arm_storage(n, DW_AMBIGUOUS, true);
}

static bool
storage_failed(fixture *f)
{
    (void) f;
    return rival.has_failed;
}

static void
run_cases(const change_case *cases, void (*arm)(fixture *f, int64_t n),
          bool (*has_failed)(fixture *f))
{
    fixture f;
    begin(&f);
    for (size_t i = 0; cases[i].sql != NULL; i++) {
        for (size_t k = 0; k < sizeof kinds_of_table / sizeof *kinds_of_table; k++) {
            run_rounds(&f, &cases[i], kinds_of_table[k], arm, has_failed);
        }
    }
    end(&f);
}

static void
test_changes__survive_running_out_of_memory(void **state)
{
    (void) state;
    run_cases(changes, fail_allocation, allocation_failed);
}

static void
test_changes__survive_storage_that_fails(void **state)
{
    (void) state;
    run_cases(changes, fail_storage, storage_failed);
}

static void
test_changes__survive_answers_that_are_lost(void **state)
{
    (void) state;
    run_cases(changes, lose_answer, storage_failed);
}

static void
test_upkeep__survives_running_out_of_memory(void **state)
{
    (void) state;
    run_cases(upkeep, fail_allocation, allocation_failed);
}

static void
test_upkeep__survives_storage_that_fails(void **state)
{
    (void) state;
    run_cases(upkeep, fail_storage, storage_failed);
}

static void
test_upkeep__survives_answers_that_are_lost(void **state)
{
    (void) state;
    run_cases(upkeep, lose_answer, storage_failed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes__survive_running_out_of_memory),
        cmocka_unit_test(test_changes__survive_storage_that_fails),
        cmocka_unit_test(test_changes__survive_answers_that_are_lost),
        cmocka_unit_test(test_upkeep__survives_running_out_of_memory),
        cmocka_unit_test(test_upkeep__survives_storage_that_fails),
        cmocka_unit_test(test_upkeep__survives_answers_that_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
