/* What changed in a range of versions, from the log alone. */
#include "log_world.h"

#include "log/changes.h"
#include "support/fault_loop.h"

#define FEED "{\"delta.enableChangeDataFeed\":\"true\"}"
#define DV(id)                                                                                     \
    "\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"" id                           \
    "\",\"offset\":1,\"sizeInBytes\":36,\"cardinality\":2}"
#define CDC(path)                                                                                  \
    "{\"cdc\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":5,\"dataChange\":false}}\n"

static void
create_table(dw_storage *storage, const char *schema, const char *configuration)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(&commit, "[\"deletionVectors\",\"columnMapping\"]",
                                 "[\"deletionVectors\",\"columnMapping\",\"changeDataFeed\"]");
    dwt_commit_metadata(&commit, schema, NULL, configuration);
    dwt_commit_write(&commit, storage, 0);
}

static void
change_metadata(log_world *w, int64_t version, const char *schema, const char *configuration)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_metadata(&commit, schema, NULL, configuration);
    dwt_commit_write(&commit, w->storage, version);
}

static dw_status
open_changes(log_world *w, int64_t first, int64_t last, dw_log_changes **out)
{
    assert_refreshes(w);
    return dw__log_changes_open(w->snapshot, first, last, out, &w->err);
}

/* "2 insert a only=x except=y;": version, kind, path and vectors of each file. */
static void
print_changes(const dw_log_changes *changes, dw_strbuf *out)
{
    static const char *const kinds[] = {"recorded", "insert", "delete"};
    dw_file_set *set = dw__log_changes_files(changes);
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        const dw_file_change *change = dw__log_change(changes, ref);
        dw_str version = dw__file_set_partition_value(set, ref, DW_STR("_commit_version"));
        dw_str path = dw__file_set_path(set, ref);
        dw__strbuf_printf(out, "%.*s %s %.*s", DW_STR_ARG(version), kinds[change->kind],
                          DW_STR_ARG(path));
        if (change->only != NULL) {
            dw__strbuf_printf(out, " only=%.*s", DW_STR_ARG(change->only->path_or_inline_dv));
        }
        if (change->except != NULL) {
            dw__strbuf_printf(out, " except=%.*s", DW_STR_ARG(change->except->path_or_inline_dv));
        }
        dw__strbuf_append_char(out, ';');
    }
}

static void
assert_changes(log_world *w, int64_t first, int64_t last, const char *expected)
{
    dw_log_changes *changes;
    assert_ok(open_changes(w, first, last, &changes), &w->err);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(w->env.env.allocator, 1 << 20);
    print_changes(changes, &text);
    assert_string_equal(dw__strbuf_cstr(&text), expected);
    dw__log_changes_unref(changes);
}

static void
assert_no_changes(log_world *w, int64_t first, int64_t last, const char *code)
{
    dw_log_changes *changes;
    assert_true(open_changes(w, first, last, &changes) != DW_OK);
    assert_null(changes);
    assert_string_equal(w->err.code, code);
}

static void
test_changes__name_files_with_their_kind_and_version(void **state)
{
    log_world *w = *state;
    create_table(w->storage, DWT_SCHEMA_ID, FEED);
    world_commit(w, 1, ADD("a") ADD("b"));
    world_commit(w, 2, REMOVE("a") ADD("c") CDC("x") CDC("y"));
    world_commit(w, 3, ADD_MORE("d", DV("one")) REMOVE_MORE("b", DV("two")));
    assert_changes(w, 0, 0, "");
    assert_changes(w, 1, 2, "1 insert a;1 insert b;2 recorded x;2 recorded y;");
    assert_changes(w, 3, 100, "3 insert d except=one;3 delete b except=two;");
    assert_changes(w, 2, 1, "");
}

static void
test_changes__of_a_file_with_another_deletion_vector_are_the_difference(void **state)
{
    log_world *w = *state;
    create_table(w->storage, DWT_SCHEMA_ID, FEED);
    world_commit(w, 1, ADD("a%20b") ADD("c"));
    world_commit(w, 2, REMOVE("a b") ADD_MORE("a%20b", DV("one")));
    world_commit(w, 3, ADD_MORE("a%20b", DV("two")) REMOVE_MORE("a%20b", DV("one")));
    world_commit(w, 4, REMOVE_MORE("a%20b", DV("two")) ADD("a%20b"));
    world_commit(w, 5, REMOVE("c") ADD("c"));
    assert_changes(w, 2, 2, "2 delete a%20b only=one;");
    assert_changes(w, 3, 3,
                   "3 delete a%20b only=two except=one;3 insert a%20b only=one except=two;");
    assert_changes(w, 4, 5, "4 insert a%20b only=two;");
}

