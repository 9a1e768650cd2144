/*
 * Reading the members of an action: one description of a member is used for its value and for the
 * message when the value is wrong. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_MEMBER_H
#define DW_PROTOCOL_MEMBER_H

#include "protocol/action.h"

/* Where reading is, and where strings go. */
typedef struct dw_member_reader {
    dw_arena *arena;
    const char *action;           /* "add" */
    const dw_pairs *pairs_before; /* strings to share; NULL: none */
    dw_error *err;
} dw_member_reader;

/* DW_CORRUPT (COMMIT_INVALID): "add.size: expected an integer, found a string". */
DW_WARN_UNUSED dw_status dw__member_invalid(const dw_member_reader *reader, dw_str member,
                                            const char *expected, dw_json found);
DW_WARN_UNUSED dw_status dw__member_missing(const dw_member_reader *reader, const char *member);

/* Each takes the value of a member that is not null. */
DW_WARN_UNUSED dw_status dw__member_str(const dw_member_reader *reader, dw_str member,
                                        dw_json value, dw_str *out);
DW_WARN_UNUSED dw_status dw__member_i64(const dw_member_reader *reader, dw_str member,
                                        dw_json value, int64_t *out);
/* An integer from `min` to INT32_MAX. */
DW_WARN_UNUSED dw_status dw__member_i32(const dw_member_reader *reader, dw_str member,
                                        dw_json value, int32_t min, int32_t *out);
DW_WARN_UNUSED dw_status dw__member_bool(const dw_member_reader *reader, dw_str member,
                                         dw_json value, bool *out);
/* An object as text. */
DW_WARN_UNUSED dw_status dw__member_object(const dw_member_reader *reader, dw_str member,
                                           dw_json value, dw_str *out);
/* A map from strings to strings or null; numbers and booleans count as their text. */
DW_WARN_UNUSED dw_status dw__member_pairs(const dw_member_reader *reader, dw_str member,
                                          dw_json value, dw_pairs *out);
DW_WARN_UNUSED dw_status dw__member_strs(const dw_member_reader *reader, dw_str member,
                                         dw_json value, dw_str **out, size_t *count_out);

#endif
