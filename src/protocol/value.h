/*
 * dw_value: one typed value of a primitive column, as it stands in partition values and statistics.
 */
#ifndef DW_PROTOCOL_VALUE_H
#define DW_PROTOCOL_VALUE_H

#include "base/int128.h"
#include "protocol/schema.h"

typedef enum dw_value_kind {
    DW_VALUE_NULL,
    DW_VALUE_BOOL,    /* i64: 0 or 1 */
    DW_VALUE_I64,     /* byte, short, integer, long; date: days; timestamps: microseconds */
    DW_VALUE_DOUBLE,  /* float, double */
    DW_VALUE_DECIMAL, /* i128 scaled by 10^scale */
    DW_VALUE_STR      /* string, binary: bytes */
} dw_value_kind;

typedef struct dw_value {
    dw_value_kind kind;
    uint8_t scale; /* DECIMAL */
    union {
        int64_t i64;
        double f64;
        dw_i128 i128;
        dw_str str; /* borrowed or in the arena it was parsed into */
    } as;
} dw_value;

/* Total order of two values, NULL excluded. Integers and decimals of any scale compare exactly.
 * Where one side is a DOUBLE the other is rounded to double first, as SQL engines do. NaN is
 * greater than everything and equal to itself; -0.0 equals 0.0; strings bytewise. `comparable_out`
 * is false, and the result 0, when the kinds do not mix (BOOL and STR mix only with their own). */
int dw__value_compare(const dw_value *a, const dw_value *b, bool *comparable_out);

/* The nearest double of an integer, double or decimal; false for other kinds. */
bool dw__value_to_double(const dw_value *value, double *out);

/* Dates and times without the C library's time zone. "2024-02-29" (month and day may have one
 * digit, the year a sign and up to six); "2024-02-29 12:00[:00[.fffffffff]]" or with 'T', with 'Z',
 * "+hh", "+hhmm" or "+hh:mm" when `zone_allowed`, or the date alone. Digits behind microseconds are
 * dropped. */
bool dw__date_parse(dw_str text, int64_t *days_out);
bool dw__timestamp_parse(dw_str text, bool zone_allowed, int64_t *micros_out);
void dw__date_print(dw_strbuf *out, int64_t days);
/* `separator` ' ' or 'T'; `fraction_digits` 0, 3 or 6, or -1 for as many as needed (0, 3 or 6);
 * `suffix` such as "Z". */
void dw__timestamp_print(dw_strbuf *out, int64_t micros, char separator, int fraction_digits,
                         const char *suffix);
/* A decimal in plain notation or with an exponent; false when it does not fit precision and scale
 * exactly. */
bool dw__decimal_parse(dw_str text, uint8_t precision, uint8_t scale, dw_i128 *out);
/* The text of a decimal in the caller's memory. */
#define DW_DECIMAL_TEXT_SIZE 96
dw_str dw__decimal_text(dw_i128 unscaled, uint8_t scale, char memory[DW_DECIMAL_TEXT_SIZE]);
void dw__decimal_print(dw_strbuf *out, dw_i128 unscaled, uint8_t scale);

/* ---- Partition values: PROTOCOL.md "Partition Value Serialization" --------------------------- */

/* The value of a partition column from its text in the log; the null string and "" give NULL. `out`
 * borrows `text`, or lives in `arena`. DW_CORRUPT (PARTITION_VALUE_INVALID) with column, type and
 * text. Timestamps without a zone count as UTC. Binary text that is a row of \uXXXX escapes is
 * unescaped, other text is its own bytes. */
DW_WARN_UNUSED dw_status dw__partition_value_parse(const dw_field *field, dw_str text,
                                                   dw_arena *arena, dw_value *out, dw_error *err);
/* The text for the log; the null string for NULL (also for an empty string). Timestamps are printed
 * as Spark prints them, `2024-01-01T00:00:00.000000Z`: Spark, delta-rs and DuckDB read that in any
 * session zone. Binary is its own bytes, which is what Spark and the kernels read back;
 * DW_INVALID_ARGUMENT (PARTITION_VALUE_INVALID) when they are not UTF-8, for the log cannot hold
 * them. */
DW_WARN_UNUSED dw_status dw__partition_value_print(const dw_field *field, const dw_value *value,
                                                   dw_arena *arena, dw_str *out, dw_error *err);
/* That error. */
DW_WARN_UNUSED dw_status dw__partition_value_refuse(const dw_field *field, dw_error *err);
/* Appends "name=value" with Hive's escapes, `__HIVE_DEFAULT_PARTITION__` for NULL (null string).
 * Not yet percent-encoded. */
void dw__partition_path_append(dw_strbuf *out, dw_str column, dw_str text);

#endif
