/*
 * Ctrl-C: while a statement runs it cancels that statement; a second time ends the program.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include "deltaworks.h"

/* From now on SIGINT and SIGTERM cancel the session. */
void interrupt_watch(dw_session *session);
/* What they did before. */
void interrupt_unwatch(void);
/* From now on SIGINT only breaks off what waits for the terminal. */
void interrupt_ignore(void);

#endif
