/*
 * Schemas: parsing, printing, building, checking.
 */
#include "fixture.h"

#include "codec/json.h"
#include "protocol/schema.h"

static const dw_type *
parse(fixture *f, const char *json)
{
    const dw_type *schema = NULL;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__schema_parse("the schema", dw__str_from(json), &f->arena, &schema, &err), &err);
    return schema;
}

/* A schema of one column `c` of that type, given as JSON. */
static dw_status
parse_column(fixture *f, const char *type, const dw_type **out, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = fixture_text(f);
    dw__strbuf_printf(&json,
                      "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":%s,"
                      "\"nullable\":true,\"metadata\":{}}]}",
                      type);
    return dw__schema_parse("the schema", dw__strbuf_str(&json), &f->arena, out, err);
}

static void
check_printed(fixture *f, const dw_type *schema, const char *expected)
{
    DW_AUTO(dw_strbuf) text = fixture_text(f);
    dw__schema_print(&text, schema);
    assert_str(dw__strbuf_str(&text), expected);
}

static const char all_types[] =
    "{\"type\":\"struct\",\"fields\":["
    "{\"name\":\"s\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"l\",\"type\":\"long\",\"nullable\":false,\"metadata\":"
    "{\"comment\":\"a \\\"b\\\"\"}},"
    "{\"name\":\"i\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"h\",\"type\":\"short\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"b\",\"type\":\"byte\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"f\",\"type\":\"float\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"d\",\"type\":\"double\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"dec\",\"type\":\"decimal(38,18)\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"bo\",\"type\":\"boolean\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"bi\",\"type\":\"binary\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"da\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"ts\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"tn\",\"type\":\"timestamp_ntz\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"v\",\"type\":\"variant\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"n\",\"type\":\"void\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"st\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x y\",\"type\":"
    "\"integer\",\"nullable\":true,\"metadata\":{}}]},\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"elementType\":\"long\",\"containsNull\":false},"
    "\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{\"type\":"
    "\"array\",\"elementType\":\"date\",\"containsNull\":true},\"valueContainsNull\":true},"
    "\"nullable\":true,\"metadata\":{}}]}";

static void
test_schema__of_every_type_prints_as_it_was(void **state)
{
    fixture *f = *state;
    const dw_type *schema = parse(f, all_types);
    assert_int_equal(schema->field_count, 18);
    assert_int_equal(schema->fields[7].type->precision, 38);
    assert_int_equal(schema->fields[7].type->scale, 18);
    assert_false(schema->fields[1].nullable);
    assert_str(schema->fields[1].metadata_json, "{\"comment\":\"a \\\"b\\\"\"}");
    check_printed(f, schema, all_types);
}

static void
test_type__prints_as_sql(void **state)
{
    fixture *f = *state;
    const dw_type *schema = parse(f, all_types);
    const char *expected[] = {"string",        "bigint",
                              "int",           "smallint",
                              "tinyint",       "float",
                              "double",        "decimal(38,18)",
                              "boolean",       "binary",
                              "date",          "timestamp",
                              "timestamp_ntz", "variant",
                              "void",          "struct<`x y`:int>",
                              "array<bigint>", "map<string,array<date>>"};
    for (size_t i = 0; i < schema->field_count; i++) {
        DW_AUTO(dw_strbuf) text = fixture_text(f);
        dw__type_print_sql(&text, schema->fields[i].type);
        assert_str(dw__strbuf_str(&text), expected[i]);
    }
}

static void
test_schema__keeps_what_it_does_not_understand(void **state)
{
    fixture *f = *state;
    const char *json =
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,"
        "\"metadata\":{\"delta.columnMapping.id\":4,\"delta.columnMapping.physicalName\":\"col-7\","
        "\"x\":[1,2.50,{}]},\"later\":{\"k\":null},\"more\":\"\\u0001\"}]}";
    const dw_type *schema = parse(f, json);
    assert_str(schema->fields[0].physical_name, "col-7");
    assert_int_equal(schema->fields[0].mapping_id, 4);
    check_printed(f, schema, json);
}

