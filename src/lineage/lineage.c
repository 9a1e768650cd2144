/*
 * Building what is recorded of a statement. [RECORD-2,3]
 */
#include "lineage/lineage.h"

#include "base/assert.h"

/* ---- Inputs ---------------------------------------------------------------------------------- */

static bool
is_same_table(const dw_lineage_input *a, const dw_lineage_input *b)
{
    return !dw__str_is_null(a->table) && dw__str_equal(a->table, b->table) &&
           a->version == b->version && a->is_changes == b->is_changes;
}

static bool
copy_input(dw_arena *arena, const dw_lineage_input *from, dw_lineage_input *to)
{
    *to = *from;
    to->file_count =
        from->file_count < DW_LINEAGE_FILES_MAX ? from->file_count : DW_LINEAGE_FILES_MAX;
    to->files = DW_ARENA_ARRAY(arena, dw_str, to->file_count + 1);
    bool ok = to->files != NULL && dw__arena_dup(arena, from->table, &to->table) &&
              dw__arena_dup(arena, from->table_id, &to->table_id) &&
              dw__arena_dup(arena, from->format, &to->format);
    for (size_t i = 0; ok && i < to->file_count; i++) {
        ok = dw__arena_dup(arena, from->files[i], &to->files[i]);
    }
    return ok;
}

bool
dw__lineage_add_input(dw_lineage *lineage, const dw_lineage_input *input, size_t *idx_out)
{
    dw_lineage_statement *statement = &lineage->statement;
    *idx_out = SIZE_MAX;
    for (size_t i = 0; i < statement->input_count; i++) {
        if (is_same_table(&statement->inputs[i], input)) {
            *idx_out = i;
            return true;
        }
    }
    if (statement->inputs == NULL) {
        statement->inputs = DW_ARENA_ARRAY(lineage->arena, dw_lineage_input, DW_LINEAGE_INPUTS_MAX);
        if (statement->inputs == NULL) {
            return false;
        }
    }
    if (statement->input_count == DW_LINEAGE_INPUTS_MAX) {
        statement->has_more_inputs = true;
        return true;
    }
    *idx_out = statement->input_count;
    return copy_input(lineage->arena, input, &statement->inputs[statement->input_count++]);
}

bool
dw__lineage_add_table(dw_lineage *lineage, const dw_log_snapshot *snapshot, bool is_changes,
                      size_t *idx_out)
{
    dw_str root = dw__log_storage(dw__log_snapshot_log(snapshot))->root;
    dw_lineage_input input = {.table = dw__str_is_null(root) ? DW_STR("") : root,
                              .table_id = dw__log_snapshot_metadata(snapshot)->id,
                              .version = dw__log_snapshot_version(snapshot),
                              .is_changes = is_changes,
                              .format = DW_STR_NULL};
    return dw__lineage_add_input(lineage, &input, idx_out);
}

bool
dw__lineage_add_files(dw_lineage *lineage, const dw_str *files, size_t count, const char *format,
                      size_t *idx_out)
{
    dw_lineage_input input = {.table = DW_STR_NULL,
                              .table_id = DW_STR_NULL,
                              .version = -1,
                              .format = dw__str_from(format),
                              .file_count = count,
                              .file_total = (int64_t) count};
    input.files = DW_ARENA_ARRAY(lineage->arena, dw_str, count + 1);
    if (input.files == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        input.files[i] = files[i];
    }
    return dw__lineage_add_input(lineage, &input, idx_out);
}

/* ---- What the plan tells --------------------------------------------------------------------- */

/* The occurrences of one table are one input. */
static void
add_ref(dw_lineage_ref *refs, size_t *count, dw_lineage_ref ref)
{
    for (size_t i = 0; i < *count; i++) {
        if (refs[i].input == ref.input && dw__str_equal(refs[i].column, ref.column)) {
            return;
        }
    }
    refs[(*count)++] = ref;
}

/* The columns of a set. False when out of memory; one that is of no input that was recorded makes
 * *lost_out true. */
static bool
list_set(const dw_lineage *lineage, const dw_plan_lineage *plan, const size_t *inputs,
         dw_column_set set, const dw_lineage_ref **out, size_t *count_out, bool *lost_out)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->column_count; i++) {
        count += dw__column_set_has(set, i) ? 1 : 0;
    }
    dw_lineage_ref *refs = DW_ARENA_ARRAY(lineage->arena, dw_lineage_ref, count + 1);
    if (refs == NULL) {
        return false;
    }
    *count_out = 0;
    *out = refs;
    *lost_out = false;
    for (size_t i = 0; i < plan->input_count && count > 0; i++) {
        const dw_plan_input *input = &plan->inputs[i];
        for (size_t k = 0; k < input->column_count; k++) {
            if (!dw__column_set_has(set, input->first + k)) {
                continue;
            }
            *lost_out = *lost_out || inputs[i] == SIZE_MAX;
            if (inputs[i] < DW_LINEAGE_NO_INPUT) {
                add_ref(refs, count_out, (dw_lineage_ref){inputs[i], input->columns[k]});
            }
        }
    }
    return true;
}

