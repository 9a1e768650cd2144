/*
 * Cutting expressions into tokens.
 */
#include "expression/spark_token.h"

#include "base/strbuf.h"
#include "expression/expression.h"

typedef struct lexer {
    dw_str text;
    size_t pos;
    dw_arena *arena;
    dw_error *err;
} lexer;

static char
char_at(const lexer *lex, size_t idx)
{
    return idx < lex->text.len ? lex->text.ptr[idx] : '\0';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char) c >= 128;
}

static dw_status
not_closed(const lexer *lex, const char *what)
{
    return dw__error_set(lex->err, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID",
                         "%s is not closed before the end of the expression", what);
}

static void
skip_space(lexer *lex)
{
    for (;;) {
        char c = char_at(lex, lex->pos);
        if (lex->pos < lex->text.len && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            lex->pos++;
        } else if (c == '-' && char_at(lex, lex->pos + 1) == '-') {
            while (lex->pos < lex->text.len && lex->text.ptr[lex->pos] != '\n') {
                lex->pos++;
            }
        } else {
            return;
        }
    }
}

/* ---- Quoted ---------------------------------------------------------------------------------- */

/* The escape whose backslash is at `pos`, by Spark's rules; `pos` moves behind it. */
static dw_status
append_escape(lexer *lex, dw_strbuf *out)
{
    static const char names[] = "bnrt\\'\"";
    static const char values[] = "\b\n\r\t\\'\"";
    char c = char_at(lex, lex->pos + 1);
    if (c == '%' || c == '_') { /* kept for LIKE */
        dw__strbuf_append_char(out, '\\');
        dw__strbuf_append_char(out, c);
    } else if (c == 'u' || c == 'U' || c == 'Z' || is_digit(c)) {
        return dw__error_set(lex->err, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED",
                             "the escape \\%c in a string is not supported", c);
    } else {
        const char *name = c == '\0' ? NULL : strchr(names, c);
        dw__strbuf_append_char(out, name == NULL ? c : values[name - names]);
    }
    lex->pos += 2;
    return DW_OK;
}

/* From the quote at `pos`. Two quotes stand for one, as in Spark 4. */
static dw_status
read_string(lexer *lex, bool is_raw, dw_str *out)
{
    char quote = char_at(lex, lex->pos);
    DW_AUTO(dw_strbuf) value = dw__strbuf_make(lex->arena->allocator, DW_EXPRESSION_BYTES_MAX);
    lex->pos++;
    for (;;) {
        char c = char_at(lex, lex->pos);
        if (lex->pos >= lex->text.len) {
            return not_closed(lex, "a string");
        }
        if (c == '\\' && !is_raw) {
            DW_TRY(append_escape(lex, &value));
            continue;
        }
        lex->pos++;
        if (c == quote) {
            if (is_raw || char_at(lex, lex->pos) != quote) {
                break;
            }
            lex->pos++;
        }
        dw__strbuf_append_char(&value, c);
    }
    DW_TRY(dw__strbuf_ok(&value, "a string", lex->err));
    return dw__arena_dup(lex->arena, dw__strbuf_str(&value), out) ? DW_OK : dw__error_oom(lex->err);
}

static dw_status
read_name(lexer *lex, dw_str *out)
{
    DW_AUTO(dw_strbuf) value = dw__strbuf_make(lex->arena->allocator, DW_EXPRESSION_BYTES_MAX);
    lex->pos++;
    for (;;) {
        char c = char_at(lex, lex->pos);
        if (lex->pos >= lex->text.len) {
            return not_closed(lex, "a name in backquotes");
        }
        lex->pos++;
        if (c == '`') {
            if (char_at(lex, lex->pos) != '`') {
                break;
            }
            lex->pos++;
        }
        dw__strbuf_append_char(&value, c);
    }
    DW_TRY(dw__strbuf_ok(&value, "a name", lex->err));
    return dw__arena_dup(lex->arena, dw__strbuf_str(&value), out) ? DW_OK : dw__error_oom(lex->err);
}

