/*
 * SHOW LINEAGE name [UPSTREAM | DOWNSTREAM] [COLUMN column] [IN 'folder'] [FORMAT TREE | JSON | DOT
 * | SVG].
 */
#include "base/assert.h"
#include "lineage/graph.h"
#include "sql/execution.h"
#include "sql/explain.h"
#include "sql/parse.h"
#include "table/catalog.h"

#include <pthread.h>
#include <stdlib.h>

/* Tables that are looked at. */
#define TABLES_MAX ((size_t) 1000)

typedef struct lineage_run {
    dw_execution *x;
    const dw_graph_table *tables[TABLES_MAX];
    size_t count;
    pthread_mutex_t mutex; /* guards what follows, as a walk has several threads */
    dw_str *siblings;      /* roots of tables in the folder; NULL: not looked for yet */
    size_t sibling_count;
    dw_str folder;
} lineage_run;

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_status
read_commits(lineage_run *run, dw_table *table, dw_graph_table *out)
{
    dw_execution *x = run->x;
    dw_history_entry *entries;
    DW_TRY(dw__log_history(dw__table_log(table), DW_GRAPH_COMMITS_MAX, &x->arena, &entries,
                           &out->count, x->err));
    out->commits = DW_ARENA_ARRAY(&x->arena, dw_graph_commit, out->count + 1);
    if (out->commits == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < out->count; i++) {
        const dw_commit_info *info = &entries[i].info;
        DW_TRY(dw__graph_commit_read(entries[i].version, info->operation,
                                     info->operation_parameters_json, info->json, &x->arena,
                                     &out->commits[i], x->err));
    }
    out->is_there = true;
    return dw__session_check_cancelled(x->session, x->err);
}

/* A table that is gone, or that cannot be read, has no commits: what it is part of is shown. */
static dw_status
load(lineage_run *run, dw_str root, dw_graph_table *out)
{
    bool exists;
    dw_execution *x = run->x;
    dw_error detail = DW_ERROR_INIT;
    DW_AUTO(dw_table_ptr) table = NULL;
    dw_error *err = x->err;
    x->err = &detail;
    dw_status status = dw__catalog_table_at(x->session->catalog, root, &table, &detail);
    if (status == DW_OK) {
        status = dw__log_exists(dw__table_log(table), &exists, &detail);
    }
    if (status == DW_OK && exists) {
        status = read_commits(run, table, out);
    }
    x->err = err;
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(err, &detail);
        return status;
    }
    if (status != DW_OK) {
        dw__env_warn(x->session->env, "the lineage of %.*s is not known: %s", DW_STR_ARG(root),
                     detail.message);
    }
    return DW_OK;
}

static dw_status
find(void *ctx, dw_str root, const dw_graph_table **out, dw_error *err)
{
    lineage_run *run = ctx;
    DW_TRY(dw__session_check_cancelled(run->x->session, err));
    for (size_t i = 0; i < run->count; i++) {
        if (dw__str_equal(run->tables[i]->root, root)) {
            *out = run->tables[i];
            return DW_OK;
        }
    }
    dw_graph_table *table = DW_ARENA_NEW(&run->x->arena, dw_graph_table);
    if (table == NULL) {
        return dw__error_oom(err);
    }
    table->root = root;
    *out = table;
    if (run->count == TABLES_MAX) {
        return DW_OK;
    }
    run->tables[run->count++] = table;
    return load(run, root, table);
}

/* ---- The tables of a folder ------------------------------------------------------------------ */

static bool
enters(void *ctx, dw_str key, bool is_marked)
{
    lineage_run *run = ctx;
    pthread_mutex_lock(&run->mutex);
    if (is_marked && run->sibling_count < TABLES_MAX) {
        dw_str root =
            dw__arena_printf(&run->x->arena, "%.*s/%.*s", DW_STR_ARG(run->folder), DW_STR_ARG(key));
        run->siblings[run->sibling_count] = root;
        run->sibling_count += dw__str_is_null(root) ? 0 : 1;
    }
    pthread_mutex_unlock(&run->mutex);
    return !is_marked;
}

static bool
wants(void *ctx, dw_str key)
{
    (void) ctx;
    (void) key;
    return false;
}

static dw_status
see_file(void *ctx, const dw_object_meta *meta, dw_error *err)
{
    (void) ctx;
    (void) meta;
    (void) err;
    return DW_OK;
}

static int
compare(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

static dw_status
find_siblings(lineage_run *run)
{
    dw_execution *x = run->x;
    DW_AUTO(dw_storage_ptr) storage = NULL;
    dw_walk walk = {.marker = DW_STR("_delta_log"),
                    .enters = enters,
                    .wants = wants,
                    .file = see_file,
                    .ctx = run};
    run->siblings = DW_ARENA_ARRAY(&x->arena, dw_str, TABLES_MAX);
    if (run->siblings == NULL) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__storage_open(x->session->env, run->folder, &storage, x->err));
    if (!dw__arena_dup(&x->arena, storage->root, &run->folder)) {
        return dw__error_oom(x->err);
    }
    int failed = pthread_mutex_init(&run->mutex, NULL);
    dw_assert(failed == 0);
    dw_status status = dw__storage_walk(storage, &walk, x->err);
    pthread_mutex_destroy(&run->mutex);
    DW_TRY(status);
    qsort(run->siblings, run->sibling_count, sizeof(*run->siblings), compare);
    return DW_OK;
}