bool
dw__lineage_add_condition(dw_lineage *lineage, dw_lineage_ref ref, dw_condition_kind kind)
{
    dw_lineage_statement *statement = &lineage->statement;
    for (size_t i = 0; i < statement->condition_count; i++) {
        dw_lineage_condition *known = &statement->conditions[i];
        if (known->ref.input == ref.input && dw__str_equal(known->ref.column, ref.column)) {
            known->kinds |= 1U << kind;
            return true;
        }
    }
    if (statement->conditions == NULL) {
        statement->conditions =
            DW_ARENA_ARRAY(lineage->arena, dw_lineage_condition, DW_LINEAGE_CONDITIONS_MAX);
    }
    if (statement->conditions == NULL) {
        return false;
    }
    if (statement->condition_count == DW_LINEAGE_CONDITIONS_MAX) {
        statement->has_more_conditions = true;
        return true;
    }
    statement->conditions[statement->condition_count++] = (dw_lineage_condition){ref, 1U << kind};
    return true;
}

bool
dw__lineage_take_conditions(dw_lineage *lineage, const dw_plan_lineage *plan, const size_t *inputs)
{
    bool ok = true;
    if (!plan->is_known) {
        lineage->statement.has_more_conditions = true;
        return true;
    }
    for (int kind = 0; ok && kind < DW_CONDITION_KIND_COUNT; kind++) {
        const dw_lineage_ref *refs;
        size_t count;
        bool is_lost;
        ok = list_set(lineage, plan, inputs, plan->conditions[kind], &refs, &count, &is_lost);
        for (size_t i = 0; ok && i < count; i++) {
            ok = dw__lineage_add_condition(lineage, refs[i], (dw_condition_kind) kind);
        }
        lineage->statement.has_more_conditions =
            lineage->statement.has_more_conditions || (ok && is_lost);
    }
    return ok;
}

bool
dw__lineage_take_plan(dw_lineage *lineage, const dw_plan_lineage *plan, const size_t *inputs)
{
    if (!plan->is_known) {
        lineage->statement.has_more_conditions = !lineage->reads_nothing;
        return true;
    }
    dw_lineage_output *outputs =
        DW_ARENA_ARRAY(lineage->arena, dw_lineage_output, plan->output_count + 1);
    bool ok = outputs != NULL;
    bool is_lost;
    for (size_t i = 0; ok && i < plan->output_count; i++) {
        dw_lineage_output *output = &outputs[i];
        ok = list_set(lineage, plan, inputs, plan->outputs[i].from, &output->from,
                      &output->from_count, &is_lost);
        bool is_same = plan->outputs[i].is_same && output->from_count > 0;
        output->how = is_same ? DW_LINEAGE_SAME : DW_LINEAGE_DERIVED;
        output->how = is_lost ? DW_LINEAGE_ANY : output->how;
    }
    ok = ok && dw__lineage_take_conditions(lineage, plan, inputs);
    lineage->outputs = outputs;
    lineage->output_count = plan->output_count;
    lineage->knows_outputs = true;
    return ok;
}

void
dw__lineage_column_of(const dw_lineage *lineage, dw_str name, size_t idx, dw_lineage_column *column)
{
    *column = (dw_lineage_column){
        .name = name, .how = lineage->reads_nothing ? DW_LINEAGE_DERIVED : DW_LINEAGE_ANY};
    if (lineage->knows_outputs && idx < lineage->output_count) {
        const dw_lineage_output *output = &lineage->outputs[idx];
        column->how = output->how;
        column->from = output->from;
        column->from_count = output->from_count;
    }
}

bool
dw__lineage_set_columns(dw_lineage *lineage, const dw_lineage_column *columns, size_t count)
{
    dw_lineage_column *copy = DW_ARENA_ARRAY(lineage->arena, dw_lineage_column, count + 1);
    bool ok = copy != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        copy[i] = columns[i];
        ok = dw__arena_dup(lineage->arena, columns[i].name, &copy[i].name);
    }
    lineage->statement.columns = copy;
    lineage->statement.column_count = ok ? count : 0;
    lineage->statement.has_columns = ok;
    return ok;
}

bool
dw__lineage_set_copied(dw_lineage *lineage, const dw_type *schema, size_t input,
                       const dw_str *others, size_t other_count)
{
    size_t count = schema->field_count;
    dw_assert(input < lineage->statement.input_count);
    dw_lineage_column *columns = DW_ARENA_ARRAY(lineage->arena, dw_lineage_column, count + 1);
    dw_lineage_ref *refs = DW_ARENA_ARRAY(lineage->arena, dw_lineage_ref, count + 1);
    bool ok = columns != NULL && refs != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        dw_str name = schema->fields[i].name;
        bool is_other = dw__str_among(others, other_count, name);
        refs[i].input = input;
        ok = dw__arena_dup(lineage->arena, name, &refs[i].column);
        columns[i] = (dw_lineage_column){.name = name,
                                         .how = is_other ? DW_LINEAGE_DERIVED : DW_LINEAGE_SAME,
                                         .from = &refs[i],
                                         .from_count = is_other ? 0 : 1};
    }
    return ok && dw__lineage_set_columns(lineage, columns, count);
}

bool
dw__lineage_set_version(dw_lineage *lineage, const dw_log_snapshot *snapshot)
{
    size_t idx;
    return lineage == NULL ||
           (dw__lineage_add_table(lineage, snapshot, false, &idx) &&
            dw__lineage_set_copied(lineage, dw__log_snapshot_schema(snapshot), idx, NULL, 0));
}
