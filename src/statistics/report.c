/*
 * The page. What stands in it of a table goes through dw__html_put_text, without exception.
 * [HTML-1]
 */
#include "statistics/report.h"

#include "base/assert.h"
#include "base/vec.h"
#include "statistics/chart.h"

#include <inttypes.h>
#include <stdlib.h>

/* Of more versions every so manieth is drawn. */
#define POINTS_MAX ((size_t) 400)
#define PARTITIONS_SHOWN ((size_t) 20)
#define TIME_BARS ((size_t) 40)
/* Kinds of operations with a colour of their own; the last is for all others. */
#define OPERATION_KINDS ((size_t) 7)
#define VERSIONS_LISTED ((size_t) 15)
#define LABEL_BYTES_MAX ((size_t) 4096)

static const char style[] =
    ":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#5b6675;"
    "--line:#dfe3e8;--main:#2563eb;--area:#2563eb22;--track:#e8ecf1;--c0:#2563eb;--c1:#d97706;"
    "--c2:#059669;--c3:#9333ea;--c4:#dc2626;--c5:#0891b2;--c6:#8a94a3}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b212a;--ink:#e6eaf0;"
    "--soft:#9aa6b5;--line:#303946;--main:#6ea8fe;--area:#6ea8fe2b;--track:#2a323d;--c0:#6ea8fe;"
    "--c1:#f2a54a;--c2:#45c39a;--c3:#b98af0;--c4:#f47c7c;--c5:#4cc3dd;--c6:#8793a3}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\n"
    "main{max-width:1120px;margin:0 auto;padding:24px 16px 48px}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}"
    "h2{font-size:1rem;margin:0 0 12px}p.sub{margin:0 0 20px;color:var(--soft);"
    "overflow-wrap:anywhere}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:12px;"
    "margin-bottom:16px}.card,section{background:var(--card);border:1px solid var(--line);"
    "border-radius:10px;padding:14px 16px}.card b{display:block;font-size:1.3rem;line-height:1.3;"
    "font-weight:600;overflow-wrap:anywhere}.card span{color:var(--soft);font-size:.85rem}\n"
    ".grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));"
    "gap:16px}section{min-width:0}.wide{grid-column:1/-1}.note{color:var(--soft);"
    "font-size:.85rem;margin:10px 0 0}\n"
    "svg.chart{display:block;width:100%;height:auto}.grid{stroke:var(--line);stroke-width:1}"
    ".axis{fill:var(--soft);font-size:13px}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".line{fill:none;stroke:var(--main);stroke-width:2}.area{fill:var(--area)}"
    ".bar{fill:var(--main)}\n"
    ".fill0{fill:var(--c0)}.fill1{fill:var(--c1)}.fill2{fill:var(--c2)}.fill3{fill:var(--c3)}"
    ".fill4{fill:var(--c4)}.fill5{fill:var(--c5)}.fill6{fill:var(--c6)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0;padding:0;list-style:none;"
    "font-size:.85rem}.legend svg{width:11px;height:11px;margin-right:6px}\n"
    ".rows{list-style:none;margin:0;padding:0;display:grid;gap:8px}.rows li{display:grid;"
    "grid-template-columns:minmax(0,1fr) auto;gap:2px 12px;font-size:.9rem}"
    ".label{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.figure{color:var(--soft)}"
    ".track{grid-column:1/-1;background:var(--track);border-radius:4px;height:8px}"
    ".track span{display:block;height:100%;min-width:2px;border-radius:4px;"
    "background:var(--main)}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;"
    "font-variant-numeric:tabular-nums}th,td{text-align:right;padding:5px 10px;"
    "border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--soft);"
    "font-weight:500}td.text,th.text{text-align:left}\n"
    "@media (max-width:560px){.axis{font-size:20px}.cards{grid-template-columns:1fr 1fr}}\n";

/* ---- What is drawn --------------------------------------------------------------------------- */

typedef struct operation_kind {
    dw_str name;
    int64_t count;
} operation_kind;

typedef struct version_vec {
    dw_version_figures *items;
    size_t count;
    size_t capacity;
} version_vec;

typedef struct page {
    dw_strbuf *out;
    dw_arena *arena;
    dw_log_snapshot *snapshot;
    dw_str name;
    dw_table_figures figures;
    dw_log_figures log;
    version_vec versions; /* oldest first; operations are in the arena, each name once */
    operation_kind *operations;
    size_t operation_count, operation_capacity;
} page;

