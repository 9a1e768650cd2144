/*
 * The engine's words as dw_error [DATABASE-3]: "Parser Error: syntax error at or near ..." becomes
 * a status, a code and one line that keeps the hint and drops the picture of the statement.
 */
#include "engine/database.h"
#include "engine/duck.h"

#include <stdio.h>

typedef struct error_kind {
    const char *prefix; /* what comes before " Error: " */
    dw_status status;
    const char *code;
} error_kind;

static const error_kind error_kinds[] = {
    {"Parser", DW_INVALID_ARGUMENT, "PARSE_ERROR"},
    {"Syntax", DW_INVALID_ARGUMENT, "PARSE_ERROR"},
    {"Binder", DW_INVALID_ARGUMENT, "BIND_ERROR"},
    {"Catalog", DW_INVALID_ARGUMENT, "CATALOG_ERROR"},
    {"Parameter Not Resolved", DW_INVALID_ARGUMENT, "BIND_ERROR"},
    {"Parameter Not Allowed", DW_INVALID_ARGUMENT, "BIND_ERROR"},
    {"Conversion", DW_INVALID_ARGUMENT, "CONVERSION_ERROR"},
    {"Decimal", DW_INVALID_ARGUMENT, "CONVERSION_ERROR"},
    {"Out of Range", DW_INVALID_ARGUMENT, "OUT_OF_RANGE"},
    {"Divide by Zero", DW_INVALID_ARGUMENT, "DIVIDE_BY_ZERO"},
    {"Constraint", DW_INVALID_ARGUMENT, "CONSTRAINT_VIOLATION"},
    {"Mismatch Type", DW_INVALID_ARGUMENT, "TYPE_MISMATCH"},
    {"Invalid type", DW_INVALID_ARGUMENT, "TYPE_MISMATCH"},
    {"Unknown Type", DW_INVALID_ARGUMENT, "TYPE_MISMATCH"},
    {"Invalid Input", DW_INVALID_ARGUMENT, "INVALID_INPUT"},
    {"Invalid Configuration", DW_INVALID_ARGUMENT, "INVALID_SETTING"},
    {"Settings", DW_INVALID_ARGUMENT, "INVALID_SETTING"},
    {"Permission", DW_INVALID_ARGUMENT, "NOT_PERMITTED"},
    {"Dependency", DW_INVALID_ARGUMENT, "DEPENDENCY_ERROR"},
    {"Sequence", DW_INVALID_ARGUMENT, "SEQUENCE_ERROR"},
    {"Expression", DW_INVALID_ARGUMENT, "EXPRESSION_ERROR"},
    {"Object Size", DW_INVALID_ARGUMENT, "TOO_LARGE"},
    {"TransactionContext", DW_INVALID_ARGUMENT, "TRANSACTION_ERROR"},
    {"Not implemented", DW_INVALID_ARGUMENT, "SQL_UNSUPPORTED"},
    {"Missing Extension", DW_INVALID_ARGUMENT, "SQL_UNSUPPORTED"},
    {"Extension Autoloading", DW_INVALID_ARGUMENT, "SQL_UNSUPPORTED"},
    {"Out of Memory", DW_OUT_OF_MEMORY, "OUT_OF_MEMORY"},
    {"IO", DW_IO, "ENGINE_IO"},
    {"HTTP", DW_UNAVAILABLE, "ENGINE_IO"},
    {"Connection", DW_UNAVAILABLE, "ENGINE_IO"},
    {"INTERRUPT", DW_CANCELLED, "CANCELLED"},
};

/* Words that say more than the kinds that end in the engine's reading and writing do. */
typedef struct error_refinement {
    const char *words;
    dw_status status;
    const char *code;
} error_refinement;

static const error_refinement refinements[] = {
    {"No space left on device", DW_IO, "STORAGE_FULL"},
    {"max_temp_directory_size", DW_IO, "STORAGE_FULL"},
    {"No files found that match the pattern", DW_NOT_FOUND, "FILE_NOT_FOUND"},
    {"No such file or directory", DW_NOT_FOUND, "FILE_NOT_FOUND"},
    {"No magic bytes found", DW_CORRUPT, "FILE_INVALID"},
    {"too small to be a Parquet file", DW_CORRUPT, "FILE_INVALID"},
    {"Footer length error in file", DW_CORRUPT, "FILE_INVALID"},
    {"Malformed Parquet", DW_CORRUPT, "FILE_INVALID"},
    {"Failed to read Parquet file", DW_CORRUPT, "FILE_INVALID"},
    {"ecompression failure", DW_CORRUPT, "FILE_INVALID"},
    {"Could not read enough bytes from file", DW_CORRUPT, "FILE_INVALID"},
    {"Invalid string encoding found in Parquet", DW_CORRUPT, "FILE_INVALID"},
    {"Incorrect stats size", DW_CORRUPT, "FILE_INVALID"},
    {"converted type can only be set", DW_CORRUPT, "FILE_INVALID"},
    {"bad_alloc", DW_OUT_OF_MEMORY, "OUT_OF_MEMORY"},
};

static bool
starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The kind that `text` begins with; *rest_out is what follows it. NULL: it begins with none. */
static const error_kind *
find_kind(const char *text, const char **rest_out)
{
    static const char separator[] = " Error: ";
    *rest_out = text;
    for (size_t i = 0; i < sizeof(error_kinds) / sizeof(error_kinds[0]); i++) {
        size_t len = strlen(error_kinds[i].prefix);
        if (starts_with(text, error_kinds[i].prefix) && starts_with(text + len, separator)) {
            *rest_out = text + len + sizeof(separator) - 1;
            return &error_kinds[i];
        }
    }
    return NULL;
}

