/*
 * Reading the environment. What is misspelt is refused: who believes that it is recorded must not
 * be mistaken.
 */
#include "audit_options.h"

#include "error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The value, or NULL when it is not set, or empty. */
static const char *
value_of(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

const char *
audit_path(void)
{
    return value_of("DELTAWORKS_AUDIT");
}

static int
read_flag(const char *name, bool *out)
{
    const char *value = value_of(name);
    if (value == NULL) {
        return EXIT_DONE;
    }
    *out = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    if (!*out && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
        return error_usage(NULL, "%s is true or false, not %s", name, value);
    }
    return EXIT_DONE;
}

static int
read_sync(dw_audit_sync *out)
{
    static const char *const names[] = {"changes", "all", "off"};
    static const dw_audit_sync values[] = {DW_AUDIT_SYNC_OF_CHANGES, DW_AUDIT_SYNC_OF_ALL,
                                           DW_AUDIT_SYNC_OFF};
    const char *value = value_of("DELTAWORKS_AUDIT_SYNC");
    for (size_t i = 0; value != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            *out = values[i];
            return EXIT_DONE;
        }
    }
    return value == NULL
               ? EXIT_DONE
               : error_usage(NULL, "DELTAWORKS_AUDIT_SYNC is changes, all or off, not %s", value);
}

static int
read_size(uint64_t *out)
{
    char *end = NULL;
    const char *value = value_of("DELTAWORKS_AUDIT_FILE_BYTES");
    if (value == NULL) {
        return EXIT_DONE;
    }
    errno = 0;
    *out = strtoull(value, &end, 10);
    return errno == 0 && *end == '\0' && *out > 0 && value[0] != '-'
               ? EXIT_DONE
               : error_usage(NULL, "DELTAWORKS_AUDIT_FILE_BYTES is a number of bytes, not %s",
                             value);
}

int
audit_options_read(dw_audit_options *out)
{
    *out = (dw_audit_options) DW_AUDIT_OPTIONS_INIT;
    out->path = audit_path();
    out->key_file = value_of("DELTAWORKS_AUDIT_KEY_FILE");
    out->user = value_of("DELTAWORKS_AUDIT_USER");
    int status = read_flag("DELTAWORKS_AUDIT_READS", &out->with_reads);
    status =
        status == EXIT_DONE ? read_flag("DELTAWORKS_AUDIT_REQUIRED", &out->is_required) : status;
    status = status == EXIT_DONE ? read_sync(&out->sync) : status;
    status = status == EXIT_DONE ? read_size(&out->file_bytes_max) : status;
    if (status == EXIT_DONE && out->is_required && out->path == NULL) {
        return error_usage(NULL, "DELTAWORKS_AUDIT_REQUIRED is set, and DELTAWORKS_AUDIT, the file "
                                 "of the log, is not");
    }
    return status;
}
