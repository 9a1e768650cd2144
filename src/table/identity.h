/*
 * Identity columns: what their metadata says, the next values, the new mark. PROTOCOL.md "Identity
 * Columns". Private to row_rules.c, alter_identity.c and who takes over a schema.
 */
#ifndef DW_TABLE_IDENTITY_H
#define DW_TABLE_IDENTITY_H

#include "table/row_rules.h"

#define DW_IDENTITY_START_KEY DW_STR("delta.identity.start")
#define DW_IDENTITY_STEP_KEY DW_STR("delta.identity.step")
#define DW_IDENTITY_MARK_KEY DW_STR("delta.identity.highWaterMark")
#define DW_IDENTITY_EXPLICIT_KEY DW_STR("delta.identity.allowExplicitInsert")

/* DW_CORRUPT (METADATA_INVALID) for metadata that is incomplete or wrong. */
DW_WARN_UNUSED dw_status dw__identity_read(const dw_field *field, dw_arena *arena,
                                           const dw_identity **out, dw_error *err);
DW_WARN_UNUSED dw_status dw__identity_check_new(const dw_field *field, const dw_metadata *metadata,
                                                dw_error *err);
/* Appends an expression that numbers the rows of its query. */
void dw__identity_print_next(const dw_identity *identity, const dw_field *field, dw_strbuf *out);

/* The mark once `last` is known to be in use; false when the one that is there stays. A mark never
 * goes back, unless it lies before the start, where it is of no use. */
bool dw__identity_choose_mark(const dw_identity *identity, int64_t last, int64_t *out);
/* Gives the field's metadata another mark, in `arena`; all else stays. */
DW_WARN_UNUSED dw_status dw__identity_set_mark(dw_field *field, int64_t mark, dw_arena *arena,
                                               dw_error *err);

#endif
