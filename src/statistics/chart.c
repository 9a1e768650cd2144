/*
 * Drawing. A picture is 640 by 240 and grows and shrinks with the page; its texts keep readable on
 * a phone as it may be no smaller than half.
 */
#include "statistics/chart.h"

#include "protocol/value.h"

#include <math.h>

#define WIDTH 640.0
#define HEIGHT 240.0
#define LEFT 78.0
#define RIGHT 12.0
#define TOP 12.0
#define BOTTOM 30.0
#define PLOT_WIDTH (WIDTH - LEFT - RIGHT)
#define PLOT_HEIGHT (HEIGHT - TOP - BOTTOM)
#define GRID_LINES_MAX 4
#define LABEL_CHARACTERS 40
#define DAY_MS INT64_C(86400000)

/* The next 1, 2, 2.5 or 5 times a power of ten that is whole, as all values are, and of which few
 * enough reach the greatest one. */
static double
nice_step(double max)
{
    double step = max <= GRID_LINES_MAX ? 1 : max / GRID_LINES_MAX;
    double power = pow(10, floor(log10(step)));
    double digit = step / power;
    bool has_half = power > 1;
    double nice = digit <= 1                 ? 1
                  : digit <= 2               ? 2
                  : digit <= 2.5 && has_half ? 2.5
                  : digit <= 5               ? 5
                                             : 10;
    return nice * power;
}

static void
open_picture(dw_strbuf *out, const char *name)
{
    dw__strbuf_printf(
        out, "<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
        WIDTH, HEIGHT, name);
}

/* Lines across with their figures; returns the value at the top. */
static double
put_grid(dw_strbuf *out, double max, dw_chart_put put)
{
    double step = nice_step(max);
    int line_count = max <= step ? 1 : (int) ceil(max / step);
    for (int i = 0; i <= line_count; i++) {
        double y = TOP + PLOT_HEIGHT * (1 - (double) i / line_count);
        dw__strbuf_printf(out,
                          "<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>",
                          LEFT, WIDTH - RIGHT, y, y);
        dw__strbuf_printf(out, "<text class=\"axis end\" x=\"%.0f\" y=\"%.1f\">", LEFT - 6, y + 4);
        put(out, step * i);
        dw__strbuf_append_literal(out, "</text>\n");
    }
    return step * line_count;
}

void
dw__chart_put_time(dw_strbuf *out, int64_t time_ms, int64_t span_ms)
{
    dw_strbuf text = dw__strbuf_make(out->allocator, 64);
    dw__timestamp_print(&text, time_ms * 1000, ' ', 0, "");
    dw__strbuf_append(out, dw__str_slice(dw__strbuf_str(&text), 0, span_ms < 2 * DAY_MS ? 16 : 10));
    out->failed = out->failed || text.failed;
    dw__strbuf_deinit(&text);
}

/* The first and the last time below a picture. */
static void
put_times(dw_strbuf *out, int64_t first_ms, int64_t last_ms)
{
    double y = HEIGHT - 10;
    dw__strbuf_printf(out, "<text class=\"axis\" x=\"%.0f\" y=\"%.0f\">", LEFT, y);
    dw__chart_put_time(out, first_ms, last_ms - first_ms);
    dw__strbuf_printf(out, "</text><text class=\"axis end\" x=\"%.0f\" y=\"%.0f\">", WIDTH - RIGHT,
                      y);
    dw__chart_put_time(out, last_ms, last_ms - first_ms);
    dw__strbuf_append_literal(out, "</text>\n");
}

/* ---- Lines ----------------------------------------------------------------------------------- */

typedef struct scale {
    double first, span, top;
} scale;

static double
x_of(const scale *s, int64_t time_ms)
{
    return LEFT + PLOT_WIDTH * (s->span <= 0 ? 0 : ((double) time_ms - s->first) / s->span);
}

static double
y_of(const scale *s, double value)
{
    return TOP + PLOT_HEIGHT * (1 - value / s->top);
}

/* One run of points that are known, as an area and the line above it. */
static void
put_run(dw_strbuf *out, const scale *s, const dw_chart_point *points, size_t count, double end)
{
    for (int pass = 0; pass < 2; pass++) {
        bool is_area = pass == 0;
        double x = x_of(s, points[0].time_ms);
        dw__strbuf_printf(out, "<path class=\"%s\" d=\"M%.1f %.1f", is_area ? "area" : "line", x,
                          is_area ? TOP + PLOT_HEIGHT : y_of(s, points[0].value));
        for (size_t i = 0; i < count; i++) {
            double next = i + 1 < count ? x_of(s, points[i + 1].time_ms) : end;
            dw__strbuf_printf(out, "V%.1fH%.1f", y_of(s, points[i].value), next);
        }
        dw__strbuf_printf(out, is_area ? "V%.1fZ\"/>\n" : "\"/>\n", TOP + PLOT_HEIGHT);
    }
}

