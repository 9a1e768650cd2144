/*
 * A profile as the text that is kept of it, and back. Who wrote the text is not known: anybody may
 * edit the file.
 *
 *  [PROFILE-JSON-1] What is read is as if it had been made: counts are not negative, none is more
 *                   than there are rows, and texts are of a value's length.
 *  [PROFILE-JSON-2] What is printed reads back, and prints the same.
 */
#ifndef DW_UPKEEP_PROFILE_JSON_H
#define DW_UPKEEP_PROFILE_JSON_H

#include "upkeep/profile.h"

void dw__profile_print(const dw_profile *profile, dw_strbuf *out);
/* In `arena`; `where` names the text in errors. DW_CORRUPT (JSON_INVALID, PROFILE_INVALID): which
 * member, what was expected of it, and what was found. */
DW_WARN_UNUSED dw_status dw__profile_parse(dw_str text, const char *where, dw_arena *arena,
                                           dw_profile *out, dw_error *err);

#endif
