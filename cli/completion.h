/*
 * What the word before the cursor may become: keywords, tables of the warehouse, and columns of the
 * tables that the statement names.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "deltaworks.h"
#include "text.h"

typedef struct completion {
    size_t typed_len; /* bytes of the word that are there */
    size_t count;     /* what it may become */
    text word;        /* as far as all of those agree */
    text list;        /* all of them, a line each */
} completion;

/* Completes the word of the statement that ends at its byte `cursor`. */
void completion_find(dw_session *session, const char *statement, size_t cursor, completion *out);
void completion_free(completion *found);

#endif
