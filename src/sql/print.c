/*
 * Tokens back to text, in the engine's spelling.
 */
#include "base/strbuf.h"
#include "engine/database.h"
#include "sql/parse.h"
#include "sql/sql.h"

static dw_status
put_backquoted(const dw_sql_text *sql, size_t idx, dw_arena *arena, dw_strbuf *out, dw_error *err)
{
    dw_str name;
    DW_TRY(dw__token_name(sql, idx, arena, &name, err));
    dw__sql_put_identifier(out, name);
    return DW_OK;
}

/* White space and comments between tokens stay, so that the engine's messages show the user's own
 * lines. */
dw_status
dw__sql_range_append(dw_strbuf *out, const dw_sql_text *sql, dw_sql_range range, dw_arena *arena,
                     dw_error *err)
{
    if (dw__sql_range_is_empty(range)) {
        return DW_OK;
    }
    size_t from = sql->items[range.first].offset;
    for (size_t i = range.first; i < range.last; i++) {
        const dw_token *token = &sql->items[i];
        if (token->kind == DW_TOKEN_BACKQUOTED) {
            dw__strbuf_append(out, dw__str_slice(sql->text, from, token->offset - from));
            DW_TRY(put_backquoted(sql, i, arena, out, err));
            from = token->offset + token->len;
        }
    }
    const dw_token *last = &sql->items[range.last - 1];
    dw__strbuf_append(out, dw__str_slice(sql->text, from, last->offset + last->len - from));
    return DW_OK;
}

dw_status
dw__sql_range_print(const dw_sql_text *sql, dw_sql_range range, dw_arena *arena, dw_str *out,
                    dw_error *err)
{
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    *out = DW_STR_NULL;
    DW_TRY(dw__sql_range_append(&buf, sql, range, arena, err));
    DW_TRY(dw__strbuf_ok(&buf, "the statement", err));
    return dw__arena_dup(arena, dw__strbuf_str(&buf), out) ? DW_OK : dw__error_oom(err);
}
