/* Checkpoints: reading every kind, writing, and what can be wrong with them. */
#include "log_world.h"

#include "log/hint.h"

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define PROTOCOL_V2                                                                                \
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":["            \
    "\"v2Checkpoint\"],\"writerFeatures\":[\"v2Checkpoint\"]}}\n"
#define METADATA                                                                                   \
    "{\"metaData\":{\"id\":\"m\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"            \
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\","    \
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","                    \
    "\"partitionColumns\":[],\"configuration\":{}}}\n"
#define CHECKPOINT_KEY(digits) "_delta_log/000000000000000000" digits ".checkpoint.parquet"
#define COMMIT_KEY(digits) "_delta_log/000000000000000000" digits ".json"
#define DOMAIN_LINE(name, config, removed)                                                         \
    "{\"domainMetadata\":{\"domain\":\"" name "\",\"configuration\":\"" config                     \
    "\",\"removed\":" removed "}}\n"
#define FULL_ADD                                                                                   \
    "{\"add\":{\"path\":\"p%20q\",\"partitionValues\":{\"k\":\"1\",\"l\":null},\"size\":10,"       \
    "\"modificationTime\":77,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":3}\","            \
    "\"tags\":{\"t\":\"u\",\"n\":null},\"baseRowId\":5,\"defaultRowCommitVersion\":6,"             \
    "\"clusteringProvider\":\"liquid\"," DV("v") "}}\n"
#define UUID "80a083e8-7026-4e79-81be-64bd76c43a11"

static void
remove_object(log_world *w, const char *key)
{
    dw_status status = dw__storage_remove(w->storage, dw__str_from(key), &w->err);
    assert_ok(status, &w->err);
}

static void
write_checkpoint(log_world *w)
{
    assert_refreshes(w);
    dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
    assert_ok(status, &w->err);
}

static void
remove_commits(log_world *w, int64_t last)
{
    for (int64_t version = 0; version <= last; version++) {
        char key[DW_COMMIT_KEY_SIZE + 1] = {0};
        dw_str text = dw__commit_key(version, key);
        assert_true(text.len < sizeof(key));
        remove_object(w, key);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void
test_checkpoint__is_read_below_the_commits(void **state)
{
    log_world *w = *state;
    world_put_checkpoint(w, CHECKPOINT_KEY("05"),
                         PROTOCOL METADATA ADD("a") ADD("b%20c") ADD_MORE("d", DV("v1"))
                             REMOVE("z") "{\"txn\":{\"appId\":\"x\",\"version\":5}}\n");
    dwt_put(w->storage, COMMIT_KEY("06"), DW_STR(REMOVE("b c") ADD("e")));
    dwt_put(w->storage, COMMIT_KEY("07"), DW_STR(REMOVE_MORE("d", DV("v1")) ADD("a")));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 7);
    assert_files(w, "a e");
    assert_lean_files(w, true, "a e");
    dw_txn_id txn;
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("x"), &txn));
    assert_int_equal(txn.version, 5);
    dwt_put(w->storage, COMMIT_KEY("08"),
            DW_STR(REMOVE("a") "{\"txn\":{\"appId\":\"y\",\"version\":1}}\n"));
    assert_refreshes(w);
    assert_files(w, "e");
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("x"), &txn));
}

static void
test_checkpoint__in_parts_is_read_from_all_of_them(void **state)
{
    log_world *w = *state;
    world_put_checkpoint(w,
                         "_delta_log/00000000000000000005.checkpoint.0000000001.0000000003.parquet",
                         PROTOCOL ADD("a"));
    world_put_checkpoint(w,
                         "_delta_log/00000000000000000005.checkpoint.0000000002.0000000003.parquet",
                         METADATA ADD("b"));
    world_put_checkpoint(
        w, "_delta_log/00000000000000000005.checkpoint.0000000003.0000000003.parquet", ADD("c"));
    assert_refreshes(w);
    assert_files(w, "a b c");
    assert_lean_files(w, true, "a b c");
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 5);
}

