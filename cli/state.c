/*
 * The directory of states, as the XDG base directory specification has it.
 */
#include "state.h"

#include "text.h"

#include <stdlib.h>
#include <sys/stat.h>

/* What cannot be made is missed by those who write there. */
static void
make(const text *path, bool makes_it)
{
    if (makes_it) {
        (void) mkdir(text_cstr(path), 0700);
    }
}

char *
state_directory(bool makes_it)
{
    const char *state_home = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    text path = {0};
    if (state_home != NULL && state_home[0] == '/') {
        text_append_cstr(&path, state_home);
    } else if (home != NULL && home[0] == '/') {
        text_printf(&path, "%s/.local", home);
        make(&path, makes_it);
        text_append_cstr(&path, "/state");
    } else {
        return NULL;
    }
    make(&path, makes_it);
    text_append_cstr(&path, "/deltaworks");
    make(&path, makes_it);
    return path.ptr;
}
