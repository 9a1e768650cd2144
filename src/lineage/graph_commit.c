/*
 * What a commit says for a graph: its record, and what it did to names of columns. [GRAPH-3]
 */
#include "lineage/graph.h"

static dw_json
member(dw_json object, const char *key)
{
    return dw__json_get(object, dw__str_from(key));
}

static bool
take_text(dw_json object, const char *key, dw_arena *arena, dw_str *out)
{
    return dw__arena_dup(arena, dw__json_str(member(object, key)), out);
}

/* ADD COLUMNS has a list of {"column": {"name": ...}} as text. */
static bool
take_added(const dw_allocator *allocator, dw_str text, dw_arena *arena, dw_graph_commit *out)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (dw__str_is_null(text)) {
        return true;
    }
    dw_status status = dw__json_parse(allocator, text, "columns", &doc, &ignored);
    if (status != DW_OK) {
        return status != DW_OUT_OF_MEMORY;
    }
    dw_json list = dw__json_root(doc);
    out->added = DW_ARENA_ARRAY(arena, dw_str, dw__json_count(list) + 1);
    dw_json_iter it = dw__json_iter(list);
    while (out->added != NULL && dw__json_next(&it)) {
        dw_str name = dw__json_str(member(member(it.value, "column"), "name"));
        if (!dw__str_is_null(name) &&
            !dw__arena_dup(arena, name, &out->added[out->added_count++])) {
            return false;
        }
    }
    return out->added != NULL;
}

static bool
take_names(dw_json parameters, dw_str operation, dw_arena *arena, dw_graph_commit *out)
{
    if (dw__str_equal(operation, DW_STR("RENAME COLUMN"))) {
        return take_text(parameters, "oldColumnPath", arena, &out->renamed_from) &&
               take_text(parameters, "newColumnPath", arena, &out->renamed_to);
    }
    if (dw__str_equal(operation, DW_STR("ADD COLUMNS"))) {
        return take_added(arena->allocator, dw__json_str(member(parameters, "columns")), arena,
                          out);
    }
    return true;
}

dw_status
dw__graph_commit_read(int64_t version, dw_str operation, dw_str parameters_json, dw_str commit_info,
                      dw_arena *arena, dw_graph_commit *out, dw_error *err)
{
    *out = (dw_graph_commit){.version = version};
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    DW_TRY(dw__lineage_parse(commit_info, arena, &out->record, &out->has_record, err));
    if (dw__str_is_null(parameters_json)) {
        return DW_OK;
    }
    dw_status status =
        dw__json_parse(arena->allocator, parameters_json, "parameters", &doc, &ignored);
    if (status != DW_OK) {
        return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
    }
    return take_names(dw__json_root(doc), operation, arena, out) ? DW_OK : dw__error_oom(err);
}
