/*
 * A record as a line: what it says, the digest of the line before (`prev`), with a key its MAC, and
 * its own digest, which is over all bytes before it.
 *
 *  [RECORD-1] A line counts when its digest is right, byte by byte: there is one spelling of each.
 */
#ifndef DW_AUDIT_RECORD_H
#define DW_AUDIT_RECORD_H

#include "audit/audit.h"
#include "codec/json.h"
#include "env/identity.h"

/* Statement and tables at their limits, each byte escaped. */
#define DW_AUDIT_RECORD_BYTES_MAX ((size_t) 4 << 20)

/* The last record of a log, or of none: count 0 and a digest of zeros. */
typedef struct dw_audit_mark {
    int64_t count;
    char hash[DW_SHA256_TEXT_SIZE];
    bool has_mac;
} dw_audit_mark;

void dw__audit_mark_zero(dw_audit_mark *mark);

/* What the members of a line are put in front of. */
typedef struct dw_audit_stamp {
    int64_t time_us;
    const dw_identity *identity;
} dw_audit_stamp;

/* Appends the line of an event behind `last`, which becomes it. `key` null string: without MAC. */
void dw__audit_record_put(dw_strbuf *out, const dw_audit_stamp *stamp, const dw_audit_event *event,
                          dw_str key, dw_audit_mark *last);

/* Why a log was mended. */
typedef enum dw_audit_damage {
    DW_AUDIT_TORN,    /* bytes at its end are no record: the writer before was stopped */
    DW_AUDIT_SHORTER, /* records are gone that the head counts */
    DW_AUDIT_HEADLESS /* the head is gone, or is no head */
} dw_audit_damage;

/* What a writer found that is no record: so many bytes in front of the line that tells. */
typedef struct dw_audit_repair {
    dw_audit_damage damage;
    int64_t torn_bytes;
    char torn_hash[DW_SHA256_TEXT_SIZE];
} dw_audit_repair;

void dw__audit_repair_put(dw_strbuf *out, const dw_audit_stamp *stamp,
                          const dw_audit_repair *repair, dw_str key, dw_audit_mark *last);

/* A line that was read. Texts are those of the line or of the parser. */
typedef struct dw_audit_line {
    int64_t number;
    dw_str prev;
    bool has_mac;
    dw_str mac;
    dw_str signed_part; /* what the MAC is over */
    char hash[DW_SHA256_TEXT_SIZE];
    dw_json members;
} dw_audit_line;

/* False when the bytes, line end included, are no record. Out of memory counts as that, and is
 * told by *oom_out. */
bool dw__audit_line_read(dw_str bytes, dw_json_parser *parser, dw_audit_line *out, bool *oom_out);
/* The line becomes the last one. */
void dw__audit_mark_set(dw_audit_mark *mark, const dw_audit_line *line);
/* True when it is what comes behind `last`. */
bool dw__audit_line_follows(const dw_audit_line *line, const dw_audit_mark *last);
bool dw__audit_line_is_signed(const dw_audit_line *line, dw_str key);
/* False when it tells of no repair. */
bool dw__audit_line_repair(const dw_audit_line *line, dw_audit_repair *out);

#endif
