/*
 * Spark's old calendar. The expected values are those of Spark's tables of switches, and of a slow
 * way through year, month and day.
 */
#include "support/test.h"

#include "codec/old_calendar.h"

/* ---- Days by way of their names -------------------------------------------------------------- */

typedef struct day {
    int64_t year;
    int month, day;
} day;

static int
month_len(int64_t year, int month, bool is_caesars)
{
    static const int lens[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (is_caesars || year % 100 != 0 || year % 400 == 0);
    return lens[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static day
next_month(day first)
{
    return first.month == 12 ? (day){first.year + 1, 1, 1} : (day){first.year, first.month + 1, 1};
}

static void
test_old_date__keeps_year_month_and_day_through_five_thousand_years(void **state)
{
    (void) state;
    /* The first of January of the year -2999 in both calendars. */
    int64_t caesars = -1814914, todays = -1814890;
    for (day first = {-2999, 1, 1}; caesars < DW_OLD_DATE_END; first = next_month(first)) {
        int len = month_len(first.year, first.month, true);
        for (int i = 0; i < len && caesars + i < DW_OLD_DATE_END; i++) {
            assert_int_equal(dw__old_date(caesars + i), todays + i);
        }
        caesars += len;
        todays += month_len(first.year, first.month, false);
    }
}

static void
test_old_date__changes_nothing_since_the_calendar_of_gregory(void **state)
{
    (void) state;
    assert_int_equal(dw__old_date(DW_OLD_DATE_END - 1), DW_OLD_DATE_END - 11);
    assert_int_equal(dw__old_date(DW_OLD_DATE_END), DW_OLD_DATE_END);
    assert_int_equal(dw__old_date(0), 0);
    assert_int_equal(dw__old_date(INT32_MAX), INT32_MAX);
}

/* ---- Instants -------------------------------------------------------------------------------- */

static void
test_old_instant__moves_by_calendar_and_local_time(void **state)
{
    (void) state;
    static const struct {
        const char *zone;
        int64_t at_s, moved_s;
    } cases[] = {
        {"UTC", -12219292800, 0},
        {"UTC", -12219292801, -864000},
        {"UTC", -62135769600, 172800},
        {"America/Los_Angeles", -2717640000, 0},
        {"America/Los_Angeles", -2717640001, -422},
        {"America/Los_Angeles", -12219264001, -864422},
        {"America/Juneau", -3225223588, -139},
        {"America/Juneau", -3225223589, -86539},
        {"Asia/Manila", -2229321841, -240},
        {"Europe/Berlin", -2422054409, 392},
        {"Asia/Shanghai", -2208988801, -343},
        {"PRC", -2208988801, -343},
        {"PST", -2717640001, -422},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const dw_old_zone *zone = dw__old_zone_find(dw__str_from(cases[i].zone));
        int64_t micros = cases[i].at_s * 1000000 + 7;
        assert_int_equal(dw__old_instant(zone, micros), micros + cases[i].moved_s * 1000000);
    }
}

static void
test_old_instant__of_an_unknown_zone_is_that_of_greenwich(void **state)
{
    (void) state;
    const dw_old_zone *utc = dw__old_zone_find(DW_STR("UTC"));
    assert_ptr_equal(dw__old_zone_find(DW_STR("+08:00")), utc);
    assert_ptr_equal(dw__old_zone_find(DW_STR("")), utc);
    assert_ptr_equal(dw__old_zone_find(DW_STR("America/Los")), utc);
    assert_ptr_equal(dw__old_zone_find(DW_STR("Greenwich")), utc);
}

static void
test_old_instant__survives_extremes(void **state)
{
    (void) state;
    const dw_old_zone *zone = dw__old_zone_find(DW_STR("Asia/Tokyo"));
    assert_int_equal(dw__old_instant(zone, INT64_MAX), INT64_MAX);
    assert_int_equal(dw__old_instant(zone, INT64_MIN), INT64_MIN);
    assert_true(dw__old_instant(zone, INT64_MIN / 2) != 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_date__keeps_year_month_and_day_through_five_thousand_years),
        cmocka_unit_test(test_old_date__changes_nothing_since_the_calendar_of_gregory),
        cmocka_unit_test(test_old_instant__moves_by_calendar_and_local_time),
        cmocka_unit_test(test_old_instant__of_an_unknown_zone_is_that_of_greenwich),
        cmocka_unit_test(test_old_instant__survives_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
