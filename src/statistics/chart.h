/*
 * Pictures as SVG inside a page: lines over time, bars. Colours are the page's classes.
 */
#ifndef DW_STATISTICS_CHART_H
#define DW_STATISTICS_CHART_H

#include "statistics/html.h"

/* Appends a figure on an axis or in a title. */
typedef void (*dw_chart_put)(dw_strbuf *out, double value);

typedef struct dw_chart_point {
    int64_t time_ms;
    double value;
    bool is_known; /* false: the line stops here */
} dw_chart_point;

/* Steps from point to point: a value holds until the next one. Times ascend. `name` is what is
 * shown, for those who cannot see it. */
void dw__chart_put_line(dw_strbuf *out, const char *name, const dw_chart_point *points,
                        size_t count, dw_chart_put put);

typedef struct dw_chart_bar {
    dw_str label; /* not escaped */
    double value;
    dw_str title; /* what a pointer over it shows; not escaped */
} dw_chart_bar;

/* Upright bars with labels below, for few of them. */
void dw__chart_put_bars(dw_strbuf *out, const char *name, const dw_chart_bar *bars, size_t count,
                        dw_chart_put put);
/* Lying bars, a label and a figure over each. */
void dw__chart_put_rows(dw_strbuf *out, const dw_chart_bar *bars, size_t count, dw_chart_put put);

/* Upright bars of `layer_count` layers each: values[bar * layer_count + layer]; bars stand for
 * equal parts of the time from `first_ms` to `last_ms`. */
void dw__chart_put_layers(dw_strbuf *out, const char *name, const double *values, size_t bar_count,
                          size_t layer_count, int64_t first_ms, int64_t last_ms);

/* Appends "2024-05-01", or "2024-05-01 12:30" where the span is short. */
void dw__chart_put_time(dw_strbuf *out, int64_t time_ms, int64_t span_ms);

#endif