static void
test_schema__fills_in_what_may_be_left_out(void **state)
{
    fixture *f = *state;
    const dw_type *schema = parse(
        f, " {\"fields\" : [ {\"type\" : \"decimal\", \"name\" : \"a\", \"metadata\":null},"
           "{\"type\":{\"elementType\":{\"type\":\"string\"},\"type\":\"array\"},"
           "\"name\":\"b\"},"
           "{\"name\":\"c\",\"type\":\"varchar(10)\"},{\"name\":\"d\",\"type\":\"decimal( 4 )\"}],"
           "\"type\":\"struct\"}");
    assert_int_equal(schema->fields[0].type->precision, 10);
    assert_int_equal(schema->fields[0].type->scale, 0);
    assert_true(schema->fields[0].nullable);
    assert_int_equal(schema->fields[0].mapping_id, -1);
    assert_str(schema->fields[0].physical_name, "a");
    assert_true(schema->fields[1].type->contains_null);
    assert_int_equal(schema->fields[1].type->element->kind, DW_TYPE_STRING);
    assert_int_equal(schema->fields[2].type->kind, DW_TYPE_STRING);
    assert_int_equal(schema->fields[3].type->precision, 4);
}

static void
test_schema__refuses_unknown_types_and_names_the_column(void **state)
{
    fixture *f = *state;
    const char *types[] = {"\"interval year to month\"",
                           "\"geometry(4326)\"",
                           "\"timestamp_nanos\"",
                           "{\"type\":\"udt\",\"class\":\"x\"}",
                           "\"\"",
                           "\"varchar\"",
                           "\"struct\""};
    for (size_t i = 0; i < DWT_COUNT(types); i++) {
        dw_error err = DW_ERROR_INIT;
        const dw_type *schema;
        assert_error(parse_column(f, types[i], &schema, &err), DW_UNSUPPORTED, "TYPE_UNSUPPORTED",
                     &err);
        assert_message_has(&err, "column c ");
        assert_null(schema);
    }
    dw_error err = DW_ERROR_INIT;
    const dw_type *schema;
    assert_error(parse_column(f,
                              "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{\"type\":"
                              "\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"calendar\"}]}}",
                              &schema, &err),
                 DW_UNSUPPORTED, "TYPE_UNSUPPORTED", &err);
    assert_message_has(&err, "c.value.x");
    assert_message_has(&err, "calendar");
}

static void
test_schema__refuses_what_is_none(void **state)
{
    fixture *f = *state;
    const char *types[] = {
        "7",
        "null",
        "{}",
        "[]",
        "{\"type\":7}",
        "\"decimal(0,0)\"",
        "\"decimal(39,0)\"",
        "\"decimal(5,6)\"",
        "\"decimal(5,-1)\"",
        "\"decimal(x)\"",
        "\"decimal(\"",
        "\"decimal()\"",
        "{\"type\":\"struct\"}",
        "{\"type\":\"struct\",\"fields\":{}}",
        "{\"type\":\"struct\",\"fields\":[7]}",
        "{\"type\":\"struct\",\"fields\":[{\"type\":\"long\"}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"x\"}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\",\"nullable\":1}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\",\"metadata\":[1]}]}",
        ("{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\"},"
         "{\"name\":\"X\",\"type\":\"long\"}]}"),
        "{\"type\":\"array\"}",
        "{\"type\":\"map\",\"keyType\":\"string\"}",
        "\"long",
    };
    for (size_t i = 0; i < DWT_COUNT(types); i++) {
        dw_error err = DW_ERROR_INIT;
        const dw_type *schema;
        assert_error(parse_column(f, types[i], &schema, &err), DW_CORRUPT, "SCHEMA_INVALID", &err);
        assert_message_has(&err, "the schema is ");
    }
    dw_error err = DW_ERROR_INIT;
    const dw_type *schema;
    assert_error(dw__schema_parse("the schema", DW_STR("\"long\""), &f->arena, &schema, &err),
                 DW_CORRUPT, "SCHEMA_INVALID", &err);
}

