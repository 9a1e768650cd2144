/*
 * A graph as text: a tree for terminals, JSON, DOT.
 */
#include "lineage/graph.h"

#include <inttypes.h>

/* ---- What is said of nodes and edges --------------------------------------------------------- */

/* Anybody's text for a terminal: without control characters, those of U+0080 to U+009F included. */
static void
put_plain(dw_strbuf *out, dw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        unsigned char next = i + 1 < text.len ? (unsigned char) text.ptr[i + 1] : 0;
        bool is_pair = c == 0xc2 && next >= 0x80 && next < 0xa0;
        i += is_pair ? 1 : 0;
        dw__strbuf_append_char(out, is_pair || c < ' ' || c == 0x7f ? ' ' : (char) c);
    }
}

void
dw__graph_print_name(dw_strbuf *out, const dw_graph_node *node)
{
    dw_str place = node->place;
    size_t slash = dw__str_find_last(place, '/');
    put_plain(out, slash == SIZE_MAX ? place : dw__str_slice(place, slash + 1, place.len));
    if (dw__str_equal(node->column, DW_STR("*"))) {
        dw__strbuf_append_literal(out, " (any column)");
    } else if (!dw__str_is_null(node->column)) {
        dw__strbuf_append_char(out, '.');
        put_plain(out, node->column);
    }
}

static const char *
how_name(dw_lineage_how how)
{
    switch (how) {
    case DW_LINEAGE_SAME:
        return "same";
    case DW_LINEAGE_DERIVED:
        return "derived";
    case DW_LINEAGE_ANY:
        return "any";
    }
    return "";
}

void
dw__graph_print_edge(dw_strbuf *out, const dw_graph_edge *edge)
{
    dw__strbuf_printf(out, "version %" PRId64, edge->version);
    if (edge->commit_count > 1) {
        dw__strbuf_printf(out, ", %" PRId64 " commits", edge->commit_count);
    }
    if (edge->job.len > 0) {
        dw__strbuf_append_literal(out, ", ");
        put_plain(out, edge->job);
    }
}

/* ---- The tree -------------------------------------------------------------------------------- */

typedef struct tree {
    dw_strbuf *out;
    const dw_graph *graph;
    bool *was_shown;
} tree;

static size_t
other_end(const dw_graph *graph, const dw_graph_edge *edge)
{
    return graph->is_downstream ? edge->to : edge->from;
}

static bool
is_below(const dw_graph *graph, size_t edge, size_t node)
{
    const dw_graph_edge *found = &graph->edges[edge];
    return (graph->is_downstream ? found->from : found->to) == node;
}

static size_t
next_below(const dw_graph *graph, size_t edge, size_t node)
{
    while (edge < graph->edge_count && !is_below(graph, edge, node)) {
        edge++;
    }
    return edge;
}

static void
put_line(tree *t, size_t edge)
{
    const dw_graph_edge *found = &t->graph->edges[edge];
    const dw_graph_node *node = &t->graph->nodes[other_end(t->graph, found)];
    dw__graph_print_name(t->out, node);
    if (node->is_table && node->version >= 0) {
        dw__strbuf_printf(t->out, "@v%" PRId64, node->version);
    }
    dw__strbuf_append_literal(t->out, "   ");
    if (!dw__str_is_null(node->column)) {
        dw__strbuf_printf(t->out, "%s: ", how_name(found->how));
    }
    dw__graph_print_edge(t->out, found);
}

/* Depth is bounded by that of the graph. */
static void
put_below(tree *t, size_t node, dw_str indent)
{
    size_t edge = next_below(t->graph, 0, node);
    while (edge < t->graph->edge_count) {
        size_t next = next_below(t->graph, edge + 1, node);
        bool is_last = next == t->graph->edge_count;
        size_t other = other_end(t->graph, &t->graph->edges[edge]);
        dw__strbuf_append(t->out, indent);
        dw__strbuf_append(t->out, is_last ? DW_STR("└─ ") : DW_STR("├─ "));
        put_line(t, edge);
        bool is_known =
            t->was_shown[other] && next_below(t->graph, 0, other) < t->graph->edge_count;
        dw__strbuf_append(t->out, is_known ? DW_STR("  (see above)\n") : DW_STR("\n"));
        if (!t->was_shown[other]) {
            dw_str deeper = dw__arena_printf(t->graph->arena, "%.*s%s", DW_STR_ARG(indent),
                                             is_last ? "   " : "│  ");
            t->was_shown[other] = true;
            t->out->failed = t->out->failed || dw__str_is_null(deeper);
            put_below(t, other, deeper);
        }
        edge = next;
    }
}