/* The name as it is kept; counts it. The null string when out of memory. */
static dw_str
count_operation(page *p, dw_str name)
{
    name = name.len == 0 ? DW_STR("(not said)") : name;
    for (size_t i = 0; i < p->operation_count; i++) {
        if (dw__str_equal(p->operations[i].name, name)) {
            p->operations[i].count++;
            return p->operations[i].name;
        }
    }
    if (p->operation_count == p->operation_capacity) {
        size_t capacity = p->operation_capacity == 0 ? 16 : 2 * p->operation_capacity;
        operation_kind *grown = DW_ARENA_ARRAY(p->arena, operation_kind, capacity);
        if (grown == NULL) {
            return DW_STR_NULL;
        }
        if (p->operation_count > 0) {
            memcpy(grown, p->operations, p->operation_count * sizeof(*grown));
        }
        p->operations = grown;
        p->operation_capacity = capacity;
    }
    operation_kind *kind = &p->operations[p->operation_count];
    kind->count = 1;
    if (!dw__arena_dup(p->arena, name, &kind->name)) {
        return DW_STR_NULL;
    }
    p->operation_count++;
    return kind->name;
}

static dw_status
take_version(void *ctx, const dw_version_figures *version, dw_error *err)
{
    page *p = ctx;
    dw_version_figures *slot = DW_VEC_PUSH(p->arena->allocator, &p->versions);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = *version;
    slot->operation = count_operation(p, version->operation);
    return dw__str_is_null(slot->operation) ? dw__error_oom(err) : DW_OK;
}

/* The most frequent first. */
static int
compare_operations(const void *a, const void *b)
{
    const operation_kind *x = a, *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? 1 : -1;
    }
    return dw__str_compare(x->name, y->name);
}

/* ---- Figures --------------------------------------------------------------------------------- */

static void
put_size(dw_strbuf *out, double value)
{
    dw__html_put_size(out, value);
}

static void
open_card(page *p)
{
    dw__strbuf_append_literal(p->out, "<div class=\"card\"><b>");
}

static void
close_card(page *p, const char *what)
{
    dw__strbuf_printf(p->out, "</b><span>%s</span></div>\n", what);
}

static void
put_count_card(page *p, int64_t count, bool is_known, const char *one, const char *many)
{
    open_card(p);
    if (is_known) {
        dw__html_put_count(p->out, count);
    } else {
        dw__strbuf_append_literal(p->out, "not known");
    }
    close_card(p, is_known && count == 1 ? one : many);
}

static void
put_size_card(page *p, int64_t bytes, const char *what)
{
    open_card(p);
    dw__html_put_size(p->out, (double) bytes);
    close_card(p, what);
}

static void
put_cards(page *p)
{
    const dw_file_totals *totals = &p->figures.totals;
    double written = (double) (totals->rows + totals->vector_rows);
    dw__strbuf_append_literal(p->out, "<div class=\"cards\">\n");
    put_count_card(p, totals->rows, totals->files_without_rows == 0, "row", "rows");
    put_count_card(p, totals->files, true, "file", "files");
    put_size_card(p, totals->bytes, "in data files");
    put_size_card(p, totals->files == 0 ? 0 : totals->bytes / totals->files, "a file, on average");
    if (dw__log_snapshot_metadata(p->snapshot)->partition_column_count > 0) {
        put_count_card(p, (int64_t) p->figures.partition_count, true, "partition", "partitions");
    }
    open_card(p);
    dw__strbuf_printf(p->out, "%.1f%%",
                      written <= 0 ? 0 : 100 * (double) totals->vector_rows / written);
    close_card(p, "of rows deleted by vectors");
    put_size_card(p, p->log.bytes, "in the log");
    put_count_card(p, (int64_t) p->versions.count, true, "version to go back to",
                   "versions to go back to");
    dw__strbuf_append_literal(p->out, "</div>\n");
}

