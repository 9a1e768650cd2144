/*
 * Conditions on the target that follow from the rows of the source.
 */
#include "sql/merge_prune.h"

/* With so few values of a key each is looked for, with more only their range. */
#define LISTED_VALUES_MAX 64

typedef struct prune_state {
    dw_merge_plan *plan;
    dw_status (*ask)(void *ctx, dw_str select, dw_text_rows *out);
    void *ctx;
} prune_state;

static bool
is_integer(dw_str type)
{
    return dw__str_equal(type, DW_STR("TINYINT")) || dw__str_equal(type, DW_STR("SMALLINT")) ||
           dw__str_equal(type, DW_STR("INTEGER")) || dw__str_equal(type, DW_STR("BIGINT"));
}

/* True where both sides compare as their own type does, whose text reads back as the same value. */
static bool
is_ordered_alike(dw_str target, dw_str source)
{
    bool has_text = dw__str_equal(target, DW_STR("DATE")) ||
                    dw__str_equal(target, DW_STR("VARCHAR")) ||
                    dw__str_equal(target, DW_STR("TIMESTAMP")) ||
                    dw__str_equal(target, DW_STR("TIMESTAMP WITH TIME ZONE")) ||
                    dw__str_starts_with(target, DW_STR("DECIMAL("));
    return (is_integer(target) && is_integer(source)) ||
           (has_text && dw__str_equal(target, source));
}

static void
put_target_column(const dw_merge_plan *plan, const dw_merge_key *key, dw_strbuf *out)
{
    dw__sql_put_identifier(out, plan->names.target.alias);
    dw__strbuf_append_char(out, '.');
    dw__sql_put_identifier(out, plan->names.target.columns[key->target_idx].name);
}

static void
put_literal(const dw_merge_plan *plan, const dw_merge_key *key, dw_str text, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "CAST(");
    dw__sql_put_literal(out, text);
    dw__strbuf_append_literal(out, " AS ");
    dw__strbuf_append(out, plan->names.source.columns[key->source_idx].type);
    dw__strbuf_append_char(out, ')');
}

static void
put_range(const dw_merge_plan *plan, const dw_merge_key *key, dw_str min, dw_str max,
          dw_strbuf *out)
{
    put_target_column(plan, key, out);
    dw__strbuf_append_literal(out, " >= ");
    put_literal(plan, key, min, out);
    dw__strbuf_append_literal(out, " AND ");
    put_target_column(plan, key, out);
    dw__strbuf_append_literal(out, " <= ");
    put_literal(plan, key, max, out);
}

