/*
 * The progress bar: for statements that take longer than two seconds, on a terminal only.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "deltaworks.h"

/* Starts watching the session's statement. Nothing happens when stderr is no terminal. */
void progress_start(dw_session *session);
/* Wipes the bar and draws it no more; the statement goes on. */
void progress_hide(void);
/* Stops and wipes the bar. */
void progress_stop(void);

#endif
