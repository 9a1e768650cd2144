/*
 * What the environment says of the audit log: $DELTAWORKS_AUDIT and its kin (docs/audit.md).
 */
#ifndef CLI_AUDIT_OPTIONS_H
#define CLI_AUDIT_OPTIONS_H

#include "deltaworks.h"

/* The path of the log, or NULL where nothing is recorded. */
const char *audit_path(void);
/* Fills the options; texts are those of the environment. Returns EXIT_DONE, or EXIT_USAGE after
 * having said which variable is wrong. */
int audit_options_read(dw_audit_options *out);

#endif
