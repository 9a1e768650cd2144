/*
 * Ctrl-C: while a statement runs it cancels that statement; a second time ends the program.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include "deltaworks.h"

#include <stdbool.h>

/* From now on SIGINT and SIGTERM cancel the session. */
void interrupt_watch(dw_session *session);
/* They end the program again. */
void interrupt_unwatch(void);
/* True when the statement that was watched last was interrupted. */
bool interrupt_happened(void);

#endif
