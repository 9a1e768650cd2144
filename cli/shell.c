/*
 * The interactive shell: editing, history and completion through libedit, statements over several
 * lines, and a few commands that start with a dot.
 */
#include "completion.h"
#include "error.h"
#include "interrupt.h"
#include "state.h"
#include "text.h"
#include "verbs.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <wchar.h>

#define HISTORY_LINES_MAX 10000

/* Of tables; more is seldom read, and a mistyped query would fill the terminal for minutes. */
#define ROWS_SHOWN 1000

static const char welcome[] = "Statements end with a semicolon; .help shows "
                              "commands, Ctrl-D leaves.\n";

static const char shell_help[] =
    "  .format NAME   how rows are printed: table, vertical, csv, json, ndjson, markdown\n"
    "  .rows N|all    how many rows of a table are shown\n"
    "  .time on|off   say how long statements take\n"
    "  .read FILE     run the statements of a file\n"
    "  .help          this list\n"
    "  .quit          leave (or Ctrl-D)\n"
    "\n"
    "Tab completes words and names, Ctrl-R searches the history, Ctrl-C drops the\n"
    "line or cancels the statement.\n"
    "\n"
    "  SELECT * FROM delta.`/data/t` VERSION AS OF 3;\n"
    "  DESCRIBE HISTORY delta.`/data/t`;\n";

typedef struct shell {
    runner *r;
    EditLine *editor;
    History *history;
    HistEvent event;
    char *history_path;
    text statement; /* what was typed of it so far */
} shell;

static char *
prompt(EditLine *editor)
{
    static char fresh[] = "deltaworks> ";
    static char within[] = "deltaworks*> "; /* a transaction */
    static char more[] = "         -> ";
    shell *s = NULL;
    el_get(editor, EL_CLIENTDATA, &s);
    if (s->statement.len > 0) {
        return more;
    }
    return dw_session_in_transaction(s->r->session) ? within : fresh;
}

