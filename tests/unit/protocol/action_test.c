/*
 * Actions: parsing lines, refusing broken ones, printing, copying.
 */
#include "fixture.h"

#include "protocol/action.h"

typedef struct collected {
    dw_action items[64];
    size_t count;
    size_t stop_after; /* 0: never */
} collected;

static dw_status
collect(void *ctx, const dw_action *action, dw_error *err)
{
    collected *all = ctx;
    if (all->stop_after > 0 && all->count == all->stop_after) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "enough");
    }
    assert_true(all->count < DWT_COUNT(all->items));
    all->items[all->count++] = *action;
    return DW_OK;
}

static dw_status
parse_text(fixture *f, const char *text, collected *out, dw_error *err)
{
    /* A copy that is gone afterwards: no reference to the text may be kept. */
    DW_AUTO(dw_strbuf) copy = fixture_text(f);
    dw__strbuf_append(&copy, dw__str_from(text));
    dw_status status = dw__actions_parse(dw__strbuf_str(&copy), &f->arena, collect, out, err);
    if (copy.len > 0) {
        memset(copy.ptr, 'X', copy.len);
    }
    return status;
}

static void
check_printed(fixture *f, const collected *all, const char *expected)
{
    DW_AUTO(dw_strbuf) text = fixture_text(f);
    for (size_t i = 0; i < all->count; i++) {
        dw__action_print(&text, &all->items[i]);
    }
    assert_str(dw__strbuf_str(&text), expected);
}

static const char every_action[] =
    "{\"commitInfo\":{\"timestamp\":1515491537026,\"operation\":\"WRITE\",\"x\":[1.50,{}]}}\n"
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"
    "[\"deletionVectors\"],\"writerFeatures\":[\"deletionVectors\",\"appendOnly\"]}}\n"
    "{\"metaData\":{\"id\":\"af23c9d7\",\"name\":\"n\",\"description\":\"d\",\"format\":{"
    "\"provider\":\"parquet\",\"options\":{\"o\":\"1\"}},\"schemaString\":\"{\\\"type\\\":1}\","
    "\"partitionColumns\":[\"a\",\"b\"],\"configuration\":{\"delta.appendOnly\":\"true\"},"
    "\"createdTime\":1515491537026,\"new\":{\"a\":null}}}\n"
    "{\"add\":{\"path\":\"a=1/f%20g\",\"partitionValues\":{\"a\":\"1\",\"b\":null},\"size\":841454,"
    "\"modificationTime\":1512909768000,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":1}\","
    "\"tags\":{\"k\":\"v\"},\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":"
    "\"ab^-aqEH.-t@S}K{vb[*k^\",\"offset\":4,\"sizeInBytes\":40,\"cardinality\":6},"
    "\"baseRowId\":4071,\"defaultRowCommitVersion\":41,\"clusteringProvider\":\"liquid\","
    "\"unknown\":\"kept\",\"other\":7}}\n"
    "{\"remove\":{\"path\":\"f\",\"deletionTimestamp\":1515488792485,\"dataChange\":false,"
    "\"extendedFileMetadata\":true,\"partitionValues\":{\"a\":\"1\",\"b\":null},\"size\":7,"
    "\"tags\":{},\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"wi5b\","
    "\"sizeInBytes\":40,\"cardinality\":6},\"baseRowId\":1,\"defaultRowCommitVersion\":2,"
    "\"stats\":\"{}\"}}\n"
    "{\"remove\":{\"path\":\"g\",\"dataChange\":true}}\n"
    "{\"cdc\":{\"path\":\"_change_data/c\",\"partitionValues\":{},\"size\":1213,"
    "\"dataChange\":false,"
    "\"tags\":{\"t\":\"u\"}}}\n"
    "{\"txn\":{\"appId\":\"app\",\"version\":364475}}\n"
    "{\"txn\":{\"appId\":\"app2\",\"version\":-1,\"lastUpdated\":5}}\n"
    "{\"domainMetadata\":{\"domain\":\"delta.x\",\"configuration\":\"{}\",\"removed\":false}}\n"
    "{\"sidecar\":{\"path\":\"s.parquet\",\"sizeInBytes\":2304522,"
    "\"modificationTime\":1512909768000}"
    "}\n"
    "{\"checkpointMetadata\":{\"version\":1,\"tags\":{\"numOfAddFiles\":\"42\"}}}\n"
    "{\"newAction\":{\"a\":[1]},\"and\":true}\n";

