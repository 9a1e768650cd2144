/*
 * Looking for DEFAULT in VALUES, and writing the VALUES anew.
 */
#include "sql/insert_defaults.h"

#include "table/row_rules.h"

#define VALUES_BYTES_MAX ((size_t) 64 << 20)

/* The VALUES of a statement: items in rows of one width. */
typedef struct values_list {
    const dw_sql_text *sql;
    dw_sql_range *items; /* row by row */
    size_t count;
    size_t width;
    bool is_even; /* all rows have that width */
    bool has_default;
} values_list;

static bool
is_default(const values_list *values, size_t item)
{
    dw_sql_range range = values->items[item];
    return range.last == range.first + 1 &&
           values->sql->items[range.first].keyword == DW_KEYWORD_DEFAULT;
}

/* Reads one row in parentheses, from the opening one on; returns where it ends. */
static size_t
read_row(values_list *values, size_t pos, size_t last)
{
    size_t depth = 0;
    size_t begin = pos + 1;
    for (; pos < last; pos++) {
        bool opens = dw__token_is_symbol(values->sql, pos, "(") ||
                     dw__token_is_symbol(values->sql, pos, "[") ||
                     dw__token_is_symbol(values->sql, pos, "{");
        bool closes = dw__token_is_symbol(values->sql, pos, ")") ||
                      dw__token_is_symbol(values->sql, pos, "]") ||
                      dw__token_is_symbol(values->sql, pos, "}");
        depth += opens ? 1 : 0;
        depth -= closes ? 1 : 0;
        bool ends_item = (depth == 1 && dw__token_is_symbol(values->sql, pos, ",")) || depth == 0;
        if (ends_item) {
            values->items[values->count] = (dw_sql_range){begin, pos};
            values->has_default = values->has_default || is_default(values, values->count);
            values->is_even = values->is_even && begin < pos;
            values->count++;
            begin = pos + 1;
        }
        if (depth == 0) {
            return pos + 1;
        }
    }
    return last;
}

/* The list, or one without items when the query is no plain VALUES. */
static dw_status
read_values(dw_execution *x, values_list *out)
{
    dw_sql_range query = x->statement.as.insert.query;
    size_t pos = query.first + 1;
    *out = (values_list){.sql = &x->sql, .is_even = true};
    if (x->sql.items[query.first].keyword != DW_KEYWORD_VALUES) {
        return DW_OK;
    }
    out->items = DW_ARENA_ARRAY(&x->arena, dw_sql_range, query.last - query.first + 1);
    if (out->items == NULL) {
        return dw__error_oom(x->err);
    }
    while (pos < query.last && dw__token_is_symbol(out->sql, pos, "(")) {
        size_t before = out->count;
        pos = read_row(out, pos, query.last);
        out->width = before == 0 ? out->count : out->width;
        out->is_even = out->is_even && out->count - before == out->width;
        if (pos < query.last && dw__token_is_symbol(out->sql, pos, ",")) {
            pos++;
        }
    }
    out->is_even = out->is_even && pos == query.last;
    return DW_OK;
}

/* ---- What each position is for --------------------------------------------------------------- */

typedef struct position {
    dw_str column;
    const dw_column_rule *rule; /* NULL: the table has no such column */
    size_t default_count;
    bool is_left_out;
} position;

static bool
is_static_partition(const dw_insert_statement *insert, dw_str column)
{
    for (size_t i = 0; i < insert->static_partitions.count; i++) {
        if (dw__str_equal_nocase(insert->static_partitions.items[i].key, column)) {
            return true;
        }
    }
    return false;
}

/* The columns that the values are for, in order; false when there are not as many. */
static bool
name_positions(const dw_insert_statement *insert, const dw_row_rules *rules, size_t width,
               position *out)
{
    size_t count = 0;
    for (size_t i = 0; i < insert->column_count && i < width; i++) {
        out[count++].column = insert->columns[i];
    }
    for (size_t i = 0; insert->column_count == 0 && i < rules->schema->field_count; i++) {
        dw_str column = rules->schema->fields[i].name;
        if (is_static_partition(insert, column)) {
            continue;
        }
        if (count == width) {
            return false;
        }
        out[count++].column = column;
    }
    for (size_t i = 0; i < count; i++) {
        size_t idx = dw__schema_find_idx(rules->schema, out[i].column);
        out[i].rule = idx == SIZE_MAX ? NULL : &rules->columns[idx];
    }
    return count == width && (insert->column_count == 0 || insert->column_count == width);
}

