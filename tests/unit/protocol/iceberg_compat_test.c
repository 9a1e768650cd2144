/*
 * Tables for Iceberg's readers: each rule of icebergCompatV1 and icebergCompatV2, and partition
 * columns in files.
 */
#include "fixture.h"

#include "protocol/column_mapping.h"
#include "protocol/iceberg_compat.h"

#define FIELD(type, metadata)                                                                      \
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":" type                              \
    ",\"nullable\":true,\"metadata\":" metadata "}]}"
#define PLAIN FIELD("\"long\"", "{}")
#define LIST "{\"type\":\"array\",\"elementType\":\"long\",\"containsNull\":true}"
#define IDS "{\"delta.columnMapping.nested.ids\":{\"c.element\":2}}"

static const dw_type *
parse(fixture *f, const char *json)
{
    const dw_type *schema = NULL;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__schema_parse("the schema", dw__str_from(json), &f->arena, &schema, &err), &err);
    return schema;
}

/* The features of a table, by names and a comma after each. */
static dw_protocol
protocol_of(fixture *f, const char *features)
{
    dw_protocol out = {
        .min_reader_version = 2, .min_writer_version = 7, .has_writer_features = true};
    out.writer_features = DW_ARENA_ARRAY(&f->arena, dw_str, 8);
    dw_str rest = dw__str_from(features);
    while (rest.len > 0) {
        size_t comma = dw__str_find(rest, ',');
        out.writer_features[out.writer_feature_count++] = dw__str_slice(rest, 0, comma);
        rest = dw__str_slice(rest, comma + 1, rest.len);
    }
    return out;
}

typedef struct rule_case {
    const char *features;
    dw_properties properties;
    const char *schema;
    const char *message; /* NULL: all is well */
} rule_case;

#define V1 .enable_iceberg_compat_v1 = true, .mapping_mode = DW_MAPPING_NAME
#define V2 .enable_iceberg_compat_v2 = true, .mapping_mode = DW_MAPPING_NAME
#define CHANGED                                                                                    \
    FIELD("\"double\"", "{\"delta.typeChanges\":"                                                  \
                        "[{\"fromType\":\"integer\",\"toType\":\"double\"}]}")

static void
test_iceberg__rules_are_kept(void **state)
{
    fixture *f = *state;
    const rule_case cases[] = {
        {"icebergCompatV1,", {V1}, PLAIN, NULL},
        {"icebergCompatV2,", {V2}, PLAIN, NULL},
        {"columnMapping,", {V1}, FIELD("\"void\"", "{}"), NULL}, /* not supported: no rules */
        {"icebergCompatV1,", {.enable_iceberg_compat_v1 = true}, PLAIN, "needs column mapping"},
        {"icebergCompatV1,", {V1}, FIELD("\"void\"", "{}"), "V1 allows no void: column c"},
        {"icebergCompatV1,", {V1}, FIELD(LIST, IDS), "V1 allows no array"},
        {"icebergCompatV2,", {V2}, FIELD(LIST, IDS), NULL},
        {"icebergCompatV2,", {V2}, FIELD(LIST, "{}"), "needs ids for elements"},
        {"icebergCompatV2,", {V2}, FIELD("\"variant\"", "{}"), "V2 allows no variant"},
        {"icebergCompatV1,deletionVectors,", {V1}, PLAIN, "drop the feature deletionVectors"},
        {"icebergCompatV2,deletionVectors,", {V2}, PLAIN, NULL},
        {"icebergCompatV2,deletionVectors,",
         {V2, .enable_deletion_vectors = true},
         PLAIN,
         "allows no deletion vectors"},
        {"icebergCompatV1,icebergCompatV2,",
         {V1, .enable_iceberg_compat_v2 = true},
         PLAIN,
         "exclude each other"},
        {"icebergCompatV1,", {V1}, CHANGED, NULL},
        {"icebergCompatV1,typeWidening,", {V1}, CHANGED, "no widening that Iceberg allows"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        const rule_case *c = &cases[i];
        dw_protocol protocol = protocol_of(f, c->features);
        dw_error err = DW_ERROR_INIT;
        dw_status status = dw__iceberg_compat_check(&protocol, &c->properties, parse(f, c->schema),
                                                    &f->arena, &err);
        if (c->message == NULL) {
            assert_ok(status, &err);
        } else {
            assert_int_not_equal(status, DW_OK);
            assert_message_has(&err, c->message);
        }
    }
}

static void
test_partition_columns__are_written_where_something_asks_for_them(void **state)
{
    fixture *f = *state;
    dw_properties none = {.mapping_mode = DW_MAPPING_NONE};
    dw_properties wanted = {.write_partition_columns_to_parquet = true};
    dw_properties v1 = {V1};
    dw_protocol plain = protocol_of(f, "appendOnly,");
    dw_protocol materialises = protocol_of(f, "materializePartitionColumns,");
    dw_protocol iceberg = protocol_of(f, "icebergCompatV1,");
    assert_false(dw__writes_partition_columns(&plain, &none));
    assert_false(dw__writes_partition_columns(&plain, &v1));
    assert_false(dw__writes_partition_columns(&iceberg, &none));
    assert_true(dw__writes_partition_columns(&plain, &wanted));
    assert_true(dw__writes_partition_columns(&materialises, &none));
    assert_true(dw__writes_partition_columns(&iceberg, &v1));
}

static void
test_iceberg__switches_column_mapping_on_in_new_tables(void **state)
{
    fixture *f = *state;
    dw_pair items[] = {{DW_STR("delta.enableIcebergCompatV2"), DW_STR("true")}};
    dw_pairs configuration = {items, 1};
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__iceberg_compat_complete(&configuration, &f->arena, &err), &err);
    assert_int_equal(configuration.count, 2);
    assert_str(*dw__pairs_get(&configuration, DW_MAPPING_MODE_KEY), "name");
    assert_ok(dw__iceberg_compat_complete(&configuration, &f->arena, &err), &err);
    assert_int_equal(configuration.count, 2);
}

static dw_status
replace_with(dw_str before, dw_str after, const char *enabled, dw_error *err)
{
    dw_pair items[] = {{DW_STR("delta.enableIcebergCompatV1"), dw__str_from(enabled)}};
    dw_metadata old = {.partition_columns = &before, .partition_column_count = before.len > 0};
    dw_metadata new = {.partition_columns = &after,
                       .partition_column_count = after.len > 0,
                       .configuration = {items, 1}};
    return dw__iceberg_compat_check_replace(&old, &new, err);
}

static void
test_iceberg__replaced_tables_keep_their_partition_columns(void **state)
{
    DW_UNUSED void *unused = state;
    dw_error err = DW_ERROR_INIT;
    assert_ok(replace_with(DW_STR("p"), DW_STR("P"), "true", &err), &err);
    assert_ok(replace_with(DW_STR(""), DW_STR("p"), "true", &err), &err);
    assert_ok(replace_with(DW_STR("p"), DW_STR("q"), "false", &err), &err);
    assert_error(replace_with(DW_STR("p"), DW_STR("q"), "true", &err), DW_INVALID_ARGUMENT,
                 "ICEBERG_COMPAT", &err);
    assert_error(replace_with(DW_STR("p"), DW_STR(""), "true", &err), DW_INVALID_ARGUMENT,
                 "ICEBERG_COMPAT", &err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_iceberg__rules_are_kept),
        TEST(test_partition_columns__are_written_where_something_asks_for_them),
        TEST(test_iceberg__switches_column_mapping_on_in_new_tables),
        TEST(test_iceberg__replaced_tables_keep_their_partition_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
