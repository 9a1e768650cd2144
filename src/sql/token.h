/*
 * Tokens of SQL text, by the engine's lexical rules (PostgreSQL's) and Spark's backquoted
 * identifiers.
 *
 *  [TOKEN-1] Tokens lie in the text one behind the other; between them is only white space and
 *            comments.
 *  [TOKEN-2] Every byte sequence cuts into tokens: what is wrong is one token of kind BAD to the
 *            end.
 *  [TOKEN-3] No recursion: comments and quotes may nest as deep as they like.
 */
#ifndef DW_SQL_TOKEN_H
#define DW_SQL_TOKEN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"
#include "sql/keyword.h"

typedef enum dw_token_kind {
    DW_TOKEN_END,        /* behind the last one */
    DW_TOKEN_WORD,       /* an identifier without quotes, or a keyword */
    DW_TOKEN_QUOTED,     /* "name" */
    DW_TOKEN_BACKQUOTED, /* `name` */
    DW_TOKEN_STRING,     /* 'text', E'text', $$text$$ and their kin, with continuations */
    DW_TOKEN_NUMBER,
    DW_TOKEN_PARAMETER, /* $1, ?1; a bare ? is a SYMBOL */
    DW_TOKEN_SYMBOL,    /* an operator or one of ( ) [ ] { } , ; . : */
    DW_TOKEN_BAD        /* not closed before the end of the text; see dw__token_problem */
} dw_token_kind;

typedef struct dw_token {
    uint32_t offset, len;
    uint16_t keyword; /* a dw_keyword, of a WORD */
    uint8_t kind;     /* a dw_token_kind */
    uint8_t flavour; /* of STRING and BAD: the character that it begins with: ' E X B U N $ / " ` */
} dw_token;

/* Cuts one token after the other. */
typedef struct dw_lexer {
    dw_str text;
    size_t pos;
} dw_lexer;

dw_token dw__lexer_next(dw_lexer *lexer);
/* What is wrong with a BAD token: "a string that is not closed". */
const char *dw__token_problem(const dw_token *token);

/* A statement cut into tokens; the last one is an END. `text` is borrowed. */
typedef struct dw_sql_text {
    const dw_allocator *allocator;
    dw_str text;
    dw_token *items;
    size_t count; /* with the END */
    size_t capacity;
} dw_sql_text;

/* DW_INVALID_ARGUMENT (PARSE_ERROR) for a token that is not closed or text that is not UTF-8, with
 * line and column. */
DW_WARN_UNUSED dw_status dw__sql_text_init(dw_sql_text *sql, const dw_allocator *allocator,
                                           dw_str text, dw_error *err);
void dw__sql_text_deinit(dw_sql_text *sql);

/* The bytes of a token, and from the first byte of token `first` to the last of `last - 1`. */
dw_str dw__token_text(const dw_sql_text *sql, size_t idx);
dw_str dw__tokens_text(const dw_sql_text *sql, size_t first, size_t last);
/* True for a SYMBOL that is that text. */
bool dw__token_is_symbol(const dw_sql_text *sql, size_t idx, const char *symbol);
/* True for a WORD, QUOTED or BACKQUOTED token. */
bool dw__token_is_name(const dw_token *token);
/* True when nothing stands between a token and the one behind it. */
bool dw__token_touches_next(const dw_sql_text *sql, size_t idx);

/* True when DISTINCT FROM stands somewhere in the text. */
bool dw__sql_compares_nulls(const dw_sql_text *sql);

/* The name that a WORD, QUOTED or BACKQUOTED token stands for: quotes taken off, doubled ones made
 * single. A WORD keeps its case. In `arena`, or borrowed from the text. */
DW_WARN_UNUSED dw_status dw__token_name(const dw_sql_text *sql, size_t idx, dw_arena *arena,
                                        dw_str *out, dw_error *err);
/* The value of a STRING of any flavour but U and X and B. DW_INVALID_ARGUMENT (PARSE_ERROR). */
DW_WARN_UNUSED dw_status dw__token_string(const dw_sql_text *sql, size_t idx, dw_arena *arena,
                                          dw_str *out, dw_error *err);

/* Line and column (in characters) of an offset, both from 1. */
typedef struct dw_sql_place {
    size_t line, column;
} dw_sql_place;
dw_sql_place dw__sql_place(dw_str text, size_t offset);

static inline void
dw__dw_sql_text_cleanup(dw_sql_text *sql)
{
    dw__sql_text_deinit(sql);
}

#endif
