/*
 * Parsing the command line.
 */
#include "args.h"

#include "error.h"

#include <string.h>

/* Finds the option that `arg` spells: "--name", "--name=value" or "-c". */
static const option_spec *
find_option(const option_spec *specs, const char *arg, const char **inline_value)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals == NULL ? strlen(arg) : (size_t) (equals - arg);
    *inline_value = equals == NULL ? NULL : equals + 1;
    for (const option_spec *spec = specs; spec->name != NULL; spec++) {
        bool is_long = strlen(spec->name) == len && strncmp(spec->name, arg, len) == 0;
        bool is_short =
            spec->letter != 0 && arg[0] == '-' && arg[1] == spec->letter && arg[2] == '\0';
        if (is_long || is_short) {
            return spec;
        }
    }
    return NULL;
}

static int
take_value(const char *verb, const option_spec *spec, const char *value)
{
    if (!spec->may_repeat) {
        if (*spec->value != NULL) {
            return error_usage(verb, "%s is given twice", spec->name);
        }
        *spec->value = value;
        return EXIT_DONE;
    }
    size_t count = 0;
    while (spec->values[count] != NULL) {
        count++;
    }
    if (count + 1 >= spec->values_max) {
        return error_usage(verb, "%s is given more than %zu times", spec->name,
                           spec->values_max - 1);
    }
    spec->values[count] = value;
    return EXIT_DONE;
}

static int
take_option(const char *verb, const option_spec *spec, const char *inline_value, int argc,
            char **argv, int *i)
{
    if (!spec->takes_value) {
        if (inline_value != NULL) {
            return error_usage(verb, "%s takes no value", spec->name);
        }
        *spec->flag = true;
        return EXIT_DONE;
    }
    if (inline_value == NULL) {
        if (*i + 1 >= argc) {
            return error_usage(verb, "%s needs a value", spec->name);
        }
        inline_value = argv[++*i];
    }
    return take_value(verb, spec, inline_value);
}

int
args_parse(const char *verb, int argc, char **argv, const option_spec *specs, args *out)
{
    bool only_positional = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (only_positional || arg[0] != '-' || arg[1] == '\0') {
            out->positional[out->positional_count++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_positional = true;
            continue;
        }
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            out->wants_help = true;
            continue;
        }
        const char *inline_value;
        const option_spec *spec = find_option(specs, arg, &inline_value);
        if (spec == NULL) {
            return error_usage(verb, "unknown option %s", arg);
        }
        int status = take_option(verb, spec, inline_value, argc, argv, &i);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    out->positional[out->positional_count] = NULL;
    return EXIT_DONE;
}

int
args_expect_table(const char *verb, const args *arguments)
{
    return arguments->positional_count == 1
               ? EXIT_DONE
               : error_usage(verb, "expected one table, found %zu arguments",
                             arguments->positional_count);
}

void
args_split(char *text, const char **list, size_t list_max)
{
    size_t count = 0;
    while (text != NULL && count + 1 < list_max) {
        char *comma = strchr(text, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        list[count++] = text;
        text = comma == NULL ? NULL : comma + 1;
    }
    list[count] = NULL;
}
