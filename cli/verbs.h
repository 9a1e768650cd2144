/*
 * The verbs of the program. Each gets the arguments behind its name and returns the exit status.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "runner.h"
#include "text.h"

int verb_sql(int argc, char **argv);
int verb_load(int argc, char **argv);
int verb_history(int argc, char **argv);
int verb_lineage(int argc, char **argv);
int verb_detail(int argc, char **argv);
int verb_checkpoint(int argc, char **argv);
int verb_compact_log(int argc, char **argv);
int verb_check_schema(int argc, char **argv);
int verb_fsck(int argc, char **argv);
int verb_migrate(int argc, char **argv);
int verb_optimize(int argc, char **argv);
int verb_vacuum(int argc, char **argv);
int verb_statistics(int argc, char **argv);
int verb_report(int argc, char **argv);
int verb_audit(int argc, char **argv);

/* Reads a file of statements, "-" being the standard input. Returns false after having said why. */
bool sql_file_read(const char *path, text *out);

/* Appends the table as SQL names it: a path in backquotes. */
void append_table(text *out, const char *table);

/* The interactive shell; returns the exit status. */
int shell_run(runner *r);

#endif
