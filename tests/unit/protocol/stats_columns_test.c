/*
 * Which columns get statistics.
 */
#include "fixture.h"

#include "protocol/stats.h"

static const char schema_json[] =
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},"
    "{\"name\":\"p\",\"type\":\"date\"},{\"name\":\"n\",\"type\":\"void\"},"
    "{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":["
    "{\"name\":\"x\",\"type\":\"string\",\"metadata\":{\"delta.columnMapping.physicalName\":"
    "\"col-x\"}},{\"name\":\"p\",\"type\":\"long\"},{\"name\":\"d.e\",\"type\":\"long\"}]}},"
    "{\"name\":\"list\",\"type\":{\"type\":\"array\",\"elementType\":\"long\"}},"
    "{\"name\":\"b\",\"type\":\"boolean\"}]}";

static dw_status
choose(fixture *f, const char *named, int64_t indexed, dw_str clustering, dw_strbuf *out,
       dw_error *err)
{
    const dw_type *schema;
    assert_ok(dw__schema_parse("the schema", dw__str_from(schema_json), &f->arena, &schema, err),
              err);
    dw_pairs none = {NULL, 0};
    dw_properties props;
    dw__properties_read(&none, &props, NULL);
    props.data_skipping_num_indexed_cols = indexed;
    props.data_skipping_stats_columns = dw__str_from(named);
    dw_str partition = DW_STR("P");
    dw_column_path *paths;
    size_t count;
    DW_TRY(dw__stats_columns_clustered(schema, &partition, 1, &props, clustering, &f->arena, &paths,
                                       &count, err));
    for (size_t i = 0; i < count; i++) {
        for (size_t part = 0; part < paths[i].count; part++) {
            dw__strbuf_append(out, part > 0 ? DW_STR("/") : DW_STR(" "));
            dw__strbuf_append(out, paths[i].parts[part]);
        }
    }
    return DW_OK;
}

static void
check(fixture *f, const char *named, int64_t indexed, dw_str clustering, const char *expected)
{
    DW_AUTO(dw_strbuf) out = fixture_text(f);
    dw_error err = DW_ERROR_INIT;
    assert_ok(choose(f, named, indexed, clustering, &out, &err), &err);
    assert_str(dw__strbuf_str(&out), expected);
}

static void
test_columns__are_the_first_leaves(void **state)
{
    fixture *f = *state;
    check(f, NULL, 32, DW_STR_NULL, " a s/col-x s/p s/d.e list b");
    check(f, NULL, -1, DW_STR_NULL, " a s/col-x s/p s/d.e list b");
    check(f, NULL, 3, DW_STR_NULL, " a s/col-x s/p");
    check(f, NULL, 0, DW_STR_NULL, "");
}

static void
test_columns__may_be_named(void **state)
{
    fixture *f = *state;
    check(f, "b, S.x", 1, DW_STR_NULL, " s/col-x b");
    check(f, "s", 1, DW_STR_NULL, " s/col-x s/p s/d.e");
    check(f, "s.`d.e`,`a`", 1, DW_STR_NULL, " a s/d.e");
    check(f, "unknown, s.unknown, ``, p", 1, DW_STR_NULL, "");
    check(f, "", 1, DW_STR_NULL, "");
    check(f, "a.b.c,`a", 1, DW_STR_NULL, " a");
}

static void
test_columns__always_hold_the_clustering_columns(void **state)
{
    fixture *f = *state;
    check(f, NULL, 1, DW_STR("{\"clusteringColumns\":[[\"b\"],[\"s\",\"col-x\"]]}"),
          " a s/col-x b");
    check(f, "a", 1, DW_STR("{\"clusteringColumns\":[\"b\"],\"domainName\":\"delta.clustering\"}"),
          " a b");
    check(f, "a", 1, DW_STR("{\"clusteringColumns\":[]}"), " a");
    const dw_str bad[] = {DW_STR("{}"), DW_STR("{\"clusteringColumns\":7}"),
                          DW_STR("{\"clusteringColumns\":[7]}"),
                          DW_STR("{\"clusteringColumns\":[[7]]}")};
    for (size_t i = 0; i < DWT_COUNT(bad); i++) {
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw_error err = DW_ERROR_INIT;
        assert_error(choose(f, NULL, 1, bad[i], &out, &err), DW_CORRUPT, "CLUSTERING_INVALID",
                     &err);
    }
}

static dw_status
choose_all(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    const dw_type *schema;
    DW_TRY(dw__schema_parse("the schema", dw__str_from(schema_json), &arena, &schema, err));
    dw_pairs none = {NULL, 0};
    dw_properties props;
    dw__properties_read(&none, &props, NULL);
    props.data_skipping_stats_columns = DW_STR("a,s.x");
    dw_column_path *paths;
    size_t count;
    return dw__stats_columns_clustered(schema, NULL, 0, &props,
                                       DW_STR("{\"clusteringColumns\":[[\"b\"]]}"), &arena, &paths,
                                       &count, err);
}

static void
test_columns__survive_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = choose_all, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_columns__are_the_first_leaves),
        TEST(test_columns__may_be_named),
        TEST(test_columns__always_hold_the_clustering_columns),
        TEST(test_columns__survive_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
