/*
 * The interactive shell: editing, history and completion through libedit, statements over several
 * lines, and a few commands that start with a dot.
 */
#include "error.h"
#include "text.h"
#include "verbs.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define HISTORY_LINES_MAX 10000

static const char welcome[] = "Statements end with a semicolon; .help shows "
                              "commands, Ctrl-D leaves.\n";

static const char shell_help[] =
    "  .format NAME   how rows are printed: table, csv, json, ndjson, markdown\n"
    "  .time on|off   say how long statements take\n"
    "  .help          this list\n"
    "  .quit          leave (or Ctrl-D)\n"
    "\n"
    "  SELECT * FROM delta.`/data/t` VERSION AS OF 3;\n"
    "  DESCRIBE HISTORY delta.`/data/t`;\n";

static const char *const keywords[] = {
    "ALTER",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "COPY INTO",
    "CREATE",
    "DELTA",
    "DESCRIBE",
    "DETAIL",
    "DISTINCT",
    "EXPLAIN",
    "FROM",
    "GROUP BY",
    "HAVING",
    "HISTORY",
    "INSERT INTO",
    "INSERT OVERWRITE",
    "JOIN",
    "LIMIT",
    "LOCATION",
    "NOT",
    "NULL",
    "ORDER BY",
    "PARTITION",
    "PARTITIONED BY",
    "REPLACE",
    "SELECT",
    "SHOW",
    "TABLE",
    "TBLPROPERTIES",
    "TIMESTAMP AS OF",
    "USING",
    "VALUES",
    "VERSION AS OF",
    "WHERE",
    "WITH",
};

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
    static char more[] = "         -> ";
    shell *s = NULL;
    el_get(editor, EL_CLIENTDATA, &s);
    return s->statement.len == 0 ? fresh : more;
}

/* ---- Completion ------------------------------------------------------------------------------ */

/*
 * Completes the word before the cursor when one keyword alone begins with it; lists them otherwise.
 */
static unsigned char
complete(EditLine *editor, int key)
{
    (void) key;
    const LineInfo *line = el_line(editor);
    const char *start = line->cursor;
    while (start > line->buffer && strchr(" \t(,;", start[-1]) == NULL) {
        start--;
    }
    size_t len = (size_t) (line->cursor - start);
    const char *match = NULL;
    size_t match_count = 0;
    for (size_t i = 0; len > 0 && i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strncasecmp(keywords[i], start, len) == 0) {
            match = keywords[i];
            match_count++;
        }
    }
    if (match_count != 1) {
        return CC_REFRESH_BEEP;
    }
    el_deletestr(editor, (int) len);
    text word = {0};
    text_append_cstr(&word, match);
    text_append_char(&word, ' ');
    el_insertstr(editor, text_cstr(&word));
    text_free(&word);
    return CC_REFRESH;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

/* $XDG_STATE_HOME/deltaworks/history, or below ~/.local/state. NULL when there is no home. */
static char *
find_history_path(void)
{
    const char *state_home = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    text path = {0};
    if (state_home != NULL && state_home[0] == '/') {
        text_append_cstr(&path, state_home);
    } else if (home != NULL && home[0] == '/') {
        text_printf(&path, "%s/.local", home);
        (void) mkdir(text_cstr(&path), 0700);
        text_append_cstr(&path, "/state");
    } else {
        return NULL;
    }
    (void) mkdir(text_cstr(&path), 0700);
    text_append_cstr(&path, "/deltaworks");
    (void) mkdir(text_cstr(&path), 0700);
    text_append_cstr(&path, "/history");
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
    el_set(s->editor, EL_ADDFN, "complete", "complete a keyword", complete);
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
    if (strncmp(line, name, len) != 0 || strchr(" \n", line[len]) == NULL) {
        return false;
    }
    *rest = line + len + strspn(line + len, " \n");
    return true;
}

/* Runs a command with a dot. Returns false when the shell is to end. */
static bool
run_command(shell *s, const char *line)
{
    const char *rest;
    text argument = {0};
    if (is_command(line, ".quit", &rest) || is_command(line, ".exit", &rest)) {
        return false;
    }
    if (is_command(line, ".help", &rest)) {
        fputs(shell_help, stdout);
    } else if (is_command(line, ".format", &rest)) {
        text_append(&argument, rest, strcspn(rest, " \n"));
        format_kind kind;
        if (format_parse(text_cstr(&argument), &kind) && kind != FORMAT_PARQUET) {
            s->r->options.format = kind;
        } else {
            printf("there is no format %s for the shell\n", text_cstr(&argument));
        }
    } else if (is_command(line, ".time", &rest)) {
        s->r->options.with_time = strncmp(rest, "on", 2) == 0;
    } else {
        printf("there is no such command; .help lists them\n");
    }
    text_free(&argument);
    return true;
}

static bool
is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

static void
remember(shell *s, const char *statement)
{
    text line = {0};
    text_append_cstr(&line, statement);
    while (line.len > 0 && strchr(" \r\n", line.ptr[line.len - 1]) != NULL) {
        line.ptr[--line.len] = '\0';
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

int
shell_run(runner *r)
{
    shell s;
    if (!shell_open(&s, r)) {
        shell_close(&s);
        fprintf(stderr, "deltaworks: the terminal cannot be used; give statements with -c\n");
        return EXIT_FAILED;
    }
    printf("deltaworks %s. %s", dw_version(), welcome);
    for (;;) {
        int count = 0;
        const char *line = el_gets(s.editor, &count);
        if (line == NULL || count <= 0) {
            if (count < 0 && errno == EINTR) { /* Ctrl-C: drop what was typed */
                text_clear(&s.statement);
                printf("\n");
                continue;
            }
            break;
        }
        if (s.statement.len == 0 && is_blank(line)) {
            continue;
        }
        if (s.statement.len == 0 && line[0] == '.') {
            if (!run_command(&s, line)) {
                break;
            }
            continue;
        }
        take_line(&s, line);
    }
    shell_close(&s);
    printf("\n");
    return EXIT_DONE;
}