static void
test_checkpoint__of_v2_in_parquet_takes_files_from_sidecars(void **state)
{
    log_world *w = *state;
    world_put_checkpoint(w, "_delta_log/_sidecars/s1.parquet", ADD("a") REMOVE("y"));
    world_put_checkpoint(w, "_delta_log/_sidecars/s 2.parquet", ADD("b"));
    world_put_checkpoint(
        w, "_delta_log/00000000000000000005.checkpoint." UUID ".parquet",
        PROTOCOL_V2 METADATA
        "{\"sidecar\":{\"path\":\"s1.parquet\",\"sizeInBytes\":1,\"modificationTime\":1}}\n"
        "{\"sidecar\":{\"path\":\"s%202.parquet\",\"sizeInBytes\":1,\"modificationTime\":1}}\n");
    dwt_put(w->storage, COMMIT_KEY("06"), DW_STR(ADD("c")));
    assert_refreshes(w);
    assert_files(w, "a b c");
    assert_lean_files(w, true, "a b c");
}

static void
test_checkpoint__of_v2_in_json_takes_files_from_sidecars_or_inline(void **state)
{
    log_world *w = *state;
    world_put_checkpoint(w, "_delta_log/_sidecars/s1.parquet", ADD("a"));
    dwt_put(w->storage, "_delta_log/00000000000000000005.checkpoint." UUID ".json",
            DW_STR("{\"checkpointMetadata\":{\"version\":5}}\n" PROTOCOL_V2 METADATA
                   "{\"sidecar\":{\"path\":\"s1.parquet\",\"sizeInBytes\":1,"
                   "\"modificationTime\":1}}\n"));
    assert_refreshes(w);
    assert_files(w, "a");
    assert_lean_files(w, true, "a");
    dwt_put(w->storage, "_delta_log/00000000000000000006.checkpoint." UUID ".json",
            DW_STR("{\"checkpointMetadata\":{\"version\":6}}\n" PROTOCOL_V2 METADATA ADD("b")
                       REMOVE("z")));
    world_reopen(w);
    assert_refreshes(w);
    assert_files(w, "b");
    assert_lean_files(w, true, "b");
    dwt_put(w->storage, COMMIT_KEY("07"), DW_STR(REMOVE("b") ADD("c")));
    assert_lean_files(w, true, "c");
}

static void
test_checkpoint__with_a_sidecar_missing_names_it(void **state)
{
    log_world *w = *state;
    dwt_put(w->storage, "_delta_log/00000000000000000005.checkpoint." UUID ".json",
            DW_STR("{\"checkpointMetadata\":{\"version\":5}}\n" PROTOCOL_V2 METADATA
                   "{\"sidecar\":{\"path\":\"gone.parquet\",\"sizeInBytes\":1,"
                   "\"modificationTime\":1}}\n"));
    assert_error(world_refresh(w), DW_CORRUPT, "SIDECAR_MISSING", &w->err);
    assert_message_has(&w->err, "gone.parquet");
}

static void
test_checkpoint__damaged_is_replaced_by_the_commits(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    world_commit(w, 2, ADD("c"));
    write_checkpoint(w);
    dwt_put(w->storage, CHECKPOINT_KEY("02"), DW_STR("FAKE but not whole"));
    world_reopen(w);
    assert_refreshes(w);
    assert_files(w, "a b c");
    assert_true(dwt_env_logged(&w->env, "checkpoint 2 cannot be read"));
    assert_lean_files(w, false, "a b c");
}

static void
test_checkpoint__that_turns_out_damaged_while_its_files_are_visited_is_replaced(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    write_checkpoint(w);
    world_commit(w, 2, REMOVE("a") ADD("c"));
    world_reopen(w);
    assert_ok(dw__log_snapshot_lean(w->log, &w->snapshot, &w->err), &w->err);
    assert_true(dw__snapshot_is_lean(w->snapshot));
    dwt_put(w->storage, CHECKPOINT_KEY("01"), DW_STR("FAKE but not whole"));
    dw_file_set *files;
    assert_ok(visited_files(w->snapshot, w->env.env.allocator, &files, &w->err), &w->err);
    char *words = file_words(files);
    assert_string_equal(words, "b c");
    free(words);
    dw__file_set_free(files);
    remove_commits(w, 0);
    assert_error(visited_files(w->snapshot, w->env.env.allocator, &files, &w->err), DW_CORRUPT,
                 "PARQUET_INVALID", &w->err);
    dw__file_set_free(files);
}

