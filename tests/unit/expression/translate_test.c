/*
 * Expressions of Spark as the engine's SQL: what they become, and what is refused by its name.
 */
#include "translated.h"

#include "support/fault_loop.h"

static void
assert_sql(translated *t, const char *text, const char *sql)
{
    translate(t, text);
    assert_ok(t->status, &t->err);
    assert_str(t->expression.sql, sql);
}

static void
test_expression__compares_values_of_one_type(void **state)
{
    translated *t = *state;
    assert_sql(t, "i > 0", "(\"i\" > CAST(0 AS INTEGER))");
    assert_sql(t, "L >= i", "(\"l\" >= CAST(\"i\" AS BIGINT))");
    assert_sql(t, "x = 1", "(\"x\" = CAST(CAST(1 AS INTEGER) AS DOUBLE))");
    assert_sql(t, "f < i", "(CAST(\"f\" AS DOUBLE) < CAST(\"i\" AS DOUBLE))");
    assert_sql(t, "p == 1.5", "(\"p\" = CAST(CAST(1.5 AS DECIMAL(2,1)) AS DECIMAL(10,2)))");
    assert_sql(t, "i <=> null", "(\"i\" IS NOT DISTINCT FROM CAST(NULL AS INTEGER))");
    assert_sql(t, "`odd \"name\"` != -3", "(\"odd \"\"name\"\"\" <> CAST(-3 AS INTEGER))");
    assert_sql(t, "st.a is not null", "(struct_extract(\"st\", CAST('a' AS VARCHAR)) IS NOT NULL)");
    assert_sql(t, "d <= n", "(CAST(\"d\" AS TIMESTAMP) <= \"n\")");
}

static void
test_expression__keeps_the_precedence_of_spark(void **state)
{
    translated *t = *state;
    assert_sql(t, "not b and b or b", "(((NOT \"b\") AND \"b\") OR \"b\")");
    assert_sql(t, "i + i * i > i - i - i",
               "((\"i\" + (\"i\" * \"i\")) > ((\"i\" - \"i\") - \"i\"))");
    assert_sql(t, "i = i is null", "((\"i\" = \"i\") IS NULL)");
    assert_sql(t, "not i between 1 and 2",
               "(NOT ((\"i\" >= CAST(1 AS INTEGER)) AND (\"i\" <= CAST(2 AS INTEGER))))");
    assert_sql(t, "s || 'a' = 'b'", "((\"s\" || CAST('a' AS VARCHAR)) = CAST('b' AS VARCHAR))");
    assert_sql(t, "i NOT IN (1, 2L)",
               "(NOT (CAST(\"i\" AS BIGINT) IN (CAST(CAST(1 AS INTEGER) AS BIGINT), "
               "CAST(2 AS BIGINT))))");
}

static void
test_expression__reads_strings_by_the_rules_of_spark(void **state)
{
    translated *t = *state;
    assert_sql(t, "'it\\'s'", "CAST('it''s' AS VARCHAR)");
    assert_sql(t, "\"it's\"", "CAST('it''s' AS VARCHAR)");
    assert_sql(t, "'it''s'", "CAST('it''s' AS VARCHAR)");
    assert_sql(t, "r'a\\d'", "CAST('a\\d' AS VARCHAR)");
    assert_sql(t, "'a\\\\b\\%'", "CAST('a\\b\\%' AS VARCHAR)");
    assert_sql(t, "s LIKE 'a%'",
               "like_escape(\"s\", CAST('a%' AS VARCHAR), CAST('\\' AS VARCHAR))");
}

static void
test_expression__divides_as_spark_does(void **state)
{
    translated *t = *state;
    translate(t, "i / i");
    assert_ok(t->status, &t->err);
    assert_int_equal(t->expression.type->kind, DW_TYPE_DOUBLE);
    assert_non_null(strstr(t->expression.sql.ptr, "divides by zero"));
    translate(t, "i DIV 2");
    assert_ok(t->status, &t->err);
    assert_int_equal(t->expression.type->kind, DW_TYPE_LONG);
    translate(t, "cast(x as int)");
    assert_ok(t->status, &t->err);
    assert_str(t->expression.sql, "CAST(trunc(\"x\") AS INTEGER)");
}

