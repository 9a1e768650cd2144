/* The names of log files. */
#include "support/test.h"

#include "log/log.h"
#include "log/names.h"

static void
assert_kind(const char *name, dw_log_file_kind kind, int64_t version)
{
    dw_log_file file;
    assert_true(dw__log_name_parse(dw__str_from(name), &file));
    assert_int_equal(file.kind, kind);
    assert_int_equal(file.version, version);
}

static void
test_names__know_every_kind_of_log_file(void **state)
{
    (void) state;
    assert_kind("00000000000000000007.json", DW_LOG_COMMIT, 7);
    assert_kind("00000000000000000010.checkpoint.parquet", DW_LOG_CHECKPOINT, 10);
    assert_kind("00000000000000000010.checkpoint.0000000001.0000000003.parquet",
                DW_LOG_CHECKPOINT_PART, 10);
    assert_kind("00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
                DW_LOG_CHECKPOINT_UUID, 10);
    assert_kind("00000000000000000010.checkpoint.80A083E8-7026-4e79-81be-64bd76c43a11.json",
                DW_LOG_CHECKPOINT_UUID, 10);
    assert_kind("00000000000000000004.00000000000000000006.compacted.json", DW_LOG_COMPACTED, 4);
    assert_kind("09223372036854775806.json", DW_LOG_COMMIT, INT64_MAX - 1);
}

static void
test_names__tell_parts_ranges_and_json(void **state)
{
    (void) state;
    dw_log_file file;
    assert_true(dw__log_name_parse(
        DW_STR("00000000000000000010.checkpoint.0000000002.0000000003.parquet"), &file));
    assert_int_equal(file.part, 2);
    assert_int_equal(file.part_count, 3);
    assert_true(dw__log_name_parse(
        DW_STR("00000000000000000004.00000000000000000006.compacted.json"), &file));
    assert_int_equal(file.last_version, 6);
    assert_true(dw__log_name_parse(
        DW_STR("00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"),
        &file));
    assert_true(file.is_json);
}

static void
test_names__ignore_everything_else(void **state)
{
    (void) state;
    static const char *const names[] = {
        "",
        "_last_checkpoint",
        ".00000000000000000000.json.crc",
        "00000000000000000000.crc",
        "00000000000000000000.json.tmp",
        "00000000000000000000.json.crc",
        "0000000000000000000.json",
        "000000000000000000000.json",
        "-0000000000000000001.json",
        "+0000000000000000001.json",
        "99999999999999999999.json",
        "09223372036854775807.json",
        "18446744073709551616.json",
        "0000000000000000000x.json",
        "00000000000000000000",
        "00000000000000000000.",
        "00000000000000000000.parquet",
        "00000000000000000000.JSON",
        "00000000000000000010.checkpoint",
        "00000000000000000010.checkpoint.parquet.tmp",
        "00000000000000000010.checkpoint..parquet",
        "00000000000000000010.checkpoint.json",
        "00000000000000000010.checkpoint.tmp.parquet",
        "00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a1.parquet",
        "00000000000000000010.checkpoint.80a083e8x7026-4e79-81be-64bd76c43a11.parquet",
        "00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.avro",
        "00000000000000000010.checkpoint.0000000000.0000000003.parquet",
        "00000000000000000010.checkpoint.0000000004.0000000003.parquet",
        "00000000000000000010.checkpoint.0000000001.9999999999.parquet",
        "00000000000000000010.checkpoint.1.3.parquet",
        "00000000000000000006.00000000000000000006.compacted.json",
        "00000000000000000006.00000000000000000004.compacted.json",
        "00000000000000000004.00000000000000000006.json",
        "00000000000000000004.00000000000000000006.compacted.json.tmp",
        "_staged_commits/00000000000000000004.80a083e8-7026-4e79-81be-64bd76c43a11.json",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        dw_log_file file;
        if (dw__log_name_parse(dw__str_from(names[i]), &file)) {
            fail_msg("taken for a log file: %s", names[i]);
        }
    }
}

static void
test_names__keys_are_what_is_parsed(void **state)
{
    (void) state;
    char commit[DW_COMMIT_KEY_SIZE], checkpoint[DW_CHECKPOINT_KEY_SIZE];
    assert_str(dw__commit_key(7, commit), "_delta_log/00000000000000000007.json");
    assert_str(dw__checkpoint_key(7, checkpoint),
               "_delta_log/00000000000000000007.checkpoint.parquet");
    dw_str largest = dw__checkpoint_key(DW_VERSION_MAX, checkpoint);
    dw_log_file file;
    assert_true(dw__log_name_parse(dw__str_slice(largest, 11, largest.len), &file));
    assert_int_equal(file.version, DW_VERSION_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names__know_every_kind_of_log_file),
        cmocka_unit_test(test_names__tell_parts_ranges_and_json),
        cmocka_unit_test(test_names__ignore_everything_else),
        cmocka_unit_test(test_names__keys_are_what_is_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
