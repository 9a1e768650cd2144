/*
 * Records of lineage that somebody else made: each line of the input is the commitInfo of a commit,
 * and every table that is named has these commits. Whatever they say, the graph of it ends, keeps
 * to its limits, and is printed in every form; what is read of a record is within itself.
 */
#include "fuzz.h"

#include "lineage/graph.h"
#include "lineage/openlineage.h"

enum { COMMITS_MAX = 16, TABLES_MAX = 600, SIZE_MAX_BYTES = 1 << 16 };

typedef struct tables {
    dw_graph_commit commits[COMMITS_MAX];
    size_t commit_count;
    dw_graph_table items[TABLES_MAX];
    size_t count;
} tables;

static dw_status
find(void *ctx, dw_str root, const dw_graph_table **out, dw_error *err)
{
    tables *all = ctx;
    (void) err;
    for (size_t i = 0; i < all->count; i++) {
        if (dw__str_equal(all->items[i].root, root)) {
            *out = &all->items[i];
            return DW_OK;
        }
    }
    dw_assert(all->count < TABLES_MAX);
    *out = &all->items[all->count];
    all->items[all->count++] = (dw_graph_table){
        .root = root, .commits = all->commits, .count = all->commit_count, .is_there = true};
    return DW_OK;
}

static dw_status
list(void *ctx, size_t idx, const dw_graph_table **out, dw_error *err)
{
    static const char *const roots[] = {"/a", "/b", "/c"};
    *out = NULL;
    return idx < sizeof roots / sizeof roots[0] ? find(ctx, dw__str_from(roots[idx]), out, err)
                                                : DW_OK;
}

static void
check_statement(const dw_lineage_statement *statement)
{
    dw_assert(statement->input_count <= DW_LINEAGE_INPUTS_MAX);
    for (size_t i = 0; i < statement->input_count; i++) {
        dw_assert(statement->inputs[i].file_count <= DW_LINEAGE_FILES_MAX);
    }
    for (size_t i = 0; i < statement->column_count; i++) {
        const dw_lineage_column *column = &statement->columns[i];
        for (size_t k = 0; k < column->from_count; k++) {
            dw_assert(column->from[k].input < statement->input_count);
        }
    }
    for (size_t i = 0; i < statement->condition_count; i++) {
        dw_assert(statement->conditions[i].ref.input < statement->input_count);
        dw_assert(statement->conditions[i].kinds != 0);
        dw_assert(statement->conditions[i].kinds < 1U << DW_CONDITION_KIND_COUNT);
    }
}

static void
check_record(const dw_lineage_record *record, dw_arena *arena)
{
    DW_AUTO(dw_strbuf) text = fuzz_strbuf();
    dw_openlineage_event event = {
        .type = DW_OPENLINEAGE_COMPLETE, .record = record, .table = DW_STR("/t"), .version = 1};
    dw_assert(record->statement_count <= DW_LINEAGE_STATEMENTS_MAX);
    for (size_t i = 0; i < record->statement_count; i++) {
        check_statement(&record->statements[i]);
        dw__strbuf_clear(&text);
        dw__lineage_print_statement(&text, &record->statements[i]);
    }
    if (!dw__str_is_null(record->run)) {
        dw__strbuf_clear(&text);
        dw__openlineage_print(&text, &event);
        dw_json_doc *doc = NULL;
        fuzz_run(dw__json_parse(arena->allocator, dw__strbuf_str(&text), "event", &doc, NULL));
        dw_assert(text.failed || doc != NULL);
        dw__json_doc_free(doc);
    }
}

static void
check_graph(tables *all, dw_str column, bool is_downstream, dw_arena *arena)
{
    dw_graph graph;
    dw_graph_source source = {find, list, all};
    DW_AUTO(dw_strbuf) text = fuzz_strbuf();
    fuzz_run(dw__graph_make(&source, DW_STR("/a"), column, is_downstream, arena, &graph, NULL));
    dw_assert(graph.node_count <= DW_GRAPH_NODES_MAX && graph.edge_count <= DW_GRAPH_EDGES_MAX);
    for (size_t i = 0; i < graph.node_count; i++) {
        dw_assert(graph.nodes[i].depth <= DW_GRAPH_DEPTH_MAX);
    }
    for (size_t i = 0; i < graph.edge_count; i++) {
        dw_assert(graph.edges[i].from < graph.node_count && graph.edges[i].to < graph.node_count);
    }
    dw__graph_print_tree(&text, &graph);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        dw_assert(c == '\n' || (c >= ' ' && c != 0x7f));
    }
    dw__graph_print_json(&text, &graph);
    dw__graph_print_dot(&text, &graph);
    fuzz_run(dw__graph_print_svg(&text, &graph, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tables all;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    all.commit_count = 0;
    all.count = 0;
    dw_str rest = fuzz_text(data, size < SIZE_MAX_BYTES ? size : SIZE_MAX_BYTES);
    while (rest.len > 0 && all.commit_count < COMMITS_MAX) {
        size_t end = dw__str_find(rest, '\n');
        dw_str line = dw__str_slice(rest, 0, end == SIZE_MAX ? rest.len : end);
        rest = dw__str_slice(rest, line.len + 1, rest.len);
        dw_graph_commit *commit = &all.commits[all.commit_count];
        fuzz_run(dw__graph_commit_read((int64_t) (COMMITS_MAX - all.commit_count++),
                                       DW_STR("ADD COLUMNS"), line, line, &arena, commit, NULL));
        if (commit->has_record) {
            check_record(&commit->record, &arena);
        }
    }
    check_graph(&all, DW_STR_NULL, false, &arena);
    check_graph(&all, DW_STR("x"), false, &arena);
    check_graph(&all, DW_STR_NULL, true, &arena);
    check_graph(&all, DW_STR("x"), true, &arena);
    return 0;
}
