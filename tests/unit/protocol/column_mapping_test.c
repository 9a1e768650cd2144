/*
 * Column mapping for writers: ids, physical names, changes of the mode, nested ids.
 */
#include "fixture.h"

#include "protocol/column_mapping.h"

#define NESTED                                                                                     \
    "{\"type\":\"struct\",\"fields\":["                                                            \
    "{\"name\":\"a b\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{\"comment\":\"c\"}},"  \
    "{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":["                                   \
    "{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"                        \
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"elementType\":{\"type\":\"array\","            \
    "\"elementType\":\"string\",\"containsNull\":true},\"containsNull\":true},"                    \
    "\"nullable\":true,\"metadata\":{}}]},\"nullable\":true,\"metadata\":{}},"                     \
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":"             \
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"v\",\"type\":\"date\",\"nullable\":true,"        \
    "\"metadata\":{}}]},\"valueContainsNull\":true},\"nullable\":true,\"metadata\":{}}]}"

static const dw_type *
parse(dw_arena *arena, const char *json)
{
    const dw_type *schema = NULL;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__schema_parse("the schema", dw__str_from(json), arena, &schema, &err), &err);
    return schema;
}

static dw_pairs
pairs_of(dw_pair *items, size_t count)
{
    return (dw_pairs){items, count};
}

/* What a table is made of. */
typedef struct table {
    const dw_type *schema;
    dw_pairs configuration;
    dw_mapping_mode mode;
} table;

static dw_status
apply(fixture *f, const table *before, const char *schema, const char *mode, bool replaces,
      table *out, dw_error *err)
{
    dw_pair *items = DW_ARENA_ARRAY(&f->arena, dw_pair, 2);
    items[0] = (dw_pair){DW_MAPPING_MODE_KEY, dw__str_from(mode)};
    items[1] = (dw_pair){DW_STR("delta.enableIcebergCompatV2"), DW_STR("false")};
    dw_pairs wanted = pairs_of(items, 2);
    dw_mapping_change change = {.env = &f->world.env,
                                .schema = parse(&f->arena, schema),
                                .configuration = &wanted,
                                .schema_before = before == NULL ? NULL : before->schema,
                                .configuration_before =
                                    before == NULL ? NULL : &before->configuration,
                                .mode_before = before == NULL ? DW_MAPPING_NONE : before->mode,
                                .replaces = replaces};
    dw_properties properties;
    dw__properties_read(&wanted, &properties, NULL);
    out->mode = properties.mapping_mode;
    return dw__mapping_apply(&change, &f->arena, &out->schema, &out->configuration, err);
}

static table
must_apply(fixture *f, const table *before, const char *schema, const char *mode, bool replaces)
{
    table out = {0};
    dw_error err = DW_ERROR_INIT;
    assert_ok(apply(f, before, schema, mode, replaces, &out, &err), &err);
    return out;
}

static table
plain_table(fixture *f)
{
    return (table){.schema = parse(&f->arena, NESTED), .mode = DW_MAPPING_NONE};
}

static void
check_max_id(const table *t, const char *expected)
{
    const dw_str *max = dw__pairs_get(&t->configuration, DW_MAPPING_MAX_ID_KEY);
    assert_non_null(max);
    assert_str(*max, expected);
}

static bool
is_generated(dw_str name)
{
    return name.len == 40 && dw__str_starts_with(name, DW_STR("col-"));
}

static const dw_field *
field_at(const dw_type *schema, size_t idx)
{
    assert_true(idx < schema->field_count);
    return &schema->fields[idx];
}

/* ---- New tables ------------------------------------------------------------------------------ */

static void
test_mapping__of_a_new_table_numbers_parents_before_children(void **state)
{
    fixture *f = *state;
    table t = must_apply(f, NULL, NESTED, "name", false);
    const dw_field *s = field_at(t.schema, 1);
    const dw_field *m = field_at(t.schema, 2);
    assert_int_equal(field_at(t.schema, 0)->mapping_id, 1);
    assert_int_equal(s->mapping_id, 2);
    assert_int_equal(field_at(s->type, 0)->mapping_id, 3);
    assert_int_equal(field_at(s->type, 1)->mapping_id, 4);
    assert_int_equal(m->mapping_id, 5);
    assert_int_equal(field_at(m->type->element, 0)->mapping_id, 6);
    check_max_id(&t, "6");
    assert_true(is_generated(field_at(s->type, 1)->physical_name));
    assert_false(dw__str_equal(s->physical_name, m->physical_name));
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__mapping_check(t.schema, 6, &f->arena, &err), &err);
}

