/*
 * Dates, times and intervals of Arrow arrays as text.
 */
#ifndef CLI_CELL_TIME_H
#define CLI_CELL_TIME_H

#include "text.h"

/* Appends element `idx` of the values buffer of a type whose format starts with 't': "2001-05-31",
 * "2001-05-31 12:00:00.5", with "+00" behind instants. */
void cell_time_append(text *out, const char *format, const void *values, int64_t idx);

#endif
