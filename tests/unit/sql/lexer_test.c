/*
 * Cutting text into tokens and statements.
 */
#include "support/fault_allocator.h"
#include "support/test.h"
#include "support/test_env.h"

#include "base/strbuf.h"
#include "sql/sql.h"
#include "sql/token.h"

/* The tokens of `text` as "kind:text" with '|' between them. */
static void
assert_tokens(const char *text, const char *expected)
{
    static const char *const kinds[] = {"end", "w", "q", "b", "s", "n", "p", "y", "bad"};
    dw_strbuf actual = dw__strbuf_make(dw__allocator_libc(), 4096);
    dw_lexer lexer = {.text = dw__str_from(text)};
    for (;;) {
        dw_token token = dw__lexer_next(&lexer);
        if (token.kind == DW_TOKEN_END) {
            break;
        }
        dw__strbuf_printf(&actual, "%s%s:%.*s", actual.len > 0 ? "|" : "", kinds[token.kind],
                          (int) token.len, text + token.offset);
    }
    assert_string_equal(dw__strbuf_cstr(&actual), expected);
    dw__strbuf_deinit(&actual);
}

static void
test_lexer__cuts_words_names_numbers_and_symbols(void **state)
{
    (void) state;
    assert_tokens("", "");
    assert_tokens(" \t\r\n\f", "");
    assert_tokens("SELECT a$1,_b FROM \"x y\".`z`;",
                  "w:SELECT|w:a$1|y:,|w:_b|w:FROM|q:\"x y\"|y:.|b:`z`|y:;");
    assert_tokens("1 2.5 .5 3. 1e9 1.5E-3 1_000 1..2 1e",
                  "n:1|n:2.5|n:.5|n:3.|n:1e9|n:1.5E-3|n:1_000|n:1|y:..|n:2|n:1|w:e");
    assert_tokens("$1 ?2 ? $x", "p:$1|p:?2|y:?|y:$|w:x");
    assert_tokens("größe über", "w:größe|w:über");
    assert_tokens("1abc", "n:1|w:abc");
}

static void
test_lexer__cuts_operators_as_the_engine_does(void **state)
{
    (void) state;
    assert_tokens("a->>'b' a->b", "w:a|y:->>|s:'b'|w:a|y:->|w:b");
    assert_tokens("a=-1", "w:a|y:=|y:-|n:1");
    assert_tokens("a<=b>=c<>d!=e", "w:a|y:<=|w:b|y:>=|w:c|y:<>|w:d|y:!=|w:e");
    assert_tokens("x::int[:]", "w:x|y:::|w:int|y:[|y::|y:]");
    assert_tokens("a := b => c // d ** e", "w:a|y::=|w:b|y:=>|w:c|y://|w:d|y:**|w:e");
    assert_tokens("t@v3", "w:t|y:@|w:v3");
    assert_tokens("a+--b\n1", "w:a|y:+|n:1");
    assert_tokens("a*/**/b", "w:a|y:*|w:b");
    assert_tokens("a=`b`", "w:a|y:=|b:`b`");
    assert_tokens("array<array<int>>", "w:array|y:<|w:array|y:<|w:int|y:>>");
    assert_tokens("@-1 #1", "y:@-|n:1|y:#|n:1");
}

static void
test_lexer__takes_quoted_text_as_one_token(void **state)
{
    (void) state;
    assert_tokens("'a''b' \"c\"\"d\" `e``f`", "s:'a''b'|q:\"c\"\"d\"|b:`e``f`");
    assert_tokens("'a\\' b", "s:'a\\'|w:b");
    assert_tokens("E'a\\' b' e'\\\\' c", "s:E'a\\' b'|s:e'\\\\'|w:c");
    assert_tokens("x'00' B'1' n'x'", "s:x'00'|s:B'1'|w:n|s:'x'");
    assert_tokens("U&'d' u&\"e\" u&a", "s:U&'d'|q:u&\"e\"|w:u|y:&|w:a");
    assert_tokens("$$a;'b$$ $x$ $$ $y$ $x$ a$$b", "s:$$a;'b$$|s:$x$ $$ $y$ $x$|w:a$$b");
    assert_tokens("'a;--' /* ' */ -- '\n'b'", "s:'a;--'|s:'b'");
}

static void
test_lexer__joins_strings_across_line_ends(void **state)
{
    (void) state;
    assert_tokens("'a'\n  'b'", "s:'a'\n  'b'");
    assert_tokens("'a' 'b'", "s:'a'|s:'b'");
    assert_tokens("'a' -- it's\n 'b' c", "s:'a' -- it's\n 'b'|w:c");
    assert_tokens("E'a'\n'b\\'c' d", "s:E'a'\n'b\\'c'|w:d");
    assert_tokens("'a'\n/* */ 'b'", "s:'a'|s:'b'");
}

static void
test_lexer__skips_comments(void **state)
{
    (void) state;
    assert_tokens("a -- b ; c\nd", "w:a|w:d");
    assert_tokens("a /* b /* c */ ; */ d", "w:a|w:d");
    assert_tokens("a /***/ b /*/ */ c", "w:a|w:b|w:c");
    assert_tokens("a -- b", "w:a");
    assert_tokens("a\xC2\xA0"
                  "b\xE2\x80\x83"
                  "c\xEF\xBB\xBF",
                  "w:a|w:b|w:c");
}