/* Leaves out what is DEFAULT everywhere. */
static dw_status
choose_left_out(dw_execution *x, const values_list *values, position *positions)
{
    size_t row_count = values->count / values->width;
    for (size_t i = 0; i < values->count; i++) {
        positions[i % values->width].default_count += is_default(values, i) ? 1 : 0;
    }
    for (size_t i = 0; i < values->width; i++) {
        const dw_column_rule *rule = positions[i].rule;
        positions[i].is_left_out = positions[i].default_count == row_count;
        bool is_computed = rule != NULL && (rule->generation != NULL || rule->identity != NULL);
        if (!positions[i].is_left_out && positions[i].default_count > 0 && is_computed) {
            return dw__error_set(x->err, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                                 "column \"%.*s\" is generated, and DEFAULT in some rows only: "
                                 "split the rows over two statements",
                                 DW_STR_ARG(positions[i].column));
        }
    }
    return DW_OK;
}

/* ---- Writing it anew ------------------------------------------------------------------------- */

static void
put_item(const values_list *values, size_t item, const position *at, dw_strbuf *out)
{
    dw_sql_range range = values->items[item];
    if (!is_default(values, item)) {
        dw__strbuf_append(out, dw__tokens_text(values->sql, range.first, range.last));
        return;
    }
    const dw_expression *value = at->rule == NULL ? NULL : at->rule->default_value;
    dw__strbuf_append(out, value == NULL ? DW_STR("NULL") : value->sql);
}

/* Rows without any column cannot be written down: they get one that goes nowhere. */
static bool
has_columns(const values_list *values, const position *positions)
{
    for (size_t i = 0; i < values->width; i++) {
        if (!positions[i].is_left_out) {
            return true;
        }
    }
    return false;
}

static dw_status
put_values(dw_execution *x, const values_list *values, const position *positions, dw_str *out)
{
    bool is_empty = !has_columns(values, positions);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, VALUES_BYTES_MAX);
    dw__strbuf_append_literal(&text, "VALUES ");
    for (size_t i = 0; i < values->count; i += values->width) {
        const char *separator = i == 0 ? "(" : ", (";
        for (size_t k = 0; k < values->width; k++) {
            if (!positions[k].is_left_out) {
                dw__strbuf_append(&text, dw__str_from(separator));
                put_item(values, i + k, &positions[k], &text);
                separator = ", ";
            }
        }
        if (is_empty) {
            dw__strbuf_append(&text, dw__str_from(separator));
            dw__strbuf_append_literal(&text, "NULL");
        }
        dw__strbuf_append_char(&text, ')');
    }
    DW_TRY(dw__strbuf_ok(&text, "the statement", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(x->err);
}

static dw_status
name_columns(dw_execution *x, const values_list *values, const position *positions)
{
    dw_insert_statement *insert = &x->statement.as.insert;
    dw_str *columns = DW_ARENA_ARRAY(&x->arena, dw_str, values->width);
    if (columns == NULL) {
        return dw__error_oom(x->err);
    }
    insert->columns = columns;
    insert->column_count = 0;
    for (size_t i = 0; i < values->width; i++) {
        if (!positions[i].is_left_out) {
            columns[insert->column_count++] = positions[i].column;
        }
    }
    if (insert->column_count == 0) {
        columns[insert->column_count++] = DW_STR_NULL;
    }
    return DW_OK;
}

/* DEFAULT VALUES: one row, of which the table fills all. */
static dw_status
apply_default_row(dw_execution *x, dw_str *out)
{
    dw_insert_statement *insert = &x->statement.as.insert;
    insert->columns = DW_ARENA_ARRAY(&x->arena, dw_str, 1);
    if (insert->columns == NULL) {
        return dw__error_oom(x->err);
    }
    insert->columns[0] = DW_STR_NULL;
    insert->column_count = 1;
    *out = DW_STR("VALUES (NULL)");
    return DW_OK;
}

dw_status
dw__insert_apply_defaults(dw_execution *x, dw_table *table, dw_str *out)
{
    values_list values;
    dw_row_rules rules;
    *out = DW_STR_NULL;
    if (dw__sql_range_is_empty(x->statement.as.insert.query)) {
        return apply_default_row(x, out);
    }
    DW_TRY(read_values(x, &values));
    if (!values.has_default || !values.is_even || x->statement.as.insert.by_name) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, x->err));
    DW_TRY(dw__row_rules_read(dw__log_snapshot_protocol(snapshot),
                              dw__log_snapshot_metadata(snapshot),
                              dw__log_snapshot_schema(snapshot), &x->arena, &rules, x->err));
    position *positions = DW_ARENA_ARRAY(&x->arena, position, values.width + 1);
    if (positions == NULL) {
        return dw__error_oom(x->err);
    }
    if (!name_positions(&x->statement.as.insert, &rules, values.width, positions)) {
        return DW_OK; /* the count is wrong, as the write will say */
    }
    DW_TRY(choose_left_out(x, &values, positions));
    DW_TRY(put_values(x, &values, positions, out));
    for (size_t i = 0; i < values.width; i++) { /* names must outlive the snapshot */
        if (!dw__arena_dup(&x->arena, positions[i].column, &positions[i].column)) {
            return dw__error_oom(x->err);
        }
    }
    return name_columns(x, &values, positions);
}
