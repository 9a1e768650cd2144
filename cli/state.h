/*
 * Where the program keeps what it remembers of its use.
 */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include <stdbool.h>

/* $XDG_STATE_HOME/deltaworks, or below ~/.local/state; NULL when there is no home. It need not be
 * there, unless it is to be made here. Free it. */
char *state_directory(bool makes_it);

#endif