/* A type of so many levels. */
static dw_status
parse_nested(fixture *f, size_t depth, dw_error *err)
{
    DW_AUTO(dw_strbuf) type = fixture_text(f);
    for (size_t i = 0; i < depth; i++) {
        dw__strbuf_append_literal(&type, "{\"type\":\"array\",\"elementType\":");
    }
    dw__strbuf_append_literal(&type, "\"long\"");
    for (size_t i = 0; i < depth; i++) {
        dw__strbuf_append_char(&type, '}');
    }
    const dw_type *schema;
    return parse_column(f, dw__strbuf_cstr(&type), &schema, err);
}

static void
test_schema__has_a_limit_of_depth(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    assert_ok(parse_nested(f, DW_SCHEMA_DEPTH_MAX - 1, &err), &err);
    assert_error(parse_nested(f, DW_SCHEMA_DEPTH_MAX, &err), DW_CORRUPT, "SCHEMA_INVALID", &err);
    assert_message_has(&err, "nested deeper than 64");
    assert_error(parse_nested(f, 100000, &err), DW_CORRUPT, "SCHEMA_INVALID", &err);
}

static void
test_schema__finds_a_duplicate_among_many_columns(void **state)
{
    fixture *f = *state;
    for (size_t twice = 0; twice < 2; twice++) {
        DW_AUTO(dw_strbuf) json = fixture_text(f);
        dw__strbuf_append_literal(&json, "{\"type\":\"struct\",\"fields\":[");
        for (size_t i = 0; i < 20000; i++) {
            dw__json_put_comma(&json);
            dw__strbuf_printf(&json, "{\"name\":\"Column%zu\",\"type\":\"long\"}", i);
        }
        dw__strbuf_append(&json, twice == 1
                                     ? DW_STR(",{\"name\":\"cOLUMN777\",\"type\":\"long\"}]}")
                                     : DW_STR("]}"));
        dw_error err = DW_ERROR_INIT;
        const dw_type *schema;
        dw_status status =
            dw__schema_parse("the schema", dw__strbuf_str(&json), &f->arena, &schema, &err);
        if (twice == 0) {
            assert_ok(status, &err);
            assert_int_equal(dw__schema_find_idx(schema, DW_STR("column19999")), 19999);
        } else {
            assert_error(status, DW_CORRUPT, "SCHEMA_INVALID", &err);
            assert_message_has(&err, "column cOLUMN777 exists twice");
        }
    }
}

static void
test_find__prefers_the_exact_name(void **state)
{
    fixture *f = *state;
    const dw_type *long_type = dw__type_make(&f->arena, DW_TYPE_LONG);
    const dw_field fields[] = {{.name = DW_STR("Ab"), .type = long_type, .nullable = true},
                               {.name = DW_STR("b"), .type = long_type}};
    const dw_type *schema = dw__type_make_struct(&f->arena, fields, 2);
    assert_ptr_equal(dw__schema_find(schema, DW_STR("aB")), &schema->fields[0]);
    assert_ptr_equal(dw__schema_find(schema, DW_STR("b")), &schema->fields[1]);
    assert_null(dw__schema_find(schema, DW_STR("c")));
    assert_int_equal(dw__schema_find_idx(schema, DW_STR("c")), SIZE_MAX);
}

static void
test_built_schema__prints_and_parses_back(void **state)
{
    fixture *f = *state;
    const dw_type *text = dw__type_make(&f->arena, DW_TYPE_STRING);
    const dw_type *list = dw__type_make_array(&f->arena, text, true);
    const dw_type *map = dw__type_make_map(&f->arena, text, list, false);
    const dw_field fields[] = {{.name = DW_STR("m"), .type = map, .nullable = true},
                               {.name = DW_STR("d"),
                                .type = dw__type_make_decimal(&f->arena, 9, 2),
                                .metadata_json = DW_STR("{\"comment\":\"x\"}")}};
    const dw_type *schema = dw__type_make_struct(&f->arena, fields, 2);
    DW_AUTO(dw_strbuf) json = fixture_text(f);
    dw__schema_print(&json, schema);
    const dw_type *back = parse(f, dw__strbuf_cstr(&json));
    assert_true(dw__type_equal(schema, back, false));
    assert_str(back->fields[1].metadata_json, "{\"comment\":\"x\"}");
    check_printed(f, back, dw__strbuf_cstr(&json));
}