static void
test_mapping__survives_printing_and_keeps_other_metadata(void **state)
{
    fixture *f = *state;
    table t = must_apply(f, NULL, NESTED, "id", false);
    DW_AUTO(dw_strbuf) text = fixture_text(f);
    dw__schema_print(&text, t.schema);
    const dw_type *again = parse(&f->arena, dw__strbuf_cstr(&text));
    assert_int_equal(field_at(again, 2)->mapping_id, 5);
    assert_true(
        dw__str_equal(field_at(again, 1)->physical_name, field_at(t.schema, 1)->physical_name));
    dw_str comment;
    dw_error err = DW_ERROR_INIT;
    assert_ok(
        dw__field_metadata_get(field_at(again, 0), DW_STR("comment"), &f->arena, &comment, &err),
        &err);
    assert_str(comment, "c");
}

static void
test_mapping__leaves_a_table_without_it_alone(void **state)
{
    fixture *f = *state;
    table t = must_apply(f, NULL, NESTED, "none", false);
    assert_int_equal(field_at(t.schema, 0)->mapping_id, -1);
    assert_null(dw__pairs_get(&t.configuration, DW_MAPPING_MAX_ID_KEY));
}

/* ---- Tables that exist ----------------------------------------------------------------------- */

static void
test_mapping__upgrade_takes_names_as_physical_names(void **state)
{
    fixture *f = *state;
    table before = plain_table(f);
    table t = must_apply(f, &before, NESTED, "name", false);
    const dw_field *m = field_at(t.schema, 2);
    assert_str(field_at(t.schema, 0)->physical_name, "a b");
    assert_str(field_at(m->type->element, 0)->physical_name, "v");
    assert_int_equal(field_at(m->type->element, 0)->mapping_id, 6);
    check_max_id(&t, "6");
}

static void
check_refused(fixture *f, const table *before, const char *mode, const char *code)
{
    table out;
    dw_error err = DW_ERROR_INIT;
    dw_status status = apply(f, before, NESTED, mode, false, &out, &err);
    assert_int_equal(status, DW_INVALID_ARGUMENT);
    assert_true(dw__error_has_code(&err, code));
}

static void
test_mapping__other_changes_of_mode_are_refused(void **state)
{
    fixture *f = *state;
    table plain = plain_table(f);
    check_refused(f, &plain, "id", "MAPPING_MODE_CHANGE");
    table by_name = must_apply(f, NULL, NESTED, "name", false);
    check_refused(f, &by_name, "none", "MAPPING_MODE_CHANGE");
    check_refused(f, &by_name, "id", "MAPPING_MODE_CHANGE");
    table by_id = must_apply(f, NULL, NESTED, "id", false);
    check_refused(f, &by_id, "name", "MAPPING_MODE_CHANGE");
}

static void
test_mapping__upgrade_over_leftovers_is_refused(void **state)
{
    fixture *f = *state;
    table mapped = must_apply(f, NULL, NESTED, "name", false);
    table off = {.schema = dw__schema_without_mapping(mapped.schema, &f->arena),
                 .configuration = mapped.configuration,
                 .mode = DW_MAPPING_NONE};
    check_refused(f, &off, "name", "MAPPING_METADATA_LEFT");
}

