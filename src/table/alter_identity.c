/*
 * ALTER COLUMN ... SYNC IDENTITY: the high-water mark of an identity column is moved to where the
 * values that were given to it end. PROTOCOL.md "Identity Columns"; rounding as in the reference.
 */
#include "codec/codec.h"
#include "scan/scan.h"
#include "table/alter_core.h"
#include "table/change.h"
#include "table/identity.h"

#define TEXT_BYTES_MAX ((size_t) 16 << 20)
#define SCAN_PREFIX "deltaworks_sync_"

/* The greatest value in the direction of the step; false when there is none. */
static dw_status
find_last_value(const dw_alter *alter, dw_connection *connection, const dw_field *field, bool rises,
                int64_t *out, bool *found_out, dw_error *err)
{
    char name[sizeof(SCAN_PREFIX) + DW_UUID_TEXT_SIZE] = SCAN_PREFIX;
    dw__uuid_make(dw__table_env(alter->table), name + sizeof(SCAN_PREFIX) - 1);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, alter->arena.allocator);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena.allocator, TEXT_BYTES_MAX);
    dw__strbuf_printf(&sql, "SELECT %s(", rises ? "max" : "min");
    dw__sql_put_identifier(&sql, field->name);
    dw__strbuf_append_literal(&sql, ") FROM ");
    dw__sql_put_identifier(&sql, dw__str_from(name));
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    dw_scan_source source = {.name = dw__str_from(name), .snapshot = alter->snapshot};
    dw_scan *scan;
    dw_text_rows rows = {0};
    DW_TRY(dw__scan_open(connection, dw__table_database(alter->table), dw__strbuf_str(&sql),
                         &source, 1, &scan, err));
    dw_status status =
        dw__connection_query_text(connection, dw__strbuf_str(&sql), &arena, &rows, err);
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    *found_out = status == DW_OK && rows.row_count == 1 && !dw__str_is_null(rows.cells[0]) &&
                 dw__str_to_i64(rows.cells[0], out);
    return status;
}

static dw_status
put_parameters(const dw_alter *alter, const dw_field *field, dw_strbuf *parameters, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(alter->arena.allocator, TEXT_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    dw__json_put_key(&json, DW_STR("name"));
    dw__json_put_string(&json, field->name);
    dw__strbuf_append_literal(&json, ",\"type\":\"long\",\"nullable\":");
    dw__strbuf_append(&json, field->nullable ? DW_STR("true") : DW_STR("false"));
    dw__json_put_key(&json, DW_STR("metadata"));
    dw__strbuf_append(&json, field->metadata_json);
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    dw__change_put_parameter(parameters, "column", dw__strbuf_str(&json));
    return DW_OK;
}

typedef struct identity_sync {
    dw_connection *connection;
    dw_str column;
} identity_sync;

/* The schema is parsed from its text once more, so that what a snapshot lays aside stays. */
static dw_status
sync(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const identity_sync *s = ctx;
    dw_str column = s->column;
    int64_t last, mark;
    bool found;
    const dw_identity *identity;
    DW_TRY(dw__schema_parse("the table's schema", alter->metadata.schema_string, &alter->arena,
                            &alter->schema, err));
    dw_field *field = (dw_field *) (uintptr_t) dw__schema_find(alter->schema, column);
    if (field == NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                             "the table has no column \"%.*s\"", DW_STR_ARG(column));
    }
    if ((field->traits & DW_FIELD_IDENTITY) == 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "NO_IDENTITY_COLUMN",
                             "the column \"%.*s\" is no identity column: it has no mark to sync",
                             DW_STR_ARG(column));
    }
    DW_TRY(dw__identity_read(field, &alter->arena, &identity, err));
    DW_TRY(find_last_value(alter, s->connection, field, identity->step > 0, &last, &found, err));
    if (found && dw__identity_choose_mark(identity, last, &mark)) {
        DW_TRY(dw__identity_set_mark(field, mark, &alter->arena, err));
    }
    DW_TRY(put_parameters(alter, field, parameters, err));
    alter->reads_all_files = true;
    alter->moves_identity_marks = true;
    return dw__alter_print_schema(alter, err);
}

dw_status
dw__table_sync_identity(dw_table *table, dw_connection *connection, dw_str column,
                        dw_alter_report *report, dw_error *err)
{
    identity_sync s = {connection, column};
    return dw__alter_run(table, 0, "CHANGE COLUMN", sync, &s, report, err);
}
