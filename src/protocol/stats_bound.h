/*
 * One bound of a column, from its JSON token. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_STATS_BOUND_H
#define DW_PROTOCOL_STATS_BOUND_H

#include "protocol/value.h"

/* Reads a lower or upper bound of a column of that type, rounding outwards where the token may not
 * be exact. `found_out` is false when the token is no bound. Strings live in `arena`. Returns false
 * only when out of memory. */
DW_WARN_UNUSED bool dw__stats_bound_read(const dw_type *type, dw_str token, bool is_max,
                                         dw_arena *arena, bool *found_out, bool *exact_out,
                                         dw_value *out);

#endif