void
dw__graph_print_tree(dw_strbuf *out, const dw_graph *graph)
{
    tree t = {.out = out, .graph = graph};
    t.was_shown = DW_ARENA_ARRAY(graph->arena, bool, graph->node_count);
    if (t.was_shown == NULL) {
        out->failed = true;
        return;
    }
    t.was_shown[0] = true;
    dw__graph_print_name(out, &graph->nodes[0]);
    dw__strbuf_append_literal(out, "   ");
    put_plain(out, graph->nodes[0].place);
    dw__strbuf_append_char(out, '\n');
    put_below(&t, 0, DW_STR(""));
    if (graph->edge_count == 0) {
        dw__strbuf_append(out, graph->is_downstream
                                   ? DW_STR("no table that was looked at says it was made of it\n")
                                   : DW_STR("no commit says what it was made of\n"));
    }
    if (graph->is_cut) {
        dw__strbuf_append_literal(out, "(there is more: the limits are in docs/lineage.md)\n");
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
put_node(dw_strbuf *out, const dw_graph_node *node, size_t id)
{
    dw__strbuf_append(out, id == 0 ? DW_STR("\n  {") : DW_STR(",\n  {"));
    dw__json_put_i64(out, "id", (int64_t) id);
    dw__json_put_text(out, "kind", node->is_table ? DW_STR("table") : DW_STR("file"));
    dw__json_put_text(out, "path", node->place);
    dw__json_put_text(out, "column", node->column);
    if (node->version >= 0) {
        dw__json_put_i64(out, "version", node->version);
    }
    dw__json_put_i64(out, "depth", (int64_t) node->depth);
    dw__strbuf_append_char(out, '}');
}

static void
put_edge(dw_strbuf *out, const dw_graph_edge *edge, bool is_first, bool of_column)
{
    dw__strbuf_append(out, is_first ? DW_STR("\n  {") : DW_STR(",\n  {"));
    dw__json_put_i64(out, "from", (int64_t) edge->from);
    dw__json_put_i64(out, "to", (int64_t) edge->to);
    dw__json_put_i64(out, "version", edge->version);
    dw__json_put_i64(out, "commits", edge->commit_count);
    dw__json_put_text(out, "job", edge->job);
    if (of_column) {
        dw__json_put_text(out, "how", dw__str_from(how_name(edge->how)));
    }
    dw__strbuf_append_char(out, '}');
}

void
dw__graph_print_json(dw_strbuf *out, const dw_graph *graph)
{
    bool of_column = !dw__str_is_null(graph->nodes[0].column);
    dw__strbuf_printf(out, "{\"direction\":\"%s\",\"isCut\":%s,\"nodes\":[",
                      graph->is_downstream ? "downstream" : "upstream",
                      graph->is_cut ? "true" : "false");
    for (size_t i = 0; i < graph->node_count; i++) {
        put_node(out, &graph->nodes[i], i);
    }
    dw__strbuf_append_literal(out, "],\n \"edges\":[");
    for (size_t i = 0; i < graph->edge_count; i++) {
        put_edge(out, &graph->edges[i], i == 0, of_column);
    }
    dw__strbuf_append_literal(out, "]}\n");
}

/* ---- DOT ------------------------------------------------------------------------------------- */

/* A string in quotes, as DOT has them. */
static void
put_quoted(dw_strbuf *out, dw_str text)
{
    dw__strbuf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"' || c == '\\') {
            dw__strbuf_append_char(out, '\\');
        }
        dw__strbuf_append_char(out, (unsigned char) c < ' ' ? ' ' : c);
    }
    dw__strbuf_append_char(out, '"');
}

void
dw__graph_print_dot(dw_strbuf *out, const dw_graph *graph)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, DW_GRAPH_TEXT_BYTES_MAX);
    dw__strbuf_append_literal(out, "digraph lineage {\n  rankdir=LR;\n"
                                   "  node [shape=box, fontname=\"sans-serif\"];\n"
                                   "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (size_t i = 0; i < graph->node_count; i++) {
        const dw_graph_node *node = &graph->nodes[i];
        dw__strbuf_clear(&text);
        dw__graph_print_name(&text, node);
        dw__strbuf_printf(out, "  n%zu [label=", i);
        put_quoted(out, dw__strbuf_str(&text));
        dw__strbuf_append_literal(out, ", tooltip=");
        put_quoted(out, node->place);
        dw__strbuf_append(out, node->is_table ? DW_STR("") : DW_STR(", shape=note"));
        dw__strbuf_append(out, i == 0 ? DW_STR(", penwidth=2];\n") : DW_STR("];\n"));
    }
    for (size_t i = 0; i < graph->edge_count; i++) {
        dw__strbuf_clear(&text);
        dw__graph_print_edge(&text, &graph->edges[i]);
        dw__strbuf_printf(out, "  n%zu -> n%zu [label=", graph->edges[i].from, graph->edges[i].to);
        put_quoted(out, dw__strbuf_str(&text));
        dw__strbuf_append_literal(out, "];\n");
    }
    out->failed = out->failed || text.failed;
    dw__strbuf_append_literal(out, "}\n");
}
