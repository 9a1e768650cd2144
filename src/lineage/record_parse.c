/*
 * Reading a record back. Any JSON may stand in a commit: what is not of the expected shape counts
 * as missing, and a column of which not all is understood may be made of any.
 */
#include "lineage/lineage.h"

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

/* No more room than a list needs: a record of somebody else may have many that are empty. */
static size_t
room_for(dw_json list, size_t max)
{
    size_t count = dw__json_count(list);
    return (count < max ? count : max) + 1;
}

static bool
take_files(dw_json files, dw_arena *arena, dw_lineage_input *out)
{
    out->files = DW_ARENA_ARRAY(arena, dw_str, room_for(files, DW_LINEAGE_FILES_MAX));
    dw_json_iter it = dw__json_iter(files);
    while (out->files != NULL && out->file_count < DW_LINEAGE_FILES_MAX && dw__json_next(&it)) {
        dw_str text = dw__json_str(it.value);
        if (!dw__str_is_null(text) && !dw__arena_dup(arena, text, &out->files[out->file_count++])) {
            return false;
        }
    }
    return out->files != NULL;
}

static bool
take_input(dw_json value, dw_arena *arena, dw_lineage_input *out)
{
    *out = (dw_lineage_input){.version = -1};
    if (!dw__json_i64(member(value, "version"), &out->version)) {
        out->version = -1;
    }
    if (!dw__json_i64(member(value, "numFiles"), &out->file_total)) {
        out->file_total = 0;
    }
    out->is_changes = dw__json_bool(member(value, "changes"), false);
    return take_text(value, "table", arena, &out->table) &&
           take_text(value, "id", arena, &out->table_id) &&
           take_text(value, "format", arena, &out->format) &&
           take_files(member(value, "files"), arena, out);
}

static bool
take_inputs(dw_json list, dw_arena *arena, dw_lineage_statement *out)
{
    out->inputs = DW_ARENA_ARRAY(arena, dw_lineage_input, room_for(list, DW_LINEAGE_INPUTS_MAX));
    dw_json_iter it = dw__json_iter(list);
    bool ok = out->inputs != NULL;
    while (ok && dw__json_next(&it)) {
        if (out->input_count == DW_LINEAGE_INPUTS_MAX) {
            out->has_more_inputs = true;
            break;
        }
        ok = take_input(it.value, arena, &out->inputs[out->input_count++]);
    }
    return ok;
}

/* [input, column, ...]: *rest_out is what follows; a ref without a column where it is not
 * understood. False when out of memory. */
static bool
take_ref(dw_json value, size_t input_count, dw_arena *arena, dw_lineage_ref *out,
         dw_json_iter *rest_out)
{
    int64_t input;
    *rest_out = dw__json_iter(value);
    *out = (dw_lineage_ref){.column = DW_STR_NULL};
    if (dw__json_kind(value) != DW_JSON_ARRAY || !dw__json_next(rest_out) ||
        !dw__json_i64(rest_out->value, &input) || input < 0 || (size_t) input >= input_count ||
        !dw__json_next(rest_out)) {
        return true;
    }
    out->input = (size_t) input;
    return dw__arena_dup(arena, dw__json_str(rest_out->value), &out->column);
}

/* False in *whole_out where some are not understood. */
static bool
take_refs(dw_json list, size_t input_count, dw_arena *arena, const dw_lineage_ref **out,
          size_t *count_out, bool *whole_out)
{
    dw_lineage_ref *refs = DW_ARENA_ARRAY(arena, dw_lineage_ref, dw__json_count(list) + 1);
    *out = refs;
    *count_out = 0;
    *whole_out = dw__json_kind(list) == DW_JSON_ARRAY;
    dw_json_iter it = dw__json_iter(list);
    while (refs != NULL && dw__json_next(&it)) {
        dw_json_iter rest;
        dw_lineage_ref *ref = &refs[*count_out];
        if (!take_ref(it.value, input_count, arena, ref, &rest)) {
            return false;
        }
        *whole_out = *whole_out && !dw__str_is_null(ref->column);
        *count_out += dw__str_is_null(ref->column) ? 0 : 1;
    }
    return refs != NULL;
}

/* Those of no kind are filters, as are all in older records. */
static unsigned
take_kinds(dw_json_iter *rest)
{
    unsigned kinds = 0;
    while (dw__json_next(rest)) {
        dw_str name = dw__json_str(rest->value);
        for (int kind = 0; kind < DW_CONDITION_KIND_COUNT; kind++) {
            const char *known = dw__lineage_condition_name((dw_condition_kind) kind);
            kinds |= dw__str_equal(name, dw__str_from(known)) ? 1U << kind : 0;
        }
    }
    return kinds != 0 ? kinds : 1U << DW_CONDITION_FILTER;
}

