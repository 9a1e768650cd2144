/*
 * Cuts SQL text into tokens. The rules are those of the engine's scanner (PostgreSQL's, with `//`
 * and without bit operators of its own), so that a boundary that we see is one that it sees, too.
 * The one difference is the backquote, which begins an identifier here as in Spark. [TOKEN-1..3]
 */
#include "base/assert.h"
#include "sql/sql.h"
#include "sql/token.h"

static unsigned char
byte_at(dw_str text, size_t pos)
{
    return pos < text.len ? (unsigned char) text.ptr[pos] : 0;
}

static bool
is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool
is_word_byte(unsigned char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

/* ---- White space and comments ---------------------------------------------------------------- */

/* The length of a space at `pos`, 0 if there is none. The engine takes these characters beyond
 * ASCII for spaces, wherever they stand outside of quotes. */
static size_t
space_len(dw_str text, size_t pos)
{
    unsigned char a = byte_at(text, pos);
    if (a == ' ' || a == '\t' || a == '\n' || a == '\r' || a == '\f') {
        return 1;
    }
    if (a < 0x80) {
        return 0;
    }
    unsigned char b = byte_at(text, pos + 1);
    unsigned char c = byte_at(text, pos + 2);
    if (a == 0xC2 && b == 0xA0) {
        return 2;
    }
    bool is_space = (a == 0xE2 && b == 0x80 && ((c >= 0x80 && c <= 0x8B) || c == 0xAF)) ||
                    (a == 0xE2 && b == 0x81 && (c == 0x9F || c == 0xA0)) ||
                    (a == 0xE3 && b == 0x80 && c == 0x80) || (a == 0xEF && b == 0xBB && c == 0xBF);
    return is_space ? 3 : 0;
}

static size_t
skip_line(dw_str text, size_t pos)
{
    while (pos < text.len && text.ptr[pos] != '\n' && text.ptr[pos] != '\r') {
        pos++;
    }
    return pos;
}

/* Behind the comment that begins at `pos`, or SIZE_MAX when it is not closed. */
static size_t
skip_block_comment(dw_str text, size_t pos)
{
    size_t depth = 0;
    while (pos + 1 < text.len) {
        if (text.ptr[pos] == '/' && text.ptr[pos + 1] == '*') {
            depth++;
            pos += 2;
        } else if (text.ptr[pos] == '*' && text.ptr[pos + 1] == '/') {
            pos += 2;
            if (--depth == 0) {
                return pos;
            }
        } else {
            pos++;
        }
    }
    return SIZE_MAX;
}

/* Moves to the next token. False at a comment that is not closed. */
static bool
skip_blank(dw_lexer *lexer)
{
    dw_str text = lexer->text;
    while (lexer->pos < text.len) {
        size_t space = space_len(text, lexer->pos);
        unsigned char a = byte_at(text, lexer->pos);
        unsigned char b = byte_at(text, lexer->pos + 1);
        if (space > 0) {
            lexer->pos += space;
        } else if (a == '-' && b == '-') {
            lexer->pos = skip_line(text, lexer->pos);
        } else if (a == '/' && b == '*') {
            size_t end = skip_block_comment(text, lexer->pos);
            if (end == SIZE_MAX) {
                return false;
            }
            lexer->pos = end;
        } else {
            return true;
        }
    }
    return true;
}

/* ---- Quoted tokens: each returns the position behind the token, or SIZE_MAX if it is open ---- */

/* `pos` is behind the opening quote. A doubled quote stands for itself. */
static size_t
scan_quoted(dw_str text, size_t pos, char quote)
{
    for (; pos < text.len; pos++) {
        if (text.ptr[pos] == quote) {
            if (byte_at(text, pos + 1) != (unsigned char) quote) {
                return pos + 1;
            }
            pos++;
        }
    }
    return SIZE_MAX;
}

/* Literals with a line end between them are one: behind the next opening quote, or 0 if there is
 * none. */
static size_t
continuation(dw_str text, size_t pos)
{
    bool line_ended = false;
    while (pos < text.len) {
        char c = text.ptr[pos];
        if (c == '\'') {
            return line_ended ? pos + 1 : 0;
        }
        if (c == '-' && byte_at(text, pos + 1) == '-') {
            pos = skip_line(text, pos);
        } else if (c == ' ' || c == '\t' || c == '\f' || c == '\n' || c == '\r') {
            line_ended = line_ended || c == '\n' || c == '\r';
            pos++;
        } else {
            return 0;
        }
    }
    return 0;
}

static size_t
scan_string_part(dw_str text, size_t pos, bool has_escapes)
{
    if (!has_escapes) {
        return scan_quoted(text, pos, '\'');
    }
    while (pos < text.len) {
        if (text.ptr[pos] == '\\') {
            pos += 2;
        } else if (text.ptr[pos] != '\'') {
            pos++;
        } else if (byte_at(text, pos + 1) == '\'') {
            pos += 2;
        } else {
            return pos + 1;
        }
    }
    return SIZE_MAX;
}

static size_t
scan_string(dw_str text, size_t pos, bool has_escapes)
{
    for (;;) {
        pos = scan_string_part(text, pos, has_escapes);
        size_t next = pos == SIZE_MAX ? 0 : continuation(text, pos);
        if (next == 0) {
            return pos;
        }
        pos = next;
    }
}

/* The length of the "$tag$" at `pos`, 0 if there is none. */
static size_t
dollar_tag_len(dw_str text, size_t pos)
{
    size_t end = pos + 1;
    if (is_word_start(byte_at(text, end))) {
        while (is_word_byte(byte_at(text, end)) && text.ptr[end] != '$') {
            end++;
        }
    }
    return byte_at(text, end) == '$' ? end + 1 - pos : 0;
}

static size_t
scan_dollar_string(dw_str text, size_t pos, size_t tag_len)
{
    const char *tag = text.ptr + pos;
    for (pos += tag_len; pos + tag_len <= text.len; pos++) {
        if (text.ptr[pos] == '$' && memcmp(text.ptr + pos, tag, tag_len) == 0) {
            return pos + tag_len;
        }
    }
    return SIZE_MAX;
}

/* ---- Words, numbers, operators --------------------------------------------------------------- */

static size_t
scan_word(dw_str text, size_t pos)
{
    while (is_word_byte(byte_at(text, pos)) && pos < text.len && space_len(text, pos) == 0) {
        pos++;
    }
    return pos;
}

static size_t
scan_digits(dw_str text, size_t pos)
{
    while (is_digit(byte_at(text, pos)) ||
           (byte_at(text, pos) == '_' && is_digit(byte_at(text, pos + 1)))) {
        pos++;
    }
    return pos;
}

static size_t
scan_number(dw_str text, size_t pos)
{
    pos = scan_digits(text, pos);
    if (byte_at(text, pos) == '.' && byte_at(text, pos + 1) != '.') {
        pos++;
        if (is_digit(byte_at(text, pos))) {
            pos = scan_digits(text, pos);
        }
    }
    if (byte_at(text, pos) == 'e' || byte_at(text, pos) == 'E') {
        unsigned char sign = byte_at(text, pos + 1);
        size_t digits = pos + (sign == '+' || sign == '-' ? 2 : 1);
        if (is_digit(byte_at(text, digits))) {
            return scan_digits(text, digits);
        }
    }
    return pos;
}

static bool
is_operator_byte(unsigned char c)
{
    return c != '\0' && strchr("~!@^&|+-*/%<>=", c) != NULL;
}

/* An operator ends before a comment, and does not end in + or - unless it has a character that no
 * operator of standard SQL has. */
static size_t
scan_operator(dw_str text, size_t pos)
{
    size_t end = pos;
    bool is_special = false;
    while (is_operator_byte(byte_at(text, end))) {
        unsigned char a = byte_at(text, end);
        unsigned char b = byte_at(text, end + 1);
        if ((a == '-' && b == '-') || (a == '/' && b == '*')) {
            break;
        }
        is_special = is_special || strchr("~!@^&|%", a) != NULL;
        end++;
    }
    while (!is_special && end > pos + 1 && (text.ptr[end - 1] == '+' || text.ptr[end - 1] == '-')) {
        end--;
    }
    return end;
}

static size_t
scan_symbol(dw_str text, size_t pos)
{
    unsigned char a = byte_at(text, pos);
    unsigned char b = byte_at(text, pos + 1);
    if (is_operator_byte(a)) {
        return scan_operator(text, pos);
    }
    if ((a == ':' && (b == ':' || b == '=')) || (a == '.' && b == '.')) {
        return pos + 2;
    }
    return pos + 1;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

typedef struct scan {
    dw_token_kind kind;
    char flavour;
    size_t end; /* SIZE_MAX: the text ends inside the token */
} scan;

static scan
scan_word_or_prefixed(dw_str text, size_t pos)
{
    unsigned char a = byte_at(text, pos);
    unsigned char b = byte_at(text, pos + 1);
    unsigned char c = byte_at(text, pos + 2);
    char letter = (char) (a >= 'a' && a <= 'z' ? a - 'a' + 'A' : a);
    if (b == '\'' && (letter == 'E' || letter == 'X' || letter == 'B')) {
        return (scan){DW_TOKEN_STRING, letter, scan_string(text, pos + 2, letter == 'E')};
    }
    if (letter == 'U' && b == '&' && c == '\'') {
        return (scan){DW_TOKEN_STRING, 'U', scan_string(text, pos + 3, false)};
    }
    if (letter == 'U' && b == '&' && c == '"') {
        return (scan){DW_TOKEN_QUOTED, 'U', scan_quoted(text, pos + 3, '"')};
    }
    return (scan){DW_TOKEN_WORD, 0, scan_word(text, pos)};
}

static scan
scan_dollar(dw_str text, size_t pos)
{
    size_t tag_len = dollar_tag_len(text, pos);
    if (tag_len > 0) {
        return (scan){DW_TOKEN_STRING, '$', scan_dollar_string(text, pos, tag_len)};
    }
    if (is_digit(byte_at(text, pos + 1))) {
        return (scan){DW_TOKEN_PARAMETER, 0, scan_digits(text, pos + 1)};
    }
    return (scan){DW_TOKEN_SYMBOL, 0, pos + 1};
}

static scan
scan_token(dw_str text, size_t pos)
{
    unsigned char c = byte_at(text, pos);
    unsigned char next = byte_at(text, pos + 1);
    if (is_word_start(c)) {
        return scan_word_or_prefixed(text, pos);
    }
    if (is_digit(c) || (c == '.' && is_digit(next))) {
        return (scan){DW_TOKEN_NUMBER, 0, scan_number(text, pos)};
    }
    switch (c) {
    case '\'':
        return (scan){DW_TOKEN_STRING, '\'', scan_string(text, pos + 1, false)};
    case '"':
        return (scan){DW_TOKEN_QUOTED, '"', scan_quoted(text, pos + 1, '"')};
    case '`':
        return (scan){DW_TOKEN_BACKQUOTED, '`', scan_quoted(text, pos + 1, '`')};
    case '$':
        return scan_dollar(text, pos);
    case '?':
        if (is_digit(next)) {
            return (scan){DW_TOKEN_PARAMETER, 0, scan_digits(text, pos + 1)};
        }
        return (scan){DW_TOKEN_SYMBOL, 0, pos + 1};
    default:
        return (scan){DW_TOKEN_SYMBOL, 0, scan_symbol(text, pos)};
    }
}

dw_token
dw__lexer_next(dw_lexer *lexer)
{
    bool is_closed = skip_blank(lexer);
    size_t begin = lexer->pos;
    dw_token token = {.offset = (uint32_t) begin, .kind = DW_TOKEN_END};
    if (begin >= lexer->text.len) {
        return token;
    }
    scan found = is_closed ? scan_token(lexer->text, begin) : (scan){DW_TOKEN_BAD, '/', SIZE_MAX};
    if (found.end == SIZE_MAX) {
        found.kind = DW_TOKEN_BAD;
        found.end = lexer->text.len;
    }
    dw_assert(found.end > begin);
    dw_assert(found.end <= lexer->text.len);
    token.kind = (uint8_t) found.kind;
    token.flavour = (uint8_t) found.flavour;
    token.len = (uint32_t) (found.end - begin);
    if (found.kind == DW_TOKEN_WORD) {
        token.keyword = (uint16_t) dw__keyword_find((dw_str){lexer->text.ptr + begin, token.len});
    }
    lexer->pos = found.end;
    return token;
}

size_t
dw__sql_statement_length(dw_str sql)
{
    dw_lexer lexer = {.text = sql};
    for (;;) {
        dw_token token = dw__lexer_next(&lexer);
        if (token.kind == DW_TOKEN_END || token.kind == DW_TOKEN_BAD) {
            return 0;
        }
        if (token.kind == DW_TOKEN_SYMBOL && token.len == 1 && sql.ptr[lexer.pos - 1] == ';') {
            return lexer.pos;
        }
    }
}
