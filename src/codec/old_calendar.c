/*
 * See old_calendar.h. Years are counted with a year 0, which is 1 before Christ; numbers of days
 * are made positive before they are divided.
 */
#include "codec/old_calendar.h"

#include "base/assert.h"
#include "codec/old_zones.h"

#include <string.h>

#define SECOND_MICROS INT64_C(1000000)
#define DAY_MICROS (INT64_C(86400) * SECOND_MICROS)

static int64_t
floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

/* ---- Days ------------------------------------------------------------------------------------ */

/*
 * A year is taken to begin with March, so that its leap day is the last. Four of Caesar's years are
 * 1461 days. Year, month and the first of that month are the same in both calendars, and the day is
 * counted from there: where today's calendar has no 29th of February it becomes the 1st of March.
 */
int64_t
dw__old_date(int64_t days)
{
    enum { DAYS_BEFORE_1970 = 719470 /* from March of Caesar's year 0 */ };
    if (days >= DW_OLD_DATE_END) {
        return days;
    }
    int64_t since = days + DAYS_BEFORE_1970;
    int64_t cycle = floor_divide(since, 1461);
    int64_t in_cycle = since - cycle * 1461;
    int64_t year_in_cycle = in_cycle == 1460 ? 3 : in_cycle / 365;
    int64_t year = 4 * cycle + year_in_cycle;
    /* Caesar's calendar has a leap day in every hundredth year, today's in one of four of those. It
     * comes at the end of such years as they are counted here, and so is not yet in their own. */
    int64_t hundreds = floor_divide(year, 100);
    return days + 2 - hundreds + floor_divide(hundreds, 4);
}

/* ---- Instants -------------------------------------------------------------------------------- */

static int32_t
shift_at(const dw_old_zone *zone, int64_t micros)
{
    int64_t at_s = floor_divide(micros, SECOND_MICROS);
    int32_t shift_s = zone->shift_s;
    for (size_t i = 0; i < zone->step_count && at_s >= zone->steps[i].from_s; i++) {
        shift_s = zone->steps[i].shift_s;
    }
    return shift_s;
}

int64_t
dw__old_instant(const dw_old_zone *zone, int64_t micros)
{
    dw_assert(zone != NULL);
    /* Nothing is so long ago; what is, is left as it is rather than to overflow. */
    if (micros >= DW_OLD_INSTANT_END || micros < INT64_MIN / 2) {
        return micros;
    }
    int64_t days = floor_divide(micros + zone->offset_s * SECOND_MICROS, DAY_MICROS);
    return micros + (dw__old_date(days) - days) * DAY_MICROS +
           shift_at(zone, micros) * SECOND_MICROS;
}

/* ---- Zones ----------------------------------------------------------------------------------- */

const dw_old_zone *
dw__old_zone_find(dw_str name)
{
    static const dw_str utc = {" UTC ", 5};
    const dw_old_zone *fallback = NULL;
    for (size_t i = 0; i < dw__old_zone_count; i++) {
        const dw_old_zone *zone = &dw__old_zones[i];
        for (const char *at = zone->names; name.len > 0 && at != NULL; at = strchr(at + 1, ' ')) {
            if (strncmp(at + 1, name.ptr, name.len) == 0 && at[name.len + 1] == ' ') {
                return zone;
            }
        }
        fallback = strstr(zone->names, utc.ptr) != NULL ? zone : fallback;
    }
    dw_assert(fallback != NULL);
    return fallback;
}