static void
test_equal__can_ignore_nullability(void **state)
{
    fixture *f = *state;
    const char *format = "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":"
                         "\"array\",\"elementType\":\"%s\",\"containsNull\":%s},\"nullable\":%s}]}";
    const char *variants[][3] = {{"long", "true", "true"},
                                 {"long", "false", "true"},
                                 {"long", "true", "false"},
                                 {"integer", "true", "true"}};
    const dw_type *schemas[4];
    for (size_t i = 0; i < 4; i++) {
        char json[300];
        snprintf(json, sizeof(json), format, variants[i][0], variants[i][1], variants[i][2]);
        schemas[i] = parse(f, json);
    }
    assert_true(dw__type_equal(schemas[0], schemas[0], false));
    assert_false(dw__type_equal(schemas[0], schemas[1], false));
    assert_true(dw__type_equal(schemas[0], schemas[1], true));
    assert_false(dw__type_equal(schemas[0], schemas[2], false));
    assert_true(dw__type_equal(schemas[0], schemas[2], true));
    assert_false(dw__type_equal(schemas[0], schemas[3], true));
}

static void
test_without_mapping__resets_names_at_every_depth(void **state)
{
    fixture *f = *state;
    const dw_type *schema = parse(
        f, "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\","
           "\"elementType\":{\"type\":\"struct\",\"fields\":[{\"name\":\"b\",\"type\":\"long\","
           "\"metadata\":{\"delta.columnMapping.id\":2,\"delta.columnMapping.physicalName\":\"p\"}}"
           "]}}}]}");
    const dw_type *plain = dw__schema_without_mapping(schema, &f->arena);
    assert_ptr_not_equal(plain, schema);
    assert_str(schema->fields[0].type->element->fields[0].physical_name, "p");
    assert_str(plain->fields[0].type->element->fields[0].physical_name, "b");
    assert_int_equal(plain->fields[0].type->element->fields[0].mapping_id, -1);
    assert_ptr_equal(dw__schema_without_mapping(plain, &f->arena), plain);
}

static void
test_metadata__is_found_by_key(void **state)
{
    fixture *f = *state;
    const dw_type *schema =
        parse(f, "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"metadata\":{"
                 "\"comment\":\"delta.invariants\",\"n\":1.50}},{\"name\":\"b\",\"type\":{\"type\":"
                 "\"struct\",\"fields\":[{\"name\":\"c\",\"type\":\"long\",\"metadata\":{"
                 "\"delta.identity.start\":1}}]}}]}");
    dw_error err = DW_ERROR_INIT;
    dw_str value;
    assert_ok(
        dw__field_metadata_get(&schema->fields[0], DW_STR("comment"), &f->arena, &value, &err),
        &err);
    assert_str(value, "delta.invariants");
    assert_ok(dw__field_metadata_get(&schema->fields[0], DW_STR("n"), &f->arena, &value, &err),
              &err);
    assert_str(value, "1.50");
    assert_ok(dw__field_metadata_get(&schema->fields[0], DW_STR("x"), &f->arena, &value, &err),
              &err);
    assert_true(dw__str_is_null(value));

    assert_null(dw__schema_find_trait(schema, DW_FIELD_INVARIANT));
    const dw_field *found = dw__schema_find_trait(schema, DW_FIELD_IDENTITY);
    assert_str(found->name, "c");
    /* A built schema knows the same of its fields. */
    const dw_type *built = dw__type_make_struct(&f->arena, schema->fields[1].type->fields, 1);
    assert_non_null(dw__schema_find_trait(built, DW_FIELD_IDENTITY));
}

/* ---- dw__schema_check ------------------------------------------------------------------------ */