static void
test_lean_snapshot__is_the_one_that_the_log_already_has(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    write_checkpoint(w);
    assert_refreshes(w);
    world_commit(w, 1, ADD("b"));
    dw_log_snapshot *snapshot;
    assert_ok(dw__log_snapshot_lean(w->log, &snapshot, &w->err), &w->err);
    assert_false(dw__snapshot_is_lean(snapshot));
    assert_int_equal(dw__log_snapshot_version(snapshot), 1);
    dw__log_snapshot_unref(snapshot);
}

static void
test_checkpoint__damaged_is_an_error_when_nothing_replaces_it(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    write_checkpoint(w);
    dwt_put(w->storage, CHECKPOINT_KEY("01"), DW_STR("FAKE but not whole"));
    remove_commits(w, 0);
    world_reopen(w);
    assert_error(world_refresh(w), DW_CORRUPT, "PARQUET_INVALID", &w->err);
    assert_message_has(&w->err, "00000000000000000001.checkpoint.parquet");
}

static dw_status
one_wrong_row(void *ctx, dw_batch *out, dw_error *err)
{
    (void) err;
    static const bool valid[1] = {true};
    static const int64_t number[1] = {7};
    static const dw_vector field = {.valid = valid, .data = number};
    static const dw_vector column = {.valid = valid, .children = &field};
    bool *given = ctx;
    *out = (dw_batch){*given ? 0 : 1, &column};
    *given = true;
    return DW_OK;
}

static void
test_checkpoint__of_wrong_types_names_file_and_column(void **state)
{
    log_world *w = *state;
    dw_column_spec path = {.name = "path", .kind = DW_VECTOR_I64};
    dw_column_spec add = {
        .name = "add", .kind = DW_VECTOR_STRUCT, .children = &path, .child_count = 1};
    bool given = false;
    dw_strbuf bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 20);
    dw_status status =
        w->engine->ops->write_parquet(w->engine, &add, 1, one_wrong_row, &given, &bytes, &w->err);
    assert_ok(status, &w->err);
    world_put_checkpoint(w,
                         "_delta_log/00000000000000000003.checkpoint.0000000001.0000000002.parquet",
                         PROTOCOL METADATA);
    dwt_put(w->storage, "_delta_log/00000000000000000003.checkpoint.0000000002.0000000002.parquet",
            dw__strbuf_str(&bytes));
    dw__strbuf_deinit(&bytes);
    assert_error(world_refresh(w), DW_CORRUPT, "PARQUET_TYPE", &w->err);
    assert_message_has(&w->err, "path");
    assert_message_has(&w->err, "0000000002.0000000002.parquet");
}

