/*
 * The arrays that option structs carry: NULL-terminated, NULL standing for none. The results borrow
 * the caller's strings and live in `arena`.
 */
#ifndef DW_API_OPTIONS_H
#define DW_API_OPTIONS_H

#include "audit/audit.h"
#include "base/arena.h"
#include "protocol/action.h"

DW_WARN_UNUSED dw_status dw__options_strings(const char *const *strings, dw_arena *arena,
                                             const dw_str **out, size_t *count_out, dw_error *err);
/* As many values as keys must be there, none of them NULL. */
DW_WARN_UNUSED dw_status dw__options_pairs(const char *const *keys, const char *const *values,
                                           dw_arena *arena, dw_pairs *out, dw_error *err);
/* Opens the audit log that a runtime is given. */
DW_WARN_UNUSED dw_status dw__options_audit(const dw_env *env, const dw_audit_options *options,
                                           dw_audit **out, dw_error *err);

#endif
