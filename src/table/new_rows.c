/*
 * From new values of columns to whole rows.
 */
#include "table/new_rows.h"

#include "protocol/feature.h"
#include "table/projection.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)

dw_status
dw__new_rows_rules(dw_row_change *rc, dw_row_rules *out, dw_error *err)
{
    const dw_log_snapshot *snapshot = rc->spec->snapshot;
    DW_TRY(dw__row_rules_read(dw__log_snapshot_protocol(snapshot),
                              dw__log_snapshot_metadata(snapshot), rc->target.schema, &rc->arena,
                              out, err));
    return dw__row_change_judge(rc, out, err);
}

dw_status
dw__new_rows_check_update(const dw_log_snapshot *snapshot, dw_str column, dw_error *err)
{
    const dw_field *field = dw__schema_find(dw__log_snapshot_schema(snapshot), column);
    bool has_identity =
        field != NULL && (field->traits & DW_FIELD_IDENTITY) != 0 &&
        dw__protocol_supports(dw__log_snapshot_protocol(snapshot), DW_FEATURE_IDENTITY_COLUMNS);
    return !has_identity
               ? DW_OK
               : dw__error_set(err, DW_INVALID_ARGUMENT, "IDENTITY_UPDATE",
                               "column \"%.*s\" is an identity column, whose values stay with "
                               "their rows: leave it out, or delete and insert the rows",
                               DW_STR_ARG(field->name));
}

/* What a row had as its identity is no value that the statement gives. [UPDATE-2] */
static void
keep_identities(dw_row_rules *rules)
{
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        rules->columns[i].identity = NULL;
    }
}

dw_status
dw__new_rows_print(dw_row_change *rc, const dw_new_rows *rows, dw_row_rules *rules, dw_str *out,
                   dw_error *err)
{
    size_t count = rows->column_count;
    dw_query_column *columns;
    dw_projection_request request = {.query = rows->query,
                                     .source = rows->source,
                                     .source_count = count,
                                     .schema = rc->target.schema,
                                     .columns = rows->columns,
                                     .column_count = count,
                                     .rules = rules};
    rules->are_in_place_of_others = rows->replace_others;
    if (rows->replace_others) {
        keep_identities(rules);
    }
    if (rows->source == NULL) {
        DW_TRY(dw__connection_describe(rc->spec->connection, rows->query, &rc->arena, &columns,
                                       &count, err));
        request.source = columns;
        request.source_count = count;
    }
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(rc->arena.allocator, SQL_BYTES_MAX);
    DW_TRY(dw__projection_print(&request, &rc->arena, &query, err));
    return dw__arena_dup(&rc->arena, dw__strbuf_str(&query), out) ? DW_OK : dw__error_oom(err);
}
