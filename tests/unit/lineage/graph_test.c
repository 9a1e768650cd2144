/*
 * Graphs of records: renames, replacements, cycles and limits, over commits that are written here.
 */
#include "support/test.h"

#include "lineage/graph.h"
#include "support/fault_loop.h"
#include "support/test_env.h"

enum { TABLES = 4, COMMITS = 8 };

typedef struct fixture {
    dw_arena arena;
    dw_graph_table tables[TABLES];
    dw_graph_commit commits[TABLES][COMMITS]; /* as the tables have them: newest first */
    size_t count;
    dw_graph graph;
    dw_error err;
} fixture;

static void
init(fixture *f, const dw_allocator *allocator)
{
    *f = (fixture){.err = DW_ERROR_INIT};
    dw__arena_init(&f->arena, allocator);
}

static dw_graph_table *
table_at(fixture *f, dw_str root)
{
    for (size_t i = 0; i < f->count; i++) {
        if (dw__str_equal(f->tables[i].root, root)) {
            return &f->tables[i];
        }
    }
    return NULL;
}

static dw_status
find(void *ctx, dw_str root, const dw_graph_table **out, dw_error *err)
{
    static const dw_graph_table gone = {.root = {"", 0}};
    (void) err;
    *out = table_at(ctx, root);
    *out = *out == NULL ? &gone : *out;
    return DW_OK;
}

static dw_status
list(void *ctx, size_t idx, const dw_graph_table **out, dw_error *err)
{
    fixture *f = ctx;
    (void) err;
    *out = idx < f->count ? &f->tables[idx] : NULL;
    return DW_OK;
}

/* Adds the next version of a table. False when out of memory. */
static bool
commit(fixture *f, const char *root, const char *operation, const char *parameters,
       const char *statement)
{
    dw_graph_table *table = table_at(f, dw__str_from(root));
    if (table == NULL) {
        table = &f->tables[f->count];
        *table = (dw_graph_table){.root = dw__str_from(root), .is_there = true};
        table->commits = f->commits[f->count++];
    }
    for (size_t i = table->count; i > 0; i--) {
        table->commits[i] = table->commits[i - 1];
    }
    table->count++;
    dw_str info = DW_STR("{}");
    if (statement != NULL) {
        info = dw__arena_printf(&f->arena, "{\"lineage\":{\"job\":\"j\",\"statements\":[%s]}}",
                                statement);
    }
    return !dw__str_is_null(info) &&
           dw__graph_commit_read((int64_t) table->count - 1, dw__str_from(operation),
                                 dw__str_from(parameters), info, &f->arena, &table->commits[0],
                                 &f->err) == DW_OK;
}

/* "/a.x@0 <- ...": the edges in the graph's order, "to<from" by name. */
static const char *
edges_of(fixture *f)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), DW_GRAPH_TEXT_BYTES_MAX);
    dw_str out;
    for (size_t i = 0; i < f->graph.edge_count; i++) {
        dw__strbuf_append(&text, i == 0 ? DW_STR("") : DW_STR(" "));
        dw__graph_print_name(&text, &f->graph.nodes[f->graph.edges[i].to]);
        dw__strbuf_append_char(&text, '<');
        dw__graph_print_name(&text, &f->graph.nodes[f->graph.edges[i].from]);
    }
    assert_true(dw__arena_dup(&f->arena, dw__strbuf_str(&text), &out));
    return out.ptr;
}

static const char *
show(fixture *f, const char *root, const char *column, bool is_downstream)
{
    dw_graph_source source = {find, list, f};
    assert_int_equal(dw__graph_make(&source, dw__str_from(root), dw__str_from(column),
                                    is_downstream, &f->arena, &f->graph, &f->err),
                     DW_OK);
    return edges_of(f);
}

#define INPUT(root, version) "{\"table\":\"" root "\",\"version\":" #version "}"
#define MADE(column, from) "\"" column "\":{\"how\":\"same\",\"from\":[[0,\"" from "\"]]}"
#define STATEMENT(inputs, columns) "{\"inputs\":[" inputs "],\"columns\":{" columns "}}"

static void
test_graph__a_cycle_ends(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/b", 5), MADE("x", "y"))));
    assert_true(commit(&f, "/b", "WRITE", NULL, STATEMENT(INPUT("/a", 5), MADE("y", "x"))));
    assert_string_equal(show(&f, "/a", NULL, false), "a<b b<a");
    assert_string_equal(show(&f, "/a", "x", false), "a.x<b.y b.y<a.x");
    assert_string_equal(show(&f, "/a", NULL, true), "b<a a<b");
    DW_AUTO(dw_strbuf) svg = dw__strbuf_make(dw__allocator_libc(), DW_GRAPH_TEXT_BYTES_MAX);
    assert_int_equal(dw__graph_print_svg(&svg, &f.graph, &f.err), DW_OK);
    dw__arena_deinit(&f.arena);
}

