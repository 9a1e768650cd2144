/*
 * Reading the condition of REPLACE WHERE twice.
 */
#include "sql/insert_replace.h"

#include "sql/lineage.h"
#include "sql/parse.h"

/* ---- As a demand on rows --------------------------------------------------------------------- */

/* The number of tokens of "part." or "part.part." at `pos` that name the table. */
static size_t
qualifier_length(dw_execution *x, const dw_sql_text *sql, size_t pos, const dw_str *parts,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dw_str name;
        size_t at = pos + 2 * i;
        if (at + 1 >= sql->count || !dw__token_is_name(&sql->items[at]) ||
            !dw__token_is_symbol(sql, at + 1, ".") ||
            dw__token_name(sql, at, &x->arena, &name, NULL) != DW_OK ||
            !dw__str_equal_nocase(name, parts[i])) {
            return 0;
        }
    }
    return 2 * count;
}

/* The table's name before a column is left out: new rows are of no table yet. */
static size_t
skip_qualifier(dw_execution *x, const dw_sql_text *sql, size_t pos)
{
    const dw_sql_name *table = &x->statement.as.insert.name;
    if (pos > 0 && dw__token_is_symbol(sql, pos - 1, ".")) {
        return 0;
    }
    size_t len = qualifier_length(x, sql, pos, table->parts, table->part_count);
    if (len > 0) {
        return len;
    }
    dw_str last = table->parts[table->part_count - 1];
    size_t slash = dw__str_find_last(last, '/');
    if (table->is_path && slash != SIZE_MAX) {
        last = dw__str_slice(last, slash + 1, last.len);
    }
    return qualifier_length(x, sql, pos, &last, 1);
}

static dw_status
print_condition(dw_execution *x, const dw_sql_text *sql, dw_str *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    size_t end = sql->count - 1;
    size_t from = 0;
    for (size_t i = 0; i < end; i++) {
        size_t len = skip_qualifier(x, sql, i);
        if (sql->items[i].keyword == DW_KEYWORD_SELECT) {
            return dw__error_set(x->err, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                                 "a query in the condition of REPLACE WHERE is not supported, as "
                                 "in Spark: name the values");
        }
        if (len > 0) {
            DW_TRY(dw__sql_range_append(&text, sql, (dw_sql_range){from, i}, &x->arena, x->err));
            dw__strbuf_append_char(&text, ' ');
            from = i + len;
            i = from - 1;
        }
    }
    DW_TRY(dw__sql_range_append(&text, sql, (dw_sql_range){from, end}, &x->arena, x->err));
    DW_TRY(dw__strbuf_ok(&text, "the condition", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(x->err);
}

static dw_status
read_condition(dw_execution *x, dw_str *out)
{
    dw_sql_text sql;
    dw_status status = dw__sql_text_init(&sql, x->arena.allocator,
                                         x->statement.as.insert.options.replace_where, x->err);
    if (status == DW_OK) {
        status = print_condition(x, &sql, out);
    }
    dw__sql_text_deinit(&sql);
    return status;
}

/* ---- As a query ------------------------------------------------------------------------------ */

dw_status
dw__insert_replace_open(dw_execution *x, dw_table *table, dw_insert_replace *out)
{
    const dw_insert_statement *insert = &x->statement.as.insert;
    *out = (dw_insert_replace){.chosen = {.scan = NULL}};
    DW_TRY(read_condition(x, &out->condition));
    dw_str name = dw__tokens_text(&x->sql, insert->name_first, insert->name_end);
    dw_str prefix = dw__arena_printf(&x->arena, "%s_where", x->scan_prefix);
    if (dw__str_is_null(prefix)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__row_query_choose(x, name, insert->options.replace_where, prefix.ptr, &out->chosen));
    DW_TRY(dw__execution_note_choice(x, out->chosen.scan));
    out->rows = (dw_row_change_spec){.table = table,
                                     .connection = x->session->connection,
                                     .snapshot = out->chosen.sources[0].snapshot,
                                     .operation = "WRITE",
                                     .scan = out->chosen.scan,
                                     .query = out->chosen.sql,
                                     .predicate = insert->options.replace_where,
                                     .name_prefix = dw__str_from(x->scan_prefix)};
    return DW_OK;
}

void
dw__insert_replace_close(dw_insert_replace *replace)
{
    dw__row_query_deinit(&replace->chosen);
}