/* Tab: completes the word before the cursor as far as it is clear; lists what it may become. */
static unsigned char
complete(EditLine *editor, wint_t key)
{
    (void) key;
    shell *s = NULL;
    el_get(editor, EL_CLIENTDATA, &s);
    const LineInfo *line = el_line(editor);
    completion found;
    text all = {0};
    text_append(&all, text_cstr(&s->statement), s->statement.len);
    size_t cursor = all.len + (size_t) (line->cursor - line->buffer);
    text_append(&all, line->buffer, (size_t) (line->lastchar - line->buffer));
    completion_find(s->r->session, text_cstr(&all), cursor, &found);
    text_free(&all);
    unsigned char done = CC_REFRESH_BEEP;
    if (found.word.len > found.typed_len || found.count == 1) {
        el_deletestr(editor, (int) found.typed_len);
        text_append_cstr(&found.word, found.count == 1 ? " " : "");
        el_insertstr(editor, text_cstr(&found.word));
        done = CC_REFRESH;
    } else if (found.count > 1) {
        for (size_t i = 0; i + 1 < found.list.len; i++) {
            found.list.ptr[i] = found.list.ptr[i] == '\n' ? ' ' : found.list.ptr[i];
        }
        printf("\n%s", text_cstr(&found.list));
        fflush(stdout);
        done = CC_REDISPLAY;
    }
    completion_free(&found);
    return done;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

/* NULL when there is no home. */
static char *
find_history_path(void)
{
    text path = {.ptr = NULL};
    char *directory = state_directory(true);
    if (directory != NULL) {
        text_printf(&path, "%s/history", directory);
    }
    free(directory);
    return path.ptr;
}

static bool
shell_open(shell *s, runner *r)
{
    *s = (shell){.r = r};
    s->editor = el_init("deltaworks", stdin, stdout, stderr);
    s->history = history_init();
    if (s->editor == NULL || s->history == NULL) {
        return false;
    }
    history(s->history, &s->event, H_SETSIZE, HISTORY_LINES_MAX);
    history(s->history, &s->event, H_SETUNIQUE, 1);
    s->history_path = find_history_path();
    if (s->history_path != NULL) {
        history(s->history, &s->event, H_LOAD, s->history_path);
    }
    el_set(s->editor, EL_CLIENTDATA, s);
    el_set(s->editor, EL_PROMPT, prompt);
    el_set(s->editor, EL_EDITOR, "emacs");
    el_set(s->editor, EL_SIGNAL, 1);
    el_set(s->editor, EL_HIST, history, s->history);
    /* The function for narrow characters would keep copies of the texts that nobody frees. */
    el_wset(s->editor, EL_ADDFN, L"complete", L"complete a word", complete);
    el_set(s->editor, EL_BIND, "^I", "complete", NULL);
    el_set(s->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(s->editor, NULL);
    return true;
}

static void
shell_close(shell *s)
{
    if (s->history != NULL) {
        if (s->history_path != NULL) {
            history(s->history, &s->event, H_SAVE, s->history_path);
        }
        history_end(s->history);
    }
    if (s->editor != NULL) {
        el_end(s->editor);
    }
    free(s->history_path);
    text_free(&s->statement);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static bool
is_command(const char *line, const char *name, const char **rest)
{
    size_t len = strlen(name);
    if (strncmp(line, name, len) != 0 || strchr(" \t\r\n;", line[len]) == NULL) {
        return false;
    }
    *rest = line + len + strspn(line + len, " \t\r\n;");
    return true;
}

/* To the end of the line, without white space and semicolons there. */
static void
append_argument(text *out, const char *rest)
{
    size_t len = strlen(rest);
    while (len > 0 && strchr(" \t\r\n;", rest[len - 1]) != NULL) {
        len--;
    }
    text_append(out, rest, len);
}

static void
set_format(shell *s, const char *name)
{
    format_kind kind;
    if (format_parse(name, &kind) && kind != FORMAT_PARQUET && kind != FORMAT_ARROW) {
        s->r->options.format = kind;
    } else {
        printf("expected .format table, vertical, csv, json, ndjson or markdown\n");
    }
}

static void
set_rows(shell *s, const char *count)
{
    char *end = NULL;
    errno = 0;
    long long rows = strtoll(count, &end, 10);
    if (strcmp(count, "all") == 0) {
        s->r->options.rows_max = 0;
    } else if (end != count && *end == '\0' && rows > 0 && errno == 0) {
        s->r->options.rows_max = rows;
    } else {
        printf("expected .rows all, or a number such as .rows 100\n");
    }
}

static void
set_time(shell *s, const char *value)
{
    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0) {
        s->r->options.with_time = strcmp(value, "on") == 0;
    } else {
        printf("expected .time on or .time off\n");
    }
}

static void
read_statements(shell *s, const char *path)
{
    text sql = {0};
    if (path[0] == '\0') {
        printf("expected .read FILE\n");
    } else if (sql_file_read(path, &sql)) {
        (void) runner_run(s->r, text_cstr(&sql)); /* reported there */
    }
    text_free(&sql);
}

/* Runs a command with a dot. Returns false when the shell is to end. */
static bool
run_command(shell *s, const char *line)
{
    const char *rest;
    bool goes_on = true;
    text argument = {0};
    if (is_command(line, ".quit", &rest) || is_command(line, ".exit", &rest)) {
        goes_on = false;
    } else if (is_command(line, ".help", &rest)) {
        fputs(shell_help, stdout);
    } else if (is_command(line, ".format", &rest)) {
        append_argument(&argument, rest);
        set_format(s, text_cstr(&argument));
    } else if (is_command(line, ".rows", &rest)) {
        append_argument(&argument, rest);
        set_rows(s, text_cstr(&argument));
    } else if (is_command(line, ".time", &rest)) {
        append_argument(&argument, rest);
        set_time(s, text_cstr(&argument));
    } else if (is_command(line, ".read", &rest)) {
        append_argument(&argument, rest);
        read_statements(s, text_cstr(&argument));
    } else {
        printf("there is no such command; .help lists them\n");
    }
    text_free(&argument);
    return goes_on;
}

/* What people type who know other shells. */
static const char *
command_for_word(const char *line)
{
    static const struct {
        const char *word;
        const char *command;
    } words[] = {
        {"exit", ".quit\n"}, {"quit", ".quit\n"}, {"\\q", ".quit\n"},
        {"help", ".help\n"}, {"\\?", ".help\n"},  {"?", ".help\n"},
    };
    size_t len = strcspn(line, " \t\r\n;");
    if (line[len + strspn(line + len, " \t\r\n;")] != '\0') {
        return line;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == len && strncasecmp(words[i].word, line, len) == 0) {
            return words[i].command;
        }
    }
    return line;
}

static bool
is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

/* True when a line break of the statement means something: within quotes, or after a comment. */
static bool
has_meaning_in_lines(const char *statement)
{
    char quote = 0;
    for (const char *c = statement; *c != '\0'; c++) {
        if (quote != 0 && *c == '\n') {
            return true;
        }
        if (quote != 0 && *c == quote) {
            quote = 0;
        } else if (quote == 0 && (*c == '\'' || *c == '"' || *c == '`')) {
            quote = *c;
        } else if (quote == 0 && ((c[0] == '-' && c[1] == '-') || (c[0] == '$' && c[1] == '$'))) {
            return true;
        }
    }
    return false;
}

/* A statement comes back from the history in one line, in which it is edited more easily. */
static void
remember(shell *s, const char *statement)
{
    text line = {0};
    text_append_cstr(&line, statement);
    while (line.len > 0 && strchr(" \r\n", line.ptr[line.len - 1]) != NULL) {
        line.ptr[--line.len] = '\0';
    }
    bool keeps_lines = has_meaning_in_lines(text_cstr(&line));
    for (size_t i = 0; i < line.len && !keeps_lines; i++) {
        line.ptr[i] = line.ptr[i] == '\n' ? ' ' : line.ptr[i];
    }
    history(s->history, &s->event, H_ENTER, text_cstr(&line));
    text_free(&line);
}

/* Adds a line; runs the statements that are complete and keeps the rest. */
static void
take_line(shell *s, const char *line)
{
    text_append_cstr(&s->statement, line);
    if (dw_sql_statement_length(text_cstr(&s->statement)) == 0) {
        return;
    }
    remember(s, text_cstr(&s->statement));
    size_t used = 0;
    const char *all = text_cstr(&s->statement);
    size_t len;
    while ((len = dw_sql_statement_length(all + used)) > 0) {
        char *one = memory_dup(all + used, len);
        (void) runner_run(s->r, one); /* reported there; the shell goes on */
        free(one);
        used += len;
    }
    char *rest = memory_dup(all + used, s->statement.len - used);
    text_clear(&s->statement);
    if (!is_blank(rest)) {
        text_append_cstr(&s->statement, rest);
    }
    free(rest);
}

/* Returns false when the shell is to end. */
static bool
take(shell *s, const char *line)
{
    if (s->statement.len > 0) {
        take_line(s, line);
        return true;
    }
    line = command_for_word(line);
    if (line[0] == '.') {
        return run_command(s, line);
    }
    if (!is_blank(line)) {
        take_line(s, line);
    }
    return true;
}

int
shell_run(runner *r)
{
    shell s;
    if (!shell_open(&s, r)) {
        shell_close(&s);
        fprintf(stderr, "deltaworks: the terminal cannot be used; give statements with -c\n");
        return EXIT_FAILED;
    }
    r->options.rows_max = ROWS_SHOWN;
    interrupt_ignore();
    printf("deltaworks %s. %s", dw_version(), welcome);
    for (;;) {
        int count = 0;
        const char *line = el_gets(s.editor, &count);
        if (line == NULL && count < 0 && errno == EINTR) { /* Ctrl-C: drop what was typed */
            text_clear(&s.statement);
            printf("\n");
            continue;
        }
        if (line == NULL || count <= 0 || !take(&s, line)) {
            break;
        }
    }
    shell_close(&s);
    printf("\n");
    return EXIT_DONE;
}
