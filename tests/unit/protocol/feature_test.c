/*
 * What can be read and written, and the protocol of new tables.
 */
#include "fixture.h"

#include "protocol/feature.h"

static const char plain_schema[] =
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}";

static const dw_type *
schema_of(fixture *f, const char *json)
{
    const dw_type *schema = NULL;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__schema_parse("the schema", dw__str_from(json), &f->arena, &schema, &err), &err);
    return schema;
}

/* "a,b" as a list. */
static dw_str *
split(fixture *f, const char *names, size_t *count)
{
    dw_str *items = DW_ARENA_ARRAY(&f->arena, dw_str, 16);
    assert_non_null(items);
    dw_str rest = dw__str_from(names);
    *count = 0;
    while (rest.len > 0) {
        size_t comma = dw__str_find(rest, ',');
        items[(*count)++] = dw__str_slice(rest, 0, comma);
        rest = comma == SIZE_MAX ? DW_STR("") : dw__str_slice(rest, comma + 1, rest.len);
    }
    return items;
}

/* Lists may be NULL for none. */
static dw_protocol
protocol_of(fixture *f, int32_t reader, int32_t writer, const char *reader_features,
            const char *writer_features)
{
    dw_protocol p = {.min_reader_version = reader, .min_writer_version = writer};
    p.has_reader_features = reader_features != NULL;
    p.has_writer_features = writer_features != NULL;
    if (reader_features != NULL) {
        p.reader_features = split(f, reader_features, &p.reader_feature_count);
    }
    if (writer_features != NULL) {
        p.writer_features = split(f, writer_features, &p.writer_feature_count);
    }
    return p;
}

static void
test_supports__knows_lists_and_what_versions_imply(void **state)
{
    fixture *f = *state;
    dw_protocol legacy = protocol_of(f, 2, 5, NULL, NULL);
    assert_true(dw__protocol_supports(&legacy, DW_FEATURE_COLUMN_MAPPING));
    assert_true(dw__protocol_supports(&legacy, DW_FEATURE_CHANGE_DATA_FEED));
    assert_false(dw__protocol_supports(&legacy, DW_FEATURE_IDENTITY_COLUMNS));
    assert_false(dw__protocol_supports(&legacy, DW_FEATURE_DELETION_VECTORS));
    dw_protocol reader_too_old = protocol_of(f, 1, 5, NULL, NULL);
    assert_false(dw__protocol_supports(&reader_too_old, DW_FEATURE_COLUMN_MAPPING));
    dw_protocol listed = protocol_of(f, 2, 7, NULL, "columnMapping");
    assert_true(dw__protocol_supports(&listed, DW_FEATURE_COLUMN_MAPPING));
    assert_false(dw__protocol_supports(&listed, DW_FEATURE_APPEND_ONLY));
}

static void
test_read__takes_all_that_readers_know(void **state)
{
    fixture *f = *state;
    const dw_protocol cases[] = {
        protocol_of(f, 1, 2, NULL, NULL),
        protocol_of(f, 2, 6, NULL, NULL),
        protocol_of(f, 1, 7, NULL, ""),
        protocol_of(f, 1, 7, NULL, "fromTheFuture,rowTracking"),
        protocol_of(f, 2, 7, NULL, "columnMapping"),
        protocol_of(f, 3, 7, "", ""),
        protocol_of(f, 1, 2, "", ""),
        protocol_of(
            f, 3, 7, "deletionVectors,timestampNtz,v2Checkpoint,columnMapping,typeWidening",
            "deletionVectors,timestampNtz,v2Checkpoint,columnMapping,typeWidening,clustering"),
        protocol_of(f, 1, 8, NULL, "x"),
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__protocol_check_read(&cases[i], &err), &err);
    }
}

static void
test_read__names_every_missing_feature(void **state)
{
    fixture *f = *state;
    dw_protocol p = protocol_of(f, 3, 7, "deletionVectors,teleport,catalogManaged",
                                "deletionVectors,teleport,catalogManaged,other");
    dw_error err = DW_ERROR_INIT;
    assert_error(dw__protocol_check_read(&p, &err), DW_UNSUPPORTED, "FEATURE_UNSUPPORTED", &err);
    assert_message_has(&err, "teleport, catalogManaged");
    assert_null(strstr(err.message, "other"));
    dw_protocol version = protocol_of(f, 4, 7, "", "");
    assert_error(dw__protocol_check_read(&version, &err), DW_UNSUPPORTED,
                 "PROTOCOL_VERSION_UNSUPPORTED", &err);
    assert_message_has(&err, "reader version 4");
}