static void
test_lexer__marks_what_is_not_closed(void **state)
{
    (void) state;
    assert_tokens("a 'b", "w:a|bad:'b");
    assert_tokens("a \"b", "w:a|bad:\"b");
    assert_tokens("a `b", "w:a|bad:`b");
    assert_tokens("a $$b$", "w:a|bad:$$b$");
    assert_tokens("a $x$b$$", "w:a|bad:$x$b$$");
    assert_tokens("a /* /* */", "w:a|bad:/* /* */");
    assert_tokens("E'a\\", "bad:E'a\\");
}

static void
test_lexer__finds_keywords_in_any_case(void **state)
{
    (void) state;
    for (int i = 1; i < DW_KEYWORD_COUNT; i++) {
        const char *name = dw__keyword_name((dw_keyword) i);
        assert_int_equal(dw__keyword_find(dw__str_from(name)), i);
        assert_true(i == 1 || strcmp(dw__keyword_name((dw_keyword) (i - 1)), name) < 0);
    }
    assert_int_equal(dw__keyword_find(DW_STR("sElEcT")), DW_KEYWORD_SELECT);
    assert_int_equal(dw__keyword_find(DW_STR("selects")), DW_KEYWORD_NONE);
    assert_int_equal(dw__keyword_find(DW_STR("")), DW_KEYWORD_NONE);
    assert_false(dw__keyword_is_name(DW_KEYWORD_SELECT));
    assert_false(dw__keyword_is_name(DW_KEYWORD_LEFT));
    assert_true(dw__keyword_is_name(DW_KEYWORD_VERSION));
}

static void
test_statement_length__ends_behind_the_semicolon(void **state)
{
    (void) state;
    assert_int_equal(dw__sql_statement_length(DW_STR("SELECT 1; SELECT 2;")), 9);
    assert_int_equal(dw__sql_statement_length(DW_STR("SELECT 1")), 0);
    assert_int_equal(dw__sql_statement_length(DW_STR(";")), 1);
    assert_int_equal(dw__sql_statement_length(DW_STR("")), 0);
    assert_int_equal(dw__sql_statement_length(DW_STR("-- a;\n/* ; */ ; b;")), 15);
}

static void
test_statement_length__never_cuts_inside_quotes(void **state)
{
    (void) state;
    static const char *const texts[] = {
        "'a;b';",     "\"a;b\";",  "`a;b`;",       "$$a;b$$;",     "$x$;$$;$x$;",    "E'\\';';",
        "'a'\n';b';", "'it''s;';", "/*;/*;*/;*/;", "E'\\\\\\';';", "'a' --;'\n';';", "a::int;"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dw_str text = dw__str_from(texts[i]);
        assert_int_equal(dw__sql_statement_length(text), text.len);
        /* and no shorter part of it is complete */
        for (size_t len = 0; len < text.len; len++) {
            assert_int_equal(dw__sql_statement_length((dw_str){text.ptr, len}), 0);
        }
    }
}

static void
test_sql_text__reports_line_and_column_of_what_is_not_closed(void **state)
{
    (void) state;
    dw_sql_text sql;
    dw_error err = DW_ERROR_INIT;
    dw_status status =
        dw__sql_text_init(&sql, dw__allocator_libc(), DW_STR("SELECT 1,\n  'größe', 'abc"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, "PARSE_ERROR", &err);
    assert_message_has(&err, "line 2, column 12: found a string that is not closed: 'abc");
    status = dw__sql_text_init(&sql, dw__allocator_libc(), DW_STR("SELECT '\xff'"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, "PARSE_ERROR", &err);
}

static void
test_sql_text__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    dw_str text = DW_STR("SELECT a, b, c, d, e, f, g, h FROM t WHERE x = 'y' AND z < 7");
    for (int n = 1;; n++) {
        dwt_fault_allocator_fail_at(&memory, n, false);
        dw_sql_text sql;
        dw_error err = DW_ERROR_INIT;
        dw_status status = dw__sql_text_init(&sql, &memory.allocator, text, &err);
        if (status == DW_OK) {
            dw__sql_text_deinit(&sql);
            break;
        }
        assert_error(status, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", &err);
    }
    dwt_fault_allocator_deinit(&memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lexer__cuts_words_names_numbers_and_symbols),
        cmocka_unit_test(test_lexer__cuts_operators_as_the_engine_does),
        cmocka_unit_test(test_lexer__takes_quoted_text_as_one_token),
        cmocka_unit_test(test_lexer__joins_strings_across_line_ends),
        cmocka_unit_test(test_lexer__skips_comments),
        cmocka_unit_test(test_lexer__marks_what_is_not_closed),
        cmocka_unit_test(test_lexer__finds_keywords_in_any_case),
        cmocka_unit_test(test_statement_length__ends_behind_the_semicolon),
        cmocka_unit_test(test_statement_length__never_cuts_inside_quotes),
        cmocka_unit_test(test_sql_text__reports_line_and_column_of_what_is_not_closed),
        cmocka_unit_test(test_sql_text__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