static dw_status
list(void *ctx, size_t idx, const dw_graph_table **out, dw_error *err)
{
    lineage_run *run = ctx;
    *out = NULL;
    if (run->siblings == NULL) {
        DW_TRY(find_siblings(run));
    }
    return idx < run->sibling_count ? find(ctx, run->siblings[idx], out, err) : DW_OK;
}

/* ---- The statement --------------------------------------------------------------------------- */

static dw_status
check_column(dw_execution *x, dw_table *table, dw_str *column)
{
    dw_log_snapshot *snapshot;
    dw_sql_travel newest = {.kind = DW_TRAVEL_NONE};
    DW_TRY(dw__execution_snapshot(x, table, &newest, &snapshot));
    const dw_field *field = dw__schema_find(dw__log_snapshot_schema(snapshot), *column);
    if (field != NULL) {
        *column = field->name;
        return DW_OK;
    }
    return dw__error_set(x->err, DW_NOT_FOUND, "COLUMN_NOT_FOUND",
                         "expected a column of %.*s, found \"%.*s\": DESCRIBE lists them",
                         DW_STR_ARG(dw__table_root(table)), DW_STR_ARG(*column));
}

static dw_status
print(dw_execution *x, dw_graph *graph, dw_strbuf *out)
{
    switch (x->statement.as.lineage.format) {
    case DW_SHOW_TREE:
        dw__graph_print_tree(out, graph);
        break;
    case DW_SHOW_JSON:
        dw__graph_print_json(out, graph);
        break;
    case DW_SHOW_DOT:
        dw__graph_print_dot(out, graph);
        break;
    case DW_SHOW_SVG:
        return dw__graph_print_svg(out, graph, x->err);
    }
    return dw__strbuf_ok(out, "the lineage", x->err);
}

static dw_status
show(dw_execution *x, dw_table *table)
{
    const dw_lineage_show *wanted = &x->statement.as.lineage;
    dw_graph graph;
    dw_str column = wanted->column;
    dw_str root = dw__table_root(table);
    size_t slash = dw__str_find_last(root, '/');
    lineage_run *run = DW_ARENA_NEW(&x->arena, lineage_run);
    if (run == NULL) {
        return dw__error_oom(x->err);
    }
    run->x = x;
    run->folder = dw__str_is_null(wanted->folder)
                      ? dw__str_slice(root, 0, slash == SIZE_MAX || slash == 0 ? 1 : slash)
                      : wanted->folder;
    if (!dw__str_is_null(column)) {
        DW_TRY(check_column(x, table, &column));
    }
    dw_graph_source source = {find, list, run};
    DW_TRY(dw__graph_make(&source, root, column, wanted->is_downstream, &x->arena, &graph, x->err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_GRAPH_TEXT_BYTES_MAX);
    DW_TRY(print(x, &graph, &text));
    return dw__execution_set_lines(x, "lineage", &text);
}

dw_status
dw__execute_lineage(dw_execution *x)
{
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &x->statement.as.lineage.name, &table));
    dw_status status = show(x, table);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.lineage.name, &x->arena);
        dw__error_context(x->err, "SHOW LINEAGE %.*s", DW_STR_ARG(name));
    }
    return status;
}

/* ---- Reading the statement ------------------------------------------------------------------- */

static dw_status
parse_format(dw_parser *parser, dw_lineage_format *out)
{
    static const char *const formats[] = {[DW_SHOW_TREE] = "tree",
                                          [DW_SHOW_JSON] = "json",
                                          [DW_SHOW_DOT] = "dot",
                                          [DW_SHOW_SVG] = "svg"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (dw__parser_accept_word(parser, formats[i])) {
            *out = (dw_lineage_format) i;
            return DW_OK;
        }
    }
    return dw__parser_fail(parser, "TREE, JSON, DOT or SVG");
}

dw_status
dw__parse_show_lineage(dw_parser *parser, dw_lineage_show *out)
{
    *out = (dw_lineage_show){.column = DW_STR_NULL, .folder = DW_STR_NULL};
    DW_TRY(dw__parser_table(parser, &out->name));
    while (!dw__parser_at_end(parser)) {
        if (dw__parser_accept_word(parser, "upstream")) {
            out->is_downstream = false;
        } else if (dw__parser_accept_word(parser, "downstream")) {
            out->is_downstream = true;
        } else if (dw__parser_accept_word(parser, "column")) {
            DW_TRY(dw__parser_name(parser, "a column", &out->column));
        } else if (dw__parser_accept_word(parser, "in")) {
            DW_TRY(dw__parser_string(parser, "a folder in quotes", &out->folder));
        } else if (dw__parser_accept_word(parser, "format")) {
            DW_TRY(parse_format(parser, &out->format));
        } else {
            return dw__parser_fail(parser, "UPSTREAM, DOWNSTREAM, COLUMN, IN, FORMAT or the end of "
                                           "the statement");
        }
    }
    return DW_OK;
}
