/*
 * Text for pages: nothing that comes from a table is ever taken for markup.
 *
 *  [HTML-1] Everything that is put as text is escaped, for elements and attributes alike; controls,
 *           among them those that turn the direction of writing, become U+FFFD.
 */
#ifndef DW_STATISTICS_HTML_H
#define DW_STATISTICS_HTML_H

#include "base/strbuf.h"

/* Appends the text, at most `characters_max` characters of it (then "..."); 0: all. */
void dw__html_put_text(dw_strbuf *out, dw_str text, size_t characters_max);
/* Appends "812 B", "1.2 MB". */
void dw__html_put_size(dw_strbuf *out, double bytes);
/* Appends 31033 as "31,033". */
void dw__html_put_count(dw_strbuf *out, int64_t count);
/* Appends "3.1 M" for axes. */
void dw__html_put_short(dw_strbuf *out, double count);

#endif
