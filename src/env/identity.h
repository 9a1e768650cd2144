/*
 * Who runs this process, and where: for those who record what was done.
 */
#ifndef DW_ENV_IDENTITY_H
#define DW_ENV_IDENTITY_H

#include <stdint.h>

#define DW_IDENTITY_NAME_SIZE 256

/* Texts are cut where they are longer; "" where the system does not know. */
typedef struct dw_identity {
    char user[DW_IDENTITY_NAME_SIZE]; /* by the process's effective user, not by its environment */
    int64_t user_id;
    char host[DW_IDENTITY_NAME_SIZE];
    char program[DW_IDENTITY_NAME_SIZE]; /* the file's name without its directory */
    int64_t process_id;
} dw_identity;

void dw__identity_system(dw_identity *out);
/* Of this process, which may be the child of one that was asked before. */
int64_t dw__identity_process_id(void);

#endif
