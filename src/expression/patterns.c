/*
 * Patterns inside strings: regular expressions of Java for RE2, date patterns of Java for strftime.
 * Only what means the same is let through. [EXPRESSION-1]
 */
#include "expression/translator.h"

/* What ends a line for Java where it is not told otherwise. */
#define LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- Regular expressions --------------------------------------------------------------------- */

/* The escape at `pos`; inside a class or not. */
static dw_status
put_regexp_escape(const dw_translator *tr, dw_str pattern, size_t *pos, bool in_class,
                  dw_strbuf *out)
{
    char c = *pos + 1 < pattern.len ? pattern.ptr[*pos + 1] : '\0';
    *pos += 2;
    if (c == 's') { /* RE2 leaves out the vertical tab */
        dw__strbuf_append(out,
                          in_class ? DW_STR("\\t\\n\\x0B\\f\\r ") : DW_STR("[\\t\\n\\x0B\\f\\r ]"));
        return DW_OK;
    }
    bool is_class = c == 'd' || c == 'w' || (!in_class && (c == 'D' || c == 'W'));
    bool is_control = c == 'n' || c == 'r' || c == 't' || c == 'f';
    bool is_mark = c > ' ' && c < 127 && !is_letter(c) && !(c >= '0' && c <= '9');
    if (!is_class && !is_control && !is_mark) {
        return dw__spark_refuse(tr, "the escape \\%c in a regular expression", c == '\0' ? ' ' : c);
    }
    dw__strbuf_append_char(out, '\\');
    dw__strbuf_append_char(out, c);
    return DW_OK;
}

/* From the bracket at `pos`: characters, ranges and escapes; Java's classes in classes are not
 * RE2's. */
static dw_status
put_class(const dw_translator *tr, dw_str pattern, size_t *pos, dw_strbuf *out)
{
    dw__strbuf_append_char(out, '[');
    *pos += 1;
    if (*pos < pattern.len && pattern.ptr[*pos] == '^') {
        dw__strbuf_append_char(out, '^');
        *pos += 1;
    }
    size_t begin = *pos;
    while (*pos < pattern.len) {
        char c = pattern.ptr[*pos];
        bool is_and = c == '&' && *pos + 1 < pattern.len && pattern.ptr[*pos + 1] == '&';
        if (c == '[' || is_and || (c == ']' && *pos == begin)) {
            return dw__spark_refuse(tr, "a class in a class of a regular expression");
        }
        if (c == '\\') {
            DW_TRY(put_regexp_escape(tr, pattern, pos, true, out));
            continue;
        }
        dw__strbuf_append_char(out, c);
        *pos += 1;
        if (c == ']') {
            return DW_OK;
        }
    }
    return dw__spark_invalid(tr, "a class of a regular expression is not closed");
}

static dw_status
put_group(const dw_translator *tr, dw_str pattern, size_t *pos, dw_strbuf *out)
{
    bool is_special = *pos + 1 < pattern.len && pattern.ptr[*pos + 1] == '?';
    if (is_special && !(*pos + 2 < pattern.len && pattern.ptr[*pos + 2] == ':')) {
        return dw__spark_refuse(tr, "a group of the kind (?...) in a regular expression");
    }
    dw__strbuf_append(out, is_special ? DW_STR("(?:") : DW_STR("("));
    *pos += is_special ? 3 : 1;
    return DW_OK;
}

/* A quantifier; possessive ones are Java's alone. */
static dw_status
put_quantifier(const dw_translator *tr, dw_str pattern, size_t *pos, dw_strbuf *out)
{
    char c = pattern.ptr[*pos];
    do {
        dw__strbuf_append_char(out, pattern.ptr[*pos]);
        *pos += 1;
    } while (c == '{' && *pos < pattern.len && pattern.ptr[*pos - 1] != '}');
    if (*pos < pattern.len && pattern.ptr[*pos] == '+') {
        return dw__spark_refuse(tr, "a possessive quantifier in a regular expression");
    }
    if (*pos < pattern.len && pattern.ptr[*pos] == '?') {
        dw__strbuf_append_char(out, '?');
        *pos += 1;
    }
    return DW_OK;
}