#define NESTED_AND_MORE                                                                            \
    "{\"type\":\"struct\",\"fields\":["                                                            \
    "{\"name\":\"A B\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},"                   \
    "{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":["                                   \
    "{\"name\":\"y\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"                        \
    "{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]},"                      \
    "\"nullable\":true,\"metadata\":{}},"                                                          \
    "{\"name\":\"n\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}}]}"

static void
test_mapping__new_columns_get_new_ids_and_old_ones_keep_theirs(void **state)
{
    fixture *f = *state;
    table before = must_apply(f, NULL, NESTED, "name", false);
    table t = must_apply(f, &before, NESTED_AND_MORE, "name", false);
    const dw_field *s = field_at(t.schema, 1);
    assert_int_equal(field_at(t.schema, 0)->mapping_id, 1);
    assert_true(dw__str_equal(field_at(t.schema, 0)->physical_name,
                              field_at(before.schema, 0)->physical_name));
    assert_int_equal(s->mapping_id, 2);
    assert_int_equal(field_at(s->type, 0)->mapping_id, 7);
    assert_int_equal(field_at(s->type, 1)->mapping_id, 3);
    assert_int_equal(field_at(t.schema, 2)->mapping_id, 8);
    check_max_id(&t, "8");
}

static void
test_mapping__replacing_keeps_columns_of_the_same_type(void **state)
{
    fixture *f = *state;
    table before = must_apply(f, NULL, NESTED, "name", false);
    table t = must_apply(f, &before, NESTED_AND_MORE, "name", true);
    const dw_field *s = field_at(t.schema, 1);
    assert_int_equal(field_at(t.schema, 0)->mapping_id, 1);
    assert_int_equal(s->mapping_id, 7); /* another type: another column */
    assert_int_equal(field_at(s->type, 1)->mapping_id, 9);
    check_max_id(&t, "10");
}

static void
test_mapping__replacing_in_another_mode_starts_anew_above_all_ids(void **state)
{
    fixture *f = *state;
    table before = must_apply(f, NULL, NESTED, "name", false);
    table t = must_apply(f, &before, NESTED, "id", true);
    assert_int_equal(field_at(t.schema, 0)->mapping_id, 7);
    check_max_id(&t, "12");
    table off = must_apply(f, &t, NESTED, "none", true);
    assert_int_equal(field_at(off.schema, 0)->mapping_id, -1);
    check_max_id(&off, "12");
    table on = must_apply(f, &off, NESTED, "name", true);
    assert_int_equal(field_at(on.schema, 0)->mapping_id, 13);
}

/* ---- Soundness ------------------------------------------------------------------------------- */

#define MAPPED_PAIR(id_a, name_a, id_b, name_b)                                                    \
    "{\"type\":\"struct\",\"fields\":["                                                            \
    "{\"name\":\"a\",\"type\":\"integer\",\"nullable\":true,\"metadata\":"                         \
    "{\"delta.columnMapping.id\":" id_a ",\"delta.columnMapping.physicalName\":\"" name_a "\"}},"  \
    "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"elementType\":\"integer\","                    \
    "\"containsNull\":true},\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":" id_b      \
    ",\"delta.columnMapping.physicalName\":\"" name_b "\",\"delta.columnMapping.nested.ids\":"     \
    "{\"" name_b ".element\":9}}}]}"

static void
check_sound(fixture *f, const char *schema, int64_t max_id, const char *what)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__mapping_check(parse(&f->arena, schema), max_id, &f->arena, &err);
    if (what == NULL) {
        assert_ok(status, &err);
        return;
    }
    assert_int_equal(status, DW_CORRUPT);
    assert_true(dw__error_has_code(&err, "MAPPING_INVALID"));
    assert_non_null(strstr(err.message, what));
}

static void
test_mapping__that_contradicts_itself_is_named(void **state)
{
    fixture *f = *state;
    check_sound(f, MAPPED_PAIR("1", "x", "2", "y"), 9, NULL);
    check_sound(f, MAPPED_PAIR("1", "x", "2", "y"), -1, NULL);
    check_sound(f, MAPPED_PAIR("1", "x", "1", "y"), 9, "b has the id of another one");
    check_sound(f, MAPPED_PAIR("1", "x", "9", "y"), 9, "b.y.element has the id of another one");
    check_sound(f, MAPPED_PAIR("1", "x", "2", "x"), 9, "b has the physical name of another one");
    check_sound(f, MAPPED_PAIR("1", "x", "2", "y"), 8, "above delta.columnMapping.maxColumnId");
    check_sound(f, NESTED, 9, "has no id");
}

/* ---- Nested ids ------------------------------------------------------------------------------ */

static const dw_nested_id *
find_nested(const dw_nested_id *ids, size_t count, dw_str path)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal(ids[i].path, path)) {
            return &ids[i];
        }
    }
    return NULL;
}

static void
test_nested_ids__name_elements_keys_and_values_by_the_field_above(void **state)
{
    fixture *f = *state;
    table t = must_apply(f, NULL, NESTED, "name", false);
    int64_t max_id = 6;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__nested_ids_assign(t.schema, &f->arena, &max_id, &t.schema, &err), &err);
    assert_int_equal(max_id, 10);
    const dw_field *l = field_at(field_at(t.schema, 1)->type, 1);
    dw_nested_id *ids;
    size_t count;
    assert_ok(dw__nested_ids_read(l, &f->arena, &ids, &count, &err), &err);
    assert_int_equal(count, 2);
    dw_str inner =
        dw__arena_printf(&f->arena, "%.*s.element.element", DW_STR_ARG(l->physical_name));
    assert_non_null(find_nested(ids, count, inner));
    assert_int_equal(find_nested(ids, count, inner)->id, 8);
    assert_ok(dw__nested_ids_assign(t.schema, &f->arena, &max_id, &t.schema, &err), &err);
    assert_int_equal(max_id, 10); /* nothing is numbered twice */
    assert_ok(dw__mapping_check(t.schema, 10, &f->arena, &err), &err);
}

