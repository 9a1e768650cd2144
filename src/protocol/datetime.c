/*
 * Dates and timestamps as text, in the proleptic Gregorian calendar that Parquet and Spark use.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "protocol/value.h"

#include <stdlib.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

#define YEAR_DIGITS_MIN 4
#define YEAR_DIGITS_MAX 6
#define DAYS_PER_ERA 146097 /* 400 years */
#define FRACTION_DIGITS_MAX 9

/* A reader's position in the text. */
typedef struct cursor {
    dw_str text;
    size_t at;
} cursor;

static bool
take_char(cursor *c, char wanted)
{
    if (c->at < c->text.len && c->text.ptr[c->at] == wanted) {
        c->at++;
        return true;
    }
    return false;
}

/* From `min` to `max` digits; false when there are fewer. Stops at `max`. */
static bool
take_digits(cursor *c, size_t min, size_t max, int64_t *out)
{
    *out = 0;
    size_t count = 0;
    while (count < max && c->at < c->text.len && c->text.ptr[c->at] >= '0' &&
           c->text.ptr[c->at] <= '9') {
        *out = *out * 10 + (c->text.ptr[c->at] - '0');
        c->at++;
        count++;
    }
    return count >= min;
}

static bool
is_at_end(const cursor *c)
{
    return c->at == c->text.len;
}

/* ---- The calendar ---------------------------------------------------------------------------- */

static bool
is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    dw_assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Years begin in March, so that the leap day comes last. */
static int64_t
days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2 ? 1 : 0);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - 719468;
}

static void
civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, DAYS_PER_ERA);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month + (shifted_month < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static bool
take_date(cursor *c, int64_t *days_out)
{
    bool negative = take_char(c, '-');
    if (!negative) {
        (void) take_char(c, '+');
    }
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_digits(c, YEAR_DIGITS_MIN, YEAR_DIGITS_MAX, &year) || !take_char(c, '-') ||
        !take_digits(c, 1, 2, &month) || !take_char(c, '-') || !take_digits(c, 1, 2, &day)) {
        return false;
    }
    year = negative ? -year : year;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *days_out = days_from_civil(year, month, day);
    return true;
}

bool
dw__date_parse(dw_str text, int64_t *days_out)
{
    *days_out = 0;
    cursor c = {text, 0};
    int64_t days;
    if (!take_date(&c, &days) || !is_at_end(&c)) {
        return false;
    }
    *days_out = days;
    return true;
}

/* ".fffffffff" as microseconds; nothing there is 0. */
static bool
take_fraction(cursor *c, int64_t *micros_out)
{
    *micros_out = 0;
    if (!take_char(c, '.')) {
        return true;
    }
    size_t start = c->at;
    int64_t value;
    if (!take_digits(c, 1, FRACTION_DIGITS_MAX, &value)) {
        return false;
    }
    size_t digits = c->at - start;
    for (; digits < 6; digits++) {
        value *= 10;
    }
    for (; digits > 6; digits--) {
        value /= 10;
    }
    *micros_out = value;
    return true;
}

static bool
take_time(cursor *c, int64_t *micros_out)
{
    int64_t hour;
    int64_t minute;
    int64_t second = 0;
    int64_t fraction = 0;
    if (!take_digits(c, 1, 2, &hour) || !take_char(c, ':') || !take_digits(c, 2, 2, &minute)) {
        return false;
    }
    if (take_char(c, ':') && (!take_digits(c, 2, 2, &second) || !take_fraction(c, &fraction))) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *micros_out = hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND + fraction;
    return true;
}

/* "Z", "UTC", "+hh", "+hhmm" or "+hh:mm" as the microseconds that the zone is ahead of UTC. */
static bool
take_zone(cursor *c, int64_t *ahead_out)
{
    *ahead_out = 0;
    if (take_char(c, 'Z')) {
        return true;
    }
    if (take_char(c, 'U')) {
        return take_char(c, 'T') && take_char(c, 'C');
    }
    bool west = take_char(c, '-');
    int64_t hours;
    int64_t minutes = 0;
    if ((!west && !take_char(c, '+')) || !take_digits(c, 2, 2, &hours)) {
        return false;
    }
    bool colon = take_char(c, ':');
    if ((colon || !is_at_end(c)) && !take_digits(c, 2, 2, &minutes)) {
        return false;
    }
    if (hours > 18 || minutes > 59) {
        return false;
    }
    int64_t ahead = hours * US_PER_HOUR + minutes * US_PER_MINUTE;
    *ahead_out = west ? -ahead : ahead;
    return true;
}

bool
dw__timestamp_parse(dw_str text, bool zone_allowed, int64_t *micros_out)
{
    *micros_out = 0;
    cursor c = {text, 0};
    int64_t days;
    int64_t time = 0;
    int64_t ahead = 0;
    if (!take_date(&c, &days)) {
        return false;
    }
    if (!is_at_end(&c)) {
        if ((!take_char(&c, ' ') && !take_char(&c, 'T')) || !take_time(&c, &time)) {
            return false;
        }
        if (!is_at_end(&c) && (!zone_allowed || !take_zone(&c, &ahead) || !is_at_end(&c))) {
            return false;
        }
    }
    int64_t micros;
    if (!dw__checked_mul_i64(days, US_PER_DAY, &micros) ||
        !dw__checked_add_i64(micros, time - ahead, &micros)) {
        return false;
    }
    *micros_out = micros;
    return true;
}

/* ---- Printing -------------------------------------------------------------------------------- */

void
dw__date_print(dw_strbuf *out, int64_t days)
{
    int64_t year;
    int64_t month;
    int64_t day;
    civil_from_days(days, &year, &month, &day);
    const char *sign = year < 0 ? "-" : (year > 9999 ? "+" : "");
    dw__strbuf_printf(out, "%s%04lld-%02d-%02d", sign, llabs((long long) year), (int) month,
                      (int) day);
}

void
dw__timestamp_print(dw_strbuf *out, int64_t micros, char separator, int fraction_digits,
                    const char *suffix)
{
    dw_assert(fraction_digits >= -1 && fraction_digits <= 6 && fraction_digits % 3 != 2);
    int64_t days = floor_div(micros, US_PER_DAY);
    int64_t time = micros - days * US_PER_DAY;
    int fraction = (int) (time % US_PER_SECOND);
    dw__date_print(out, days);
    dw__strbuf_printf(out, "%c%02d:%02d:%02d", separator, (int) (time / US_PER_HOUR),
                      (int) (time / US_PER_MINUTE % 60), (int) (time / US_PER_SECOND % 60));
    if (fraction_digits < 0) {
        fraction_digits = fraction == 0 ? 0 : (fraction % 1000 == 0 ? 3 : 6);
    }
    if (fraction_digits == 3) {
        dw__strbuf_printf(out, ".%03d", fraction / 1000);
    } else if (fraction_digits == 6) {
        dw__strbuf_printf(out, ".%06d", fraction);
    }
    dw__strbuf_append(out, dw__str_from(suffix));
}