static dw_status
put_regexp(const dw_translator *tr, dw_str pattern, dw_strbuf *out)
{
    size_t pos = 0;
    while (pos < pattern.len) {
        char c = pattern.ptr[pos];
        if (c == '\\') {
            DW_TRY(put_regexp_escape(tr, pattern, &pos, false, out));
        } else if (c == '[') {
            DW_TRY(put_class(tr, pattern, &pos, out));
        } else if (c == '(') {
            DW_TRY(put_group(tr, pattern, &pos, out));
        } else if (c == '*' || c == '+' || c == '?' || c == '{') {
            DW_TRY(put_quantifier(tr, pattern, &pos, out));
        } else {
            pos++;
            if (c == '.') {
                dw__strbuf_append_literal(out, "[^" LINE_ENDS "]");
            } else if (c == '$') { /* also before the last line's end */
                dw__strbuf_append_literal(out, "(?:\\r\\n|[" LINE_ENDS "])?\\z");
            } else {
                dw__strbuf_append_char(out, c);
            }
        }
    }
    return DW_OK;
}

dw_status
dw__spark_regexp(const dw_translator *tr, dw_str pattern, dw_str *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    DW_TRY(put_regexp(tr, pattern, &text));
    DW_TRY(dw__strbuf_ok(&text, "a regular expression", tr->err));
    return dw__arena_dup(tr->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(tr->err);
}

/* ---- Date patterns --------------------------------------------------------------------------- */

static const struct {
    const char *java;
    const char *engine;
} date_parts[] = {
    {"yyyy", "%Y"},   {"uuuu", "%Y"}, {"yy", "%y"},  {"MM", "%m"},   {"M", "%-m"}, {"MMM", "%b"},
    {"MMMM", "%B"},   {"dd", "%d"},   {"d", "%-d"},  {"HH", "%H"},   {"H", "%-H"}, {"hh", "%I"},
    {"h", "%-I"},     {"mm", "%M"},   {"m", "%-M"},  {"ss", "%S"},   {"s", "%-S"}, {"SSS", "%g"},
    {"SSSSSS", "%f"}, {"a", "%p"},    {"DDD", "%j"}, {"EEEE", "%A"}, {"E", "%a"},  {"EEE", "%a"},
};

static dw_status
put_date_part(const dw_translator *tr, dw_str part, dw_strbuf *out)
{
    for (size_t i = 0; i < sizeof(date_parts) / sizeof(date_parts[0]); i++) {
        if (dw__str_equal(part, dw__str_from(date_parts[i].java))) {
            dw__strbuf_append(out, dw__str_from(date_parts[i].engine));
            return DW_OK;
        }
    }
    return dw__spark_refuse(tr, "'%.*s' in a date pattern", DW_STR_ARG(part));
}

/* 'text', from its quote on; '' is a quote. */
static dw_status
put_quoted(const dw_translator *tr, dw_str pattern, size_t *pos, dw_strbuf *out)
{
    size_t begin = *pos;
    for (*pos += 1; *pos < pattern.len; *pos += 1) {
        char c = pattern.ptr[*pos];
        if (c == '\'') {
            bool is_doubled = *pos + 1 < pattern.len && pattern.ptr[*pos + 1] == '\'';
            bool is_empty = *pos == begin + 1;
            if (is_empty || is_doubled) {
                dw__strbuf_append_char(out, '\'');
            }
            *pos += 1;
            if (!is_doubled || is_empty) {
                return DW_OK;
            }
            continue;
        }
        dw__strbuf_append_char(out, c);
        dw__strbuf_append(out, c == '%' ? DW_STR("%") : DW_STR(""));
    }
    return dw__spark_invalid(tr, "a quote in a date pattern is not closed");
}

dw_status
dw__spark_date_pattern(const dw_translator *tr, dw_str pattern, dw_str *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    size_t pos = 0;
    while (pos < pattern.len) {
        char c = pattern.ptr[pos];
        size_t begin = pos;
        if (c == '\'') {
            DW_TRY(put_quoted(tr, pattern, &pos, &text));
        } else if (is_letter(c)) {
            while (pos < pattern.len && pattern.ptr[pos] == c) {
                pos++;
            }
            DW_TRY(put_date_part(tr, dw__str_slice(pattern, begin, pos - begin), &text));
        } else if (c == '[' || c == ']' || c == '{' || c == '}' || c == '#') {
            return dw__spark_refuse(tr, "'%c' in a date pattern", c);
        } else {
            pos++;
            dw__strbuf_append_char(&text, c);
            dw__strbuf_append(&text, c == '%' ? DW_STR("%") : DW_STR(""));
        }
    }
    DW_TRY(dw__strbuf_ok(&text, "a date pattern", tr->err));
    return dw__arena_dup(tr->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(tr->err);
}