static void
test_checkpoint__checks_the_protocol_before_its_files(void **state)
{
    log_world *w = *state;
    world_put_checkpoint(
        w, CHECKPOINT_KEY("03"),
        "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":["
        "\"unknownFeature\"],\"writerFeatures\":[\"unknownFeature\"]}}\n" METADATA
        "{\"add\":{\"path\":\"bad%zz\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,"
        "\"dataChange\":true}}\n");
    assert_error(world_refresh(w), DW_UNSUPPORTED, "FEATURE_UNSUPPORTED", &w->err);
    assert_message_has(&w->err, "unknownFeature");
}

/* ---- Statistics as a struct ------------------------------------------------------------------ */

#define PARSED_SCHEMA                                                                              \
    "{\"metaData\":{\"id\":\"m\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"            \
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\","    \
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},{\\\"name\\\":"          \
    "\\\"s\\\",\\\"type\\\":{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":"           \
    "\\\"d\\\",\\\"type\\\":\\\"date\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},{"             \
    "\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"boolean\\\",\\\"nullable\\\":true,"                   \
    "\\\"metadata\\\":{}}]},\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","                       \
    "\"partitionColumns\":[],\"configuration\":{}}}\n"

#define FIELD(text, what, list)                                                                    \
    {                                                                                              \
        .name = text, .kind = what, .children = list,                                              \
        .child_count = sizeof(list) / sizeof((list)[0])                                            \
    }
#define LEAF(text, what) {.name = text, .kind = what}

/* Two adds, one with statistics of all leaves, one with a count only. */
static dw_status
parsed_rows(void *ctx, dw_batch *out, dw_error *err)
{
    (void) err;
    static const bool valid[2] = {true, true}, first[2] = {true, false}, bools[2] = {false, true};
    static const dw_str paths[2] = {{"a", 1}, {"b", 1}};
    static const dw_str dates[2] = {{"2024-02-29", 10}, {NULL, 0}};
    static const int64_t numbers[2] = {7, 8}, zeros[2] = {0, 0};
    static const dw_vector inner[2] = {{first, dates, NULL}, {first, zeros, NULL}};
    static const dw_vector bounds[2] = {{first, numbers, NULL}, {first, NULL, inner}};
    static const dw_vector null_inner[2] = {{first, zeros, NULL}, {first, numbers, NULL}};
    static const dw_vector nulls[2] = {{first, zeros, NULL}, {first, NULL, null_inner}};
    static const dw_vector parsed[5] = {{valid, numbers, NULL},
                                        {valid, bools, NULL},
                                        {first, NULL, bounds},
                                        {first, NULL, bounds},
                                        {first, NULL, nulls}};
    static const dw_vector add[3] = {
        {valid, paths, NULL}, {valid, numbers, NULL}, {valid, NULL, parsed}};
    static const dw_vector column = {valid, NULL, add};
    bool *given = ctx;
    *out = (dw_batch){*given ? 0 : 2, &column};
    *given = true;
    return DW_OK;
}

static void
put_parsed_checkpoint(log_world *w, const char *key)
{
    static const dw_column_spec inner[] = {LEAF("d", DW_VECTOR_STR)};
    static const dw_column_spec bounds[] = {LEAF("id", DW_VECTOR_I64),
                                            FIELD("s", DW_VECTOR_STRUCT, inner)};
    static const dw_column_spec null_inner[] = {LEAF("d", DW_VECTOR_I64), LEAF("b", DW_VECTOR_I64)};
    static const dw_column_spec nulls[] = {LEAF("id", DW_VECTOR_I64),
                                           FIELD("s", DW_VECTOR_STRUCT, null_inner)};
    static const dw_column_spec parsed[] = {
        LEAF("numRecords", DW_VECTOR_I64), LEAF("tightBounds", DW_VECTOR_BOOL),
        FIELD("minValues", DW_VECTOR_STRUCT, bounds), FIELD("maxValues", DW_VECTOR_STRUCT, bounds),
        FIELD("nullCount", DW_VECTOR_STRUCT, nulls)};
    static const dw_column_spec fields[] = {LEAF("path", DW_VECTOR_STR),
                                            LEAF("size", DW_VECTOR_I64),
                                            FIELD("stats_parsed", DW_VECTOR_STRUCT, parsed)};
    static const dw_column_spec add = FIELD("add", DW_VECTOR_STRUCT, fields);
    bool given = false;
    dw_strbuf bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 20);
    dw_status status =
        w->engine->ops->write_parquet(w->engine, &add, 1, parsed_rows, &given, &bytes, &w->err);
    assert_ok(status, &w->err);
    dwt_put(w->storage, key, dw__strbuf_str(&bytes));
    dw__strbuf_deinit(&bytes);
}

/* Of the buffers that the visitors below write to. */
enum { TEXT_SIZE = 1024 };

static dw_status
collect_stats(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) ref;
    (void) err;
    char *text = ctx;
    size_t len = strlen(text);
    snprintf(text + len, TEXT_SIZE - len, "%.*s\n", DW_STR_ARG(stats));
    return DW_OK;
}

static void
test_checkpoint__with_statistics_as_a_struct_gives_them_as_json(void **state)
{
    log_world *w = *state;
    world_put_checkpoint(
        w, "_delta_log/00000000000000000003.checkpoint.0000000001.0000000002.parquet",
        PROTOCOL PARSED_SCHEMA ADD_MORE("c", "\"stats\":\"{\\\"numRecords\\\":1}\""));
    put_parsed_checkpoint(
        w, "_delta_log/00000000000000000003.checkpoint.0000000002.0000000002.parquet");
    assert_refreshes(w);
    assert_files(w, "a b c");
    for (int i = 0; i < 2; i++) {
        char text[TEXT_SIZE] = "";
        dw_status status = dw__file_set_visit_stats(dw__log_snapshot_files(w->snapshot),
                                                    collect_stats, text, &w->err);
        assert_ok(status, &w->err);
        assert_string_equal(
            text, "{\"numRecords\":1}\n"
                  "{\"numRecords\":7,"
                  "\"minValues\":{\"id\":7,\"s\":{\"d\":\"2024-02-29\"}},"
                  "\"maxValues\":{\"id\":7,\"s\":{\"d\":\"2024-02-29\"}},"
                  "\"nullCount\":{\"id\":0,\"s\":{\"d\":0,\"b\":7}},\"tightBounds\":false}\n"
                  "{\"numRecords\":8,\"minValues\":{},\"maxValues\":{},"
                  "\"nullCount\":{}}\n");
    }
}