/* ---- The rest -------------------------------------------------------------------------------- */

static size_t
number_end(const lexer *lex)
{
    size_t end = lex->pos;
    while (is_digit(char_at(lex, end))) {
        end++;
    }
    if (char_at(lex, end) == '.') {
        end++;
        while (is_digit(char_at(lex, end))) {
            end++;
        }
    }
    char e = char_at(lex, end);
    size_t sign = char_at(lex, end + 1) == '+' || char_at(lex, end + 1) == '-' ? 1 : 0;
    if ((e == 'e' || e == 'E') && is_digit(char_at(lex, end + 1 + sign))) {
        end += 1 + sign;
        while (is_digit(char_at(lex, end))) {
            end++;
        }
    }
    while (is_letter(char_at(lex, end)) && end < lex->text.len) { /* a suffix such as L or BD */
        end++;
    }
    return end;
}

static size_t
symbol_length(const lexer *lex)
{
    static const char *const longer[] = {"<=>", "<>", "<=", ">=", "!=", "==", "||", "::"};
    for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        dw_str symbol = dw__str_from(longer[i]);
        if (dw__str_equal(dw__str_slice(lex->text, lex->pos, symbol.len), symbol)) {
            return symbol.len;
        }
    }
    return 1;
}

static dw_status
read_token(lexer *lex, dw_spark_token *out)
{
    size_t begin = lex->pos;
    char c = char_at(lex, begin);
    char next = char_at(lex, begin + 1);
    bool is_raw = (c == 'r' || c == 'R') && (next == '\'' || next == '"');
    if (is_raw || c == '\'' || c == '"') {
        lex->pos += is_raw ? 1 : 0;
        out->kind = DW_SPARK_STRING;
        return read_string(lex, is_raw, &out->text);
    }
    if (c == '`') {
        out->kind = DW_SPARK_NAME;
        return read_name(lex, &out->text);
    }
    if (is_digit(c) || (c == '.' && is_digit(next))) {
        out->kind = DW_SPARK_NUMBER;
        lex->pos = number_end(lex);
    } else if (is_letter(c)) {
        out->kind = DW_SPARK_WORD;
        while (lex->pos < lex->text.len &&
               (is_letter(char_at(lex, lex->pos)) || is_digit(char_at(lex, lex->pos)))) {
            lex->pos++;
        }
    } else {
        out->kind = DW_SPARK_SYMBOL;
        lex->pos += symbol_length(lex);
    }
    out->text = dw__str_slice(lex->text, begin, lex->pos - begin);
    return DW_OK;
}

dw_status
dw__spark_tokens(dw_str text, dw_arena *arena, dw_spark_token **out, dw_error *err)
{
    lexer lex = {.text = text, .arena = arena, .err = err};
    *out = NULL;
    if (text.len > DW_EXPRESSION_BYTES_MAX) {
        return dw__error_set(err, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED",
                             "an expression of %zu bytes is too long: at most %zu are supported",
                             text.len, DW_EXPRESSION_BYTES_MAX);
    }
    if (!dw__str_is_utf8(text) || dw__str_find(text, '\0') != SIZE_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID",
                             "the expression is not UTF-8 text");
    }
    /* A token takes a byte or more. */
    dw_spark_token *tokens = DW_ARENA_ARRAY(arena, dw_spark_token, text.len + 1);
    if (tokens == NULL) {
        return dw__error_oom(err);
    }
    size_t count = 0;
    for (skip_space(&lex); lex.pos < text.len; skip_space(&lex)) {
        DW_TRY(read_token(&lex, &tokens[count]));
        count++;
    }
    tokens[count] = (dw_spark_token){.kind = DW_SPARK_END, .text = DW_STR("the end")};
    *out = tokens;
    return DW_OK;
}
