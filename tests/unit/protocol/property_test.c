/*
 * Table properties.
 */
#include "fixture.h"

#include "protocol/property.h"

#define DAY_MS INT64_C(86400000)

static dw_properties
read_one(const char *key, const char *value, dw_str *bad_key)
{
    dw_pair pair = {dw__str_from(key), dw__str_from(value)};
    dw_pairs configuration = {&pair, 1};
    dw_properties properties;
    dw__properties_read(&configuration, &properties, bad_key);
    return properties;
}

static void
test_read__fills_in_defaults(void **state)
{
    (void) state;
    dw_pairs none = {NULL, 0};
    dw_properties p;
    dw_str bad_key = DW_STR("x");
    dw__properties_read(&none, &p, &bad_key);
    assert_true(dw__str_is_null(bad_key));
    assert_false(p.append_only || p.enable_deletion_vectors || p.enable_change_data_feed);
    assert_int_equal(p.checkpoint_interval, 10);
    assert_int_equal(p.log_compaction_interval, 0);
    assert_true(p.checkpoint_write_stats_as_json && p.checkpoint_write_stats_as_struct);
    assert_int_equal(p.log_retention_ms, 30 * DAY_MS);
    assert_int_equal(p.deleted_file_retention_ms, 7 * DAY_MS);
    assert_int_equal(p.data_skipping_num_indexed_cols, 32);
    assert_int_equal(p.data_skipping_string_prefix_length, 32);
    assert_int_equal(p.isolation, DW_WRITE_SERIALIZABLE);
    assert_int_equal(p.mapping_mode, DW_MAPPING_NONE);
    assert_int_equal(p.set_transaction_retention_ms, -1);
    assert_str(p.compression_codec, "zstd");
    assert_true(dw__str_is_null(p.data_skipping_stats_columns));
}

static void
test_read__takes_each_kind_of_value(void **state)
{
    (void) state;
    dw_str bad;
    assert_true(read_one("delta.appendOnly", "TRUE", &bad).append_only);
    assert_int_equal(read_one("delta.checkpointInterval", "7", &bad).checkpoint_interval, 7);
    assert_int_equal(
        read_one("deltaworks.logCompactionInterval", "50", &bad).log_compaction_interval, 50);
    assert_int_equal(
        read_one("delta.logRetentionDuration", "interval 2 weeks", &bad).log_retention_ms,
        14 * DAY_MS);
    assert_int_equal(read_one("delta.isolationLevel", "Serializable", &bad).isolation,
                     DW_SERIALIZABLE);
    assert_int_equal(read_one("delta.columnMapping.mode", "name", &bad).mapping_mode,
                     DW_MAPPING_NAME);
    assert_int_equal(read_one("delta.columnMapping.mode", "id", &bad).mapping_mode, DW_MAPPING_ID);
    assert_true(read_one("delta.checkpointPolicy", "v2", &bad).checkpoint_policy_v2);
    assert_str(read_one("delta.parquet.compression.codec", "SNAPPY", &bad).compression_codec,
               "snappy");
    assert_str(read_one("delta.parquet.compression.codec", "none", &bad).compression_codec,
               "uncompressed");
    assert_str(read_one("delta.parquet.format.version", "2.12.0", &bad).parquet_format_version,
               "2.12.0");
    assert_int_equal(read_one("delta.targetFileSize", "128mb", &bad).target_file_size_bytes,
                     128 << 20);
    assert_int_equal(read_one("delta.targetFileSize", "1G", &bad).target_file_size_bytes, 1 << 30);
    assert_int_equal(read_one("delta.targetFileSize", "1000", &bad).target_file_size_bytes, 1000);
    assert_int_equal(
        read_one("delta.dataSkippingNumIndexedCols", "-1", &bad).data_skipping_num_indexed_cols,
        -1);
    assert_str(
        read_one("delta.dataSkippingStatsColumns", "a,b.c", &bad).data_skipping_stats_columns,
        "a,b.c");
    assert_int_equal(read_one("delta.inCommitTimestampEnablementVersion", "12", &bad)
                         .in_commit_timestamp_enablement_version,
                     12);
    assert_true(dw__str_is_null(bad));
}

static void
test_read__keeps_the_default_for_nonsense_and_names_the_key(void **state)
{
    (void) state;
    const char *cases[][2] = {{"delta.checkpointInterval", "0"},
                              {"delta.checkpointInterval", "ten"},
                              {"delta.appendOnly", "yes"},
                              {"delta.logRetentionDuration", "1 month"},
                              {"delta.logRetentionDuration", "-1 day"},
                              {"delta.isolationLevel", "ReadCommitted"},
                              {"delta.columnMapping.mode", "both"},
                              {"delta.parquet.compression.codec", "brotli"},
                              {"delta.targetFileSize", "99999999t"},
                              {"delta.targetFileSize", "mb"},
                              {"delta.targetFileSize", ""},
                              {"delta.parquet.format.version", "2.1"},
                              {"delta.parquet.format.version", "3.0.0"}};
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_str bad;
        dw_properties p = read_one(cases[i][0], cases[i][1], &bad);
        assert_str(bad, cases[i][0]);
        assert_int_equal(p.checkpoint_interval, 10);
        assert_int_equal(p.log_retention_ms, 30 * DAY_MS);
        assert_int_equal(p.target_file_size_bytes, DW_TARGET_FILE_SIZE_DEFAULT);
    }
    dw_str bad;
    (void) read_one("delta.unknown", "x", &bad);
    assert_true(dw__str_is_null(bad));
}