static void
test_graph__names_that_would_steer_a_terminal_are_shown_without_that(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    assert_true(commit(&f, "/a", "WRITE", NULL,
                       STATEMENT(INPUT("/\\u001b[31mb\\n\\u009bc\\u007f", 0), "")));
    assert_string_equal(show(&f, "/a", NULL, false), "a< [31mb  c ");
    DW_AUTO(dw_strbuf) tree = dw__strbuf_make(dw__allocator_libc(), DW_GRAPH_TEXT_BYTES_MAX);
    dw__graph_print_tree(&tree, &f.graph);
    assert_null(memchr(tree.ptr, 0x1b, tree.len));
    assert_null(memchr(tree.ptr, 0x7f, tree.len));
    dw__arena_deinit(&f.arena);
}

/* [[0,"c0"],[0,"c1"] ... */
static dw_str
many_refs(fixture *f, size_t count)
{
    dw_str out;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), DW_LINEAGE_RECORD_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_printf(&text, "%s[0,\"c%zu\"]", i == 0 ? "" : ",", i % 400);
    }
    assert_true(dw__arena_dup(&f->arena, dw__strbuf_str(&text), &out));
    return out;
}

static void
test_graph__what_names_inputs_without_end_is_cut(void **state)
{
    enum { REFS = 60000, TABLE_COMMITS = COMMITS };
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    dw_str statement = dw__arena_printf(
        &f.arena, "{\"inputs\":[%s],\"columns\":{\"c1\":{\"how\":\"derived\",\"from\":[%.*s]}}}",
        INPUT("/b", 5), DW_STR_ARG(many_refs(&f, REFS)));
    for (size_t i = 0; i < TABLE_COMMITS; i++) {
        assert_true(commit(&f, "/a", "WRITE", NULL, statement.ptr));
        assert_true(commit(&f, "/b", "WRITE", NULL, statement.ptr));
    }
    (void) show(&f, "/a", "c1", false);
    assert_true(f.graph.is_cut);
    assert_in_range(f.graph.edge_count, 400, DW_GRAPH_EDGES_MAX);
    dw__arena_deinit(&f.arena);
}

static void
test_graph__versions_out_of_range_end(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    assert_true(commit(&f, "/a", "WRITE", NULL,
                       "{\"inputs\":[" INPUT("/a", 9223372036854775807) "," INPUT(
                           "/b", -9223372036854775808) "],\"replaces\":true}"));
    assert_true(commit(&f, "/a", "WRITE", NULL,
                       "{\"inputs\":[" INPUT("/b", 99999999999999999999) "],\"replaces\":true}"));
    assert_string_equal(show(&f, "/a", NULL, false), "a<b");
    assert_string_equal(show(&f, "/b", NULL, true), "a<b");
    dw__arena_deinit(&f.arena);
}

static void
test_graph__a_column_is_followed_through_its_renames(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    static const char renamed[] = "{\"oldColumnPath\":\"x\",\"newColumnPath\":\"z\"}";
    static const char added[] = "{\"columns\":\"[{\\\"column\\\":{\\\"name\\\":\\\"x\\\"}}]\"}";
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/s", 0), MADE("x", "old"))));
    assert_true(commit(&f, "/a", "RENAME COLUMN", renamed, NULL));
    assert_true(commit(&f, "/a", "ADD COLUMNS", added, NULL));
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/s", 0), MADE("x", "new"))));
    assert_true(commit(&f, "/t", "WRITE", NULL, STATEMENT(INPUT("/a", 0), MADE("k", "x"))));
    assert_string_equal(show(&f, "/a", "z", false), "a.z<s.old");
    assert_string_equal(show(&f, "/a", "x", false), "a.x<s.new");
    assert_string_equal(show(&f, "/a", "z", true), "t.k<a.z");
    assert_string_equal(show(&f, "/a", "x", true), "");
    assert_string_equal(show(&f, "/t", "k", false), "t.k<a.x a.x<s.old");
    dw__arena_deinit(&f.arena);
}

static void
test_graph__what_was_replaced_counts_no_more(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/old", 0), MADE("x", "x"))));
    assert_true(
        commit(&f, "/a", "WRITE", NULL, "{\"replaces\":true,\"inputs\":[" INPUT("/new", 0) "]}"));
    assert_string_equal(show(&f, "/a", NULL, false), "a<new");
    assert_string_equal(show(&f, "/a", "x", false), "a.x<new (any column)");
    assert_string_equal(show(&f, "/old", NULL, true), "");
    dw__arena_deinit(&f.arena);
}