static void
put_head(page *p)
{
    dw__strbuf_append_literal(
        p->out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'\">\n<title>");
    dw__html_put_text(p->out, p->name, 200);
    dw__strbuf_append_literal(p->out, "</title>\n<style>\n");
    dw__strbuf_append(p->out, dw__str_from(style));
    dw__strbuf_append_literal(p->out, "</style></head>\n<body><main>\n<h1><bdi>");
    dw__html_put_text(p->out, p->name, 200);
    dw__strbuf_printf(p->out, "</bdi></h1>\n<p class=\"sub\">version %" PRId64 " of ",
                      dw__log_snapshot_version(p->snapshot));
    dw__chart_put_time(p->out, dw__log_snapshot_timestamp_ms(p->snapshot), 0);
    dw__strbuf_append_literal(p->out, " UTC, table ");
    dw__html_put_text(p->out, dw__log_snapshot_metadata(p->snapshot)->id, 80);
    dw__strbuf_append_literal(p->out, "</p>\n");
}

/* ---- Growth ---------------------------------------------------------------------------------- */

typedef double (*value_of)(const dw_file_totals *totals);

static double
rows_of(const dw_file_totals *totals)
{
    return (double) totals->rows;
}

static double
bytes_of(const dw_file_totals *totals)
{
    return (double) totals->bytes;
}

static double
files_of(const dw_file_totals *totals)
{
    return (double) totals->files;
}

static dw_status
put_growth(page *p, const char *title, value_of value, bool needs_rows, dw_chart_put put,
           dw_error *err)
{
    size_t step = p->versions.count / POINTS_MAX + 1;
    size_t count = 0;
    dw_chart_point *points = DW_ARENA_ARRAY(p->arena, dw_chart_point, POINTS_MAX + 2);
    if (points == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < p->versions.count; i++) {
        if (i % step == 0 || i + 1 == p->versions.count) { /* the newest is always there */
            const dw_version_figures *version = &p->versions.items[i];
            dw_assert(count < POINTS_MAX + 2);
            points[count++] =
                (dw_chart_point){version->timestamp_ms, value(&version->after),
                                 !needs_rows || version->after.files_without_rows == 0};
        }
    }
    dw__strbuf_printf(p->out, "<section><h2>%s</h2>\n", title);
    dw__chart_put_line(p->out, title, points, count, put);
    dw__strbuf_append_literal(p->out, "</section>\n");
    return DW_OK;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static dw_str
printed(page *p, dw_strbuf *text)
{
    dw_str out;
    if (text->failed || !dw__arena_dup(p->arena, dw__strbuf_str(text), &out)) {
        return DW_STR_NULL;
    }
    return out;
}

/* Empty ranges at both ends are left out. */
static dw_status
put_histogram(page *p, dw_error *err)
{
    dw_chart_bar bars[DW_STATISTICS_BIN_COUNT];
    size_t first = 0, end = DW_STATISTICS_BIN_COUNT;
    const dw_size_bin *bins = p->figures.bins;
    while (first + 1 < end && bins[first].totals.files == 0) {
        first++;
    }
    while (end > first + 1 && bins[end - 1].totals.files == 0) {
        end--;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->arena->allocator, LABEL_BYTES_MAX);
    for (size_t i = first; i < end; i++) {
        dw_chart_bar *bar = &bars[i - first];
        dw__strbuf_clear(&text);
        dw__strbuf_append(&text, bins[i].to_bytes < 0 ? DW_STR("\xe2\x89\xa5 ") : DW_STR("< "));
        dw__html_put_size(&text,
                          (double) (bins[i].to_bytes < 0 ? bins[i].from_bytes : bins[i].to_bytes));
        bar->label = printed(p, &text);
        dw__strbuf_clear(&text);
        dw__html_put_count(&text, bins[i].totals.files);
        dw__strbuf_append_literal(&text, " files, ");
        dw__html_put_size(&text, (double) bins[i].totals.bytes);
        bar->title = printed(p, &text);
        bar->value = (double) bins[i].totals.files;
        if (dw__str_is_null(bar->label) || dw__str_is_null(bar->title)) {
            return dw__error_oom(err);
        }
    }
    dw__strbuf_append_literal(p->out, "<section><h2>Files by size</h2>\n");
    dw__chart_put_bars(p->out, "Files by size", bars, end - first, dw__html_put_short);
    dw__strbuf_append_literal(p->out, "</section>\n");
    return DW_OK;
}

static int
compare_sizes(const void *a, const void *b)
{
    const dw_partition_figures *x = *(const dw_partition_figures *const *) a;
    const dw_partition_figures *y = *(const dw_partition_figures *const *) b;
    return x->totals.bytes < y->totals.bytes ? 1 : -(x->totals.bytes > y->totals.bytes);
}

/* "day=2024-05-01, airport=KEF", cut where it is long. */
static void
print_partition(const page *p, const dw_partition_figures *partition, dw_strbuf *out)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(p->snapshot);
    dw__strbuf_clear(out);
    for (size_t i = 0; i < metadata->partition_column_count && out->len < 400; i++) {
        dw_str value = partition->values[i];
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__strbuf_append(out, dw__str_slice(metadata->partition_columns[i], 0, 400));
        dw__strbuf_append_char(out, '=');
        dw__strbuf_append(out,
                          dw__str_is_null(value) ? DW_STR("NULL") : dw__str_slice(value, 0, 400));
    }
}

static dw_status
make_partition_bar(page *p, const dw_partition_figures *partition, dw_strbuf *text,
                   dw_chart_bar *out, dw_error *err)
{
    print_partition(p, partition, text);
    out->label = printed(p, text);
    dw__strbuf_append_literal(text, ": ");
    dw__html_put_count(text, partition->totals.files);
    dw__strbuf_append_literal(text, " files");
    if (partition->totals.files_without_rows == 0) {
        dw__strbuf_append_literal(text, ", ");
        dw__html_put_count(text, partition->totals.rows);
        dw__strbuf_append_literal(text, " rows");
    }
    out->title = printed(p, text);
    out->value = (double) partition->totals.bytes;
    return dw__str_is_null(out->label) || dw__str_is_null(out->title) ? dw__error_oom(err) : DW_OK;
}

static dw_status
put_partitions(page *p, dw_error *err)
{
    size_t count = p->figures.partition_count;
    size_t shown = count < PARTITIONS_SHOWN ? count : PARTITIONS_SHOWN;
    if (dw__log_snapshot_metadata(p->snapshot)->partition_column_count == 0 || count == 0) {
        return DW_OK;
    }
    dw_chart_bar bars[PARTITIONS_SHOWN];
    const dw_partition_figures **order =
        DW_ARENA_ARRAY(p->arena, const dw_partition_figures *, count);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->arena->allocator, LABEL_BYTES_MAX);
    if (order == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = &p->figures.partitions[i];
    }
    qsort(order, count, sizeof(const dw_partition_figures *), compare_sizes);
    for (size_t i = 0; i < shown; i++) {
        DW_TRY(make_partition_bar(p, order[i], &text, &bars[i], err));
    }
    dw__strbuf_append_literal(p->out, "<section><h2>Largest partitions</h2>\n");
    dw__chart_put_rows(p->out, bars, shown, put_size);
    if (shown < count) {
        dw__strbuf_append_literal(p->out, "<p class=\"note\">and ");
        dw__html_put_count(p->out, (int64_t) (count - shown));
        dw__strbuf_append_literal(p->out, " smaller ones</p>\n");
    }
    dw__strbuf_append_literal(p->out, "</section>\n");
    return DW_OK;
}