/* ---- Hints ----------------------------------------------------------------------------------- */

static void
make_log_with_checkpoint(log_world *w)
{
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    write_checkpoint(w);
    world_commit(w, 2, ADD("c"));
}

static void
test_hint__that_lies_costs_no_rows(void **state)
{
    static const char *const hints[] = {
        "",
        "{",
        "null",
        "[]",
        "{\"version\":null}",
        "{\"version\":-1}",
        "{\"version\":0}",
        "{\"version\":\"1\"}",
        "{\"version\":1,\"parts\":7}",
        "{\"version\":2,\"size\":1}",
        "{\"version\":3}",
        "{\"version\":9223372036854775807}",
        "{\"version\":99999999999999999999999}",
        "\xff\xfe{\"version\":1}",
    };
    log_world *w = *state;
    make_log_with_checkpoint(w);
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        dwt_put(w->storage, "_delta_log/_last_checkpoint", dw__str_from(hints[i]));
        world_reopen(w);
        assert_refreshes(w);
        assert_files(w, "a b c");
        assert_int_equal(dw__log_snapshot_version(w->snapshot), 2);
    }
}

static void
test_hint__that_is_stale_is_overtaken_by_newer_checkpoints(void **state)
{
    log_world *w = *state;
    make_log_with_checkpoint(w);
    write_checkpoint(w);
    dwt_put(w->storage, "_delta_log/_last_checkpoint", DW_STR("{\"version\":1,\"size\":4}"));
    remove_commits(w, 2);
    remove_object(w, CHECKPOINT_KEY("01"));
    world_reopen(w);
    assert_refreshes(w);
    assert_files(w, "a b c");
}

static void
test_hint__never_goes_back_but_replaces_a_lie(void **state)
{
    log_world *w = *state;
    make_log_with_checkpoint(w);
    assert_refreshes(w);
    dw_log_snapshot *older;
    dw_status status = dw__log_snapshot_at(w->log, 0, &older, &w->err);
    assert_ok(status, &w->err);
    status = dw__checkpoint_write(older, &w->err);
    assert_ok(status, &w->err);
    int64_t version;
    status = dw__hint_read(w->storage, w->env.env.allocator, &version, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(version, 1);
    dwt_put(w->storage, "_delta_log/_last_checkpoint", DW_STR("{\"version\":77}"));
    status = dw__checkpoint_write(older, &w->err);
    assert_ok(status, &w->err);
    status = dw__hint_read(w->storage, w->env.env.allocator, &version, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(version, 0);
    dw__log_snapshot_unref(older);
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Writes a checkpoint, throws the commits away, and reads the table from it alone. */
static void
reread_from_checkpoint(log_world *w)
{
    write_checkpoint(w);
    int64_t version = dw__log_snapshot_version(w->snapshot);
    remove_commits(w, version);
    world_reopen(w);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), version);
}

static void
test_checkpoint__gives_back_what_was_written(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, FULL_ADD);
    world_commit(w, 1, ADD("q"));
    world_commit(w, 2, "{\"txn\":{\"appId\":\"x\",\"version\":5,\"lastUpdated\":7}}\n");
    world_commit(w, 3, DOMAIN_LINE("d", "{}", "false") DOMAIN_LINE("e", "", "true"));
    reread_from_checkpoint(w);
    assert_files(w, "p%20q#v q");
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_file_ref ref;
    dw_file file;
    assert_true(dw__file_set_first(files, &ref));
    dw_status status = dw__file_set_get(files, ref, &arena, &file, &w->err);
    assert_ok(status, &w->err);
    assert_str(file.path, "p%20q");
    assert_int_equal(file.partition_values.count, 2);
    assert_str(*dw__pairs_get(&file.partition_values, DW_STR("k")), "1");
    assert_null(dw__pairs_get(&file.partition_values, DW_STR("l"))->ptr);
    assert_int_equal(file.modification_time_ms, 77);
    assert_str(file.stats, "{\"numRecords\":3}");
    assert_str(file.tags_json, "{\"t\":\"u\",\"n\":null}");
    assert_int_equal(file.base_row_id, 5);
    assert_int_equal(file.default_row_commit_version, 6);
    assert_str(file.clustering_provider, "liquid");
    assert_str(file.dv->path_or_inline_dv, "v");
    assert_int_equal(file.dv->offset, 1);
    assert_int_equal(file.dv->cardinality, 2);
    assert_false(file.data_change);
    dw_txn_id txn;
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("x"), &txn));
    assert_int_equal(txn.last_updated_ms, 7);
    assert_int_equal(dw__log_snapshot_domain_count(w->snapshot), 1);
    const dw_metadata *metadata = dw__log_snapshot_metadata(w->snapshot);
    assert_str(metadata->schema_string, DWT_SCHEMA_ID_VALUE);
    assert_str(metadata->id, "5fba94ed-9794-4965-ba6e-6ee3c0d22af9");
    assert_true(metadata->has_created_time);
    dw__arena_deinit(&arena);
}

