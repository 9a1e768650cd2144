/*
 * Dates and instants of files that Spark wrote in its old calendar: Caesar's up to 1582-10-04, and
 * in the hours of a zone without its local times before 1900. They are days and microseconds since
 * 1970 as today's are, but stand for the year, month, day and hour that the old calendar makes of
 * them; the same in today's calendar is another number.
 *
 *  [OLD-1] Each function gives what Spark's reader makes of the same value.
 *  [OLD-2] Values from the ends on are the same in both.
 */
#ifndef DW_CODEC_OLD_CALENDAR_H
#define DW_CODEC_OLD_CALENDAR_H

#include "base/str.h"

/* 1582-10-15. */
#define DW_OLD_DATE_END (-141427)
/* 1900-01-01T00:00:00Z. */
#define DW_OLD_INSTANT_END (INT64_C(-2208988800) * 1000000)

typedef struct dw_old_zone dw_old_zone;

/* The zone of a name as Java understands it: one that is unknown is Greenwich. Static. */
const dw_old_zone *dw__old_zone_find(dw_str name);

/* Days since 1970. */
int64_t dw__old_date(int64_t days);
/* Microseconds since 1970. */
int64_t dw__old_instant(const dw_old_zone *zone, int64_t micros);

#endif