static void
test_actions__print_as_they_were(void **state)
{
    fixture *f = *state;
    collected all = {.count = 0};
    dw_error err = DW_ERROR_INIT;
    assert_ok(parse_text(f, every_action, &all, &err), &err);
    assert_int_equal(all.count, 13);
    check_printed(f, &all, every_action);
}

static void
test_actions__have_their_members(void **state)
{
    fixture *f = *state;
    collected all = {.count = 0};
    dw_error err = DW_ERROR_INIT;
    assert_ok(parse_text(f, every_action, &all, &err), &err);

    const dw_protocol *protocol = &all.items[1].as.protocol;
    assert_int_equal(protocol->min_reader_version, 3);
    assert_int_equal(protocol->min_writer_version, 7);
    assert_int_equal(protocol->writer_feature_count, 2);
    assert_str(protocol->writer_features[1], "appendOnly");

    const dw_metadata *metadata = &all.items[2].as.metadata;
    assert_str(metadata->schema_string, "{\"type\":1}");
    assert_str(metadata->partition_columns[1], "b");
    assert_str(*dw__pairs_get(&metadata->configuration, DW_STR("delta.appendOnly")), "true");
    assert_null(dw__pairs_get(&metadata->configuration, DW_STR("delta.appendonly")));

    const dw_file *add = &all.items[3].as.file;
    assert_int_equal(all.items[3].kind, DW_ACTION_ADD);
    assert_str(add->path, "a=1/f%20g");
    assert_int_equal(add->size_bytes, 841454);
    assert_true(add->data_change);
    assert_str(add->stats, "{\"numRecords\":1}");
    assert_str(add->tags_json, "{\"k\":\"v\"}");
    assert_int_equal(add->dv->storage_type, 'u');
    assert_int_equal(add->dv->offset, 4);
    assert_int_equal(add->dv->cardinality, 6);
    assert_true(dw__str_is_null(*dw__pairs_get(&add->partition_values, DW_STR("b"))));
    assert_str(add->extra_json, ",\"unknown\":\"kept\",\"other\":7");

    const dw_file *remove = &all.items[4].as.file;
    assert_false(remove->dv->has_offset);
    assert_false(remove->data_change);
    /* Partition columns and values that repeat are held once. */
    assert_ptr_equal(remove->partition_values.items[0].key.ptr,
                     add->partition_values.items[0].key.ptr);
    assert_ptr_equal(remove->partition_values.items[0].value.ptr,
                     add->partition_values.items[0].value.ptr);

    const dw_file *bare = &all.items[5].as.file;
    assert_false(bare->has_size || bare->has_partition_values || bare->has_deletion_timestamp);
    assert_int_equal(bare->deletion_timestamp_ms, 0);
    assert_true(dw__str_is_null(bare->stats) && dw__str_is_null(bare->tags_json));

    assert_int_equal(all.items[8].as.txn.version, -1);
    assert_true(all.items[8].as.txn.has_last_updated);
    assert_str(all.items[12].as.json, "{\"newAction\":{\"a\":[1]},\"and\":true}");
}

