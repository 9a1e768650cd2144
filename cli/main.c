/*
 * deltaworks: the Delta Lake manager. Chooses the verb.
 */
#include "error.h"
#include "verbs.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "deltaworks: create, load, query and look after Delta Lake tables\n"
    "\n"
    "Usage: deltaworks VERB [ARGUMENTS]\n"
    "\n"
    "  sql [-c STATEMENTS | FILE ...]  run SQL; without either, an interactive shell\n"
    "  load TABLE FILE ...             load Parquet, CSV or JSON files, each once\n"
    "  history TABLE                   the table's versions, newest first\n"
    "  lineage TABLE                   what the table was made of, as tree or picture\n"
    "  detail TABLE                    what the table is: size, files, properties, features\n"
    "  statistics TABLE                rows, files and bytes, by partition, size and version\n"
    "  report TABLE                    the same as a page with pictures\n"
    "  checkpoint TABLE                write a checkpoint of the newest version\n"
    "  compact-log TABLE               write one file in place of the newest commits\n"
    "  migrate DIR                     change a table by files of statements, each once\n"
    "  optimize TABLE                  pack small files\n"
    "  check-schema SCHEMA TABLE       tell what another schema would break\n"
    "  fsck TABLE                      check the table against the rules of the protocol\n"
    "  vacuum TABLE                    delete the files that no version needs any more\n"
    "  audit verify|show|export        check and read the log of who did what when\n"
    "\n"
    "deltaworks VERB --help explains a verb. TABLE is a path or a file:// URI; SQL also\n"
    "knows names below the warehouse (--warehouse DIR or $DELTAWORKS_WAREHOUSE).\n"
    "\n"
    "Exit status: 0 done, 1 the statement failed, 2 wrong usage, 3 a concurrent change\n"
    "conflicts, 4 the table needs a feature that is not supported, 5 the table is damaged,\n"
    "6 storage failed, 7 schemas are incompatible, 130 interrupted.\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"sql", verb_sql},
    {"load", verb_load},
    {"history", verb_history},
    {"lineage", verb_lineage},
    {"detail", verb_detail},
    {"checkpoint", verb_checkpoint},
    {"compact-log", verb_compact_log},
    {"check-schema", verb_check_schema},
    {"fsck", verb_fsck},
    {"migrate", verb_migrate},
    {"optimize", verb_optimize},
    {"vacuum", verb_vacuum},
    {"statistics", verb_statistics},
    {"report", verb_report},
    {"audit", verb_audit},
};

static bool
is_any(const char *arg, const char *a, const char *b, const char *c)
{
    return strcmp(arg, a) == 0 || strcmp(arg, b) == 0 || strcmp(arg, c) == 0;
}

int
main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");  /* for the width of characters; numbers stay in the C locale */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an output error like any other */
    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (is_any(argv[1], "--help", "-h", "help")) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (is_any(argv[1], "--version", "-V", "version")) {
        printf("deltaworks %s\n", dw_version());
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 2, argv + 2);
        }
    }
    return error_usage(NULL, "there is no verb %s", argv[1]);
}
