/*
 * The changes that a reference asks for: from its bounds, which are versions or times, to versions.
 */
#include "base/assert.h"
#include "sql/execution.h"

/* A bound of the range. */
typedef struct bound {
    bool is_time;
    int64_t version;
    int64_t micros; /* TIME */
} bound;

static bool
is_integer_type(dw_str type)
{
    static const char *const names[] = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",
                                        "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (dw__str_equal(type, dw__str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

/* Numbers and texts need no engine. */
static dw_status
read_literal(dw_execution *x, dw_str expression, bound *out, bool *known_out)
{
    DW_AUTO(dw_sql_text) sql = {0};
    DW_TRY(dw__sql_text_init(&sql, x->arena.allocator, expression, x->err));
    *known_out = false;
    out->is_time = sql.count == 2 && sql.items[0].kind == DW_TOKEN_STRING;
    if (sql.count == 2 && sql.items[0].kind == DW_TOKEN_NUMBER) {
        *known_out = dw__str_to_i64(dw__token_text(&sql, 0), &out->version);
    }
    return DW_OK;
}

static dw_status
ask_engine(dw_execution *x, dw_str expression, bound *out)
{
    dw_text_rows rows;
    dw_str sql =
        dw__arena_printf(&x->arena, "SELECT typeof(b), b::VARCHAR FROM (SELECT (%.*s) AS b)",
                         DW_STR_ARG(expression));
    if (dw__str_is_null(sql)) {
        return dw__error_oom(x->err);
    }
    dw_status status =
        dw__connection_query_text(x->session->connection, sql, &x->arena, &rows, x->err);
    if (status != DW_OK) {
        dw__error_context(x->err, "evaluating %.*s, a bound of table_changes",
                          DW_STR_ARG(expression));
        return status;
    }
    if (rows.row_count != 1 || dw__str_is_null(rows.cells[1])) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "CHANGES_RANGE_INVALID",
                             "expected a version or a time as bound of table_changes, found %.*s, "
                             "which is NULL",
                             DW_STR_ARG(expression));
    }
    out->is_time = !is_integer_type(rows.cells[0]);
    if (!out->is_time && !dw__str_to_i64(rows.cells[1], &out->version)) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "VERSION_INVALID",
                             "expected a version, found %.*s", DW_STR_ARG(rows.cells[1]));
    }
    return DW_OK;
}

/* Without the version of a time. */
static dw_status
evaluate(dw_execution *x, dw_str expression, bound *out)
{
    bool known;
    *out = (bound){0};
    DW_TRY(read_literal(x, expression, out, &known));
    if (!known && !out->is_time) {
        DW_TRY(ask_engine(x, expression, out));
    }
    return out->is_time
               ? dw__execution_time(x, expression, "a bound of table_changes", &out->micros)
               : DW_OK;
}

static dw_status
find_versions(dw_execution *x, dw_log *log, bound *first, bound *last)
{
    if (first->is_time && last->is_time && first->micros > last->micros) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "CHANGES_RANGE_INVALID",
                             "expected changes from a time to a later one, found the later first");
    }
    if (first->is_time) {
        DW_TRY(dw__log_version_from(log, first->micros, &first->version, x->err));
    }
    if (last->is_time) {
        DW_TRY(dw__log_version_at(log, last->micros, &last->version, x->err));
    }
    /* Two times between which nothing was committed: no changes. With versions it is a mistake. */
    bool may_be_empty = first->is_time && last->is_time;
    if (last->version < first->version && !may_be_empty) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "CHANGES_RANGE_INVALID",
                             "expected changes from a version to a later one, found %lld to %lld",
                             (long long) first->version, (long long) last->version);
    }
    return DW_OK;
}

dw_status
dw__execution_changes(dw_execution *x, dw_table *table, const dw_sql_changes *changes,
                      dw_log_changes **out)
{
    dw_sql_travel newest = {0};
    dw_log_snapshot *snapshot;
    bound first;
    bound last = {.version = INT64_MAX};
    *out = NULL;
    DW_TRY(dw__execution_snapshot(x, table, &newest, &snapshot));
    DW_TRY(evaluate(x, changes->first, &first));
    if (!dw__str_is_null(changes->last)) {
        DW_TRY(evaluate(x, changes->last, &last));
    }
    DW_TRY(find_versions(x, dw__table_log(table), &first, &last));
    DW_TRY(dw__log_changes_open(snapshot, first.version, last.version, out, x->err));
    dw_log_changes_ptr *slot = DW_VEC_PUSH(x->session->env->allocator, &x->changes);
    if (slot == NULL) {
        dw__log_changes_unref(*out);
        *out = NULL;
        return dw__error_oom(x->err);
    }
    *slot = *out;
    return DW_OK;
}