/* False when there are too many values after all. */
static dw_status
put_list(const prune_state *state, const dw_merge_key *key, dw_strbuf *out, bool *done_out)
{
    const dw_merge_plan *plan = state->plan;
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(plan->x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    *done_out = false;
    dw__strbuf_append_literal(&sql, "SELECT DISTINCT CAST(");
    dw__sql_put_identifier(&sql, plan->names.source.columns[key->source_idx].name);
    dw__strbuf_append_literal(&sql, " AS VARCHAR)");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", plan->x->err));
    DW_TRY(state->ask(state->ctx, dw__strbuf_str(&sql), &rows));
    if (rows.row_count > LISTED_VALUES_MAX + 1) {
        return DW_OK;
    }
    put_target_column(plan, key, out);
    dw__strbuf_append_literal(out, " IN (");
    const char *separator = "";
    for (size_t i = 0; i < rows.row_count; i++) {
        if (!dw__str_is_null(rows.cells[i])) { /* which equals nothing */
            dw__strbuf_append(out, dw__str_from(separator));
            put_literal(plan, key, rows.cells[i], out);
            separator = ", ";
        }
    }
    dw__strbuf_append_char(out, ')');
    *done_out = true;
    return DW_OK;
}

/* SELECT count(*), min("k"), max("k"), approx_count_distinct("k"), ... */
static dw_status
ask_ranges(const prune_state *state, dw_text_rows *out)
{
    const dw_merge_plan *plan = state->plan;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(plan->x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT count(*)");
    for (size_t i = 0; i < plan->names.key_count; i++) {
        static const char *const aggregates[] = {"min", "max", "approx_count_distinct"};
        for (size_t k = 0; k < 3; k++) {
            dw__strbuf_printf(&sql, ", CAST(%s(", aggregates[k]);
            dw__sql_put_identifier(&sql,
                                   plan->names.source.columns[plan->names.keys[i].source_idx].name);
            dw__strbuf_append_literal(&sql, ") AS VARCHAR)");
        }
    }
    DW_TRY(dw__strbuf_ok(&sql, "the statement", plan->x->err));
    return state->ask(state->ctx, dw__strbuf_str(&sql), out);
}

/* What the keys demand, joined by AND; nothing when they demand nothing. */
static dw_status
put_keys(const prune_state *state, const dw_text_rows *ranges, dw_strbuf *out)
{
    const dw_merge_plan *plan = state->plan;
    for (size_t i = 0; i < plan->names.key_count; i++) {
        const dw_merge_key *key = &plan->names.keys[i];
        const dw_str *cells = &ranges->cells[1 + 3 * i];
        int64_t distinct = INT64_MAX;
        bool is_listed = false;
        if (!is_ordered_alike(plan->names.target.columns[key->target_idx].type,
                              plan->names.source.columns[key->source_idx].type)) {
            continue;
        }
        dw__strbuf_append(out, out->len == 0 ? DW_STR("") : DW_STR(" AND "));
        if (dw__str_is_null(cells[0])) {
            dw__strbuf_append_literal(out, "false"); /* no row of the source has a key */
            continue;
        }
        (void) !dw__str_to_i64(cells[2], &distinct);
        if (distinct <= LISTED_VALUES_MAX) {
            DW_TRY(put_list(state, key, out, &is_listed));
        }
        if (!is_listed) {
            put_range(plan, key, cells[0], cells[1], out);
        }
    }
    return DW_OK;
}

/* Rows that NOT MATCHED BY SOURCE may take matter, too; false when these are all rows. */
static bool
put_by_source(const dw_merge_plan *plan, dw_strbuf *out)
{
    for (size_t i = 0; i < plan->merge->clause_count; i++) {
        const dw_merge_branch *branch = &plan->branches[i];
        if (branch->clause->kind != DW_MERGE_NOT_MATCHED_BY_SOURCE) {
            continue;
        }
        if (dw__str_is_null(branch->condition)) {
            return false;
        }
        dw__strbuf_append_literal(out, " OR (");
        dw__strbuf_append(out, branch->condition);
        dw__strbuf_append_literal(out, "\n)");
    }
    return true;
}

dw_status
dw__merge_prune(dw_merge_plan *plan, dw_status (*ask)(void *ctx, dw_str select, dw_text_rows *out),
                void *ctx, int64_t *source_row_count_out)
{
    prune_state state = {plan, ask, ctx};
    dw_execution *x = plan->x;
    dw_text_rows ranges;
    DW_AUTO(dw_strbuf) keys = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    DW_TRY(ask_ranges(&state, &ranges));
    (void) !dw__str_to_i64(ranges.cells[0], source_row_count_out);
    DW_TRY(put_keys(&state, &ranges, &keys));
    if (keys.len == 0) {
        return DW_OK;
    }
    dw__strbuf_append_literal(&text, "((");
    dw__strbuf_append(&text, dw__strbuf_str(&keys));
    dw__strbuf_append_char(&text, ')');
    bool is_bounded = put_by_source(plan, &text);
    dw__strbuf_append_char(&text, ')');
    DW_TRY(dw__strbuf_ok(&keys, "the statement", x->err));
    DW_TRY(dw__strbuf_ok(&text, "the statement", x->err));
    if (!is_bounded) {
        return DW_OK;
    }
    return dw__arena_dup(&x->arena, dw__strbuf_str(&text), &plan->prune) ? DW_OK
                                                                         : dw__error_oom(x->err);
}
