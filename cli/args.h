/*
 * Command-line arguments: options with and without values, in any order, "--" ends them.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

/* One option that a verb takes. */
typedef struct option_spec {
    const char *name; /* "--format" */
    char letter;      /* 'c' for -c; 0: none */
    bool takes_value;
    bool may_repeat;     /* the values collect in `values` */
    const char **value;  /* where the value goes; NULL with a flag */
    const char **values; /* may_repeat: an array with room, NULL-terminated afterwards */
    size_t values_max;
    bool *flag; /* set to true when a flag is given */
} option_spec;

typedef struct args {
    const char **positional; /* NULL-terminated */
    size_t positional_count;
    bool wants_help;
} args;

/* Splits argv (without program and verb) by the specs (ended by a NULL name). Returns EXIT_DONE, or
 * EXIT_USAGE after having said what is wrong. `out->positional` has room for argc + 1 pointers. */
int args_parse(const char *verb, int argc, char **argv, const option_spec *specs, args *out);
/* Returns EXIT_USAGE after having said so when the verb was given anything but one table. */
int args_expect_table(const char *verb, const args *arguments);
/* Cuts "a,b,c" into a NULL-terminated list; the text is changed and must live on. */
void args_split(char *text, const char **list, size_t list_max);

#endif
