/*
 * A record as text. [RECORD-2]
 */
#include "lineage/lineage.h"

#include <inttypes.h>

const char *
dw__lineage_condition_name(dw_condition_kind kind)
{
    static const char *const names[DW_CONDITION_KIND_COUNT] = {[DW_CONDITION_FILTER] = "filter",
                                                               [DW_CONDITION_JOIN] = "join",
                                                               [DW_CONDITION_GROUP] = "group",
                                                               [DW_CONDITION_SORT] = "sort"};
    return names[kind];
}

static void
put_true(dw_strbuf *out, const char *key, bool is_true)
{
    if (is_true) {
        dw__json_put_key(out, dw__str_from(key));
        dw__strbuf_append_literal(out, "true");
    }
}

static void
put_input(dw_strbuf *out, const dw_lineage_input *input)
{
    dw__json_put_comma(out);
    dw__strbuf_append_char(out, '{');
    if (!dw__str_is_null(input->table)) {
        dw__json_put_text(out, "table", input->table);
        dw__json_put_text(out, "id", input->table_id);
        dw__json_put_i64(out, "version", input->version);
        put_true(out, "changes", input->is_changes);
    } else {
        dw__json_put_key(out, DW_STR("files"));
        dw__strbuf_append_char(out, '[');
        for (size_t i = 0; i < input->file_count; i++) {
            dw__json_put_comma(out);
            dw__json_put_string(out, input->files[i]);
        }
        dw__strbuf_append_char(out, ']');
        dw__json_put_i64(out, "numFiles", input->file_total);
        dw__json_put_text(out, "format", input->format);
    }
    dw__strbuf_append_char(out, '}');
}

/* [0,"amount" */
static void
open_ref(dw_strbuf *out, const dw_lineage_ref *ref)
{
    dw__json_put_comma(out);
    dw__strbuf_printf(out, "[%zu,", ref->input);
    dw__json_put_string(out, ref->column);
}

/* [[0,"amount"],[1,"rate"]] */
static void
put_refs(dw_strbuf *out, const dw_lineage_ref *refs, size_t count)
{
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        open_ref(out, &refs[i]);
        dw__strbuf_append_char(out, ']');
    }
    dw__strbuf_append_char(out, ']');
}

/* [[0,"buyer"],[0,"day","group"]] */
static void
put_conditions(dw_strbuf *out, const dw_lineage_statement *statement)
{
    if (statement->condition_count > 0) {
        dw__json_put_key(out, DW_STR("conditions"));
        dw__strbuf_append_char(out, '[');
    }
    for (size_t i = 0; i < statement->condition_count; i++) {
        const dw_lineage_condition *condition = &statement->conditions[i];
        open_ref(out, &condition->ref);
        bool only_filters = condition->kinds == 1U << DW_CONDITION_FILTER;
        for (int kind = 0; kind < DW_CONDITION_KIND_COUNT && !only_filters; kind++) {
            if ((condition->kinds >> kind & 1) != 0) {
                dw__strbuf_printf(out, ",\"%s\"",
                                  dw__lineage_condition_name((dw_condition_kind) kind));
            }
        }
        dw__strbuf_append_char(out, ']');
    }
    if (statement->condition_count > 0) {
        dw__strbuf_append_char(out, ']');
    }
    put_true(out, "hasMoreConditions", statement->has_more_conditions);
}

static void
put_column(dw_strbuf *out, const dw_lineage_column *column)
{
    static const char *const hows[] = {
        [DW_LINEAGE_SAME] = "same", [DW_LINEAGE_DERIVED] = "derived", [DW_LINEAGE_ANY] = "any"};
    dw__json_put_key(out, column->name);
    dw__strbuf_append_char(out, '{');
    dw__json_put_text(out, "how", dw__str_from(hows[column->how]));
    if (column->how != DW_LINEAGE_ANY) {
        dw__json_put_key(out, DW_STR("from"));
        put_refs(out, column->from, column->from_count);
    }
    dw__strbuf_append_char(out, '}');
}

/* All of the columns or, where that is too much, none: then each may be made of any. */
static void
put_columns(dw_strbuf *out, const dw_lineage_statement *statement)
{
    size_t before = out->len;
    if (!statement->has_columns) {
        return;
    }
    dw__json_put_key(out, DW_STR("columns"));
    dw__strbuf_append_char(out, '{');
    for (size_t i = 0;
         i < statement->column_count && out->len - before <= DW_LINEAGE_COLUMNS_BYTES_MAX; i++) {
        put_column(out, &statement->columns[i]);
    }
    dw__strbuf_append_char(out, '}');
    put_conditions(out, statement);
    if (!out->failed && out->len - before > DW_LINEAGE_COLUMNS_BYTES_MAX) {
        dw__strbuf_truncate(out, before);
    }
}

void
dw__lineage_print_statement(dw_strbuf *out, const dw_lineage_statement *statement)
{
    dw__strbuf_append_char(out, '{');
    dw__json_put_text(out, "sql", statement->sql);
    put_true(out, "isCut", statement->is_cut);
    put_true(out, "replaces", statement->replaces);
    dw__json_put_key(out, DW_STR("inputs"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < statement->input_count; i++) {
        put_input(out, &statement->inputs[i]);
    }
    dw__strbuf_append_char(out, ']');
    put_true(out, "hasMoreInputs", statement->has_more_inputs);
    put_columns(out, statement);
    dw__strbuf_append_char(out, '}');
}

void
dw__lineage_print(dw_strbuf *out, const dw_lineage_record *record, dw_str statements)
{
    dw__strbuf_append_char(out, '{');
    dw__json_put_text(out, "namespace", record->namespace_name);
    dw__json_put_text(out, "job", record->job);
    dw__json_put_text(out, "run", record->run);
    dw__json_put_text(out, "user", record->user);
    if (!dw__str_is_null(record->parent.run)) {
        dw__json_put_key(out, DW_STR("parent"));
        dw__strbuf_append_char(out, '{');
        dw__json_put_text(out, "namespace", record->parent.namespace_name);
        dw__json_put_text(out, "job", record->parent.job);
        dw__json_put_text(out, "run", record->parent.run);
        dw__strbuf_append_char(out, '}');
    }
    dw__json_put_key(out, DW_STR("statements"));
    dw__strbuf_append_char(out, '[');
    dw__strbuf_append(out, statements);
    dw__strbuf_append_literal(out, "]}");
}
