/*
 * Samples of rows.
 */
#include "fixture.h"

#include "engine/row_sample.h"

/* What a query says of the rows `i` of a sample of 0 to 999,999. */
static const char *
ask_sample(fixture *f, const char *columns, double share)
{
    DW_AUTO(dw_strbuf) condition = dw__strbuf_make(dw__allocator_libc(), 65536);
    dw__row_sample_print(share, &condition);
    return fixture_rows(f, "SELECT %s FROM range(1000000) r(i) WHERE %s", columns,
                        dw__strbuf_cstr(&condition));
}

static void
test_sample__has_about_the_share_that_is_asked_for(void **state)
{
    /* Six standard deviations of the number. */
    assert_string_equal(ask_sample(*state, "count(*) BETWEEN 9400 AND 10600", 0.01), "true");
    assert_string_equal(ask_sample(*state, "count(*) BETWEEN 497000 AND 503000", 0.5), "true");
    assert_string_equal(ask_sample(*state, "count(*) BETWEEN 40 AND 170", 0.0001), "true");
}

static void
test_sample__is_empty_or_everything_at_the_ends(void **state)
{
    assert_string_equal(ask_sample(*state, "count(*)", 0), "0");
    assert_string_equal(ask_sample(*state, "count(*)", 1), "1000000");
}

static void
test_sample__favours_no_place_of_a_chunk_and_no_chunk(void **state)
{
    const char *places = "max(n) < 2 * min(n) FROM (SELECT i % 2048 // 256 AS place, count(*) AS n";
    const char *chunks = "max(n) < 2 * min(n) FROM (SELECT i // 125000 AS part, count(*) AS n";
    DW_AUTO(dw_strbuf) condition = dw__strbuf_make(dw__allocator_libc(), 65536);
    dw__row_sample_print(0.01, &condition);
    const char *texts[] = {places, chunks};
    for (size_t i = 0; i < 2; i++) {
        assert_rows(*state, "true", "SELECT %s FROM range(1000000) r(i) WHERE %s GROUP BY ALL)",
                    texts[i], dw__strbuf_cstr(&condition));
    }
}

static void
test_sample__is_another_one_in_each_query(void **state)
{
    const char *first = ask_sample(*state, "sum(i)", 0.01);
    assert_string_not_equal(ask_sample(*state, "sum(i)", 0.01), first);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sample__has_about_the_share_that_is_asked_for,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sample__is_empty_or_everything_at_the_ends,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sample__favours_no_place_of_a_chunk_and_no_chunk,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sample__is_another_one_in_each_query, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("row_sample", tests, NULL, NULL);
}