/* The removes of the newest checkpoint, as "path path". */
static dw_status
append_path(void *ctx, const dw_file *remove, dw_error *err)
{
    (void) err;
    char *text = ctx;
    size_t len = strlen(text);
    snprintf(text + len, TEXT_SIZE - len, "%s%.*s", len == 0 ? "" : " ", DW_STR_ARG(remove->path));
    return DW_OK;
}

static void
assert_removes(log_world *w, const char *expected)
{
    char text[TEXT_SIZE] = "";
    world_reopen(w);
    assert_refreshes(w);
    assert_non_null(w->snapshot->checkpoint);
    dw_status status =
        dw__checkpoint_visit_removes(w->snapshot->checkpoint, append_path, text, &w->err);
    assert_ok(status, &w->err);
    assert_string_equal(text, expected);
}

#define REMOVE_AT(path, time)                                                                      \
    "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":" time ",\"dataChange\":true}}\n"

static void
test_checkpoint__keeps_tombstones_that_are_not_expired(void **state)
{
    log_world *w = *state;
    dwt_env_set_now_ms(&w->env, 1000000000);
    world_commit(w, 0, ADD("a") ADD("b") ADD("c") ADD("d") ADD("e"));
    /* Kept for a week, 604,800,000 ms: until 395,200,000. */
    world_commit(w, 1,
                 REMOVE_AT("a", "395100000") REMOVE_AT("b", "395300000") REMOVE_AT(
                     "c", "900000000") "{\"remove\":{\"path\":\"d\",\"dataChange\":true}}\n");
    write_checkpoint(w);
    assert_removes(w, "b c");
    /* A later checkpoint takes those of the older one over, unless they expired or came back. */
    world_commit(w, 2, ADD("c") REMOVE_AT("e", "999000000"));
    write_checkpoint(w);
    assert_removes(w, "b e");
    assert_files(w, "c");
    dwt_env_set_now_ms(&w->env, 1000200000);
    world_commit(w, 3, REMOVE_AT("b", "1000000000"));
    write_checkpoint(w);
    assert_removes(w, "e b");
}

static void
test_checkpoint__of_a_v2_table_has_checkpoint_metadata(void **state)
{
    log_world *w = *state;
    dwt_put(w->storage, COMMIT_KEY("00"), DW_STR(PROTOCOL_V2 METADATA ADD("a")));
    reread_from_checkpoint(w);
    assert_files(w, "a");
    const dw_protocol *protocol = dw__log_snapshot_protocol(w->snapshot);
    assert_true(protocol->has_reader_features);
    assert_int_equal(protocol->reader_feature_count, 1);
    assert_str(protocol->writer_features[0], "v2Checkpoint");
    char *bytes = dwt_get(w->storage, CHECKPOINT_KEY("00"));
    assert_non_null(bytes);
    free(bytes);
}