static dw_status
check_columns(fixture *f, const char *const *names, size_t count, const char *partition,
              bool mapping, dw_error *err)
{
    dw_field fields[8];
    for (size_t i = 0; i < count; i++) {
        fields[i] = (dw_field){.name = dw__str_from(names[i]),
                               .type = dw__type_make(&f->arena, DW_TYPE_LONG)};
    }
    const dw_type *schema = dw__type_make_struct(&f->arena, fields, count);
    dw_str column = dw__str_from(partition);
    return dw__schema_check(schema, &column, partition == NULL ? 0 : 1, mapping, err);
}

static void
test_check__wants_legal_and_unique_names(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    const char *good[] = {"a", "B-c.d/e"};
    assert_ok(check_columns(f, good, 2, "A", false, &err), &err);
    const char *blank[] = {"a", "b c"};
    assert_error(check_columns(f, blank, 2, NULL, false, &err), DW_INVALID_ARGUMENT,
                 "SCHEMA_INVALID", &err);
    assert_message_has(&err, "\"b c\"");
    assert_ok(check_columns(f, blank, 2, NULL, true, &err), &err);
    const char *twice[] = {"a", "A"};
    assert_error(check_columns(f, twice, 2, NULL, true, &err), DW_INVALID_ARGUMENT,
                 "SCHEMA_INVALID", &err);
    const char *empty[] = {"a", ""};
    assert_error(check_columns(f, empty, 2, NULL, true, &err), DW_INVALID_ARGUMENT,
                 "SCHEMA_INVALID", &err);
    const char *broken[] = {"a", "\xff"};
    assert_error(check_columns(f, broken, 2, NULL, true, &err), DW_INVALID_ARGUMENT,
                 "SCHEMA_INVALID", &err);
    assert_error(check_columns(f, good, 0, NULL, false, &err), DW_INVALID_ARGUMENT,
                 "SCHEMA_INVALID", &err);
}

static void
test_check__wants_sensible_partition_columns(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    const char *names[] = {"a", "b"};
    assert_error(check_columns(f, names, 2, "c", false, &err), DW_INVALID_ARGUMENT,
                 "PARTITION_COLUMN_INVALID", &err);
    assert_message_has(&err, "no column \"c\"");
    assert_error(check_columns(f, names, 1, "a", false, &err), DW_INVALID_ARGUMENT,
                 "PARTITION_COLUMN_INVALID", &err);
    const dw_type *schema = parse(f, all_types);
    const dw_str both[] = {DW_STR("s"), DW_STR("S")};
    assert_error(dw__schema_check(schema, both, 2, true, &err), DW_INVALID_ARGUMENT,
                 "PARTITION_COLUMN_INVALID", &err);
    const char *nested[] = {"st", "a", "m", "v", "n"};
    for (size_t i = 0; i < DWT_COUNT(nested); i++) {
        dw_str column = dw__str_from(nested[i]);
        assert_error(dw__schema_check(schema, &column, 1, true, &err), DW_INVALID_ARGUMENT,
                     "PARTITION_COLUMN_INVALID", &err);
    }
}

static dw_status
parse_and_print(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    const dw_type *schema;
    DW_TRY(dw__schema_parse("the schema", dw__str_from(all_types), &arena, &schema, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env->allocator, DWT_TEXT_BYTES_MAX);
    dw__schema_print(&text, schema);
    return dw__strbuf_ok(&text, "the schema", err);
}

static void
test_schema__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = parse_and_print, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_schema__of_every_type_prints_as_it_was),
        TEST(test_type__prints_as_sql),
        TEST(test_schema__keeps_what_it_does_not_understand),
        TEST(test_schema__fills_in_what_may_be_left_out),
        TEST(test_schema__refuses_unknown_types_and_names_the_column),
        TEST(test_schema__refuses_what_is_none),
        TEST(test_schema__has_a_limit_of_depth),
        TEST(test_schema__finds_a_duplicate_among_many_columns),
        TEST(test_find__prefers_the_exact_name),
        TEST(test_built_schema__prints_and_parses_back),
        TEST(test_equal__can_ignore_nullability),
        TEST(test_without_mapping__resets_names_at_every_depth),
        TEST(test_metadata__is_found_by_key),
        TEST(test_check__wants_legal_and_unique_names),
        TEST(test_check__wants_sensible_partition_columns),
        TEST(test_schema__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