/* A message without a kind comes from below the engine's own errors: nearly always from decoding a
 * damaged file ("TProtocolException: Invalid data"). */
static error_kind
kind_of_unmarked(const char *text)
{
    if (starts_with(text, "INTERNAL") || starts_with(text, "FATAL")) {
        return (error_kind){NULL, DW_INTERNAL, "ENGINE_INTERNAL"};
    }
    return (error_kind){NULL, DW_CORRUPT, "FILE_INVALID"};
}

static error_kind
classify(const char *text, const char **message_out)
{
    const error_kind *first = find_kind(text, message_out);
    error_kind kind = first == NULL ? kind_of_unmarked(text) : *first;
    /* Wrapped errors repeat a prefix: the inner one knows best, none is shown. */
    for (const error_kind *inner = first; inner != NULL;) {
        kind = *inner;
        inner = find_kind(*message_out, message_out);
    }
    bool is_about_data = first == NULL || strcmp(kind.code, "INVALID_INPUT") == 0 ||
                         strcmp(kind.code, "ENGINE_IO") == 0 ||
                         strcmp(kind.code, "OUT_OF_MEMORY") == 0;
    for (size_t i = 0; is_about_data && i < sizeof(refinements) / sizeof(refinements[0]); i++) {
        if (strstr(text, refinements[i].words) != NULL) {
            kind.status = refinements[i].status;
            kind.code = refinements[i].code;
            break;
        }
    }
    return kind;
}

typedef struct line_writer {
    char text[DW_ERROR_MESSAGE_SIZE];
    size_t len;
} line_writer;

static void
put(line_writer *out, const char *text, size_t len)
{
    size_t room = sizeof(out->text) - 1 - out->len;
    size_t taken = len < room ? len : room;
    memcpy(out->text + out->len, text, taken);
    out->len += taken;
    out->text[out->len] = '\0';
}

/* What follows says how to report the engine's bugs or tune another program. */
static bool
is_noise_to_the_end(const char *line)
{
    return starts_with(line, "Possible solutions") || starts_with(line, "See also") ||
           starts_with(line, "Stack Trace") || starts_with(line, "This error signals");
}

/* "LINE 3: SELECT ..." and the caret below it: only the line's number is kept, since the statement
 * that ran is not the one that was typed. */
static void
put_line_number(line_writer *out, const char *line)
{
    const char *digits = line + strlen("LINE ");
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || (len == 1 && digits[0] == '1')) {
        return;
    }
    put(out, " (line ", strlen(" (line "));
    put(out, digits, len);
    put(out, ")", 1);
}

static void
put_lines(line_writer *out, const char *text)
{
    bool skips_next = false;
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t indent = strspn(line, " \t");
        if (is_noise_to_the_end(line)) {
            return;
        }
        if (skips_next) {
            skips_next = false;
        } else if (starts_with(line, "LINE ")) {
            put_line_number(out, line);
            skips_next = true;
        } else if (len > indent) {
            put(out, " ", out->len > 0 ? 1 : 0);
            put(out, line + indent, len - indent);
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

/* "... not found in FROM clause! Candidate bindings: "a", "b"" asks a question. */
static void
ask_for_candidates(line_writer *line)
{
    static const char engine_words[] = " not found in FROM clause! Candidate bindings: ";
    static const char words[] = " is in none of the tables; did you mean ";
    char *found = strstr(line->text, engine_words);
    if (found == NULL) {
        return;
    }
    memmove(found + sizeof(words) - 1, found + sizeof(engine_words) - 1,
            strlen(found + sizeof(engine_words) - 1) + 1);
    memcpy(found, words, sizeof(words) - 1);
    line->len -= sizeof(engine_words) - sizeof(words);
}

/* Lower case first, no full stop last; names in capitals stay as they are. */
static void
trim_to_style(line_writer *line)
{
    char *text = line->text;
    if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') {
        text[0] = (char) (text[0] - 'A' + 'a');
    }
    while (line->len > 0 && strchr(".!\n ", text[line->len - 1]) != NULL) {
        text[--line->len] = '\0';
    }
}

dw_status
dw__function_error(dw_str text, dw_error *err)
{
    static const char mark[] = DW_FUNCTION_ERROR_MARK;
    const char *found = memmem(text.ptr, text.len, mark, sizeof(mark) - 1);
    if (found == NULL) {
        return DW_OK;
    }
    char code[DW_ERROR_CODE_SIZE] = {0};
    size_t start = (size_t) (found - text.ptr) + sizeof(mark) - 1;
    dw_str rest = dw__str_slice(text, start, text.len);
    size_t len = dw__str_find(rest, ':');
    if (len >= sizeof(code)) {
        return DW_OK;
    }
    memcpy(code, rest.ptr, len);
    dw_str message = dw__str_slice(rest, len + 1, rest.len);
    return dw__error_set(err, DW_INVALID_ARGUMENT, code, "%.*s", DW_STR_ARG(message));
}

dw_status
dw__duck_error(const char *text, dw_error *err)
{
    if (text == NULL || text[0] == '\0') {
        text = "the engine failed without saying why";
    }
    const char *message = NULL;
    error_kind kind = classify(text, &message);
    line_writer line = {{0}, 0};
    put_lines(&line, message);
    ask_for_candidates(&line);
    trim_to_style(&line);
    DW_TRY(dw__function_error(dw__str_make(line.text, line.len), err));
    return dw__error_set(err, kind.status, kind.code, "%s",
                         line.len > 0 ? line.text : "the engine failed without saying why");
}