/* The engine evaluates both sides for all rows, Spark only where the left one does not decide. */
static void
test_expression__keeps_what_may_fail_from_rows_that_are_decided(void **state)
{
    translated *t = *state;
    assert_sql(t, "b and i > 0", "(\"b\" AND (\"i\" > CAST(0 AS INTEGER)))");
    translate(t, "i = 0 or 10 % i > 1");
    assert_ok(t->status, &t->err);
    assert_int_equal(strncmp(t->expression.sql.ptr, "(CASE WHEN (\"i\" = ", 18), 0);
}

static void
test_expression__knows_the_types_of_what_it_makes(void **state)
{
    translated *t = *state;
    static const struct {
        const char *text;
        const char *type;
    } cases[] = {
        {"cast(ts as date)", "date"},
        {"year(ts)", "int"},
        {"i + l", "bigint"},
        {"p + 1", "decimal(11,2)"},
        {"p * p", "decimal(21,4)"},
        {"1.25", "decimal(3,2)"},
        {"1e3", "double"},
        {"3000000000", "bigint"},
        {"concat(s, i)", "string"},
        {"coalesce(i, l)", "bigint"},
        {"if(b, i, x)", "double"},
        {"case when b then 1 else 2L end", "bigint"},
        {"date_format(ts, 'yyyy-MM')", "string"},
        {"substring(s, 1, 3)", "string"},
        {"a[0]", "int"},
        {"m['k']", "int"},
        {"st.`B c`", "string"},
        {"floor(x)", "bigint"},
        {"floor(p)", "decimal(9,0)"},
        {"round(p, 1)", "decimal(10,1)"},
        {"datediff(d, date'2024-01-01')", "int"},
        {"date_trunc('MONTH', ts)", "timestamp"},
        {"d + interval 3 days", "date"},
        {"ts + interval '1' hour", "timestamp"},
        {"extract(month from d)", "int"},
        {"current_timestamp()", "timestamp"},
        {"CURRENT_DATE", "date"},
        {"null", "void"},
        {"size(m)", "int"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        char type[DW_TYPE_TEXT_SIZE];
        translate(t, cases[i].text);
        assert_ok(t->status, &t->err);
        assert_string_equal(dw__type_text(t->expression.type, type), cases[i].type);
    }
}

static void
test_expression__notes_the_columns_and_the_time(void **state)
{
    translated *t = *state;
    translate(t, "I > 0 AND st.a > 0");
    assert_ok(t->status, &t->err);
    assert_true(t->expression.uses[0]);
    assert_false(t->expression.uses[1]);
    assert_true(t->expression.uses[10]);
    assert_true(t->expression.is_deterministic);
    translate(t, "ts < now()");
    assert_ok(t->status, &t->err);
    assert_false(t->expression.is_deterministic);
}

static void
test_expression__refuses_by_name_what_means_something_else(void **state)
{
    translated *t = *state;
    static const char *const cases[][2] = {
        {"soundex(s) = 'x'", "the function soundex()"},
        {"my_udf(i) > 0", "the function my_udf()"},
        {"cast(x as string) = '1'", "a cast of double to string"},
        {"cast(x as decimal(10,2)) > 1", "a cast of double to decimal(10,2)"},
        {"cast(i as array<int>) is null", "a cast to array"},
        {"round(x, 2) > 1", "round() of a value of type double"},
        {"p / 2 > 1", "division of decimals"},
        {"st = st", "nested values"},
        {"s rlike '(?i)a'", "a group of the kind (?...)"},
        {"s rlike s", "no literal"},
        {"date_format(ts, 'w') = '1'", "'w' in a date pattern"},
        {"'\\u0041' = s", "escape \\u"},
        {"trim(both 'x' from s) = 'a'", "trim with both"},
        {"substring(s) = 'a'", "substring() with 1 arguments"},
        {"year(i) = 1", "year() of a value of type int"},
        {"X'1F' = bin", "a literal of type X"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        translate(t, cases[i][0]);
        assert_error(t->status, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED", &t->err);
        assert_message_has(&t->err, cases[i][1]);
    }
}

static void
test_expression__says_what_is_wrong_with_it(void **state)
{
    translated *t = *state;
    static const char *const cases[][2] = {
        {"", "expected a value, found the end"},
        {"i >", "expected a value, found the end"},
        {"nope > 0", "no column nope"},
        {"st.nope > 0", "no field nope"},
        {"i > 0 i", "expected the end of the expression, found i"},
        {"(i > 0", "expected ), found the end"},
        {"'abc", "a string is not closed"},
        {"`abc", "a name in backquotes is not closed"},
        {"i and b", "expected a condition, found a value of type int"},
        {"d > i", "date and int cannot be brought together"},
        {"i is maybe", "expected NULL, TRUE"},
        {"case when i then 1 end", "expected a condition behind WHEN"},
        {"\xff", "not UTF-8"},
        {"1abc", "is no number"},
        {"case b when true", "expected THEN"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        translate(t, cases[i][0]);
        assert_error(t->status, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID", &t->err);
        assert_message_has(&t->err, cases[i][1]);
    }
}

static void
test_expression__bounds_depth_and_growth(void **state)
{
    translated *t = *state;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), 1 << 20);
    for (int i = 0; i < 5000; i++) {
        dw__strbuf_append_char(&text, '(');
    }
    translate(t, dw__strbuf_cstr(&text));
    assert_error(t->status, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED", &t->err);
    assert_message_has(&t->err, "levels of parentheses");
    dw__strbuf_clear(&text);
    for (int i = 0; i < 60; i++) { /* each level doubles what is below it */
        dw__strbuf_append_literal(&text, "1 / (");
    }
    dw__strbuf_append_literal(&text, "x");
    for (int i = 0; i < 60; i++) {
        dw__strbuf_append_char(&text, ')');
    }
    translate(t, dw__strbuf_cstr(&text));
    assert_error(t->status, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED", &t->err);
    assert_message_has(&t->err, "grows beyond");
}

static void
test_expression__becomes_the_type_of_its_column(void **state)
{
    translated *t = *state;
    dw_type type = {.kind = DW_TYPE_LONG};
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__expression_translate(DW_STR("1 + 1"), NULL, &t->arena, &t->expression, &err),
              &err);
    assert_ok(dw__expression_cast(&t->expression, &type, &t->arena, &err), &err);
    assert_int_equal(t->expression.type->kind, DW_TYPE_LONG);
    assert_error(dw__expression_translate(DW_STR("i"), NULL, &t->arena, &t->expression, &err),
                 DW_INVALID_ARGUMENT, "EXPRESSION_INVALID", &err);
    assert_message_has(&err, "cannot be done here");
}

static dw_status
translate_all(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    static const char text[] =
        "case when year(current_date()) > 1 and '\\\\a' || `x` like 'b%' then x in ('1', '2') "
        "else x rlike '^[a-z]+.$' or substring(x, 1) = date_format(now(), 'yyyy') end";
    DW_AUTO(dw_arena) arena;
    dw_expression expression;
    const dw_type *schema;
    dw__arena_init(&arena, world->env->allocator);
    DW_TRY(dw__schema_parse("the schema",
                            DW_STR("{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":"
                                   "\"string\"}]}"),
                            &arena, &schema, err));
    return dw__expression_translate(dw__str_from(text), schema, &arena, &expression, err);
}

static void
test_expression__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = translate_all, .faults = DWT_FAULTS_ALLOC});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, translated_setup, translated_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_expression__compares_values_of_one_type),
        TEST(test_expression__keeps_the_precedence_of_spark),
        TEST(test_expression__reads_strings_by_the_rules_of_spark),
        TEST(test_expression__divides_as_spark_does),
        TEST(test_expression__keeps_what_may_fail_from_rows_that_are_decided),
        TEST(test_expression__knows_the_types_of_what_it_makes),
        TEST(test_expression__notes_the_columns_and_the_time),
        TEST(test_expression__refuses_by_name_what_means_something_else),
        TEST(test_expression__says_what_is_wrong_with_it),
        TEST(test_expression__bounds_depth_and_growth),
        TEST(test_expression__becomes_the_type_of_its_column),
        TEST(test_expression__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