static void
test_actions__tolerate_other_layouts(void **state)
{
    fixture *f = *state;
    collected all = {.count = 0};
    dw_error err = DW_ERROR_INIT;
    const char *text =
        "\r\n \n{ \"add\" : {\"dataChange\":true, \"path\":\"\\u0061\", \"partitionValues\":{"
        "\"i\":1,\"b\":true,\"d\":1.50},\"size\":1.0,\"modificationTime\":1e3,"
        "\"stats\":{\"numRecords\":2},"
        "\"tags\":null,\"deletionVector\":null,\"unknown\":null}, \"remove\":null }\r\n"
        "{\"remove\":null,\"txn\":{\"appId\":\"\",\"version\":9223372036854775807}}\n{}\n"
        "{\"metaData\":{\"id\":\"\",\"format\":{\"provider\":\"parquet\"},"
        "\"partitionColumns\":[]}}";
    assert_ok(parse_text(f, text, &all, &err), &err);
    assert_int_equal(all.count, 4);
    const dw_file *add = &all.items[0].as.file;
    assert_str(add->path, "a");
    assert_int_equal(add->size_bytes, 1);
    assert_int_equal(add->modification_time_ms, 1000);
    assert_str(add->stats, "{\"numRecords\":2}");
    assert_str(*dw__pairs_get(&add->partition_values, DW_STR("i")), "1");
    assert_str(*dw__pairs_get(&add->partition_values, DW_STR("b")), "true");
    assert_str(*dw__pairs_get(&add->partition_values, DW_STR("d")), "1.50");
    assert_null(add->dv);
    assert_str(add->extra_json, "");
    assert_int_equal(all.items[1].as.txn.version, INT64_MAX);
    assert_int_equal(all.items[2].kind, DW_ACTION_UNKNOWN);
    assert_str(all.items[3].as.metadata.schema_string, "{\"type\":\"struct\",\"fields\":[]}");
    assert_int_equal(all.items[3].as.metadata.configuration.count, 0);

    all.count = 0;
    assert_ok(parse_text(f, "", &all, &err), &err);
    assert_ok(parse_text(f, "\n\n", &all, &err), &err);
    assert_int_equal(all.count, 0);
}

