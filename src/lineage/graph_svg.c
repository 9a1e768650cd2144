/*
 * A graph as a picture: layers from left to right, by how far a node is from the first; in a layer
 * nodes stand where those they are joined with stand, which leaves few edges crossed.
 */
#include "lineage/graph.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    MARGIN = 24,
    BOX_HEIGHT = 46,
    ROW_HEIGHT = 66,
    LAYER_GAP = 132,
    CHAR_WIDTH = 8,  /* of the first line of a box; about, as nobody asks the font */
    SMALL_WIDTH = 6, /* of the second */
    PADDING = 14,
    BOX_WIDTH_MIN = 110,
    PLACE_CHARS_MAX = 34,
    SWEEPS = 8,
    LEGEND_HEIGHT = 40
};

typedef struct box {
    double x, y, width; /* of its upper left corner */
    double wish;        /* where in its layer it would stand */
    size_t layer;
    size_t node;
} box;

typedef struct picture {
    dw_graph *graph;
    box *boxes;    /* one a node, by its number */
    size_t *order; /* nodes layer by layer, from top to bottom */
    size_t *first; /* of each layer in `order`; one more than there are layers */
    size_t layer_count;
    double width, height;
} picture;

/* ---- Where things stand ---------------------------------------------------------------------- */

static size_t
char_count(dw_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char) text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

static size_t
layer_of(const picture *p, size_t node)
{
    return p->boxes[node].layer;
}

/* As many layers from the first node as the longest way has steps, so that all lines run one way.
 * Where there are cycles, which have no longest way, as the shortest. */
static void
choose_layers(picture *p)
{
    const dw_graph *graph = p->graph;
    bool moves = true;
    for (size_t round = 0; moves && round <= graph->node_count; round++) {
        moves = false;
        for (size_t i = 0; i < graph->edge_count; i++) {
            const dw_graph_edge *edge = &graph->edges[i];
            box *near = &p->boxes[graph->is_downstream ? edge->from : edge->to];
            box *far = &p->boxes[graph->is_downstream ? edge->to : edge->from];
            moves = moves || far->layer <= near->layer;
            far->layer = far->layer <= near->layer ? near->layer + 1 : far->layer;
        }
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        box *at = &p->boxes[i];
        at->layer = moves ? graph->nodes[i].depth : at->layer;
        p->layer_count = at->layer + 1 > p->layer_count ? at->layer + 1 : p->layer_count;
    }
    for (size_t i = 0; !graph->is_downstream && i < graph->node_count; i++) {
        p->boxes[i].layer = p->layer_count - 1 - p->boxes[i].layer;
    }
}

static bool
fill_layers(picture *p)
{
    dw_graph *graph = p->graph;
    p->boxes = DW_ARENA_ARRAY(graph->arena, box, graph->node_count);
    if (p->boxes == NULL) {
        return false;
    }
    choose_layers(p);
    p->order = DW_ARENA_ARRAY(graph->arena, size_t, graph->node_count);
    p->first = DW_ARENA_ARRAY(graph->arena, size_t, p->layer_count + 1);
    if (p->order == NULL || p->first == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t layer = 0; layer < p->layer_count; layer++) {
        p->first[layer] = count;
        for (size_t i = 0; i < graph->node_count; i++) {
            if (layer_of(p, i) == layer) {
                graph->nodes[i].row = count - p->first[layer];
                p->order[count++] = i;
            }
        }
    }
    p->first[p->layer_count] = count;
    return true;
}

/* The middle of what the node is joined with, in shares of those layers' heights. */
static double
wish_of(const picture *p, size_t node)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < p->graph->edge_count; i++) {
        const dw_graph_edge *edge = &p->graph->edges[i];
        if (edge->from == node || edge->to == node) {
            size_t other = edge->from == node ? edge->to : edge->from;
            size_t layer = layer_of(p, other);
            double rows = (double) (p->first[layer + 1] - p->first[layer]);
            sum += ((double) p->graph->nodes[other].row + 0.5) / rows;
            count++;
        }
    }
    return count == 0 ? 0.5 : sum / (double) count;
}

static void
sort_layer(picture *p, size_t layer)
{
    size_t *order = &p->order[p->first[layer]];
    size_t count = p->first[layer + 1] - p->first[layer];
    for (size_t i = 0; i < count; i++) {
        p->boxes[order[i]].wish = wish_of(p, order[i]);
    }
    for (size_t i = 1; i < count; i++) { /* stable, and layers are short */
        size_t node = order[i];
        size_t k = i;
        for (; k > 0 && p->boxes[order[k - 1]].wish > p->boxes[node].wish; k--) {
            order[k] = order[k - 1];
        }
        order[k] = node;
    }
    for (size_t i = 0; i < count; i++) {
        p->graph->nodes[order[i]].row = i;
    }
}

