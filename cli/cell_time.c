/*
 * Dates and times in the proleptic Gregorian calendar.
 */
#include "cell_time.h"

#include <inttypes.h>
#include <string.h>

static int64_t
floor_div(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

/* Days since 1970-01-01 to a civil date: eras of 400 years, years that start in March. */
static void
append_date(text *out, int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    text_printf(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, year, month, day);
}

/* `ticks` of a day, `per_second` of them a second; trailing zeros of the fraction are left out. */
static void
append_clock(text *out, int64_t ticks, int64_t per_second)
{
    int64_t seconds = ticks / per_second;
    text_printf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60,
                seconds % 60);
    int64_t fraction = ticks % per_second;
    if (fraction == 0) {
        return;
    }
    text_append_char(out, '.');
    for (int64_t unit = per_second / 10; unit > 0 && fraction > 0; unit /= 10) {
        text_append_char(out, (char) ('0' + fraction / unit));
        fraction %= unit;
    }
}

static int64_t
ticks_per_second(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 1000;
    case 'u':
        return 1000000;
    default:
        return 1000000000;
    }
}

static void
append_timestamp(text *out, const char *format, int64_t value)
{
    if (value == INT64_MAX || value == -INT64_MAX) {
        text_append_cstr(out, value > 0 ? "infinity" : "-infinity");
        return;
    }
    int64_t per_second = ticks_per_second(format[2]);
    int64_t per_day = per_second * 86400;
    int64_t days = floor_div(value, per_day);
    append_date(out, days);
    text_append_char(out, ' ');
    append_clock(out, value - days * per_day, per_second);
    if (format[3] == ':' && format[4] != '\0') {
        text_append_cstr(out, "+00");
    }
}

/* Months, days and nanoseconds. */
static void
append_interval(text *out, const void *values, int64_t idx)
{
    const char *raw = (const char *) values + idx * 16;
    int32_t months;
    int32_t days;
    int64_t nanos;
    memcpy(&months, raw, sizeof(months));
    memcpy(&days, raw + 4, sizeof(days));
    memcpy(&nanos, raw + 8, sizeof(nanos));
    text_printf(out, "%" PRId32 " months %" PRId32 " days ", months, days);
    if (nanos < 0) {
        text_append_char(out, '-');
        nanos = -nanos;
    }
    append_clock(out, nanos / 1000, 1000000);
}

void
cell_time_append(text *out, const char *format, const void *values, int64_t idx)
{
    switch (format[1]) {
    case 'd':
        if (format[2] == 'D') {
            append_date(out, ((const int32_t *) values)[idx]);
        } else {
            append_date(out, floor_div(((const int64_t *) values)[idx], 86400000));
        }
        break;
    case 't': {
        bool is_narrow = format[2] == 's' || format[2] == 'm';
        int64_t ticks =
            is_narrow ? ((const int32_t *) values)[idx] : ((const int64_t *) values)[idx];
        append_clock(out, ticks, ticks_per_second(format[2]));
        break;
    }
    case 's':
        append_timestamp(out, format, ((const int64_t *) values)[idx]);
        break;
    case 'D':
        text_printf(out, "%" PRId64, ((const int64_t *) values)[idx]);
        break;
    default:
        append_interval(out, values, idx);
        break;
    }
}