static void
test_read__refuses_illegal_lists(void **state)
{
    fixture *f = *state;
    const dw_protocol cases[] = {
        protocol_of(f, 3, 6, "", NULL),
        protocol_of(f, 3, 7, NULL, ""),
        protocol_of(f, 1, 7, NULL, NULL),
        protocol_of(f, 2, 7, "columnMapping", "columnMapping"),
        protocol_of(f, 1, 5, NULL, "appendOnly"),
        protocol_of(f, 3, 7, "deletionVectors", "appendOnly"),
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_error(dw__protocol_check_read(&cases[i], &err), DW_CORRUPT, "PROTOCOL_INVALID",
                     &err);
    }
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
check_write(fixture *f, dw_protocol protocol, const char *schema, dw_error *err)
{
    return dw__protocol_check_write(&protocol, schema_of(f, schema), err);
}

static void
test_write__does_not_mind_features_that_are_not_used(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    assert_ok(check_write(f, protocol_of(f, 1, 6, NULL, NULL), plain_schema, &err), &err);
    dw_protocol many = protocol_of(
        f, 3, 7, "deletionVectors,columnMapping",
        "deletionVectors,columnMapping,invariants,checkConstraints,generatedColumns,"
        "identityColumns,allowColumnDefaults,icebergCompatV1,icebergCompatV2,clustering");
    assert_ok(check_write(f, many, plain_schema, &err), &err);
    dw_protocol suspended = protocol_of(f, 1, 7, NULL, "rowTracking,domainMetadata");
    assert_ok(check_write(f, suspended, plain_schema, &err), &err);
}

static void
test_write__names_what_it_lacks(void **state)
{
    fixture *f = *state;
    const struct {
        const char *features;
        const char *metadata;
        const char *message;
    } cases[] = {
        {"rowTracking,domainMetadata,teleport", "{}", "teleport"},
        {"teleport,telepathy", "{}", "teleport, telepathy"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        DW_AUTO(dw_strbuf) schema = fixture_text(f);
        dw__strbuf_printf(&schema,
                          "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\","
                          "\"metadata\":%s}]}",
                          cases[i].metadata);
        dw_error err = DW_ERROR_INIT;
        assert_error(check_write(f, protocol_of(f, 1, 7, NULL, cases[i].features),
                                 dw__strbuf_cstr(&schema), &err),
                     DW_UNSUPPORTED, "FEATURE_UNSUPPORTED", &err);
        assert_message_has(&err, cases[i].message);
    }
    dw_error err = DW_ERROR_INIT;
    assert_error(check_write(f, protocol_of(f, 1, 8, NULL, ""), plain_schema, &err), DW_UNSUPPORTED,
                 "PROTOCOL_VERSION_UNSUPPORTED", &err);
}

static void
test_write__refuses_schemas_of_nothing_but_void(void **state)
{
    fixture *f = *state;
    const struct {
        const char *type;
        bool with_another;
        bool fine;
    } cases[] = {
        {"\"void\"", false, false},
        {"\"void\"", true, true},
        {"{\"type\":\"array\",\"elementType\":\"void\"}", true, false},
        {"{\"type\":\"map\",\"keyType\":\"long\",\"valueType\":{\"type\":\"struct\",\"fields\":[{"
         "\"name\":\"x\",\"type\":\"void\"},{\"name\":\"y\",\"type\":\"long\"}]}}",
         true, false},
        {"{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"void\"}]}", true, false},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        DW_AUTO(dw_strbuf) schema = fixture_text(f);
        dw__strbuf_printf(
            &schema, "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":%s}%s]}",
            cases[i].type, cases[i].with_another ? ",{\"name\":\"b\",\"type\":\"long\"}" : "");
        dw_error err = DW_ERROR_INIT;
        dw_status status =
            check_write(f, protocol_of(f, 1, 2, NULL, NULL), dw__strbuf_cstr(&schema), &err);
        if (cases[i].fine) {
            assert_ok(status, &err);
        } else {
            assert_error(status, DW_UNSUPPORTED, "TYPE_UNSUPPORTED", &err);
        }
    }
}

/* ---- New tables ------------------------------------------------------------------------------ */

static void
check_new(fixture *f, const char *type, const char *const (*pairs)[2], size_t count,
          const char *expected)
{
    DW_AUTO(dw_strbuf) schema = fixture_text(f);
    dw__strbuf_printf(&schema,
                      "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":\"%s\"}]}", type);
    dw_pair items[4];
    for (size_t i = 0; i < count; i++) {
        items[i] = (dw_pair){dw__str_from(pairs[i][0]), dw__str_from(pairs[i][1])};
    }
    dw_pairs configuration = {items, count};
    dw_protocol protocol;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__protocol_for_new_table(schema_of(f, dw__strbuf_cstr(&schema)), &configuration,
                                         &f->arena, &protocol, &err),
              &err);
    DW_AUTO(dw_strbuf) text = fixture_text(f);
    dw__protocol_print(&text, &protocol);
    assert_str(dw__strbuf_str(&text), expected);
    /* What was made is legal; whether it can be read is another question. */
    dw_status status = dw__protocol_check_read(&protocol, &err);
    assert_true(status == DW_OK || status == DW_UNSUPPORTED);
}