static bool
print_lines(const dw_graph_node *node, dw_strbuf *name, dw_strbuf *place)
{
    dw_str text = node->place;
    size_t slash = dw__str_find_last(text, '/');
    size_t len = slash == SIZE_MAX ? 0 : slash;
    size_t start = 0;
    dw__strbuf_clear(name);
    dw__strbuf_clear(place);
    dw__graph_print_name(name, node);
    while (char_count(dw__str_slice(text, start, len - start)) > PLACE_CHARS_MAX) {
        start++;
    }
    while (start < len && ((unsigned char) text.ptr[start] & 0xc0) == 0x80) {
        start++;
    }
    dw__strbuf_append(place, start > 0 ? DW_STR("…") : DW_STR(""));
    dw__strbuf_append(place, dw__str_slice(text, start, len - start));
    if (node->version >= 0) {
        dw__strbuf_printf(place, "  v%" PRId64, node->version);
    }
    return !name->failed && !place->failed;
}

static bool
has_legend(const picture *p)
{
    return !dw__str_is_null(p->graph->nodes[0].column) || p->graph->is_cut;
}

static bool
measure(picture *p, dw_strbuf *name, dw_strbuf *place)
{
    double x = MARGIN;
    double tallest = 0;
    for (size_t layer = 0; layer < p->layer_count; layer++) {
        double widest = BOX_WIDTH_MIN;
        size_t count = p->first[layer + 1] - p->first[layer];
        for (size_t i = p->first[layer]; i < p->first[layer + 1]; i++) {
            if (!print_lines(&p->graph->nodes[p->order[i]], name, place)) {
                return false;
            }
            double a = (double) (char_count(dw__strbuf_str(name)) * CHAR_WIDTH + 2 * PADDING);
            double b = (double) (char_count(dw__strbuf_str(place)) * SMALL_WIDTH + 2 * PADDING);
            widest = a > widest ? a : widest;
            widest = b > widest ? b : widest;
        }
        for (size_t i = p->first[layer]; i < p->first[layer + 1]; i++) {
            p->boxes[p->order[i]].x = x;
            p->boxes[p->order[i]].width = widest;
        }
        x += widest + LAYER_GAP;
        double height = (double) (count * ROW_HEIGHT);
        tallest = height > tallest ? height : tallest;
    }
    p->width = x - LAYER_GAP + MARGIN;
    p->height = tallest + 2 * MARGIN + (has_legend(p) ? LEGEND_HEIGHT : 0);
    for (size_t i = 0; i < p->graph->node_count; i++) {
        size_t layer = layer_of(p, i);
        double height = (double) ((p->first[layer + 1] - p->first[layer]) * ROW_HEIGHT);
        p->boxes[i].y = MARGIN + (tallest - height) / 2 +
                        (double) (p->graph->nodes[i].row * ROW_HEIGHT) +
                        (ROW_HEIGHT - BOX_HEIGHT) / 2.0;
    }
    return true;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static void
put_escaped(dw_strbuf *out, dw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        dw_str escaped = c == '<'   ? DW_STR("&lt;")
                         : c == '>' ? DW_STR("&gt;")
                         : c == '&' ? DW_STR("&amp;")
                         : c == '"' ? DW_STR("&quot;")
                                    : dw__str_make(&text.ptr[i], 1);
        dw__strbuf_append(out, (unsigned char) c < ' ' ? DW_STR(" ") : escaped);
    }
}

static void
put_edge(dw_strbuf *out, const picture *p, const dw_graph_edge *edge, dw_strbuf *text)
{
    static const char *const classes[] = {
        [DW_LINEAGE_SAME] = "same", [DW_LINEAGE_DERIVED] = "derived", [DW_LINEAGE_ANY] = "any"};
    const box *from = &p->boxes[edge->from];
    const box *to = &p->boxes[edge->to];
    double x1 = from->x + from->width, y1 = from->y + BOX_HEIGHT / 2.0;
    double x2 = to->x - 7, y2 = to->y + BOX_HEIGHT / 2.0; /* room for the arrow's head */
    double bend = x2 > x1 ? (x2 - x1) / 2 : LAYER_GAP;
    dw__strbuf_clear(text);
    dw__graph_print_edge(text, edge);
    dw__strbuf_printf(out,
                      "<path class=\"%s\" marker-end=\"url(#head)\" d=\"M%.1f %.1f C%.1f %.1f "
                      "%.1f %.1f %.1f %.1f\"><title>",
                      classes[edge->how], x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2);
    put_escaped(out, dw__strbuf_str(text));
    dw__strbuf_append_literal(out, "</title></path>\n");
    dw__strbuf_printf(out, "<text class=\"version\" x=\"%.1f\" y=\"%.1f\">v%" PRId64 "</text>\n",
                      (x1 + x2) / 2, (y1 + y2) / 2 - 5, edge->version);
}

