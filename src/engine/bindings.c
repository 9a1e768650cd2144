/*
 * Names of a connection and what they are bound to. [BINDING-1] [BINDING-2]
 */
#include "engine/bindings.h"

#include "base/assert.h"
#include "base/vec.h"

static dw_binding *
find(dw_connection *connection, dw_str name)
{
    for (size_t i = 0; i < connection->bindings.count; i++) {
        dw_binding *binding = &connection->bindings.items[i];
        if (dw__str_equal(dw__str_make(binding->name, binding->name_len), name)) {
            return binding;
        }
    }
    return NULL;
}

static void
drop_view(dw_connection *connection, dw_str name)
{
    duckdb_connection handle = atomic_load(&connection->handle);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "DROP VIEW IF EXISTS temp.");
    dw__sql_put_identifier(&sql, name);
    dw_error err = DW_ERROR_INIT;
    /* A view that stays is only in the way of its own name: it says that its source is gone. */
    if (handle == NULL || dw__strbuf_ok(&sql, "the statement", &err) != DW_OK ||
        dw__statement_execute(connection->database->duck, handle, dw__strbuf_cstr(&sql), &err) !=
            DW_OK) {
        dw__env_debug(connection->env, "a temporary view stays: %s", err.message);
    }
}

static void
release(dw_connection *connection, dw_binding *binding)
{
    dw__registry_remove(&connection->database->registry, binding->entry);
    dw__dealloc(connection->env->allocator, binding->name, binding->name_len + 1);
    *binding = connection->bindings.items[--connection->bindings.count];
}

void
dw__binding_remove(dw_connection *connection, dw_str name, dw_entry_kind kind)
{
    dw_binding *binding = find(connection, name);
    if (binding != NULL && binding->entry->kind == kind) {
        if (binding->has_view) {
            drop_view(connection, name);
        }
        release(connection, binding);
    }
}

void
dw__bindings_clear(dw_connection *connection)
{
    /* The views go with the connection. */
    while (connection->bindings.count > 0) {
        release(connection, &connection->bindings.items[0]);
    }
    DW_VEC_DEINIT(connection->env->allocator, &connection->bindings);
}

static dw_status
create_view(dw_connection *connection, dw_str name, const dw_entry *entry, dw_binding_sql put_sql,
            void *ctx, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "CREATE OR REPLACE TEMP VIEW ");
    dw__sql_put_identifier(&sql, name);
    dw__strbuf_append_literal(&sql, " AS ");
    DW_TRY(put_sql(entry, ctx, &sql, err));
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    duckdb_connection handle = NULL;
    DW_TRY(dw__connection_handle(connection, &handle, err));
    return dw__statement_execute(connection->database->duck, handle, dw__strbuf_cstr(&sql), err);
}

dw_status
dw__binding_remember(dw_connection *connection, dw_str name, dw_entry *entry, dw_error *err)
{
    const dw_allocator *allocator = connection->env->allocator;
    char *copy = dw__alloc(allocator, name.len + 1);
    dw_binding *binding = copy == NULL ? NULL : DW_VEC_PUSH(allocator, &connection->bindings);
    if (binding == NULL) {
        dw__dealloc(allocator, copy, name.len + 1);
        return dw__error_oom(err);
    }
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    *binding = (dw_binding){copy, name.len, entry, false};
    return DW_OK;
}

dw_status
dw__binding_add(dw_connection *connection, dw_str name, dw_entry *entry, dw_binding_sql put_sql,
                void *ctx, dw_error *err)
{
    dw_registry *registry = &connection->database->registry;
    dw_status status = dw__registry_add(registry, entry, err);
    if (status != DW_OK) {
        entry->destroy(entry);
        return status;
    }
    status = create_view(connection, name, entry, put_sql, ctx, err);
    if (status == DW_OK) {
        dw_binding *old = find(connection, name);
        if (old != NULL) {
            release(connection, old);
        }
        status = dw__binding_remember(connection, name, entry, err);
        if (status == DW_OK) {
            find(connection, name)->has_view = true;
        } else {
            drop_view(connection, name);
        }
    }
    if (status != DW_OK) {
        dw__registry_remove(registry, entry);
    }
    return status;
}
