/*
 * A session's connection: opened at its first statement, so that sessions which only read logs
 * never load the engine.
 */
#include "base/assert.h"
#include "engine/bindings.h"

dw_status
dw__connection_open(dw_database *database, dw_connection **out, dw_error *err)
{
    *out = NULL;
    dw_connection *connection = DW_NEW(database->env->allocator, dw_connection);
    if (connection == NULL) {
        return dw__error_oom(err);
    }
    connection->database = database;
    connection->env = database->env;
    *out = connection;
    return DW_OK;
}

dw_status
dw__connection_borrow(dw_database *database, dw_connection **out, dw_error *err)
{
    DW_TRY(dw__connection_open(database, out, err));
    (*out)->is_borrowed = true;
    return DW_OK;
}

void
dw__connection_count_progress(dw_connection *connection)
{
    dw_assert(atomic_load(&connection->handle) == NULL);
    dw_assert(!connection->is_borrowed);
    connection->counts_progress = true;
}

/* Progress is counted but never printed by the engine. */
static dw_status
count_progress(const dw_duck *duck, duckdb_connection handle, dw_error *err)
{
    DW_TRY(dw__statement_execute(duck, handle, "SET enable_progress_bar = true", err));
    return dw__statement_execute(duck, handle, "SET enable_progress_bar_print = false", err);
}

static dw_status
open_handle(dw_connection *connection, duckdb_connection *out, dw_error *err)
{
    dw_database *database = connection->database;
    if (connection->is_borrowed) {
        return dw__instance_borrow(database, DW_INSTANCE_SERIAL, out, err);
    }
    DW_TRY(dw__database_load(database, err));
    const dw_duck *duck = database->duck;
    DW_TRY(dw__instance_connect(duck, database->instances[DW_INSTANCE_MAIN].handle, out, err));
    dw_status status = connection->counts_progress ? count_progress(duck, *out, err) : DW_OK;
    if (status != DW_OK) {
        duck->disconnect(out);
    }
    return status;
}

dw_status
dw__connection_handle(dw_connection *connection, duckdb_connection *out, dw_error *err)
{
    *out = atomic_load(&connection->handle);
    if (*out != NULL) {
        return DW_OK;
    }
    DW_TRY(open_handle(connection, out, err));
    atomic_store(&connection->handle, *out);
    return DW_OK;
}

/* A borrowed one goes back, unless it was left with settings. */
static void
close_handle(dw_connection *connection, duckdb_connection handle)
{
    if (connection->is_borrowed && !connection->copies_narrow) {
        dw__instance_return(connection->database, DW_INSTANCE_SERIAL, handle);
    } else {
        connection->database->duck->disconnect(&handle);
    }
}

void
dw__connection_close(dw_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    duckdb_connection handle = atomic_exchange(&connection->handle, NULL);
    dw__bindings_clear(connection);
    dw__constants_clear(connection);
    dw__meaning_clear(connection);
    if (handle != NULL) {
        close_handle(connection, handle);
    }
    DW_DELETE(connection->env->allocator, connection);
}

void
dw__connection_interrupt(dw_connection *connection)
{
    duckdb_connection handle = atomic_load(&connection->handle);
    if (handle != NULL) {
        connection->database->duck->interrupt(handle);
    }
}

double
dw__connection_progress(dw_connection *connection)
{
    duckdb_connection handle = atomic_load(&connection->handle);
    if (handle == NULL) {
        return -1;
    }
    double percentage = connection->database->duck->query_progress(handle).percentage;
    return percentage < 0 ? -1 : percentage > 100 ? 1 : percentage / 100;
}

dw_status
dw__connection_execute(dw_connection *connection, dw_str sql, dw_error *err)
{
    if (dw__env_is_cancelled(connection->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    DW_TRY(dw__statement_text(sql, &text, err));
    duckdb_connection handle = NULL;
    DW_TRY(dw__connection_handle(connection, &handle, err));
    return dw__statement_execute(connection->database->duck, handle, dw__strbuf_cstr(&text), err);
}
