/*
 * What a connection has bound under a name, each a registered entry: a scan, with a temporary view
 * over it or SQL of its own, or a stream, whose name is the SQL that reads it. Private to this
 * folder.
 *
 *  [BINDING-1] A name is bound at most once on a connection; binding it again unbinds the old one.
 *  [BINDING-2] Everything is unbound when the connection is closed.
 */
#ifndef DW_ENGINE_BINDINGS_H
#define DW_ENGINE_BINDINGS_H

#include "engine/internal.h"

/* Registers `entry` and creates the view `name` as `view_sql`, made by `put_sql` once the entry has
 * its number. The entry is taken over, also on failure. */
typedef dw_status (*dw_binding_sql)(const dw_entry *entry, void *ctx, dw_strbuf *out,
                                    dw_error *err);
DW_WARN_UNUSED dw_status dw__binding_add(dw_connection *connection, dw_str name, dw_entry *entry,
                                         dw_binding_sql put_sql, void *ctx, dw_error *err);
/* Remembers the name of an entry, registered by then, that has no view. On failure it stays the
 * caller's. */
DW_WARN_UNUSED dw_status dw__binding_remember(dw_connection *connection, dw_str name,
                                              dw_entry *entry, dw_error *err);
/* Nothing when there is no binding of that name and kind. */
void dw__binding_remove(dw_connection *connection, dw_str name, dw_entry_kind kind);
void dw__bindings_clear(dw_connection *connection);

#endif
