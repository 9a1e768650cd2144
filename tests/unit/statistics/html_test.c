/*
 * Text in pages: hostile names stay text, and figures read well.
 */
#include "support/test.h"

#include "statistics/chart.h"

static dw_strbuf text;

static const char *
escaped(dw_str from, size_t characters_max)
{
    dw__strbuf_clear(&text);
    dw__html_put_text(&text, from, characters_max);
    return dw__strbuf_cstr(&text);
}

static void
test_text__is_never_markup(void **state)
{
    (void) state;
    assert_string_equal(escaped(DW_STR("<script>alert('x')</script> & \"y\""), 0),
                        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;");
    assert_string_equal(escaped(DW_STR("a\0b\nc\x7f"), 0), "a\xef\xbf\xbd"
                                                           "b\xef\xbf\xbd"
                                                           "c\xef\xbf\xbd");
}

static void
test_text__turns_no_writing_around(void **state)
{
    (void) state;
    assert_string_equal(escaped(DW_STR("a\xe2\x80\xae"
                                       "b\xe2\x81\xa6"
                                       "c\xe2\x82\xac"),
                                0),
                        "a\xef\xbf\xbd"
                        "b\xef\xbf\xbd"
                        "c\xe2\x82\xac");
}

static void
test_text__that_is_no_utf8_stays_within_bounds(void **state)
{
    (void) state;
    assert_string_equal(escaped(DW_STR("a\xff\xe2\x82"), 0),
                        "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(escaped(DW_STR("\xc3\xa9\xc3\xa9\xc3\xa9"), 2),
                        "\xc3\xa9\xc3\xa9\xe2\x80\xa6");
    assert_string_equal(escaped(DW_STR("ab"), 2), "ab");
}

static void
test_figures__read_well(void **state)
{
    (void) state;
    static const struct {
        double bytes;
        const char *expected;
    } sizes[] = {
        {0, "0 B"}, {999, "999 B"}, {1000, "1 kB"}, {1040, "1.0 kB"}, {123456789, "123 MB"}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        dw__strbuf_clear(&text);
        dw__html_put_size(&text, sizes[i].bytes);
        assert_string_equal(dw__strbuf_cstr(&text), sizes[i].expected);
    }
    dw__strbuf_clear(&text);
    dw__html_put_count(&text, 31033);
    assert_string_equal(dw__strbuf_cstr(&text), "31,033");
}

/* The figures at the lines of a picture, from below, with spaces between. */
static const char *
axis_of(double value)
{
    static char out[256];
    dw_chart_bar bar = {.label = DW_STR("x"), .value = value, .title = DW_STR("x")};
    size_t len = 0;
    dw__strbuf_clear(&text);
    dw__chart_put_bars(&text, "Files", &bar, 1, dw__html_put_short);
    for (const char *at = dw__strbuf_cstr(&text);
         (at = strstr(at, "class=\"axis end\"")) != NULL;) {
        at = strchr(at, '>') + 1;
        len += (size_t) snprintf(out + len, sizeof(out) - len, "%s%.*s", len == 0 ? "" : ", ",
                                 (int) (strchr(at, '<') - at), at);
    }
    return out;
}

static void
test_axis__has_whole_figures_that_differ(void **state)
{
    (void) state;
    assert_string_equal(axis_of(0), "0, 1");
    assert_string_equal(axis_of(1), "0, 1");
    assert_string_equal(axis_of(3), "0, 1, 2, 3");
    assert_string_equal(axis_of(9), "0, 5, 10");
    assert_string_equal(axis_of(100), "0, 25, 50, 75, 100");
    assert_string_equal(axis_of(179906), "0, 50 k, 100 k, 150 k, 200 k");
    assert_string_equal(axis_of(10000), "0, 2.5 k, 5 k, 7.5 k, 10 k");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__is_never_markup),
        cmocka_unit_test(test_text__turns_no_writing_around),
        cmocka_unit_test(test_text__that_is_no_utf8_stays_within_bounds),
        cmocka_unit_test(test_figures__read_well),
        cmocka_unit_test(test_axis__has_whole_figures_that_differ),
    };
    text = dw__strbuf_make(dw__allocator_libc(), (size_t) 1 << 16);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dw__strbuf_deinit(&text);
    return failed;
}
