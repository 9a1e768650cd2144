/*
 * Recognising SELECT ... FROM table WHERE column = integer AND ..., which needs no plan: see
 * dw_scan_source.keys. Whatever is more than that is planned.
 */
#include "sql/execution.h"

static bool
is_word(const dw_sql_text *sql, size_t idx, dw_keyword keyword)
{
    return sql->items[idx].kind == DW_TOKEN_WORD && sql->items[idx].keyword == keyword;
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

/* What may stand behind the condition, and leaves it as it is. */
static bool
ends_condition(const dw_sql_text *sql, size_t idx)
{
    return is_word(sql, idx, DW_KEYWORD_GROUP) || is_word(sql, idx, DW_KEYWORD_ORDER) ||
           is_word(sql, idx, DW_KEYWORD_LIMIT);
}

/* All of `column = integer AND ...` from `idx` on; what comes behind it in `end_out`. */
static dw_status
take_keys(dw_execution *x, const dw_sql_text *sql, size_t idx, size_t last, dw_scan_source *source,
          size_t *end_out)
{
    dw_scan_key *keys = DW_ARENA_ARRAY(&x->arena, dw_scan_key, (last - idx) / 4 + 1);
    if (keys == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t count = 0;; idx += 4) {
        bool found;
        DW_TRY(take_key(x, sql, idx, last, &keys[count], &found));
        if (!found) {
            return DW_OK;
        }
        count++;
        if (idx + 3 == last || ends_condition(sql, idx + 3)) {
            source->keys = keys;
            source->key_count = count;
            *end_out = idx + 3;
            return DW_OK;
        }
        if (!is_word(sql, idx + 3, DW_KEYWORD_AND)) {
            return DW_OK;
        }
    }
}

/* Columns alone, one behind the other: the * or names. */
static bool
are_columns(const dw_sql_text *sql, size_t first, size_t last)
{
    bool expects_column = true;
    for (size_t i = first; i < last; i++) {
        bool is_column = dw__token_is_name(&sql->items[i]) || dw__token_is_symbol(sql, i, "*");
        if (expects_column ? !is_column : !dw__token_is_symbol(sql, i, ",")) {
            return false;
        }
        expects_column = !expects_column;
    }
    return !expects_column;
}

/* Notes what may be the name of a column between two places. */
static dw_status
note_names(dw_execution *x, const dw_sql_text *sql, size_t first, size_t last, dw_str *names,
           size_t *count, bool *has_star)
{
    for (size_t i = first; i < last; i++) {
        bool is_call = i + 1 < last && dw__token_is_symbol(sql, i + 1, "(");
        bool is_alias = i > first && is_word(sql, i - 1, DW_KEYWORD_AS);
        *has_star = *has_star || dw__token_is_symbol(sql, i, "*") ||
                    dw__token_is_symbol(sql, i, "#") || sql->items[i].kind == DW_TOKEN_STRING;
        if (dw__token_is_name(&sql->items[i]) && !is_call && !is_alias) {
            DW_TRY(dw__token_name(sql, i, &x->arena, &names[(*count)++], x->err));
        }
    }
    return DW_OK;
}

/* The columns that the statement names beside the place of its table, from `from` to `end`. */
static dw_status
note_wanted(dw_execution *x, const dw_sql_text *sql, dw_sql_range range, size_t from, size_t end,
            dw_scan_source *source)
{
    size_t count = 0;
    bool has_star = false;
    dw_str *names = DW_ARENA_ARRAY(&x->arena, dw_str, range.last - range.first + source->key_count);
    if (names == NULL) {
        return dw__error_oom(x->err);
    }
    DW_TRY(note_names(x, sql, range.first + 1, from, names, &count, &has_star));
    DW_TRY(note_names(x, sql, end, range.last, names, &count, &has_star));
    for (size_t i = 0; i < source->key_count; i++) {
        names[count++] = source->keys[i].column;
    }
    source->wanted = has_star ? NULL : names;
    source->wanted_count = has_star ? 0 : count;
    return DW_OK;
}

/* The statement has no query in it but itself: its first FROM is its own. */
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
    size_t end = 0;
    if (edit->first <= range.first + 1 || !is_word(sql, edit->first - 1, DW_KEYWORD_FROM) ||
        edit->last >= range.last || !is_word(sql, edit->last, DW_KEYWORD_WHERE)) {
        return DW_OK;
    }
    DW_TRY(take_keys(x, sql, edit->last + 1, range.last, source, &end));
    if (source->keys == NULL) {
        return DW_OK;
    }
    source->are_keys_all = end == range.last && are_columns(sql, range.first + 1, edit->first - 1);
    return note_wanted(x, sql, range, edit->first - 1, end, source);
}