/* /a: from /first, from /second, restored to the first. */
static void
test_graph__a_restored_table_goes_on_from_the_version_that_came_back(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    static const char restored[] =
        "{\"replaces\":true,\"inputs\":[" INPUT("/a", 0) "],\"columns\":{" MADE("x", "x") "}}";
    static const char renamed[] = "{\"oldColumnPath\":\"x\",\"newColumnPath\":\"z\"}";
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/first", 0), MADE("x", "x"))));
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/second", 0), MADE("x", "x"))));
    assert_true(commit(&f, "/a", "RENAME COLUMN", renamed, NULL));
    assert_true(commit(&f, "/a", "RESTORE", NULL, restored));
    assert_string_equal(show(&f, "/a", NULL, false), "a<first");
    assert_string_equal(show(&f, "/a", "x", false), "a.x<first.x");
    assert_string_equal(show(&f, "/first", NULL, true), "a<first");
    assert_string_equal(show(&f, "/second", NULL, true), "");
    dw__arena_deinit(&f.arena);
}

/* Names that were swapped while all rows were replaced are followed one by one. */
static void
test_graph__what_replaces_rows_by_its_own_keeps_the_columns_that_stay(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    static const char made[] =
        "{\"inputs\":[" INPUT("/s", 0) "],\"columns\":{" MADE("x", "a") "," MADE("y", "b") "}}";
    static const char moved[] = "{\"replaces\":true,\"inputs\":[" INPUT(
        "/a", 0) "],\"columns\":{" MADE("x", "x") "," MADE("y", "x") "}}";
    assert_true(commit(&f, "/a", "WRITE", NULL, made));
    assert_true(commit(&f, "/a", "WRITE", NULL, moved));
    assert_string_equal(show(&f, "/a", "x", false), "a.x<s.a");
    assert_string_equal(show(&f, "/a", "y", false), "a.y<a.x a.x<s.a");
    dw__arena_deinit(&f.arena);
}

static void
test_graph__an_input_is_as_it_was_in_its_version(void **state)
{
    fixture f;
    (void) state;
    init(&f, dw__allocator_libc());
    assert_true(commit(&f, "/b", "WRITE", NULL, STATEMENT(INPUT("/first", 0), MADE("x", "x"))));
    assert_true(commit(&f, "/b", "WRITE", NULL, STATEMENT(INPUT("/second", 0), MADE("x", "x"))));
    assert_true(commit(&f, "/a", "WRITE", NULL, STATEMENT(INPUT("/b", 0), MADE("x", "x"))));
    assert_string_equal(show(&f, "/a", NULL, false), "a<b b<first");
    dw__arena_deinit(&f.arena);
}

static dw_status
make_and_print(dwt_world *world, void *ctx, dw_error *err)
{
    fixture *f = ctx;
    init(f, world->env->allocator);
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env->allocator, DW_GRAPH_TEXT_BYTES_MAX);
    dw_graph_source source = {find, list, f};
    bool ok = commit(f, "/a", "WRITE", NULL, STATEMENT(INPUT("/b", 0), MADE("x", "x")));
    dw_status status =
        ok ? dw__graph_make(&source, DW_STR("/a"), DW_STR("x"), false, &f->arena, &f->graph, err)
           : dw__error_oom(err);
    if (status == DW_OK) {
        dw__graph_print_tree(&out, &f->graph);
        dw__graph_print_dot(&out, &f->graph);
        dw__graph_print_json(&out, &f->graph);
        status = dw__graph_print_svg(&out, &f->graph, err);
    }
    dw__arena_deinit(&f->arena);
    return status;
}

static void
test_graph__memory_that_runs_out_is_an_error(void **state)
{
    static fixture f;
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.operation = make_and_print, .ctx = &f, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph__a_cycle_ends),
        cmocka_unit_test(test_graph__a_column_is_followed_through_its_renames),
        cmocka_unit_test(test_graph__what_was_replaced_counts_no_more),
        cmocka_unit_test(test_graph__a_restored_table_goes_on_from_the_version_that_came_back),
        cmocka_unit_test(test_graph__what_replaces_rows_by_its_own_keeps_the_columns_that_stay),
        cmocka_unit_test(test_graph__an_input_is_as_it_was_in_its_version),
        cmocka_unit_test(test_graph__names_that_would_steer_a_terminal_are_shown_without_that),
        cmocka_unit_test(test_graph__what_names_inputs_without_end_is_cut),
        cmocka_unit_test(test_graph__versions_out_of_range_end),
        cmocka_unit_test(test_graph__memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