static void
put_box(dw_strbuf *out, const picture *p, size_t idx, dw_strbuf *name, dw_strbuf *place)
{
    const dw_graph_node *node = &p->graph->nodes[idx];
    const box *at = &p->boxes[idx];
    const char *class = idx == 0 ? "first" : node->is_table ? "table" : "file";
    bool is_written = print_lines(node, name, place);
    out->failed = out->failed || !is_written;
    dw__strbuf_append_literal(out, "<g><title>");
    put_escaped(out, node->place);
    dw__strbuf_printf(out,
                      "</title><rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"%d\" rx=\"%d\"/>",
                      class, at->x, at->y, at->width, BOX_HEIGHT, node->is_table ? 7 : 1);
    dw__strbuf_printf(out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">", at->x + PADDING,
                      at->y + 20);
    put_escaped(out, dw__strbuf_str(name));
    dw__strbuf_printf(out, "</text><text class=\"place\" x=\"%.1f\" y=\"%.1f\">", at->x + PADDING,
                      at->y + 36);
    put_escaped(out, dw__strbuf_str(place));
    dw__strbuf_append_literal(out, "</text></g>\n");
}

static void
put_head(dw_strbuf *out, const picture *p)
{
    dw__strbuf_printf(out,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                      "viewBox=\"0 0 %.0f %.0f\" font-family=\"'DejaVu Sans','Segoe UI',Helvetica,"
                      "Arial,sans-serif\">\n",
                      p->width, p->height, p->width, p->height);
    dw__strbuf_append_literal(
        out,
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"1\" refY=\"4\" markerWidth=\"8\" "
        "markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
        "<path d=\"M0 0 L8 4 L0 8 z\" fill=\"#64748b\"/></marker></defs>\n"
        "<style>rect{stroke-width:1.2}.table{fill:#eff6ff;stroke:#3b82f6}"
        ".first{fill:#1e3a8a;stroke:#1e3a8a}.file{fill:#f8fafc;stroke:#94a3b8}"
        "path{fill:none;stroke:#64748b;stroke-width:1.4}marker path{stroke:none;fill:#64748b}"
        ".same{stroke:#2563eb}.any{stroke-dasharray:5 4}"
        ".name{font-size:13px;font-weight:600;fill:#0f172a}.place{font-size:10px;fill:#64748b}"
        ".first~.name{fill:#ffffff}.first~.place{fill:#bfdbfe}"
        ".version{font-size:10px;fill:#475569;text-anchor:middle;paint-order:stroke;"
        "stroke:#ffffff;stroke-width:3px}.key{font-size:10px;fill:#475569}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
}

/* What the lines mean, where columns are drawn; and that not all is drawn. */
static void
put_legend(dw_strbuf *out, const picture *p)
{
    static const char *const keys[][2] = {
        {"same", "as it was"}, {"derived", "computed"}, {"any", "perhaps from any column"}};
    double x = MARGIN, y = p->height - MARGIN;
    bool of_column = !dw__str_is_null(p->graph->nodes[0].column);
    for (size_t i = 0; of_column && i < sizeof keys / sizeof keys[0]; i++) {
        dw__strbuf_printf(out,
                          "<path class=\"%s\" d=\"M%.0f %.0f h26\"/><text class=\"key\" x=\"%.0f\" "
                          "y=\"%.0f\">%s</text>\n",
                          keys[i][0], x, y - 4, x + 32, y, keys[i][1]);
        x += 110;
    }
    if (p->graph->is_cut) {
        dw__strbuf_printf(out,
                          "<text class=\"key\" x=\"%.0f\" y=\"%.0f\">not all is shown</text>\n",
                          x + (of_column ? 40 : 0), y);
    }
}

dw_status
dw__graph_print_svg(dw_strbuf *out, dw_graph *graph, dw_error *err)
{
    picture p = {.graph = graph};
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, DW_GRAPH_TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) place = dw__strbuf_make(out->allocator, DW_GRAPH_TEXT_BYTES_MAX);
    if (!fill_layers(&p)) {
        return dw__error_oom(err);
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t i = 0; i < p.layer_count; i++) {
            sort_layer(&p, sweep % 2 == 0 ? i : p.layer_count - 1 - i);
        }
    }
    if (!measure(&p, &name, &place)) {
        return dw__error_oom(err);
    }
    put_head(out, &p);
    for (size_t i = 0; i < graph->edge_count; i++) {
        put_edge(out, &p, &graph->edges[i], &name);
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        put_box(out, &p, i, &name, &place);
    }
    put_legend(out, &p);
    dw__strbuf_append_literal(out, "</svg>\n");
    return dw__strbuf_ok(out, "the picture", err);
}