static void
test_new_table__gets_the_smallest_protocol(void **state)
{
    fixture *f = *state;
    check_new(f, "long", NULL, 0, "{\"minReaderVersion\":1,\"minWriterVersion\":2}");
    const char *const feed[][2] = {{"delta.enableChangeDataFeed", "true"}};
    check_new(f, "long", feed, 1, "{\"minReaderVersion\":1,\"minWriterVersion\":4}");
    const char *const off[][2] = {{"delta.enableChangeDataFeed", "false"}};
    check_new(f, "long", off, 1, "{\"minReaderVersion\":1,\"minWriterVersion\":2}");
    const char *const mapping[][2] = {{"delta.columnMapping.mode", "name"}};
    check_new(f, "long", mapping, 1, "{\"minReaderVersion\":2,\"minWriterVersion\":5}");
    check_new(
        f, "timestamp_ntz", NULL, 0,
        "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"timestampNtz\"],"
        "\"writerFeatures\":[\"appendOnly\",\"invariants\",\"timestampNtz\"]}");
    const char *const clustered[][2] = {{"delta.feature.clustering", "supported"},
                                        {"delta.enableInCommitTimestamps", "true"}};
    check_new(f, "long", clustered, 2,
              "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"appendOnly\","
              "\"invariants\",\"domainMetadata\",\"clustering\",\"inCommitTimestamp\"]}");
    const char *const both[][2] = {{"delta.columnMapping.mode", "id"},
                                   {"delta.enableDeletionVectors", "true"}};
    check_new(
        f, "long", both, 2,
        "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"columnMapping\","
        "\"deletionVectors\"],\"writerFeatures\":[\"appendOnly\",\"invariants\","
        "\"columnMapping\",\"deletionVectors\"]}");
    const char *const versions[][2] = {{"delta.minReaderVersion", "2"},
                                       {"delta.minWriterVersion", "5"}};
    check_new(f, "long", versions, 2, "{\"minReaderVersion\":2,\"minWriterVersion\":5}");
    const char *const lists[][2] = {{"delta.minReaderVersion", "1"},
                                    {"delta.minWriterVersion", "7"}};
    check_new(f, "long", lists, 2,
              "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"appendOnly\","
              "\"invariants\"]}");
}

static void
test_new_table__with_an_unknown_feature_is_refused(void **state)
{
    fixture *f = *state;
    dw_pair pair = {DW_STR("delta.feature.teleport"), DW_STR("supported")};
    dw_pairs configuration = {&pair, 1};
    dw_protocol protocol;
    dw_error err = DW_ERROR_INIT;
    assert_error(dw__protocol_for_new_table(schema_of(f, plain_schema), &configuration, &f->arena,
                                            &protocol, &err),
                 DW_UNSUPPORTED, "FEATURE_UNSUPPORTED", &err);
    assert_message_has(&err, "teleport");
}

/* ---- Tables that exist ----------------------------------------------------------------------- */

static void
check_upgrade(fixture *f, dw_protocol before, const char *key, const char *value,
              const char *expected)
{
    dw_pair pair = {dw__str_from(key), dw__str_from(value)};
    dw_pairs configuration = {&pair, 1};
    dw_protocol protocol;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__protocol_upgrade(&before, schema_of(f, plain_schema), &configuration, &f->arena,
                                   &protocol, &err),
              &err);
    DW_AUTO(dw_strbuf) text = fixture_text(f);
    dw__protocol_print(&text, &protocol);
    assert_str(dw__strbuf_str(&text), expected);
    assert_ok(dw__protocol_check_read(&protocol, &err), &err);
}

static void
test_upgrade__keeps_what_a_version_implied_and_lists_only_what_must_be(void **state)
{
    fixture *f = *state;
    dw_protocol two = {.min_reader_version = 1, .min_writer_version = 2};
    check_upgrade(f, two, "free", "1", "{\"minReaderVersion\":1,\"minWriterVersion\":2}");
    check_upgrade(f, two, "delta.constraints.c", "id > 0",
                  "{\"minReaderVersion\":1,\"minWriterVersion\":3}");
    check_upgrade(f, two, "delta.minWriterVersion", "4",
                  "{\"minReaderVersion\":1,\"minWriterVersion\":4}");
    check_upgrade(f, two, "delta.enableChangeDataFeed", "true",
                  "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":"
                  "[\"appendOnly\",\"invariants\",\"changeDataFeed\"]}");
    check_upgrade(f, two, "delta.minWriterVersion", "7",
                  "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":"
                  "[\"appendOnly\",\"invariants\"]}");
    dw_protocol five = {.min_reader_version = 2, .min_writer_version = 5};
    check_upgrade(f, five, "delta.enableDeletionVectors", "true",
                  "{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"
                  "[\"columnMapping\",\"deletionVectors\"],\"writerFeatures\":[\"appendOnly\","
                  "\"invariants\",\"checkConstraints\",\"changeDataFeed\",\"generatedColumns\","
                  "\"columnMapping\",\"deletionVectors\"]}");
}

