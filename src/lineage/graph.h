/*
 * Where a table, or a column, comes from or goes to: the records of commits as a graph, from table
 * to table, within limits.
 *
 *  [GRAPH-1] Each table, or column, is one node, however many ways lead to it: cycles end.
 *  [GRAPH-2] Upstream of a version are the commits up to it, back to one that replaced all rows.
 *  [GRAPH-3] A column is followed through its renames: its name in a version is that of the
 *            version. What was dropped and came again under its name is another column.
 *  [GRAPH-4] What is beyond a limit is left out, and `is_cut` says so.
 */
#ifndef DW_LINEAGE_GRAPH_H
#define DW_LINEAGE_GRAPH_H

#include "lineage/lineage.h"

#define DW_GRAPH_NODES_MAX ((size_t) 500)
#define DW_GRAPH_EDGES_MAX ((size_t) 2000)
#define DW_GRAPH_DEPTH_MAX ((size_t) 32)
/* Of a table that are looked at, the newest. */
#define DW_GRAPH_COMMITS_MAX ((int64_t) 1000)
/* Comparisons of names, nodes and edges: what somebody else recorded may name a million inputs. */
#define DW_GRAPH_STEPS_MAX ((uint64_t) 1 << 29)
#define DW_GRAPH_TEXT_BYTES_MAX ((size_t) 16 << 20)

/* A commit of a table. */
typedef struct dw_graph_commit {
    int64_t version;
    /* RENAME COLUMN: the names before and after; ADD COLUMNS and the like: see below. */
    dw_str renamed_from, renamed_to;
    dw_str *added; /* columns that it brought */
    size_t added_count;
    bool has_record;
    dw_lineage_record record;
} dw_graph_commit;

typedef struct dw_graph_table {
    dw_str root;
    dw_graph_commit *commits; /* newest first */
    size_t count;
    bool is_there;
} dw_graph_table;

/* Fills in what a commit says, in the arena: from its operation and its commitInfo. */
DW_WARN_UNUSED dw_status dw__graph_commit_read(int64_t version, dw_str operation,
                                               dw_str parameters_json, dw_str commit_info,
                                               dw_arena *arena, dw_graph_commit *out,
                                               dw_error *err);

/* Finds tables. Borrowed for the call; what is found must live as long as the graph. */
typedef struct dw_graph_source {
    /* The table at a root, which may be gone. */
    dw_status (*find)(void *ctx, dw_str root, const dw_graph_table **out, dw_error *err);
    /* DOWNSTREAM: the i-th of the tables that may be made of others; NULL behind the last. */
    dw_status (*list)(void *ctx, size_t idx, const dw_graph_table **out, dw_error *err);
    void *ctx;
} dw_graph_source;

typedef struct dw_graph_node {
    dw_str place;  /* the root of a table, or the path of a file */
    dw_str column; /* null string: all of it; "*": any column */
    bool is_table;
    int64_t version; /* the newest that was read, -1: not known, or the newest there is */
    size_t depth;    /* how far from the first */
    size_t row;      /* for drawing */
} dw_graph_node;

typedef struct dw_graph_edge {
    size_t from, to; /* rows, or values, go from one node to the other */
    int64_t version; /* of `to`: the newest commit that says so */
    int64_t commit_count;
    dw_str job; /* of that commit */
    dw_lineage_how how;
} dw_graph_edge;

typedef struct dw_graph {
    dw_arena *arena;
    dw_graph_node *nodes; /* the first is what was asked for */
    size_t node_count;
    dw_graph_edge *edges;
    size_t edge_count;
    bool is_downstream;
    bool is_cut;
} dw_graph;

/* The graph of a table, or of its column (null string: of all), as it is in its newest version. In
 * the arena. Errors: those of the source. */
DW_WARN_UNUSED dw_status dw__graph_make(const dw_graph_source *source, dw_str root, dw_str column,
                                        bool is_downstream, dw_arena *arena, dw_graph *out,
                                        dw_error *err);

/* Append it as lines of text for a terminal, as JSON, as DOT, and as SVG. */
void dw__graph_print_tree(dw_strbuf *out, const dw_graph *graph);
void dw__graph_print_json(dw_strbuf *out, const dw_graph *graph);
void dw__graph_print_dot(dw_strbuf *out, const dw_graph *graph);
DW_WARN_UNUSED dw_status dw__graph_print_svg(dw_strbuf *out, dw_graph *graph, dw_error *err);

/* Appends the short name of a node: the last part of its place, and its column. */
void dw__graph_print_name(dw_strbuf *out, const dw_graph_node *node);
/* Appends what an edge says: "version 12, 3 commits, insert.sums". */
void dw__graph_print_edge(dw_strbuf *out, const dw_graph_edge *edge);

#endif