void
dw__chart_put_line(dw_strbuf *out, const char *name, const dw_chart_point *points, size_t count,
                   dw_chart_put put)
{
    double max = 0;
    for (size_t i = 0; i < count; i++) {
        max = points[i].is_known && points[i].value > max ? points[i].value : max;
    }
    open_picture(out, name);
    scale s = {.first = count == 0 ? 0 : (double) points[0].time_ms};
    s.span = count == 0 ? 0 : (double) points[count - 1].time_ms - s.first;
    s.top = put_grid(out, max, put);
    for (size_t i = 0; i < count;) {
        size_t run = i;
        while (run < count && points[run].is_known) {
            run++;
        }
        if (run > i) {
            double end = run < count ? x_of(&s, points[run].time_ms) : WIDTH - RIGHT;
            put_run(out, &s, points + i, run - i, end);
        }
        i = run + 1;
    }
    if (count > 0) {
        put_times(out, points[0].time_ms, points[count - 1].time_ms);
    }
    dw__strbuf_append_literal(out, "</svg>\n");
}

/* ---- Bars ------------------------------------------------------------------------------------ */

static void
put_bar(dw_strbuf *out, const char *class, double x, double width, double y, double height)
{
    dw__strbuf_printf(out,
                      "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
                      class, x, y, width, height < 0 ? 0 : height);
}

void
dw__chart_put_bars(dw_strbuf *out, const char *name, const dw_chart_bar *bars, size_t count,
                   dw_chart_put put)
{
    double max = 0;
    for (size_t i = 0; i < count; i++) {
        max = bars[i].value > max ? bars[i].value : max;
    }
    open_picture(out, name);
    double top = put_grid(out, max, put);
    double step = PLOT_WIDTH / (double) (count == 0 ? 1 : count);
    for (size_t i = 0; i < count; i++) {
        double height = PLOT_HEIGHT * bars[i].value / top;
        double x = LEFT + step * (double) i;
        put_bar(out, "bar", x + step * 0.1, step * 0.8, TOP + PLOT_HEIGHT - height, height);
        dw__strbuf_append_literal(out, "<title>");
        dw__html_put_text(out, bars[i].title, 0);
        dw__strbuf_printf(out, "</title></rect><text class=\"axis middle\" x=\"%.1f\" y=\"%.0f\">",
                          x + step / 2, HEIGHT - 12);
        dw__html_put_text(out, bars[i].label, LABEL_CHARACTERS);
        dw__strbuf_append_literal(out, "</text>\n");
    }
    dw__strbuf_append_literal(out, "</svg>\n");
}

void
dw__chart_put_rows(dw_strbuf *out, const dw_chart_bar *bars, size_t count, dw_chart_put put)
{
    double max = 0;
    for (size_t i = 0; i < count; i++) {
        max = bars[i].value > max ? bars[i].value : max;
    }
    dw__strbuf_append_literal(out, "<ul class=\"rows\">\n");
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append_literal(out, "<li title=\"");
        dw__html_put_text(out, bars[i].title, 0);
        dw__strbuf_append_literal(out, "\"><span class=\"label\"><bdi>");
        dw__html_put_text(out, bars[i].label, 2 * LABEL_CHARACTERS);
        dw__strbuf_append_literal(out, "</bdi></span><span class=\"figure\">");
        put(out, bars[i].value);
        dw__strbuf_printf(
            out, "</span><span class=\"track\"><span style=\"width:%.2f%%\"></span></span></li>\n",
            max <= 0 ? 0 : 100 * bars[i].value / max);
    }
    dw__strbuf_append_literal(out, "</ul>\n");
}

void
dw__chart_put_layers(dw_strbuf *out, const char *name, const double *values, size_t bar_count,
                     size_t layer_count, int64_t first_ms, int64_t last_ms)
{
    double max = 0;
    for (size_t i = 0; i < bar_count; i++) {
        double sum = 0;
        for (size_t k = 0; k < layer_count; k++) {
            sum += values[i * layer_count + k];
        }
        max = sum > max ? sum : max;
    }
    open_picture(out, name);
    double top = put_grid(out, max, dw__html_put_short);
    double step = PLOT_WIDTH / (double) (bar_count == 0 ? 1 : bar_count);
    for (size_t i = 0; i < bar_count; i++) {
        double y = TOP + PLOT_HEIGHT;
        for (size_t k = 0; k < layer_count; k++) {
            double height = PLOT_HEIGHT * values[i * layer_count + k] / top;
            char class[16] = "fill0";
            class[4] = (char) ('0' + k % 8);
            y -= height;
            if (height > 0) {
                put_bar(out, class, LEFT + step * ((double) i + 0.1), step * 0.8, y, height);
                dw__strbuf_append_literal(out, "</rect>\n");
            }
        }
    }
    put_times(out, first_ms, last_ms);
    dw__strbuf_append_literal(out, "</svg>\n");
}
