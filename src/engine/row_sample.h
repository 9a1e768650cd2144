/*
 * A sample of the rows of a query, taken by all threads of the engine as they read them. Its
 * random() < share says the same, but at the price of reading a column.
 */
#ifndef DW_ENGINE_ROW_SAMPLE_H
#define DW_ENGINE_ROW_SAMPLE_H

#include "base/strbuf.h"

/* Appends a condition: true for each row with the chance `share`, 0 to 1, whatever others get. */
void dw__row_sample_print(double share, dw_strbuf *out);

#endif