static void
test_upgrade__keeps_features_that_are_not_known(void **state)
{
    fixture *f = *state;
    dw_str names[] = {DW_STR("teleport"), DW_STR("appendOnly")};
    dw_protocol before = {.min_reader_version = 1,
                          .min_writer_version = 7,
                          .has_writer_features = true,
                          .writer_features = names,
                          .writer_feature_count = 2};
    check_upgrade(f, before, "delta.feature.domainMetadata", "supported",
                  "{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":"
                  "[\"teleport\",\"appendOnly\",\"domainMetadata\"]}");
}

static void
test_without__takes_one_feature_away_and_no_other(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    dw_protocol protocol;
    dw_protocol three = {.min_reader_version = 1, .min_writer_version = 3};
    assert_ok(dw__protocol_without(&three, DW_FEATURE_CHECK_CONSTRAINTS, DW_FEATURE_COUNT,
                                   &f->arena, &protocol, &err),
              &err);
    assert_int_equal(protocol.min_writer_version, 2);
    dw_protocol four = {.min_reader_version = 1, .min_writer_version = 4};
    assert_ok(dw__protocol_without(&four, DW_FEATURE_CHECK_CONSTRAINTS, DW_FEATURE_COUNT, &f->arena,
                                   &protocol, &err),
              &err);
    assert_int_equal(protocol.min_writer_version, 7);
    assert_int_equal(protocol.writer_feature_count, 4);
    assert_false(dw__protocol_supports(&protocol, DW_FEATURE_CHECK_CONSTRAINTS));
    assert_true(dw__protocol_supports(&protocol, DW_FEATURE_GENERATED_COLUMNS));
}

static void
test_without__falls_back_to_the_weakest_versions(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    dw_protocol protocol;
    dw_str writer[] = {DW_STR("appendOnly"), DW_STR("invariants"), DW_STR("deletionVectors")};
    dw_str reader[] = {DW_STR("deletionVectors")};
    dw_protocol three = {.min_reader_version = 3,
                         .min_writer_version = 7,
                         .has_reader_features = true,
                         .reader_features = reader,
                         .reader_feature_count = 1,
                         .has_writer_features = true,
                         .writer_features = writer,
                         .writer_feature_count = 3};
    assert_ok(dw__protocol_without(&three, DW_FEATURE_DELETION_VECTORS, DW_FEATURE_COUNT, &f->arena,
                                   &protocol, &err),
              &err);
    assert_int_equal(protocol.min_reader_version, 1);
    assert_int_equal(protocol.min_writer_version, 2);
    assert_ok(dw__protocol_without(&three, DW_FEATURE_DELETION_VECTORS,
                                   DW_FEATURE_CHECKPOINT_PROTECTION, &f->arena, &protocol, &err),
              &err);
    assert_int_equal(protocol.min_reader_version, 1);
    assert_int_equal(protocol.min_writer_version, 7);
    assert_int_equal(protocol.reader_feature_count, 0);
    assert_true(dw__protocol_supports(&protocol, DW_FEATURE_CHECKPOINT_PROTECTION));
    writer[1] = DW_STR("teleport");
    assert_ok(dw__protocol_without(&three, DW_FEATURE_DELETION_VECTORS, DW_FEATURE_COUNT, &f->arena,
                                   &protocol, &err),
              &err);
    assert_int_equal(protocol.min_writer_version, 7);
    assert_str(protocol.writer_features[1], "teleport");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_supports__knows_lists_and_what_versions_imply),
        TEST(test_read__takes_all_that_readers_know),
        TEST(test_read__names_every_missing_feature),
        TEST(test_read__refuses_illegal_lists),
        TEST(test_write__does_not_mind_features_that_are_not_used),
        TEST(test_write__names_what_it_lacks),
        TEST(test_write__refuses_schemas_of_nothing_but_void),
        TEST(test_new_table__gets_the_smallest_protocol),
        TEST(test_new_table__with_an_unknown_feature_is_refused),
        TEST(test_upgrade__keeps_what_a_version_implied_and_lists_only_what_must_be),
        TEST(test_upgrade__keeps_features_that_are_not_known),
        TEST(test_without__takes_one_feature_away_and_no_other),
        TEST(test_without__falls_back_to_the_weakest_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