static const struct {
    const char *line;
    const char *message;
} broken_lines[] = {
    {"{\"add\":", "not valid JSON at byte"},
    {"[]", "expected an action as an object, found an array"},
    {"7", "found a number"},
    {"{\"add\":7}", "add: expected an object, found a number"},
    {"{\"add\":{}}", "add.path is missing"},
    {"{\"add\":{\"path\":\"\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,"
     "\"dataChange\":true}}",
     "add.path is empty"},
    {"{\"add\":{\"path\":\"f\",\"size\":1,\"modificationTime\":1,\"dataChange\":true}}",
     "add.partitionValues is missing"},
    {"{\"add\":{\"path\":\"f\",\"partitionValues\":{},\"size\":null,\"modificationTime\":1,"
     "\"dataChange\":true}}",
     "add.size is missing"},
    {"{\"add\":{\"path\":7}}", "add.path: expected a string, found a number"},
    {"{\"add\":{\"size\":\"7\"}}", "add.size: expected an integer of 64 bits, found a string"},
    {"{\"add\":{\"size\":1.5}}", "add.size: expected an integer"},
    {"{\"add\":{\"size\":9223372036854775808}}", "add.size: expected an integer"},
    {"{\"add\":{\"size\":-1}}", "negative"},
    {"{\"add\":{\"dataChange\":\"true\"}}", "add.dataChange: expected true or false"},
    {"{\"add\":{\"partitionValues\":[]}}", "add.partitionValues: expected an object"},
    {"{\"add\":{\"partitionValues\":{\"a\":{}}}}", "strings or null"},
    {"{\"add\":{\"stats\":7}}", "add.stats: expected a string"},
    {"{\"add\":{\"tags\":\"x\"}}", "add.tags: expected an object"},
    {"{\"add\":{\"deletionVector\":\"x\"}}", "add.deletionVector: expected an object"},
    {"{\"add\":{\"deletionVector\":{\"storageType\":\"z\"}}}", "deletionVector.storageType"},
    {"{\"add\":{\"deletionVector\":{\"storageType\":\"u\"}}}",
     "deletionVector.pathOrInlineDv is missing"},
    {"{\"add\":{\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"x\"}}}",
     "deletionVector.sizeInBytes is missing"},
    {"{\"add\":{\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"x\","
     "\"sizeInBytes\":1}}}",
     "deletionVector.cardinality is missing"},
    {"{\"add\":{\"deletionVector\":{\"offset\":-1}}}", "not negative"},
    {"{\"remove\":{\"path\":\"f\"}}", "remove.dataChange is missing"},
    {"{\"cdc\":{\"path\":\"f\"}}", "cdc.partitionValues is missing"},
    {"{\"metaData\":{}}", "metaData.id is missing"},
    {"{\"metaData\":{\"id\":\"x\"}}", "metaData.format is missing"},
    {"{\"metaData\":{\"format\":\"parquet\"}}", "metaData.format: expected an object"},
    {"{\"metaData\":{\"format\":{}}}", "metaData.format.provider: expected a string"},
    {"{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\"}}}",
     "metaData.partitionColumns is missing"},
    {"{\"metaData\":{\"partitionColumns\":[7]}}", "metaData.partitionColumns: expected a string"},
    {"{\"metaData\":{\"configuration\":7}}", "metaData.configuration: expected an object"},
    {"{\"protocol\":{}}", "protocol.minReaderVersion is missing"},
    {"{\"protocol\":{\"minReaderVersion\":1}}", "protocol.minWriterVersion is missing"},
    {"{\"protocol\":{\"minReaderVersion\":4294967297}}", "32 bits"},
    {"{\"protocol\":{\"readerFeatures\":{}}}", "protocol.readerFeatures: expected an array"},
    {"{\"txn\":{\"version\":1}}", "txn.appId: expected a string, found nothing"},
    {"{\"txn\":{\"appId\":\"a\"}}", "txn.version: expected an integer"},
    {"{\"domainMetadata\":{\"domain\":\"d\",\"removed\":false}}",
     "domainMetadata.configuration: expected a string"},
    {"{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"\"}}",
     "domainMetadata.removed: expected true or false"},
    {"{\"sidecar\":{\"path\":\"p\"}}", "sidecar.sizeInBytes"},
};

static void
test_actions__refuse_broken_lines_and_say_what_is_wrong(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < DWT_COUNT(broken_lines); i++) {
        DW_AUTO(dw_strbuf) text = fixture_text(f);
        dw__strbuf_printf(&text, "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n\n%s\n",
                          broken_lines[i].line);
        collected all = {.count = 0};
        dw_error err = DW_ERROR_INIT;
        assert_error(parse_text(f, dw__strbuf_cstr(&text), &all, &err), DW_CORRUPT,
                     "COMMIT_INVALID", &err);
        assert_message_has(&err, broken_lines[i].message);
        assert_message_has(&err, "line 3");
        assert_int_equal(all.count, 1);
    }
}

static void
test_actions__stop_when_the_visitor_says_so(void **state)
{
    fixture *f = *state;
    collected all = {.stop_after = 2};
    dw_error err = DW_ERROR_INIT;
    assert_error(parse_text(f, every_action, &all, &err), DW_CANCELLED, "CANCELLED", &err);
    assert_int_equal(all.count, 2);
}