static dw_status
check(const char *key, const char *value, dw_error *err)
{
    return dw__property_check(dw__str_from(key), dw__str_from(value), err);
}

static void
test_check__takes_what_is_legal(void **state)
{
    (void) state;
    const char *cases[][2] = {{"my.key", "anything"},
                              {"delta.appendOnly", "false"},
                              {"delta.checkpointInterval", "1"},
                              {"delta.minReaderVersion", "3"},
                              {"delta.minWriterVersion", "7"},
                              {"delta.feature.timestampNtz", "supported"},
                              {"delta.universalFormat.config.iceberg.x", "y"},
                              {"delta.autoOptimize.autoCompact", "auto"},
                              {"delta.checkpointRetentionDuration", "2 days"},
                              {"delta.enableIcebergCompatV2", "false"}};
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_ok(check(cases[i][0], cases[i][1], &err), &err);
    }
}

static void
test_check__refuses_bad_values_and_says_what_is_allowed(void **state)
{
    (void) state;
    const char *cases[][3] = {
        {"delta.appendOnly", "1", "true or false"},
        {"delta.checkpointInterval", "0", "from 1 to"},
        {"delta.logRetentionDuration", "1 year", "interval 30 days"},
        {"delta.isolationLevel", "x", "WriteSerializable or Serializable"},
        {"delta.columnMapping.mode", "x", "none, name or id"},
        {"delta.checkpointPolicy", "v3", "classic or v2"},
        {"delta.parquet.compression.codec", "x", "snappy"},
        {"delta.parquet.format.version", "x", "1.0.0"},
        {"delta.targetFileSize", "x", "128mb"},
        {"delta.columnMapping.maxColumnId", "7", "cannot be set"},
        {"delta.feature.timestampNtz", "off", "supported"},
        {"delta.constraints.c", "a > 1", "constraint"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_error(check(cases[i][0], cases[i][1], &err), DW_INVALID_ARGUMENT, "PROPERTY_INVALID",
                     &err);
        assert_message_has(&err, cases[i][2]);
    }
    dw_error err = DW_ERROR_INIT;
    assert_error(check("delta.feature.teleport", "supported", &err), DW_UNSUPPORTED,
                 "FEATURE_UNSUPPORTED", &err);
}

static void
test_check__suggests_the_nearest_key(void **state)
{
    (void) state;
    const char *cases[][2] = {
        {"delta.appendonly", "did you mean 'delta.appendOnly'?"},
        {"delta.checkpointIntervall", "did you mean 'delta.checkpointInterval'?"},
        {"delta.enableDeletionVector", "did you mean 'delta.enableDeletionVectors'?"},
        {"Delta.isolationlevel", "did you mean 'delta.isolationLevel'?"},
        {"delta.zzzzzzzzzzzzzzzzzz", "no table property 'delta.zzzz"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_error(check(cases[i][0], "1", &err), DW_INVALID_ARGUMENT, "PROPERTY_UNKNOWN", &err);
        assert_message_has(&err, cases[i][1]);
    }
}

static void
test_interval__counts_fixed_units_only(void **state)
{
    (void) state;
    const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"interval 30 days", 30 * DAY_MS},
                {"30 days", 30 * DAY_MS},
                {"INTERVAL 1 Week 2 HOURS", 7 * DAY_MS + 7200000},
                {"  interval   1 day  ", DAY_MS},
                {"1 minute 1 second 1 millisecond 1 microsecond", 61001},
                {"2 days -1 hours", 2 * DAY_MS - 3600000},
                {"interval 0 seconds", 0}};
    for (size_t i = 0; i < DWT_COUNT(good); i++) {
        int64_t ms;
        assert_true(dw__interval_parse(dw__str_from(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    const char *bad[] = {"",
                         "interval",
                         "days",
                         "30",
                         "30 day s",
                         "1 month",
                         "interval 1 year",
                         "x days",
                         "-1 days",
                         "1.5 days",
                         "9223372036854775807 weeks",
                         "1 days 2"};
    for (size_t i = 0; i < DWT_COUNT(bad); i++) {
        int64_t ms;
        assert_false(dw__interval_parse(dw__str_from(bad[i]), &ms));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_read__fills_in_defaults),
        TEST(test_read__takes_each_kind_of_value),
        TEST(test_read__keeps_the_default_for_nonsense_and_names_the_key),
        TEST(test_check__takes_what_is_legal),
        TEST(test_check__refuses_bad_values_and_says_what_is_allowed),
        TEST(test_check__suggests_the_nearest_key),
        TEST(test_interval__counts_fixed_units_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
