/*
 * Types that were changed: delta.typeChanges in the metadata of fields. PROTOCOL.md "Type
 * Widening".
 */
#ifndef DW_PROTOCOL_TYPE_WIDENING_H
#define DW_PROTOCOL_TYPE_WIDENING_H

#include "protocol/column_name.h"
#include "protocol/schema.h"

/* True when values of `from` can stay in older files while the column has the type `to`. */
bool dw__type_change_is_widening(const dw_type *from, const dw_type *to);
/* True when Iceberg's second format allows the change, too. */
bool dw__type_change_is_iceberg(const dw_type *from, const dw_type *to);

#define DW_TYPE_CHANGES_KEY DW_STR("delta.typeChanges")

/* Appends the types that a column of this type may get: "short, int, long, ..."; nothing when there
 * are none. Decimals stand for themselves and all wider ones. */
void dw__type_print_wider(dw_strbuf *out, const dw_type *from);
/* Records a change in the metadata of the field, or of what is below it at the path `below`
 * ("element.key"; "" for itself). `version` is that of the commit, where the feature's preview
 * wants it; -1: none. */
DW_WARN_UNUSED dw_status dw__type_change_record(dw_field *field, dw_str below, const dw_type *from,
                                                const dw_type *to, int64_t version, dw_arena *arena,
                                                dw_error *err);

/* A change that the metadata of a field records. */
typedef struct dw_type_change {
    const dw_column_name *name;
    const dw_field *field; /* it, or the nearest field above what was changed */
    const dw_type *from, *to;
} dw_type_change;

/* Visits the changes that the schema records. DW_CORRUPT (SCHEMA_INVALID). */
typedef dw_status (*dw_type_change_visitor)(void *ctx, const dw_type_change *change, dw_error *err);
DW_WARN_UNUSED dw_status dw__type_changes_visit(const dw_type *schema, dw_type_change_visitor visit,
                                                void *ctx, dw_arena *scratch, dw_error *err);
/* Sets *found where there is any, and leaves it where there is none. */
DW_WARN_UNUSED dw_status dw__type_changes_find(const dw_type *schema, bool *found,
                                               dw_arena *scratch, dw_error *err);
/* Goes through all changes that the schema records and refuses the first that is no widening, or,
 * with `iceberg`, one that Iceberg lacks: DW_UNSUPPORTED (TYPE_CHANGE_UNSUPPORTED) with the column
 * and both types. DW_CORRUPT (SCHEMA_INVALID) when a record cannot be read. */
DW_WARN_UNUSED dw_status dw__type_changes_check(const dw_type *schema, bool iceberg,
                                                dw_arena *scratch, dw_error *err);

#endif