static bool
take_conditions(dw_json value, dw_arena *arena, dw_lineage_statement *out)
{
    dw_json list = member(value, "conditions");
    dw_json_iter it = dw__json_iter(list);
    out->conditions = DW_ARENA_ARRAY(arena, dw_lineage_condition, dw__json_count(list) + 1);
    out->has_more_conditions = dw__json_bool(member(value, "hasMoreConditions"), false);
    while (out->conditions != NULL && dw__json_next(&it)) {
        dw_json_iter rest;
        dw_lineage_condition *condition = &out->conditions[out->condition_count];
        if (!take_ref(it.value, out->input_count, arena, &condition->ref, &rest)) {
            return false;
        }
        bool is_known = !dw__str_is_null(condition->ref.column);
        out->has_more_conditions = out->has_more_conditions || !is_known;
        if (is_known) {
            condition->kinds = take_kinds(&rest);
            out->condition_count++;
        }
    }
    return out->conditions != NULL;
}

static bool
take_column(dw_json value, size_t input_count, dw_arena *arena, dw_lineage_column *out)
{
    bool is_whole;
    dw_str how = dw__json_str(member(value, "how"));
    if (!take_refs(member(value, "from"), input_count, arena, &out->from, &out->from_count,
                   &is_whole)) {
        return false;
    }
    bool is_same = dw__str_equal(how, DW_STR("same")) && out->from_count > 0;
    bool is_known = is_whole && (is_same || dw__str_equal(how, DW_STR("derived")));
    out->how = is_same ? DW_LINEAGE_SAME : DW_LINEAGE_DERIVED;
    out->how = is_known ? out->how : DW_LINEAGE_ANY;
    out->from_count = is_known ? out->from_count : 0;
    return true;
}

static bool
take_columns(dw_json columns, dw_arena *arena, dw_lineage_statement *out)
{
    dw_lineage_column *items =
        DW_ARENA_ARRAY(arena, dw_lineage_column, dw__json_count(columns) + 1);
    out->has_columns = dw__json_kind(columns) == DW_JSON_OBJECT;
    out->columns = items;
    dw_json_iter it = dw__json_iter(columns);
    bool ok = items != NULL;
    while (ok && out->has_columns && dw__json_next(&it)) {
        dw_lineage_column *column = &items[out->column_count++];
        ok = dw__arena_dup(arena, it.key, &column->name) &&
             take_column(it.value, out->input_count, arena, column);
    }
    return ok;
}

static bool
take_statement(dw_json value, dw_arena *arena, dw_lineage_statement *out)
{
    *out = (dw_lineage_statement){.is_cut = dw__json_bool(member(value, "isCut"), false),
                                  .replaces = dw__json_bool(member(value, "replaces"), false),
                                  .has_more_inputs =
                                      dw__json_bool(member(value, "hasMoreInputs"), false)};
    return take_text(value, "sql", arena, &out->sql) &&
           take_inputs(member(value, "inputs"), arena, out) &&
           take_columns(member(value, "columns"), arena, out) && take_conditions(value, arena, out);
}

static bool
take_record(dw_json value, dw_arena *arena, dw_lineage_record *out)
{
    dw_json parent = member(value, "parent");
    bool ok = take_text(value, "namespace", arena, &out->namespace_name) &&
              take_text(value, "job", arena, &out->job) &&
              take_text(value, "run", arena, &out->run) &&
              take_text(value, "user", arena, &out->user) &&
              take_text(parent, "namespace", arena, &out->parent.namespace_name) &&
              take_text(parent, "job", arena, &out->parent.job) &&
              take_text(parent, "run", arena, &out->parent.run);
    dw_json statements = member(value, "statements");
    size_t room = room_for(statements, DW_LINEAGE_STATEMENTS_MAX);
    out->statements = DW_ARENA_ARRAY(arena, dw_lineage_statement, room);
    ok = ok && out->statements != NULL;
    dw_json_iter it = dw__json_iter(statements);
    while (ok && out->statement_count + 1 < room && dw__json_next(&it)) {
        ok = take_statement(it.value, arena, &out->statements[out->statement_count++]);
    }
    return ok;
}

dw_status
dw__lineage_parse(dw_str commit_info, dw_arena *arena, dw_lineage_record *out, bool *found_out,
                  dw_error *err)
{
    *out = (dw_lineage_record){0};
    *found_out = false;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (dw__str_is_null(commit_info) || commit_info.len > DW_LINEAGE_RECORD_BYTES_MAX) {
        return DW_OK;
    }
    dw_status status = dw__json_parse(arena->allocator, commit_info, "commitInfo", &doc, &ignored);
    if (status != DW_OK) {
        return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
    }
    dw_json value = member(dw__json_root(doc), "lineage");
    *found_out = dw__json_kind(value) == DW_JSON_OBJECT &&
                 dw__json_kind(member(value, "statements")) == DW_JSON_ARRAY;
    return !*found_out || take_record(value, arena, out) ? DW_OK : dw__error_oom(err);
}
