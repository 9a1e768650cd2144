/*
 * Statistics and partition values as typed columns of a checkpoint: when they are written, what is
 * in them, and that what they say is read again. [TYPED-1]
 */
#include "log_world.h"

#include "log/log_core.h"
#include "storage/storage.h"

#define CHECKPOINT_KEY DW_LOG_DIR "00000000000000000001.checkpoint.parquet"
#define STATS                                                                                      \
    "\\\"numRecords\\\":3,"                                                                        \
    "\\\"minValues\\\":{\\\"id\\\":-7,\\\"s\\\":{\\\"d\\\":\\\"1969-12-31\\\"}},"
#define STATS_REST                                                                                 \
    "\\\"maxValues\\\":{\\\"id\\\":8,\\\"s\\\":{\\\"d\\\":\\\"1970-01-11\\\"}},"                   \
    "\\\"nullCount\\\":{\\\"id\\\":0,\\\"flag\\\":1,\\\"s\\\":{\\\"d\\\":2}}"

#define SCHEMA                                                                                     \
    DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long") "," DWT_SCHEMA_FIELD(                                \
        "flag",                                                                                    \
        "boolean") ","                                                                             \
                   "{\"name\":\"s\",\"type\":" DWT_SCHEMA(DWT_SCHEMA_FIELD(                        \
                       "d", "date")) ","                                                           \
                                     "\"nullable\":true,\"metadata\":{}}," DWT_SCHEMA_FIELD(       \
                                         "p", "integer"))

/* A table with a checkpoint of two files, one of them without statistics. */
static void
make_table(log_world *w, const char *configuration)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_metadata(&commit, SCHEMA, "[\"p\"]", configuration);
    dwt_commit_write(&commit, w->storage, 0);
    world_commit(w, 1,
                 "{\"add\":{\"path\":\"a\",\"partitionValues\":{\"p\":\"12\"},\"size\":10,"
                 "\"modificationTime\":1,\"dataChange\":true,\"stats\":\"{" STATS STATS_REST
                 "}\"}}\n"
                 "{\"add\":{\"path\":\"b\",\"partitionValues\":{\"p\":\"twelve\"},\"size\":10,"
                 "\"modificationTime\":1,\"dataChange\":true}}\n");
    assert_refreshes(w);
    assert_ok(dw__checkpoint_write(w->snapshot, &w->err), &w->err);
}

/* ---- What is in the file --------------------------------------------------------------------- */

enum { STATS_JSON, STATS_TYPED, PARTITION_TYPED };

typedef struct seen {
    size_t row_count;
    bool has_json[2], has_stats[2], has_partition[2];
    int64_t id_min, null_count;
    int32_t date_max, partition;
} seen;

static dw_status
note_adds(void *ctx, const dw_batch *batch, dw_error *err)
{
    (void) err;
    seen *s = ctx;
    const dw_vector *fields = batch->columns[0].children;
    for (size_t row = 0; row < batch->row_count; row++) {
        size_t i = s->row_count++;
        assert_true(i < 2);
        const dw_vector *stats = fields[STATS_TYPED].children;
        const dw_vector *partition = &fields[PARTITION_TYPED].children[0];
        s->has_json[i] = dw__vector_is_valid(&fields[STATS_JSON], row);
        s->has_stats[i] = dw__vector_is_valid(&fields[STATS_TYPED], row);
        s->has_partition[i] = dw__vector_is_valid(partition, row);
        if (s->has_stats[i]) {
            s->id_min = ((const int64_t *) stats[0].children[0].data)[row];
            s->date_max = ((const int32_t *) stats[1].children[0].children[0].data)[row];
            s->null_count = ((const int64_t *) stats[2].children[0].data)[row];
        }
        if (s->has_partition[i]) {
            s->partition = ((const int32_t *) partition->data)[row];
        }
    }
    return DW_OK;
}

#define LEAF(text, what) {.name = text, .kind = what}
#define NODE(text, list)                                                                           \
    {                                                                                              \
        .name = text, .kind = DW_VECTOR_STRUCT, .children = list,                                  \
        .child_count = sizeof(list) / sizeof((list)[0])                                            \
    }

static seen
look(log_world *w)
{
    static const dw_column_spec id[] = {LEAF("id", DW_VECTOR_I64)};
    static const dw_column_spec date[] = {LEAF("d", DW_VECTOR_DATE)};
    static const dw_column_spec inner[] = {NODE("s", date)};
    static const dw_column_spec flag[] = {LEAF("flag", DW_VECTOR_I64)};
    static const dw_column_spec parsed[] = {NODE("minValues", id), NODE("maxValues", inner),
                                            NODE("nullCount", flag)};
    static const dw_column_spec partition[] = {LEAF("p", DW_VECTOR_I32)};
    static const dw_column_spec fields[] = {LEAF("stats", DW_VECTOR_STR),
                                            NODE("stats_parsed", parsed),
                                            NODE("partitionValues_parsed", partition)};
    static const dw_column_spec add = NODE("add", fields);
    static const char *const required[] = {"add", NULL};
    const dw_parquet_read request = {.key = DW_STR(CHECKPOINT_KEY),
                                     .columns = &add,
                                     .column_count = 1,
                                     .required_path = required};
    seen s = {0};
    assert_ok(w->engine->ops->read_parquet(w->engine, w->storage, &request, note_adds, &s, &w->err),
              &w->err);
    assert_int_equal(s.row_count, 2);
    return s;
}

static void
test_typed__statistics_stand_beside_the_json_by_default(void **state)
{
    log_world *w = *state;
    make_table(w, NULL);
    seen s = look(w);
    assert_true(s.has_json[0] && s.has_stats[0]);
    assert_false(s.has_json[1] || s.has_stats[1]);
    assert_int_equal(s.id_min, -7);
    assert_int_equal(s.date_max, 10);
    assert_int_equal(s.null_count, 1);
}

static void
test_typed__partition_values_that_are_none_of_their_type_are_null(void **state)
{
    log_world *w = *state;
    make_table(w, NULL);
    seen s = look(w);
    assert_true(s.has_partition[0]);
    assert_false(s.has_partition[1]);
    assert_int_equal(s.partition, 12);
}

static void
test_typed__statistics_are_left_out_where_the_table_says_so(void **state)
{
    log_world *w = *state;
    make_table(w, "{\"delta.checkpoint.writeStatsAsStruct\":\"false\"}");
    seen s = look(w);
    assert_true(s.has_json[0]);
    assert_false(s.has_stats[0] || s.has_partition[0]);
}

static void
test_typed__no_statistics_are_written_where_nobody_wants_any(void **state)
{
    log_world *w = *state;
    make_table(w, "{\"delta.checkpoint.writeStatsAsStruct\":\"false\","
                  "\"delta.checkpoint.writeStatsAsJson\":\"false\"}");
    seen s = look(w);
    assert_false(s.has_json[0] || s.has_stats[0]);
}

static void
test_typed__the_column_is_the_only_one_where_json_is_not_wanted(void **state)
{
    log_world *w = *state;
    make_table(w, "{\"delta.checkpoint.writeStatsAsJson\":\"false\"}");
    seen s = look(w);
    assert_true(s.has_stats[0]);
    assert_false(s.has_json[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_typed__statistics_stand_beside_the_json_by_default),
        LOG_TEST(test_typed__partition_values_that_are_none_of_their_type_are_null),
        LOG_TEST(test_typed__statistics_are_left_out_where_the_table_says_so),
        LOG_TEST(test_typed__no_statistics_are_written_where_nobody_wants_any),
        LOG_TEST(test_typed__the_column_is_the_only_one_where_json_is_not_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