static void
test_changes__need_the_feed_in_every_version(void **state)
{
    log_world *w = *state;
    create_table(w->storage, DWT_SCHEMA_ID, "{}");
    change_metadata(w, 1, DWT_SCHEMA_ID, FEED);
    world_commit(w, 2, ADD("a"));
    change_metadata(w, 3, DWT_SCHEMA_ID, NULL);
    world_commit(w, 4, ADD("b"));
    assert_no_changes(w, 0, 2, "CHANGES_NOT_RECORDED");
    assert_changes(w, 1, 2, "2 insert a;");
    assert_changes(w, 2, 2, "2 insert a;");
    assert_no_changes(w, 2, 3, "CHANGES_NOT_RECORDED");
    assert_no_changes(w, 4, 4, "CHANGES_NOT_RECORDED");
    assert_no_changes(w, 5, 9, "VERSION_OUT_OF_RANGE");
    assert_no_changes(w, -1, 0, "VERSION_INVALID");
}

static void
test_changes__need_the_commits_of_all_versions(void **state)
{
    log_world *w = *state;
    create_table(w->storage, DWT_SCHEMA_ID, FEED);
    world_commit(w, 1, ADD("a"));
    world_commit(w, 2, ADD("b"));
    assert_refreshes(w);
    assert_ok(dw__checkpoint_write(w->snapshot, &w->err), &w->err);
    char key[DW_COMMIT_KEY_SIZE];
    for (int64_t version = 0; version < 2; version++) {
        assert_ok(dw__storage_remove(w->storage, dw__commit_key(version, key), &w->err), &w->err);
    }
    world_reopen(w);
    assert_no_changes(w, 1, 2, "VERSION_OUT_OF_RANGE");
    assert_message_has(&w->err, "versions 2 to 2");
    assert_changes(w, 2, 2, "2 insert b;");
}

/* The schema that version 1 has after version 0 had the other, and what comes of it. */
static void
assert_schema_change(const char *before, const char *after, const char *configuration,
                     bool is_readable)
{
    void *state = NULL;
    world_setup(&state);
    log_world *w = state;
    create_table(w->storage, before, configuration);
    change_metadata(w, 1, after, configuration);
    world_commit(w, 2, ADD("a"));
    if (is_readable) {
        assert_changes(w, 0, 2, "2 insert a;");
    } else {
        assert_no_changes(w, 0, 2, "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA");
    }
    assert_changes(w, 1, 2, "2 insert a;");
    world_teardown(&state);
}

#define LONG(name) DWT_SCHEMA_FIELD(name, "long")
#define REQUIRED(name)                                                                             \
    "{\"name\":\"" name "\",\"type\":\"long\",\"nullable\":false,\"metadata\":{}}"
#define NESTED(name, type)                                                                         \
    "{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{}}"
#define LIST_OF(type) "{\"type\":\"array\",\"elementType\":\"" type "\",\"containsNull\":true}"
#define MAPPED(name, physical)                                                                     \
    "{\"name\":\"" name "\",\"type\":\"long\",\"nullable\":true,\"metadata\":{"                    \
    "\"delta.columnMapping.id\":1,\"delta.columnMapping.physicalName\":\"" physical "\"}}"
#define MAPPED_FEED                                                                                \
    "{\"delta.enableChangeDataFeed\":\"true\",\"delta.columnMapping.mode\":\"name\"}"

static void
test_changes__go_on_where_only_columns_were_added(void **state)
{
    (void) state;
    const char *a = DWT_SCHEMA(LONG("a"));
    assert_schema_change(a, DWT_SCHEMA(LONG("b") "," LONG("a")), FEED, true);
    assert_schema_change(DWT_SCHEMA(REQUIRED("a")), a, FEED, true);
    assert_schema_change(a, DWT_SCHEMA(REQUIRED("a")), FEED, false);
    assert_schema_change(a, DWT_SCHEMA(LONG("A")), FEED, false);
    assert_schema_change(a, DWT_SCHEMA(LONG("b")), FEED, false);
    assert_schema_change(DWT_SCHEMA(DWT_SCHEMA_FIELD("a", "integer")), a, FEED, false);
    assert_schema_change(DWT_SCHEMA(DWT_SCHEMA_FIELD("a", "decimal(5,2)")),
                         DWT_SCHEMA(DWT_SCHEMA_FIELD("a", "decimal(6,2)")), FEED, false);
    assert_schema_change(DWT_SCHEMA(DWT_SCHEMA_FIELD("a", "void")), a, FEED, true);
    assert_schema_change(DWT_SCHEMA(NESTED("s", DWT_SCHEMA(LONG("a")))),
                         DWT_SCHEMA(NESTED("s", DWT_SCHEMA(LONG("a") "," LONG("b")))), FEED, true);
    assert_schema_change(DWT_SCHEMA(NESTED("s", LIST_OF("integer"))),
                         DWT_SCHEMA(NESTED("s", LIST_OF("long"))), FEED, false);
    assert_schema_change(DWT_SCHEMA(MAPPED("a", "c-1")), DWT_SCHEMA(MAPPED("b", "c-1")),
                         MAPPED_FEED, false);
    assert_schema_change(DWT_SCHEMA(MAPPED("a", "c-1")), DWT_SCHEMA(MAPPED("a", "c-2")),
                         MAPPED_FEED, false);
    assert_schema_change(DWT_SCHEMA(MAPPED("a", "c-1")),
                         DWT_SCHEMA(MAPPED("a", "c-1") "," MAPPED("b", "c-2")), MAPPED_FEED, true);
}