/* ---- Operations ------------------------------------------------------------------------------ */

static size_t
layer_of(const page *p, dw_str operation)
{
    for (size_t i = 0; i + 1 < OPERATION_KINDS && i < p->operation_count; i++) {
        if (p->operations[i].name.ptr == operation.ptr) {
            return i;
        }
    }
    return OPERATION_KINDS - 1;
}

static void
put_legend(page *p)
{
    dw__strbuf_append_literal(p->out, "<ul class=\"legend\">\n");
    int64_t others = 0;
    for (size_t i = OPERATION_KINDS - 1; i < p->operation_count; i++) {
        others += p->operations[i].count;
    }
    for (size_t i = 0; i < OPERATION_KINDS && i < p->operation_count; i++) {
        bool is_last = i == OPERATION_KINDS - 1;
        dw__strbuf_printf(
            p->out,
            "<li><svg viewBox=\"0 0 1 1\"><rect class=\"fill%zu\" width=\"1\" height=\"1\"/></svg>",
            i);
        dw__html_put_text(p->out, is_last ? DW_STR("others") : p->operations[i].name, 60);
        dw__strbuf_append_literal(p->out, " ");
        dw__html_put_count(p->out, is_last ? others : p->operations[i].count);
        dw__strbuf_append_literal(p->out, "</li>\n");
    }
    dw__strbuf_append_literal(p->out, "</ul>\n");
}

static void
put_operations(page *p)
{
    double values[TIME_BARS * OPERATION_KINDS] = {0};
    if (p->versions.count == 0) {
        return;
    }
    int64_t first = p->versions.items[0].timestamp_ms;
    int64_t last = p->versions.items[p->versions.count - 1].timestamp_ms;
    for (size_t i = 0; i < p->versions.count; i++) {
        const dw_version_figures *version = &p->versions.items[i];
        double part =
            last <= first ? 0 : (double) (version->timestamp_ms - first) / (double) (last - first);
        size_t bar = part <= 0 ? 0 : (size_t) (part * (double) TIME_BARS);
        bar = bar < TIME_BARS ? bar : TIME_BARS - 1;
        values[bar * OPERATION_KINDS + layer_of(p, version->operation)] += 1;
    }
    dw__strbuf_append_literal(p->out, "<section><h2>Operations</h2>\n");
    dw__chart_put_layers(p->out, "Commits over time, by operation", values, TIME_BARS,
                         OPERATION_KINDS, first, last);
    put_legend(p);
    dw__strbuf_append_literal(p->out, "</section>\n");
}

