/*
 * A log in memory, and what somebody may do to it who knows how it is made: to its bytes, its
 * records, its files, and - as digests are no secret - to its digests.
 */
#ifndef DWT_TAMPERING_H
#define DWT_TAMPERING_H

#include "audit_world.h"

enum { DWT_LOG_FILES_MAX = 32, DWT_LOG_RECORDS_MAX = 128 };

typedef struct chance {
    uint64_t state;
} chance;

/* A number below `below`. */
static inline uint64_t
chance_draw(chance *c, uint64_t below)
{
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return c->state % below;
}

/* Texts are in an arena; the null string: the file is not there. */
typedef struct saved_log {
    dw_str files[DWT_LOG_FILES_MAX]; /* in the order of the chain: the newest is the last one */
    size_t file_count;
    dw_str head;
} saved_log;

void saved_log_read(const audit_world *w, dw_arena *arena, saved_log *out);
/* Makes the log on disk this one, whatever there is now. */
void saved_log_write(const audit_world *w, const saved_log *log);
/* The digest of all of it. */
void saved_log_digest(const saved_log *log, char out[DW_SHA256_TEXT_SIZE]);

/* What it takes to find a tampering. */
typedef enum tampering_need {
    NEEDS_NOTHING,
    NEEDS_KEY_OR_ANCHOR,
    NEEDS_ANCHOR /* of the last record */
} tampering_need;

typedef struct tampering {
    const char *name;
    tampering_need need;
    void (*apply)(saved_log *log, chance *c, dw_arena *arena);
} tampering;

extern const tampering tamperings[];
extern const size_t tampering_count;

#endif