static void
test_checkpoint__leaves_feature_lists_away_below_version_three(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    reread_from_checkpoint(w);
    const dw_protocol *protocol = dw__log_snapshot_protocol(w->snapshot);
    assert_false(protocol->has_reader_features);
    assert_false(protocol->has_writer_features);
}

static void
test_checkpoint__says_in_the_hint_what_it_holds(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a") ADD("b"));
    world_commit(w, 1, REMOVE("a"));
    write_checkpoint(w);
    char *hint = dwt_get(w->storage, "_delta_log/_last_checkpoint");
    assert_non_null(strstr(hint, "\"version\":1,\"size\":4,\"sizeInBytes\":"));
    assert_non_null(strstr(hint, "\"numOfAddFiles\":1"));
    free(hint);
}

static void
test_checkpoint__is_due_at_the_interval(void **state)
{
    log_world *w = *state;
    dwt_log_create(w->storage, NULL);
    for (int64_t version = 0; version <= 21; version++) {
        if (version > 0) {
            dwt_log_append(w->storage, version);
        }
        assert_refreshes(w);
        assert_int_equal(dw__checkpoint_is_due(w->snapshot), version == 10 || version == 20);
    }
}

static void
test_checkpoint__of_thousands_of_files_comes_back_whole(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID, "[\"p\"]", NULL);
    for (int i = 0; i < 5000; i++) {
        char path[32], values[64], stats[64];
        snprintf(path, sizeof(path), "part-%05d", i);
        snprintf(values, sizeof(values), "{\"p\":\"%d\"}", i % 300);
        snprintf(stats, sizeof(stats), "{\"numRecords\":%d}", i);
        dwt_commit_add(
            &commit,
            &(dwt_add){.path = path, .partition_values = values, .size = i + 1, .stats = stats});
    }
    dwt_commit_write(&commit, w->storage, 0);
    reread_from_checkpoint(w);
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    assert_int_equal(dw__file_set_count(files), 5000);
    assert_int_equal(dw__file_set_size_bytes(files), 5000 * 5001 / 2);
    dw_file_ref ref;
    int i = 0;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref), i++) {
        char path[32], value[32];
        snprintf(path, sizeof(path), "part-%05d", i);
        snprintf(value, sizeof(value), "%d", i % 300);
        assert_str(dw__file_set_path(files, ref), path);
        assert_str(dw__file_set_partition_value(files, ref, DW_STR("p")), value);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_checkpoint__is_read_below_the_commits),
        LOG_TEST(test_checkpoint__in_parts_is_read_from_all_of_them),
        LOG_TEST(test_checkpoint__of_v2_in_parquet_takes_files_from_sidecars),
        LOG_TEST(test_checkpoint__of_v2_in_json_takes_files_from_sidecars_or_inline),
        LOG_TEST(test_checkpoint__with_a_sidecar_missing_names_it),
        LOG_TEST(test_checkpoint__damaged_is_replaced_by_the_commits),
        LOG_TEST(test_checkpoint__that_turns_out_damaged_while_its_files_are_visited_is_replaced),
        LOG_TEST(test_lean_snapshot__is_the_one_that_the_log_already_has),
        LOG_TEST(test_checkpoint__damaged_is_an_error_when_nothing_replaces_it),
        LOG_TEST(test_checkpoint__of_wrong_types_names_file_and_column),
        LOG_TEST(test_checkpoint__checks_the_protocol_before_its_files),
        LOG_TEST(test_checkpoint__with_statistics_as_a_struct_gives_them_as_json),
        LOG_TEST(test_hint__that_lies_costs_no_rows),
        LOG_TEST(test_hint__that_is_stale_is_overtaken_by_newer_checkpoints),
        LOG_TEST(test_hint__never_goes_back_but_replaces_a_lie),
        LOG_TEST(test_checkpoint__gives_back_what_was_written),
        LOG_TEST(test_checkpoint__keeps_tombstones_that_are_not_expired),
        LOG_TEST(test_checkpoint__of_a_v2_table_has_checkpoint_metadata),
        LOG_TEST(test_checkpoint__leaves_feature_lists_away_below_version_three),
        LOG_TEST(test_checkpoint__says_in_the_hint_what_it_holds),
        LOG_TEST(test_checkpoint__is_due_at_the_interval),
        LOG_TEST(test_checkpoint__of_thousands_of_files_comes_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
