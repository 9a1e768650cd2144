/*
 * Numbers for rows: a function of the caller's that sees some values of each row, in the order in
 * which the engine has them, whatever their types are.
 *
 *  [NUMBERING-1] Keys are bytes that compare as the values do, unsigned. The first byte of NULL's
 *                is 1, that of others' is 2: NULL comes first.
 *  [NUMBERING-2] The caller's function runs in all threads of the engine at once.
 */
#ifndef DW_ENGINE_NUMBERING_H
#define DW_ENGINE_NUMBERING_H

#include "engine/database.h"

#define DW_NUMBERING_KEYS_MAX ((size_t) 16)

typedef struct dw_row_numbering {
    /* Fills in the numbers of at most 2048 rows from the keys of each column. */
    void (*number)(const void *ctx, const dw_str *const *keys, size_t row_count, uint32_t *out);
    const void *ctx;
    size_t key_count;
} dw_row_numbering;

typedef struct dw_numbering dw_numbering;

/* For statements of the connection, until it is unbound. `spec` is copied, its ctx borrowed. */
DW_WARN_UNUSED dw_status dw__connection_bind_numbering(dw_connection *connection,
                                                       const dw_row_numbering *spec,
                                                       dw_numbering **out, dw_error *err);
/* NULL is fine. */
void dw__connection_unbind_numbering(dw_connection *connection, dw_numbering *numbering);
/* Appends the expression of a row's number from those of its values, as many as there are keys. */
void dw__numbering_print(const dw_numbering *numbering, const dw_str *values, dw_strbuf *out);

/* Appends the expression of the key of a value as hexadecimal text, of its first bytes if it is
 * long; _read gives the key back, in `arena`; the null string when out of memory. */
void dw__sort_key_print(dw_str value, dw_strbuf *out);
dw_str dw__sort_key_read(dw_str text, dw_arena *arena);

#endif
