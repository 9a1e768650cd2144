/*
 * Running statements for a person: one runtime and session, Ctrl-C, the progress bar, printing.
 */
#ifndef CLI_RUNNER_H
#define CLI_RUNNER_H

#include "deltaworks.h"
#include "format.h"

#include <stdio.h>

typedef struct runner_options {
    format_kind format;
    const char *output;       /* a file for the rows; NULL: stdout */
    const char *memory_limit; /* "4GB"; NULL: the default */
    const char *threads;
    const char *spill_directory;
    const char *warehouse;
    int64_t rows_max; /* of a table for a person; 0: all */
    bool is_quiet;    /* no messages of statements that return no rows */
    bool with_time;   /* print how long each statement took */
    bool echoes;      /* print each statement before it runs */
} runner_options;

typedef struct runner {
    runner_options options;
    dw_runtime *runtime;
    dw_session *session;
    FILE *file;         /* where rows go */
    bool is_new_output; /* there was no such file */
} runner;

/* The options that every verb which runs statements takes, for its help. */
extern const char runner_options_help[];

/* Takes the value of --format of a verb that is no query: any format but Parquet; NULL changes
 * nothing. Returns EXIT_DONE, or EXIT_USAGE after having said what is wrong. */
int runner_take_format(runner_options *options, const char *verb, const char *format);

/* As runner_open, for verbs that need no session: only the output. Close in any case. */
int runner_open_output(runner *r, const runner_options *options);
/* Returns EXIT_DONE or the exit status after having reported the error. Close in any case. */
int runner_open(runner *r, const runner_options *options);
/* Says so when a transaction was begun and never ended; EXIT_FAILED then, else EXIT_DONE. */
int runner_check_ended(const runner *r);
/* `status` is that of what ran; it is returned, or EXIT_STORAGE when all went well but the output
 * could not be completed. Where something failed before anything was written, the file of the
 * output stays what it was. */
int runner_close(runner *r, int status);

/* Runs every statement of the text; stops at the first failure, whose exit status is returned, and
 * with EXIT_INCOMPATIBLE behind a CHECK COMPATIBILITY that found something. */
int runner_run(runner *r, const char *sql);
/* Opens, runs the text as runner_run does, and closes. */
int runner_run_once(const runner_options *options, const char *sql);
/* Starts and ends the time in which Ctrl-C cancels the session and the progress bar may show. */
void runner_begin(runner *r);
void runner_end(runner *r);

#endif
