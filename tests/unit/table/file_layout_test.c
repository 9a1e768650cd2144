/*
 * How rows are laid out in data files: the SELECT of what goes into them, and their field ids.
 */
#include "support/test.h"

#include "protocol/feature.h"
#include "support/fault_loop.h"
#include "support/test_env.h"
#include "table/file_layout.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)
#define MAPPED(id, name)                                                                           \
    "\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":" id                               \
    ",\"delta.columnMapping.physicalName\":\"" name "\"}"
#define PLAIN "\"nullable\":true,\"metadata\":{}"
#define STRUCT(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define LIST(element) "{\"type\":\"array\",\"containsNull\":true,\"elementType\":" element "}"

typedef struct layout_case {
    const char *schema;
    dw_str partition_column; /* null string: none */
    dw_properties properties;
    const char *query;     /* expected */
    const char *field_ids; /* expected; NULL: none */
} layout_case;

static dw_status
lay_out(const dw_env *env, const layout_case *c, dw_arena *arena, dw_str *query_out,
        dw_str *ids_out, dw_error *err)
{
    const dw_type *schema;
    DW_TRY(dw__schema_parse("the schema", dw__str_from(c->schema), arena, &schema, err));
    dw_protocol protocol = {.min_reader_version = 2, .min_writer_version = 5};
    dw_data_target target = {.schema = schema,
                             .partition_columns = &c->partition_column,
                             .partition_column_count = dw__str_is_null(c->partition_column) ? 0 : 1,
                             .protocol = &protocol,
                             .properties = &c->properties};
    dw_file_layout layout;
    DW_TRY(dw__file_layout_make(&target, arena, &layout, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(env->allocator, TEXT_BYTES_MAX);
    DW_TRY(dw__file_layout_print_query(&layout, DW_STR("SELECT 1"), DW_STR("m:"), &text, err));
    *ids_out = layout.field_ids;
    return dw__arena_dup(arena, dw__strbuf_str(&text), query_out) ? DW_OK : dw__error_oom(err);
}

static const layout_case cases[] = {
    /* Nothing differs: the rows go into files as they are. */
    {STRUCT("{\"name\":\"a\",\"type\":\"long\"," PLAIN "}"), {NULL, 0}, {0}, "SELECT 1", NULL},
    /* A text to partition by, and a column that no file has. */
    {STRUCT("{\"name\":\"p\",\"type\":\"string\"," PLAIN
            "},{\"name\":\"v\",\"type\":\"void\"," PLAIN "},{\"name\":\"a\",\"type\":" STRUCT(
                "{\"name\":\"x\",\"type\":\"long\"," PLAIN
                "},{\"name\":\"n\",\"type\":\"void\"," PLAIN "}") "," PLAIN "}"),
     {"p", 1},
     {0},
     "SELECT remap_struct(\"a\", CAST(NULL AS STRUCT(\"x\" BIGINT)), {'x': 'x'}, NULL) AS \"a\", "
     "NULLIF(\"p\", '') AS \"p\" FROM (SELECT 1\n) AS dw_rows",
     NULL},
    /* Names and ids at every depth; the partition column is not in the file. */
    {STRUCT(
         "{\"name\":\"p\",\"type\":\"long\"," MAPPED("1", "c1") "},{\"name\":\"l\",\"type\":" LIST(
             STRUCT("{\"name\":\"x\",\"type\":" LIST("\"date\"") "," MAPPED(
                 "3", "c'3") "}")) "," MAPPED("2", "c2") "}"),
     {"p", 1},
     {.mapping_mode = DW_MAPPING_NAME, .mapping_max_column_id = 3},
     "SELECT remap_struct(\"l\", CAST(NULL AS STRUCT(\"c'3\" DATE[])[]), "
     "{'list': ('list', {'c''3': 'x'})}, NULL) AS \"c2\", \"p\" AS \"c1\" FROM (SELECT 1\n) AS "
     "dw_rows",
     "{'c2': {__duckdb_field_id: 2, element: {'c''3': 3}}}"},
    /* Partition columns in the file stand last, with ids. */
    {STRUCT(
         "{\"name\":\"p\",\"type\":\"long\"," MAPPED("1", "c1") "},{\"name\":\"a\",\"type\":"
                                                                "\"long\"," MAPPED("2", "c2") "}"),
     {"p", 1},
     {.mapping_mode = DW_MAPPING_ID,
      .mapping_max_column_id = 2,
      .write_partition_columns_to_parquet = true},
     "SELECT \"a\" AS \"c2\", \"p\" AS \"c1\" FROM (SELECT 1\n) AS dw_rows",
     "{'c1': 1, 'c2': 2}"},
};

static void
test_layout__prints_what_goes_into_files(void **state)
{
    DW_UNUSED void *unused = state;
    dwt_env world;
    dwt_env_init(&world, 7);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, world.env.allocator);
        dw_str query;
        dw_str ids;
        dw_error err = DW_ERROR_INIT;
        assert_ok(lay_out(&world.env, &cases[i], &arena, &query, &ids, &err), &err);
        assert_str(query, cases[i].query);
        if (cases[i].field_ids == NULL) {
            assert_true(dw__str_is_null(ids));
        } else {
            assert_str(ids, cases[i].field_ids);
        }
    }
    dwt_env_deinit(&world);
}

static void
check_refused(const layout_case *c, const char *code)
{
    dwt_env world;
    dwt_env_init(&world, 7);
    dw_arena arena;
    dw__arena_init(&arena, world.env.allocator);
    dw_str query;
    dw_str ids;
    dw_error err = DW_ERROR_INIT;
    assert_error(lay_out(&world.env, c, &arena, &query, &ids, &err), DW_CORRUPT, code, &err);
    dw__arena_deinit(&arena);
    dwt_env_deinit(&world);
}

static void
test_layout__of_a_table_that_cannot_be_is_refused(void **state)
{
    DW_UNUSED void *unused = state;
    check_refused(&(layout_case){STRUCT("{\"name\":\"a\",\"type\":\"long\"," PLAIN "}"),
                                 {NULL, 0},
                                 {.mapping_mode = DW_MAPPING_NAME},
                                 NULL,
                                 NULL},
                  "MAPPING_INVALID");
    check_refused(
        &(layout_case){
            STRUCT("{\"name\":\"a\",\"type\":\"long\"," PLAIN "}"), {"p", 1}, {0}, NULL, NULL},
        "METADATA_INVALID");
}

static dw_status
lay_out_all(dwt_world *world, void *ctx, dw_error *err)
{
    DW_UNUSED void *unused = ctx;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, world->env->allocator);
        dw_str query;
        dw_str ids;
        DW_TRY(lay_out(world->env, &cases[i], &arena, &query, &ids, err));
    }
    return DW_OK;
}

static void
test_layout__without_memory_fails_cleanly(void **state)
{
    DW_UNUSED void *unused = state;
    dwt_fault_loop(&(dwt_fault_case){.operation = lay_out_all, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout__prints_what_goes_into_files),
        cmocka_unit_test(test_layout__of_a_table_that_cannot_be_is_refused),
        cmocka_unit_test(test_layout__without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
