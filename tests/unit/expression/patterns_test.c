/*
 * Patterns in strings: Java's regular expressions and date patterns for the engine.
 */
#include "translated.h"

static void
assert_pattern(translated *t, const char *text, const char *wanted)
{
    translate(t, text);
    assert_ok(t->status, &t->err);
    if (strstr(t->expression.sql.ptr, wanted) == NULL) {
        fail_msg("%s is not in %s", wanted, t->expression.sql.ptr);
    }
}

static void
assert_refused(translated *t, const char *text)
{
    translate(t, text);
    assert_int_not_equal(t->status, DW_OK);
    assert_true(t->err.message[0] != '\0');
}

static void
test_regexp__means_the_same_as_in_java(void **state)
{
    translated *t = *state;
    assert_pattern(t, "s rlike '^[A-Z]{2,3}-\\\\d+'", "'^[A-Z]{2,3}-\\d+'");
    assert_pattern(t, "s rlike 'a.b'", "'a[^\\n\\r\\x{85}\\x{2028}\\x{2029}]b'");
    assert_pattern(t, "s rlike 'a$'", "'a(?:\\r\\n|[\\n\\r\\x{85}\\x{2028}\\x{2029}])?\\z'");
    assert_pattern(t, "s rlike '\\\\s[\\\\s\\\\-]'",
                   "'[\\t\\n\\x0B\\f\\r ][\\t\\n\\x0B\\f\\r \\-]'");
    assert_pattern(t, "regexp_like(s, '(?:a|b)*?c')", "'(?:a|b)*?c'");
    assert_pattern(t, "s not rlike '[^@]+@x\\\\.org'", "'[^@]+@x\\.org'");
}

static void
test_regexp__refuses_what_only_java_has(void **state)
{
    translated *t = *state;
    static const char *const cases[] = {
        "s rlike '(?=a)b'",   "s rlike '(?<n>a)'", "s rlike '(a)\\\\1'",  "s rlike 'a++'",
        "s rlike '[a[b]]'",   "s rlike '[a&&b]'",  "s rlike '\\\\bword'", "s rlike '[a'",
        "s rlike '\\\\p{L}'", "s rlike 'a\\\\'",   "s rlike '[]a]'",
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        assert_refused(t, cases[i]);
    }
}

static void
test_date_pattern__is_known_letter_by_letter(void **state)
{
    translated *t = *state;
    assert_pattern(t, "date_format(d, 'yyyy-MM-dd')", "'%Y-%m-%d'");
    assert_pattern(t, "date_format(ts, \"yyyy-MM-dd'T'HH:mm:ss.SSS\")", "'%Y-%m-%dT%H:%M:%S.%g'");
    assert_pattern(t, "date_format(ts, \"d/M/yy 100% 'o''clock'\")", "'%-d/%-m/%y 100%% o''clock'");
    assert_refused(t, "date_format(ts, 'YYYY')");
    assert_refused(t, "date_format(ts, 'VV')");
    assert_refused(t, "date_format(ts, \"'open\")");
    assert_refused(t, "date_format(ts, '[yyyy]')");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, translated_setup, translated_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_regexp__means_the_same_as_in_java),
        TEST(test_regexp__refuses_what_only_java_has),
        TEST(test_date_pattern__is_known_letter_by_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
