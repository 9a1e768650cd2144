/*
 * Following records from table to table, breadth first. [GRAPH-1..4]
 */
#include "lineage/graph.h"

#define ANY_COLUMN DW_STR("*")

typedef struct maker {
    const dw_graph_source *source;
    dw_graph *graph;
    dw_error *err;
    bool of_column;
    uint64_t steps; /* that were taken */
} maker;

/* False when enough was done. [GRAPH-4] */
static bool
may_step(maker *m, size_t count)
{
    m->steps += count;
    m->graph->is_cut = m->graph->is_cut || m->steps > DW_GRAPH_STEPS_MAX;
    return m->steps <= DW_GRAPH_STEPS_MAX;
}

/* ---- Nodes and edges ------------------------------------------------------------------------- */

static bool
same_text(dw_str a, dw_str b)
{
    return dw__str_is_null(a) == dw__str_is_null(b) && dw__str_equal(a, b);
}

/* SIZE_MAX where there is no room. */
static size_t
node_of(maker *m, const dw_graph_node *wanted)
{
    dw_graph *graph = m->graph;
    if (!may_step(m, graph->node_count + graph->edge_count)) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        dw_graph_node *node = &graph->nodes[i];
        if (dw__str_equal(node->place, wanted->place) && same_text(node->column, wanted->column)) {
            node->version =
                i > 0 && wanted->version > node->version ? wanted->version : node->version;
            return i;
        }
    }
    if (graph->node_count == DW_GRAPH_NODES_MAX || wanted->depth > DW_GRAPH_DEPTH_MAX) {
        graph->is_cut = true;
        return SIZE_MAX;
    }
    graph->nodes[graph->node_count] = *wanted;
    return graph->node_count++;
}

