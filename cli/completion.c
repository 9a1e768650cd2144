/*
 * Completion of words. The names of tables and columns are asked for at each Tab: both come from
 * directories and logs alone, in milliseconds, and are never out of date.
 */
#include "completion.h"

#include "cell.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CANDIDATES_MAX 100
#define WORD_ENDS " \t\n,;()=<>+*/"

static const char *const keywords[] = {
    "ALL",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "CHECKPOINT",
    "COMPACT LOG",
    "COPY INTO",
    "COUNT",
    "CREATE OR REPLACE TABLE",
    "CREATE TABLE",
    "DELTA",
    "DESC",
    "DESCRIBE",
    "DETAIL",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXPLAIN",
    "FILEFORMAT",
    "FROM",
    "GROUP BY",
    "HAVING",
    "HISTORY",
    "INSERT INTO",
    "INSERT OVERWRITE",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "NOT",
    "NULL",
    "ORDER BY",
    "PARTITION",
    "PARTITIONED BY",
    "SELECT",
    "SHOW CREATE TABLE",
    "SHOW TABLES",
    "SHOW TBLPROPERTIES",
    "SUMMARIZE",
    "TBLPROPERTIES",
    "THEN",
    "TIMESTAMP AS OF",
    "UNION ALL",
    "USING",
    "VALUES",
    "VERSION AS OF",
    "WHEN",
    "WHERE",
    "WITH",
};

/* ---- Candidates ------------------------------------------------------------------------------ */

/* Cuts the word back to what it has in common with the candidate. */
static void
keep_common(text *word, const char *candidate, size_t len)
{
    size_t same = 0;
    while (same < word->len && same < len &&
           strncasecmp(word->ptr + same, candidate + same, 1) == 0) {
        same++;
    }
    word->len = same;
    word->ptr[same] = '\0';
}

static bool
is_listed(const completion *found, const char *candidate, size_t len)
{
    for (const char *line = text_cstr(&found->list); *line != '\0';) {
        size_t line_len = strcspn(line, "\n");
        if (line_len == len && strncmp(line, candidate, len) == 0) {
            return true;
        }
        line += line_len + (line[line_len] == '\n' ? 1 : 0);
    }
    return false;
}

/* Adds one that begins with what was typed, whatever its case. */
static void
offer(completion *found, const char *typed, const char *candidate, size_t len)
{
    if (len < found->typed_len || strncasecmp(candidate, typed, found->typed_len) != 0 ||
        found->count == CANDIDATES_MAX || is_listed(found, candidate, len)) {
        return;
    }
    if (found->count == 0) {
        text_append(&found->word, candidate, len);
    } else {
        keep_common(&found->word, candidate, len);
    }
    found->count++;
    text_append(&found->list, candidate, len);
    text_append_char(&found->list, '\n');
}

/* Offers the values of one column of a statement's rows. A statement that fails offers nothing. */
static void
offer_rows(dw_session *session, const char *sql, int64_t column, completion *found,
           const char *typed)
{
    dw_error err = DW_ERROR_INIT;
    dw_result *result = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    if (dw_session_execute(session, sql, NULL, &result, &err) == DW_OK && result != NULL &&
        dw_result_has_rows(result) && dw_result_stream(result, &rows, &err) == DW_OK &&
        rows.get_schema(&rows, &schema) == 0) {
        while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
            for (int64_t row = 0; row < batch.length; row++) {
                text name = {0};
                cell_append_text(&name, schema.children[column], batch.children[column],
                                 row + batch.offset);
                offer(found, typed, text_cstr(&name), name.len);
                text_free(&name);
            }
            batch.release(&batch);
        }
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    dw_result_free(result);
}

/* ---- Columns --------------------------------------------------------------------------------- */

static bool
is_word(const char *start, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(start, word, len) == 0;
}

/* Offers the columns of the tables behind FROM, JOIN, INTO and the like. */
static void
offer_columns(dw_session *session, const char *statement, completion *found, const char *typed)
{
    static const char *const before_tables[] = {"FROM", "JOIN", "INTO", "OVERWRITE", "TABLE"};
    bool is_table = false;
    for (const char *word = statement + strspn(statement, WORD_ENDS); *word != '\0';) {
        size_t len = strcspn(word, WORD_ENDS);
        if (is_table && word != typed) {
            text sql = {0};
            text_append_cstr(&sql, "DESCRIBE ");
            text_append(&sql, word, len);
            offer_rows(session, text_cstr(&sql), 0, found, typed);
            text_free(&sql);
        }
        is_table = false;
        for (size_t i = 0; i < sizeof(before_tables) / sizeof(before_tables[0]); i++) {
            is_table = is_table || is_word(word, len, before_tables[i]);
        }
        word += len;
        word += strspn(word, WORD_ENDS);
    }
}

void
completion_find(dw_session *session, const char *statement, size_t cursor, completion *out)
{
    *out = (completion){0};
    const char *typed = statement + cursor;
    while (typed > statement && strchr(WORD_ENDS, typed[-1]) == NULL) {
        typed--;
    }
    out->typed_len = (size_t) (statement + cursor - typed);
    if (out->typed_len == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        offer(out, typed, keywords[i], strlen(keywords[i]));
    }
    offer_rows(session, "SHOW TABLES", 1, out, typed);
    offer_columns(session, statement, out, typed);
}

void
completion_free(completion *found)
{
    text_free(&found->word);
    text_free(&found->list);
}
