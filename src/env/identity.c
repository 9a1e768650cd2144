/*
 * The process as the system sees it.
 */
#include "env/identity.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Enough for an entry of any user; a longer one leaves the name empty, and the number tells. */
#define USER_ENTRY_SIZE 4096

static void
read_user(dw_identity *out)
{
    char buf[USER_ENTRY_SIZE];
    struct passwd entry;
    struct passwd *found = NULL;
    uid_t user = geteuid();
    out->user_id = (int64_t) user;
    if (getpwuid_r(user, &entry, buf, sizeof(buf), &found) == 0 && found != NULL) {
        (void) snprintf(out->user, sizeof(out->user), "%s", found->pw_name);
    }
}

void
dw__identity_system(dw_identity *out)
{
    memset(out, 0, sizeof(*out));
    read_user(out);
    if (gethostname(out->host, sizeof(out->host) - 1) != 0) {
        out->host[0] = '\0';
    }
    (void) snprintf(out->program, sizeof(out->program), "%s", program_invocation_short_name);
    out->process_id = dw__identity_process_id();
}

int64_t
dw__identity_process_id(void)
{
    return (int64_t) getpid();
}