static void
test_changes__have_the_columns_of_the_newest_or_last_version(void **state)
{
    log_world *w = *state;
    create_table(w->storage, DWT_SCHEMA(LONG("a")), FEED);
    change_metadata(w, 1, DWT_SCHEMA(LONG("a") "," LONG("b")), FEED);
    dw_log_changes *changes;
    assert_ok(open_changes(w, 0, 0, &changes), &w->err);
    assert_int_equal(dw__log_changes_schema(changes)->field_count, 5);
    assert_int_equal(dw__log_changes_version(changes), 1);
    dw__log_changes_unref(changes);
    change_metadata(w, 2, DWT_SCHEMA(LONG("a") "," LONG("b") "," LONG("c")), MAPPED_FEED);
    assert_ok(open_changes(w, 0, 1, &changes), &w->err);
    assert_int_equal(dw__log_changes_schema(changes)->field_count, 5);
    assert_int_equal(dw__log_changes_version(changes), 1);
    dw__log_changes_unref(changes);
}

static void
test_changes__of_removed_files_need_their_partition(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 4);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, "[\"value\"]", FEED);
    dwt_commit_write(&commit, w->storage, 0);
    world_commit(w, 1, REMOVE("a"));
    assert_no_changes(w, 0, 1, "CHANGES_INCOMPLETE");
    world_commit(w, 2, REMOVE_MORE("b", "\"partitionValues\":{\"value\":null}"));
    assert_changes(w, 2, 2, "2 delete b;");
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static void
put_changed_table(dwt_world *world, void *ctx)
{
    (void) ctx;
    log_world w = {.storage = world->truth};
    create_table(world->truth, DWT_SCHEMA_ID, FEED);
    world_commit(&w, 1, ADD("a") ADD("b"));
    world_commit(&w, 2, REMOVE("a") ADD_MORE("a", DV("one")) CDC("x"));
    change_metadata(&w, 3, DWT_SCHEMA_ID_VALUE, FEED);
    world_commit(&w, 4, REMOVE_MORE("a", DV("one")) ADD_MORE("a", DV("two")));
}

static dw_status
read_changes(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    dw_log *log = NULL;
    dw_log_snapshot *snapshot = NULL;
    dw_log_changes *changes = NULL;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    if (engine == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = dw__log_open(world->env, world->storage, engine, &log, err);
    if (status == DW_OK) {
        status = dw__log_snapshot(log, &snapshot, err);
    }
    if (status == DW_OK) {
        status = dw__log_changes_open(snapshot, 1, 4, &changes, err);
    }
    if (status == DW_OK) {
        assert_int_equal(dw__file_set_count(dw__log_changes_files(changes)), 5);
    }
    dw__log_changes_unref(changes);
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
    dw__engine_close(engine);
    return status;
}

static void
test_changes__survive_every_fault(void **state)
{
    (void) state;
    dwt_fault_case fault_case = {.setup = put_changed_table,
                                 .operation = read_changes,
                                 .faults = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO};
    dwt_fault_loop(&fault_case);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_changes__name_files_with_their_kind_and_version),
        WORLD_TEST(test_changes__of_a_file_with_another_deletion_vector_are_the_difference),
        WORLD_TEST(test_changes__need_the_feed_in_every_version),
        WORLD_TEST(test_changes__need_the_commits_of_all_versions),
        cmocka_unit_test(test_changes__go_on_where_only_columns_were_added),
        WORLD_TEST(test_changes__have_the_columns_of_the_newest_or_last_version),
        WORLD_TEST(test_changes__of_removed_files_need_their_partition),
        cmocka_unit_test(test_changes__survive_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
