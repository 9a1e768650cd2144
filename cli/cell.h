/*
 * One value of an Arrow array as text: for people, or as JSON.
 */
#ifndef CLI_CELL_H
#define CLI_CELL_H

#include "deltaworks.h"
#include "text.h"

bool cell_is_null(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row);
/* Appends the value as DuckDB and Spark print it; NULL inside nested values is NULL. The cell
 * itself must not be NULL. */
void cell_append_text(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
                      int64_t row);
/* Appends the value as JSON; NULL is null, and so are NaN and infinities. */
void cell_append_json(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
                      int64_t row);
/* Appends `bytes` as a JSON string. */
void cell_append_json_string(text *out, const char *bytes, size_t len);
/* True for numbers: they are aligned to the right. */
bool cell_is_number(const struct ArrowSchema *schema);

#endif
