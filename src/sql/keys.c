/*
 * Recognising SELECT columns FROM table WHERE column = integer AND ..., which needs no plan: see
 * dw_scan_source.keys. Whatever is more than that is planned.
 */
#include "sql/execution.h"

static bool
is_word(const dw_sql_text *sql, size_t idx, dw_keyword keyword)
{
    return sql->items[idx].kind == DW_TOKEN_WORD && sql->items[idx].keyword == keyword;
}

/* Columns alone, one behind the other: the * or names. What comes behind them. */
static size_t
skip_columns(const dw_sql_text *sql, size_t idx, size_t last)
{
    bool expects_column = true;
    for (; idx < last && !is_word(sql, idx, DW_KEYWORD_FROM); idx++) {
        bool is_column = dw__token_is_name(&sql->items[idx]) || dw__token_is_symbol(sql, idx, "*");
        if (expects_column ? !is_column : !dw__token_is_symbol(sql, idx, ",")) {
            return last;
        }
        expects_column = !expects_column;
    }
    return idx;
}

/* One `column = integer` at `idx`. */
static dw_status
take_key(dw_execution *x, const dw_sql_text *sql, size_t idx, size_t last, dw_scan_key *out,
         bool *found_out)
{
    *found_out = false;
    if (idx + 3 > last || !dw__token_is_name(&sql->items[idx]) ||
        !dw__token_is_symbol(sql, idx + 1, "=") ||
        !dw__str_to_i64(dw__token_text(sql, idx + 2), &out->value)) {
        return DW_OK;
    }
    DW_TRY(dw__token_name(sql, idx, &x->arena, &out->column, x->err));
    *found_out = true;
    return DW_OK;
}

dw_status
dw__execution_keys(dw_execution *x, const dw_binding *binding, dw_sql_range range,
                   dw_scan_source *source)
{
    const dw_sql_text *sql = binding->sql;
    if (binding->references.count != 1 || binding->edits.count != 1 ||
        !is_word(sql, range.first, DW_KEYWORD_SELECT)) {
        return DW_OK;
    }
    const dw_sql_edit *edit = &binding->edits.items[0];
    size_t idx = skip_columns(sql, range.first + 1, range.last);
    if (idx + 1 != edit->first || edit->last >= range.last ||
        !is_word(sql, edit->last, DW_KEYWORD_WHERE)) {
        return DW_OK;
    }
    dw_scan_key *keys = DW_ARENA_ARRAY(&x->arena, dw_scan_key, (range.last - edit->last) / 4 + 1);
    if (keys == NULL) {
        return dw__error_oom(x->err);
    }
    size_t count = 0;
    for (idx = edit->last + 1;; idx += 4) {
        bool found;
        DW_TRY(take_key(x, sql, idx, range.last, &keys[count], &found));
        if (!found) {
            return DW_OK;
        }
        count++;
        if (idx + 3 == range.last) {
            break;
        }
        if (!is_word(sql, idx + 3, DW_KEYWORD_AND)) {
            return DW_OK;
        }
    }
    source->keys = keys;
    source->key_count = count;
    return DW_OK;
}
