/*
 * Names and texts as they must stand in SQL.
 */
#include "engine/database.h"

static void
put_quoted(dw_strbuf *out, dw_str text, char quote)
{
    dw__strbuf_append_char(out, quote);
    for (size_t start = 0; start < text.len;) {
        dw_str rest = dw__str_slice(text, start, text.len - start);
        size_t at = dw__str_find(rest, quote);
        size_t len = at == SIZE_MAX ? rest.len : at + 1;
        dw__strbuf_append(out, dw__str_slice(rest, 0, len));
        if (at != SIZE_MAX) {
            dw__strbuf_append_char(out, quote);
        }
        start += len;
    }
    dw__strbuf_append_char(out, quote);
}

void
dw__sql_put_identifier(dw_strbuf *out, dw_str name)
{
    put_quoted(out, name, '"');
}

void
dw__sql_put_literal(dw_strbuf *out, dw_str text)
{
    put_quoted(out, text, '\'');
}