/* Commits are told of with the newest first. */
static void
add_edge(maker *m, size_t from, size_t to, const dw_graph_commit *commit, dw_lineage_how how)
{
    dw_graph *graph = m->graph;
    if (from == SIZE_MAX || to == SIZE_MAX || from == to) {
        return;
    }
    for (size_t i = 0; i < graph->edge_count; i++) {
        dw_graph_edge *edge = &graph->edges[i];
        if (edge->from == from && edge->to == to) {
            edge->commit_count++;
            edge->how = how > edge->how ? how : edge->how;
            return;
        }
    }
    if (graph->edge_count == DW_GRAPH_EDGES_MAX) {
        graph->is_cut = true;
        return;
    }
    graph->edges[graph->edge_count++] = (dw_graph_edge){.from = from,
                                                        .to = to,
                                                        .version = commit->version,
                                                        .commit_count = 1,
                                                        .job = commit->record.job,
                                                        .how = how};
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool
adds(const dw_graph_commit *commit, dw_str name)
{
    return dw__str_among(commit->added, commit->added_count, name);
}

/* What a column was called before a commit; the null string: it was not there. */
static dw_str
name_before(const dw_graph_commit *commit, dw_str name)
{
    if (dw__str_equal(commit->renamed_to, name) && !dw__str_is_null(commit->renamed_to)) {
        return commit->renamed_from;
    }
    return adds(commit, name) ? DW_STR_NULL : name;
}

/* What a column of the newest version was called in another one. */
static dw_str
name_at(const dw_graph_table *table, dw_str name, int64_t version)
{
    for (size_t i = 0; i < table->count && table->commits[i].version > version; i++) {
        name = dw__str_is_null(name) ? name : name_before(&table->commits[i], name);
    }
    return name;
}

/* What a column of a version is called in the newest one. */
static dw_str
name_now(const dw_graph_table *table, dw_str name, int64_t version)
{
    for (size_t i = table->count; i > 0; i--) {
        const dw_graph_commit *commit = &table->commits[i - 1];
        if (commit->version > version && !dw__str_is_null(commit->renamed_from) &&
            dw__str_equal(commit->renamed_from, name)) {
            name = commit->renamed_to;
        }
    }
    return name;
}

/* ---- Upstream -------------------------------------------------------------------------------- */

static void
link_input(maker *m, size_t to, const dw_graph_commit *commit, const dw_lineage_input *input,
           dw_str column, dw_lineage_how how)
{
    dw_graph_node node = {.place = input->table,
                          .column = column,
                          .is_table = true,
                          .version = input->version,
                          .depth = m->graph->nodes[to].depth + 1};
    if (!dw__str_is_null(input->table)) {
        add_edge(m, node_of(m, &node), to, commit, how);
    }
    node.is_table = false;
    node.version = -1;
    for (size_t i = 0; i < input->file_count; i++) {
        node.place = input->files[i];
        add_edge(m, node_of(m, &node), to, commit, how);
    }
}

static bool
is_self(const dw_graph_node *node, const dw_lineage_input *input)
{
    return node->is_table && dw__str_equal(node->place, input->table);
}

/* The newest of the table's own versions that a statement read; -1: none before its commit. */
static int64_t
own_version(dw_str root, const dw_graph_commit *commit, const dw_lineage_statement *statement)
{
    int64_t found = -1;
    for (size_t i = 0; i < statement->input_count; i++) {
        const dw_lineage_input *input = &statement->inputs[i];
        bool is_older = input->version > found && input->version < commit->version;
        found = is_older && dw__str_equal(input->table, root) ? input->version : found;
    }
    return found;
}

static void
link_all(maker *m, size_t to, const dw_graph_commit *commit, const dw_lineage_statement *statement,
         dw_str column)
{
    for (size_t i = 0; i < statement->input_count; i++) {
        if (!is_self(&m->graph->nodes[to], &statement->inputs[i])) {
            dw_lineage_how how = m->of_column ? DW_LINEAGE_ANY : DW_LINEAGE_DERIVED;
            link_input(m, to, commit, &statement->inputs[i], column, how);
        }
    }
}

/* What the statement makes the column of that is called so after it; true when perhaps also of
 * itself. */
static bool
link_column(maker *m, size_t to, const dw_graph_commit *commit,
            const dw_lineage_statement *statement, dw_str name)
{
    bool is_any = !statement->has_columns || dw__str_equal(name, ANY_COLUMN);
    bool keeps = is_any;
    if (!may_step(m, statement->column_count)) {
        return true;
    }
    for (size_t i = 0; !is_any && i < statement->column_count; i++) {
        const dw_lineage_column *column = &statement->columns[i];
        if (!dw__str_equal(column->name, name)) {
            continue;
        }
        is_any = column->how == DW_LINEAGE_ANY;
        keeps = is_any;
        for (size_t k = 0; k < column->from_count; k++) {
            const dw_lineage_ref *ref = &column->from[k];
            const dw_lineage_input *input = &statement->inputs[ref->input];
            bool is_itself =
                is_self(&m->graph->nodes[to], input) && dw__str_equal(ref->column, name);
            keeps = keeps || is_itself;
            if (!is_itself) {
                link_input(m, to, commit, input, ref->column, column->how);
            }
        }
    }
    if (is_any) {
        link_all(m, to, commit, statement, ANY_COLUMN);
    }
    return keeps;
}

/* The newest version of which rows may be left after the commit; -1: of none. What replaces all
 * rows leaves those that it read from the table itself: of RESTORE, the version. */
static int64_t
link_commit(maker *m, size_t to, const dw_graph_commit *commit, dw_str name)
{
    int64_t left = commit->version - 1;
    for (size_t i = 0; i < commit->record.statement_count; i++) {
        const dw_lineage_statement *statement = &commit->record.statements[i];
        bool keeps = true;
        if (m->of_column) {
            keeps = link_column(m, to, commit, statement, name);
        } else {
            link_all(m, to, commit, statement, DW_STR_NULL);
        }
        if (statement->replaces) {
            left = keeps ? own_version(m->graph->nodes[to].place, commit, statement) : -1;
        }
    }
    return left;
}

static dw_status
expand_upstream(maker *m, size_t idx)
{
    const dw_graph_table *table;
    dw_graph_node node = m->graph->nodes[idx];
    DW_TRY(m->source->find(m->source->ctx, node.place, &table, m->err));
    dw_str name = node.column;
    int64_t left = node.version >= 0 ? node.version : INT64_MAX;
    for (size_t i = 0; left >= 0 && i < table->count; i++) {
        const dw_graph_commit *commit = &table->commits[i];
        if (!may_step(m, 1 + commit->added_count)) {
            break;
        }
        if (commit->version > left) {
            continue;
        }
        left = commit->has_record ? link_commit(m, idx, commit, name) : left;
        if (m->of_column && !dw__str_equal(name, ANY_COLUMN)) {
            name = name_before(commit, name);
            left = dw__str_is_null(name) ? -1 : left;
        }
    }
    m->graph->is_cut = m->graph->is_cut || (int64_t) table->count == DW_GRAPH_COMMITS_MAX;
    return DW_OK;
}

/* ---- Downstream ------------------------------------------------------------------------------ */

static void
link_output(maker *m, size_t from, const dw_graph_table *table, const dw_graph_commit *commit,
            dw_str column, dw_lineage_how how)
{
    dw_graph_node node = {.place = table->root,
                          .column = column,
                          .is_table = true,
                          .version = -1,
                          .depth = m->graph->nodes[from].depth + 1};
    add_edge(m, from, node_of(m, &node), commit, how);
}

/* Does the column take from what is called `name` in that input? */
static bool
takes_from(const dw_lineage_column *column, size_t input, dw_str name)
{
    bool takes = column->how == DW_LINEAGE_ANY || dw__str_equal(name, ANY_COLUMN);
    for (size_t i = 0; !takes && i < column->from_count; i++) {
        takes = column->from[i].input == input && dw__str_equal(column->from[i].column, name);
    }
    return takes;
}

static void
link_outputs(maker *m, size_t from, const dw_graph_table *origin, const dw_graph_table *table,
             const dw_graph_commit *commit, const dw_lineage_statement *statement, size_t input)
{
    dw_str wanted = m->graph->nodes[from].column;
    if (!m->of_column) {
        link_output(m, from, table, commit, DW_STR_NULL, DW_LINEAGE_DERIVED);
        return;
    }
    if (!may_step(m, origin->count + statement->column_count)) {
        return;
    }
    if (!dw__str_equal(wanted, ANY_COLUMN)) {
        wanted = name_at(origin, wanted, statement->inputs[input].version);
    }
    if (dw__str_is_null(wanted)) {
        return;
    }
    if (!statement->has_columns) {
        link_output(m, from, table, commit, ANY_COLUMN, DW_LINEAGE_ANY);
    }
    for (size_t i = 0; i < statement->column_count; i++) {
        const dw_lineage_column *column = &statement->columns[i];
        if (may_step(m, column->from_count) && takes_from(column, input, wanted) &&
            may_step(m, table->count)) {
            link_output(m, from, table, commit, name_now(table, column->name, commit->version),
                        column->how);
        }
    }
}

static void
look_for_outputs(maker *m, size_t from, const dw_graph_table *origin, const dw_graph_table *table)
{
    int64_t left = INT64_MAX;
    for (size_t i = 0; left >= 0 && i < table->count && may_step(m, 1); i++) {
        const dw_graph_commit *commit = &table->commits[i];
        bool is_left = commit->has_record && commit->version <= left;
        for (size_t k = 0; is_left && k < commit->record.statement_count; k++) {
            const dw_lineage_statement *statement = &commit->record.statements[k];
            for (size_t j = 0; j < statement->input_count; j++) {
                if (is_self(&m->graph->nodes[from], &statement->inputs[j]) &&
                    (m->of_column || !dw__str_equal(table->root, origin->root))) {
                    link_outputs(m, from, origin, table, commit, statement, j);
                }
            }
            if (statement->replaces) { /* older rows are gone */
                left = own_version(table->root, commit, statement);
            }
        }
    }
}

static dw_status
expand_downstream(maker *m, size_t idx)
{
    const dw_graph_table *origin, *table;
    DW_TRY(m->source->find(m->source->ctx, m->graph->nodes[idx].place, &origin, m->err));
    for (size_t i = 0;; i++) {
        DW_TRY(m->source->list(m->source->ctx, i, &table, m->err));
        if (table == NULL || !may_step(m, 1)) {
            return DW_OK;
        }
        look_for_outputs(m, idx, origin, table);
    }
}

/* ---- Both ------------------------------------------------------------------------------------ */

dw_status
dw__graph_make(const dw_graph_source *source, dw_str root, dw_str column, bool is_downstream,
               dw_arena *arena, dw_graph *out, dw_error *err)
{
    maker m = {.source = source, .graph = out, .err = err, .of_column = !dw__str_is_null(column)};
    *out = (dw_graph){.arena = arena, .is_downstream = is_downstream};
    out->nodes = DW_ARENA_ARRAY(arena, dw_graph_node, DW_GRAPH_NODES_MAX);
    out->edges = DW_ARENA_ARRAY(arena, dw_graph_edge, DW_GRAPH_EDGES_MAX);
    if (out->nodes == NULL || out->edges == NULL) {
        return dw__error_oom(err);
    }
    out->nodes[out->node_count++] =
        (dw_graph_node){.place = root, .column = column, .is_table = true, .version = -1};
    for (size_t i = 0; i < out->node_count && may_step(&m, 1); i++) {
        if (out->nodes[i].is_table) {
            DW_TRY(is_downstream ? expand_downstream(&m, i) : expand_upstream(&m, i));
        }
    }
    return DW_OK;
}