static void
put_change_cell(page *p, int64_t count, bool is_known, const char *sign)
{
    dw__strbuf_append_literal(p->out, "<td>");
    if (is_known && count != 0) {
        dw__strbuf_append(p->out, dw__str_from(sign));
        dw__html_put_count(p->out, count);
    }
    dw__strbuf_append_literal(p->out, "</td>");
}

static void
put_version_row(page *p, const dw_version_figures *version)
{
    bool known = version->has_changes;
    dw__strbuf_printf(p->out, "<tr><td>%" PRId64 "</td><td class=\"text\">", version->version);
    dw__chart_put_time(p->out, version->timestamp_ms, 0);
    dw__strbuf_append_literal(p->out, "</td><td class=\"text\">");
    dw__html_put_text(p->out, version->operation, 60);
    dw__strbuf_append_literal(p->out, "</td><td>");
    if (version->after.files_without_rows == 0) {
        dw__html_put_count(p->out, version->after.rows);
    }
    dw__strbuf_append_literal(p->out, "</td>");
    put_change_cell(p, version->after.files, true, "");
    put_change_cell(p, version->added.files, known, "+");
    put_change_cell(p, version->removed.files, known, "\xe2\x88\x92");
    dw__strbuf_append_literal(p->out, "<td>");
    dw__html_put_size(p->out, (double) version->after.bytes);
    dw__strbuf_append_literal(p->out, "</td></tr>\n");
}

static void
put_versions(page *p)
{
    dw__strbuf_append_literal(
        p->out, "<section class=\"wide\"><h2>Newest versions</h2>\n<div class=\"scroll\"><table>\n"
                "<thead><tr><th>version</th><th class=\"text\">time (UTC)</th><th class=\"text\">"
                "operation</th><th>rows</th><th>files</th><th>added</th><th>removed</th>"
                "<th>size</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < VERSIONS_LISTED && i < p->versions.count; i++) {
        put_version_row(p, &p->versions.items[p->versions.count - 1 - i]);
    }
    dw__strbuf_append_literal(p->out, "</tbody></table></div></section>\n");
}

/* ---- All of it ------------------------------------------------------------------------------- */

static dw_status
put_page(page *p, dw_error *err)
{
    put_head(p);
    put_cards(p);
    dw__strbuf_append_literal(p->out, "<div class=\"grid2\">\n");
    DW_TRY(put_growth(p, "Rows", rows_of, true, dw__html_put_short, err));
    DW_TRY(put_growth(p, "Size", bytes_of, false, put_size, err));
    DW_TRY(put_growth(p, "Files", files_of, false, dw__html_put_short, err));
    put_operations(p);
    DW_TRY(put_histogram(p, err));
    DW_TRY(put_partitions(p, err));
    put_versions(p);
    dw__strbuf_append_literal(p->out, "</div>\n<p class=\"note\">From the table's log alone, by "
                                      "deltaworks " DW_VERSION "; no data file was read.</p>\n"
                                      "</main></body></html>\n");
    return dw__strbuf_ok(p->out, "the report", err);
}

static dw_status
make_page(page *p, dw_error *err)
{
    dw_log *log = dw__log_snapshot_log(p->snapshot);
    DW_TRY(dw__statistics_collect(p->snapshot, p->arena, &p->figures, err));
    DW_TRY(dw__statistics_log(log, &p->log, err));
    DW_TRY(dw__statistics_visit_versions(log, 0, take_version, p, err));
    if (p->operation_count > 1) {
        qsort(p->operations, p->operation_count, sizeof(*p->operations), compare_operations);
    }
    return put_page(p, err);
}

dw_status
dw__statistics_report(dw_log_snapshot *snapshot, dw_str name, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, out->allocator);
    page p = {.out = out, .arena = &arena, .snapshot = snapshot, .name = name};
    dw_status status = make_page(&p, err);
    DW_VEC_DEINIT(arena.allocator, &p.versions);
    return status;
}
