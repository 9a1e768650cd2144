/*
 * The table behind old_calendar.h. Private to it.
 */
#ifndef DW_CODEC_OLD_ZONES_H
#define DW_CODEC_OLD_ZONES_H

#include <stddef.h>
#include <stdint.h>

#define DW_OLD_ZONE_STEPS_MAX 3

/* From then on instants are to be moved by so many seconds. */
typedef struct dw_old_step {
    int64_t from_s;
    int32_t shift_s;
} dw_old_step;

typedef struct dw_old_zone {
    const char *names; /* each between blanks */
    int32_t offset_s;  /* east of Greenwich, by which the old calendar counted its days */
    int32_t shift_s;   /* how far that is from the local time, before the first step */
    uint32_t step_count;
    dw_old_step steps[DW_OLD_ZONE_STEPS_MAX];
} dw_old_zone;

extern const dw_old_zone dw__old_zones[];
extern const size_t dw__old_zone_count;

#endif