static void
test_nested_ids__that_are_no_integers_are_refused(void **state)
{
    fixture *f = *state;
    const dw_type *schema =
        parse(&f->arena, "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\","
                         "\"nullable\":true,\"metadata\":"
                         "{\"delta.columnMapping.nested.ids\":{\"a.element\":\"x\"}}}]}");
    dw_nested_id *ids;
    size_t count;
    dw_error err = DW_ERROR_INIT;
    assert_int_equal(dw__nested_ids_read(field_at(schema, 0), &f->arena, &ids, &count, &err),
                     DW_CORRUPT);
    assert_true(dw__error_has_code(&err, "MAPPING_INVALID"));
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
test_schema_of_files__has_physical_names_and_no_void(void **state)
{
    fixture *f = *state;
    const dw_type *schema =
        parse(&f->arena,
              "{\"type\":\"struct\",\"fields\":["
              "{\"name\":\"v\",\"type\":\"void\",\"nullable\":true,\"metadata\":{}},"
              "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"elementType\":{\"type\":\"struct\","
              "\"fields\":[{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":"
              "{\"delta.columnMapping.id\":2,\"delta.columnMapping.physicalName\":\"p2\"}}]},"
              "\"containsNull\":true},\"nullable\":true,\"metadata\":"
              "{\"delta.columnMapping.id\":1,\"delta.columnMapping.physicalName\":\"p1\"}}]}");
    const dw_type *files = dw__schema_of_files(schema, &f->arena);
    assert_non_null(files);
    assert_int_equal(files->field_count, 1);
    assert_str(files->fields[0].name, "p1");
    assert_str(files->fields[0].type->element->fields[0].name, "p2");
    assert_int_equal(files->fields[0].type->element->fields[0].mapping_id, 2);
    const dw_type *plain = parse(&f->arena, NESTED);
    assert_ptr_equal(dw__schema_of_files(plain, &f->arena), plain);
}

/* ---- Without memory -------------------------------------------------------------------------- */

static dw_status
map_and_check(dwt_world *world, void *ctx, dw_error *err)
{
    DW_UNUSED void *unused = ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    const dw_type *schema;
    DW_TRY(dw__schema_parse("the schema", DW_STR(NESTED), &arena, &schema, err));
    dw_pair items[] = {{DW_MAPPING_MODE_KEY, DW_STR("name")},
                       {DW_STR("delta.enableIcebergCompatV2"), DW_STR("true")}};
    dw_pairs wanted = pairs_of(items, 2);
    dw_pairs configuration;
    dw_mapping_change change = {.env = world->env, .schema = schema, .configuration = &wanted};
    DW_TRY(dw__mapping_apply(&change, &arena, &schema, &configuration, err));
    DW_TRY(dw__mapping_check(schema, 10, &arena, err));
    return dw__schema_of_files(schema, &arena) == NULL ? dw__error_oom(err) : DW_OK;
}

static void
test_mapping__without_memory_fails_cleanly(void **state)
{
    DW_UNUSED void *unused = state;
    dwt_fault_loop(&(dwt_fault_case){.operation = map_and_check, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mapping__of_a_new_table_numbers_parents_before_children),
        TEST(test_mapping__survives_printing_and_keeps_other_metadata),
        TEST(test_mapping__leaves_a_table_without_it_alone),
        TEST(test_mapping__upgrade_takes_names_as_physical_names),
        TEST(test_mapping__other_changes_of_mode_are_refused),
        TEST(test_mapping__upgrade_over_leftovers_is_refused),
        TEST(test_mapping__new_columns_get_new_ids_and_old_ones_keep_theirs),
        TEST(test_mapping__replacing_keeps_columns_of_the_same_type),
        TEST(test_mapping__replacing_in_another_mode_starts_anew_above_all_ids),
        TEST(test_mapping__that_contradicts_itself_is_named),
        TEST(test_nested_ids__name_elements_keys_and_values_by_the_field_above),
        TEST(test_nested_ids__that_are_no_integers_are_refused),
        TEST(test_schema_of_files__has_physical_names_and_no_void),
        TEST(test_mapping__without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
