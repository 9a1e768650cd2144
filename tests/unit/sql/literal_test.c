/*
 * What quoted tokens stand for.
 */
#include "support/test.h"

#include "sql/token.h"

typedef struct fixture {
    dw_arena arena;
    dw_sql_text sql;
    dw_error err;
} fixture;

static void
cut(fixture *f, dw_str text)
{
    memset(f, 0, sizeof *f);
    dw__arena_init(&f->arena, dw__allocator_libc());
    assert_ok(dw__sql_text_init(&f->sql, dw__allocator_libc(), text, &f->err), &f->err);
}

static void
done(fixture *f)
{
    dw__sql_text_deinit(&f->sql);
    dw__arena_deinit(&f->arena);
}

static void
assert_name(dw_str text, const char *expected)
{
    fixture f;
    dw_str name;
    cut(&f, text);
    assert_ok(dw__token_name(&f.sql, 0, &f.arena, &name, &f.err), &f.err);
    assert_str(name, expected);
    done(&f);
}

static void
assert_string(dw_str text, const char *expected)
{
    fixture f;
    dw_str value;
    cut(&f, text);
    assert_int_equal(f.sql.count, 2);
    assert_ok(dw__token_string(&f.sql, 0, &f.arena, &value, &f.err), &f.err);
    assert_str(value, expected);
    done(&f);
}

static void
assert_bad_string(dw_str text)
{
    fixture f;
    dw_str value;
    cut(&f, text);
    dw_status status = dw__token_string(&f.sql, 0, &f.arena, &value, &f.err);
    assert_error(status, DW_INVALID_ARGUMENT, "PARSE_ERROR", &f.err);
    assert_message_has(&f.err, "line 1, column 1: ");
    done(&f);
}

static void
test_token_name__takes_quotes_off(void **state)
{
    (void) state;
    assert_name(DW_STR("Flights"), "Flights");
    assert_name(DW_STR("\"a\"\"b\""), "a\"b");
    assert_name(DW_STR("`a``b\"c`"), "a`b\"c");
    assert_name(DW_STR("`/data/größe 1`"), "/data/größe 1");
    assert_name(DW_STR("````"), "`");
}

static void
test_token_name__refuses_an_empty_name(void **state)
{
    (void) state;
    fixture f;
    dw_str name;
    cut(&f, DW_STR("``"));
    dw_status status = dw__token_name(&f.sql, 0, &f.arena, &name, &f.err);
    assert_error(status, DW_INVALID_ARGUMENT, "PARSE_ERROR", &f.err);
    done(&f);
}

static void
test_token_string__resolves_quotes_and_escapes(void **state)
{
    (void) state;
    assert_string(DW_STR("''"), "");
    assert_string(DW_STR("'it''s'"), "it's");
    assert_string(DW_STR("'a\\n'"), "a\\n");
    assert_string(DW_STR("E'a\\n\\t\\\\\\'b''c\\q'"), "a\n\t\\'b'cq");
    assert_string(DW_STR("e'\\x41\\101\\u00e9\\U0001F600'"), "AA\xC3\xA9\xF0\x9F\x98\x80");
    assert_string(DW_STR("$$it's $1$$"), "it's $1");
    assert_string(DW_STR("$tag$a$$b$tag$"), "a$$b");
    assert_string(DW_STR("'a' -- it's\n  'b'\n'c'"), "abc");
    assert_string(DW_STR("E'a\\n'\n'b\\t'"), "a\nb\t");
}

static void
test_token_string__refuses_bad_escapes_and_other_kinds(void **state)
{
    (void) state;
    assert_bad_string(DW_STR("E'\\u12'"));
    assert_bad_string(DW_STR("E'\\uD800'"));
    assert_bad_string(DW_STR("E'\\xff'"));
    assert_bad_string(DW_STR("E'\\0'"));
    assert_bad_string(DW_STR("x'00'"));
    assert_bad_string(DW_STR("U&'a'"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_name__takes_quotes_off),
        cmocka_unit_test(test_token_name__refuses_an_empty_name),
        cmocka_unit_test(test_token_string__resolves_quotes_and_escapes),
        cmocka_unit_test(test_token_string__refuses_bad_escapes_and_other_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