static void
test_commit_info__takes_what_it_understands(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    dw_commit_info info;
    assert_ok(
        dw__commit_info_parse(
            DW_STR("{\"timestamp\":5,\"inCommitTimestamp\":6,\"operation\":\"WRITE\","
                   "\"operationParameters\":{\"mode\":\"Append\"},\"readVersion\":3,"
                   "\"isolationLevel\":\"Serializable\",\"isBlindAppend\":true,"
                   "\"operationMetrics\":{\"numFiles\":\"1\"},\"userMetadata\":\"u\","
                   "\"engineInfo\":\"e\",\"txnId\":\"t\",\"userId\":\"1\",\"userName\":\"n\"}"),
            &f->arena, &info, &err),
        &err);
    assert_true(info.has_timestamp && info.has_in_commit_timestamp && info.has_read_version);
    assert_int_equal(info.in_commit_timestamp_ms, 6);
    assert_str(info.operation_parameters_json, "{\"mode\":\"Append\"}");
    assert_true(info.has_is_blind_append && info.is_blind_append);
    assert_str(info.txn_id, "t");
    assert_str(info.user_name, "n");

    assert_ok(dw__commit_info_parse(DW_STR("{\"timestamp\":\"x\",\"operation\":7,"
                                           "\"operationParameters\":[],\"isBlindAppend\":1}"),
                                    &f->arena, &info, &err),
              &err);
    assert_false(info.has_timestamp || info.has_is_blind_append);
    assert_true(dw__str_is_null(info.operation));
    assert_true(dw__str_is_null(info.operation_parameters_json));
    assert_error(dw__commit_info_parse(DW_STR("{"), &f->arena, &info, &err), DW_CORRUPT,
                 "JSON_INVALID", &err);
}

static void
test_copies__stand_alone(void **state)
{
    fixture *f = *state;
    DW_AUTO(dw_arena) copies;
    dw__arena_init(&copies, f->world.env.allocator);
    collected all = {.count = 0};
    dw_error err = DW_ERROR_INIT;
    assert_ok(parse_text(f, every_action, &all, &err), &err);
    for (size_t i = 0; i < all.count; i++) {
        dw_action *action = &all.items[i];
        dw_action from = *action;
        if (from.kind == DW_ACTION_METADATA) {
            assert_true(dw__metadata_dup(&copies, &from.as.metadata, &action->as.metadata));
        } else if (from.kind == DW_ACTION_PROTOCOL) {
            assert_true(dw__protocol_dup(&copies, &from.as.protocol, &action->as.protocol));
        } else if (from.kind == DW_ACTION_ADD || from.kind == DW_ACTION_REMOVE ||
                   from.kind == DW_ACTION_CDC) {
            assert_true(dw__file_dup(&copies, &from.as.file, &action->as.file));
        } else {
            all.items[i--] = all.items[--all.count];
        }
    }
    DW_AUTO(dw_strbuf) before = fixture_text(f);
    for (size_t i = 0; i < all.count; i++) {
        dw__action_print(&before, &all.items[i]);
    }
    dw__arena_deinit(&f->arena);
    check_printed(f, &all, dw__strbuf_cstr(&before));
    assert_int_equal(all.count, 6);
}

static dw_status
ignore(void *ctx, const dw_action *action, dw_error *err)
{
    dw_strbuf *text = ctx;
    (void) err;
    dw__action_print(text, action);
    return DW_OK;
}

static dw_status
parse_and_print(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env->allocator, DWT_TEXT_BYTES_MAX);
    DW_TRY(dw__actions_parse(dw__str_from(every_action), &arena, ignore, &text, err));
    DW_TRY(dw__strbuf_ok(&text, "the commit", err));
    assert_str(dw__strbuf_str(&text), every_action);
    dw_commit_info info;
    return dw__commit_info_parse(DW_STR("{\"operation\":\"x\"}"), &arena, &info, err);
}

static void
test_actions__survive_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = parse_and_print, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_actions__print_as_they_were),
        TEST(test_actions__have_their_members),
        TEST(test_actions__tolerate_other_layouts),
        TEST(test_actions__refuse_broken_lines_and_say_what_is_wrong),
        TEST(test_actions__stop_when_the_visitor_says_so),
        TEST(test_commit_info__takes_what_it_understands),
        TEST(test_copies__stand_alone),
        TEST(test_actions__survive_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
