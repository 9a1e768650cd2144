/*
 * Questions that the table's metadata answers: SELECT count(*), min(c), max(c) FROM t, and SELECT
 * count(*) FROM t WHERE a = 'x' AND b = 5 of partition columns. The engine is not even loaded for
 * them. What it would answer otherwise, in values, names or types, is left
 * to it.
 */
#include "base/assert.h"
#include "codec/rows.h"
#include "sql/engine_words.h"
#include "sql/execution.h"

#define DW_ANSWER_ITEMS_MAX ((size_t) 64)
#define DW_ANSWER_CONDITIONS_MAX ((size_t) 16)

typedef enum answer_kind { ANSWER_COUNT, ANSWER_MIN, ANSWER_MAX } answer_kind;

typedef struct answer_item {
    answer_kind kind;
    dw_str column; /* of MIN and MAX */
    dw_str label;  /* of the result's column */
} answer_item;

/* column = constant */
typedef struct answer_condition {
    dw_str column;
    bool is_text;
    dw_str text;
    int64_t number;
} answer_condition;

typedef struct question {
    answer_item items[DW_ANSWER_ITEMS_MAX];
    size_t count;
    answer_condition conditions[DW_ANSWER_CONDITIONS_MAX];
    size_t condition_count;
} question;

/* ---- Reading the question -------------------------------------------------------------------- */

/* (*) | (1) | () behind count. False when it counts something else. */
static bool
read_count(dw_parser *parser, answer_item *item)
{
    bool is_star = dw__parser_accept_symbol(parser, "*");
    bool is_one = !is_star && dw__str_equal(dw__token_text(parser->sql, parser->pos), DW_STR("1"));
    parser->pos += is_one ? 1 : 0;
    item->label = is_one ? DW_STR("count(1)") : DW_STR("count_star()");
    return dw__parser_accept_symbol(parser, ")");
}

/* min(column), as the engine would print it. */
static dw_status
label_extreme(const dw_parser *parser, answer_item *item)
{
    DW_AUTO(dw_strbuf) label = dw__strbuf_make(parser->arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__strbuf_append(&label, item->kind == ANSWER_MIN ? DW_STR("min(") : DW_STR("max("));
    if (dw__engine_prints_quoted(item->column)) {
        dw__sql_put_identifier(&label, item->column);
    } else {
        dw__strbuf_append(&label, item->column);
    }
    dw__strbuf_append_char(&label, ')');
    DW_TRY(dw__strbuf_ok(&label, "a label", parser->err));
    return dw__arena_dup(parser->arena, dw__strbuf_str(&label), &item->label)
               ? DW_OK
               : dw__error_oom(parser->err);
}

/* (column) behind min or max. */
static dw_status
read_extreme(dw_parser *parser, answer_item *item, bool *known)
{
    *known = false;
    if (!dw__parser_is_name(parser)) {
        return DW_OK;
    }
    DW_TRY(dw__parser_name(parser, "a column", &item->column));
    *known = dw__parser_accept_symbol(parser, ")");
    return *known ? label_extreme(parser, item) : DW_OK;
}

/* [AS] label */
static dw_status
read_label(dw_parser *parser, answer_item *item, bool *known)
{
    bool has_as = dw__parser_accept(parser, DW_KEYWORD_AS);
    uint16_t keyword = dw__parser_peek(parser, 0)->keyword;
    bool is_name = dw__parser_is_name(parser);
    if (is_name && (has_as || dw__keyword_is_name((dw_keyword) keyword))) {
        return dw__parser_name(parser, "a name", &item->label);
    }
    *known = !has_as;
    return DW_OK;
}

static dw_status
read_item(dw_parser *parser, answer_item *item, bool *known)
{
    static const struct {
        const char *name;
        answer_kind kind;
    } functions[] = {{"count", ANSWER_COUNT}, {"min", ANSWER_MIN}, {"max", ANSWER_MAX}};
    dw_str name = dw__token_text(parser->sql, parser->pos);
    *known = false;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (dw__str_equal_nocase(name, dw__str_from(functions[i].name)) &&
            dw__parser_is_symbol_at(parser, 1, "(")) {
            item->kind = functions[i].kind;
            parser->pos += 2;
            if (item->kind == ANSWER_COUNT) {
                *known = read_count(parser, item);
            } else {
                DW_TRY(read_extreme(parser, item, known));
            }
            return *known ? read_label(parser, item, known) : DW_OK;
        }
    }
    return DW_OK;
}

/* Steps over the table behind FROM; false when something else stands there. */
static bool
accept_table(dw_parser *parser, const dw_binding *binding)
{
    const dw_sql_edit *edit = &binding->edits.items[0];
    size_t after = edit->last;
    if (edit->first != parser->pos || edit->reference == SIZE_MAX) {
        return false;
    }
    if (edit->has_alias) {
        after += parser->sql->items[after].keyword == DW_KEYWORD_AS ? 2 : 1;
    }
    if (binding->edits.count == 2) { /* time travel behind the alias */
        if (binding->edits.items[1].first != after) {
            return false;
        }
        after = binding->edits.items[1].last;
    }
    parser->pos = after;
    return true;
}

/* column = 'text' | column = 123. Other constants, and escapes in texts, are the engine's. */
static dw_status
read_condition(dw_parser *parser, answer_condition *out, bool *known)
{
    *known = false;
    if (!dw__parser_is_name(parser)) {
        return DW_OK;
    }
    DW_TRY(dw__parser_name(parser, "a column", &out->column));
    if (!dw__parser_accept_symbol(parser, "=")) {
        return DW_OK;
    }
    const dw_token *token = dw__parser_peek(parser, 0);
    dw_str text = dw__token_text(parser->sql, parser->pos);
    out->is_text = token->kind == DW_TOKEN_STRING;
    *known = out->is_text ? token->flavour == '\''
                          : token->kind == DW_TOKEN_NUMBER && dw__str_to_i64(text, &out->number);
    if (!*known) {
        return DW_OK;
    }
    if (out->is_text) {
        return dw__parser_string(parser, "a text", &out->text);
    }
    parser->pos++;
    return DW_OK;
}

/* [WHERE condition AND condition ...] up to the end */
static dw_status
read_conditions(dw_parser *parser, size_t end, question *out, bool *known)
{
    *known = true;
    if (parser->pos == end) {
        return DW_OK;
    }
    *known = dw__parser_accept(parser, DW_KEYWORD_WHERE);
    while (*known && out->condition_count < DW_ANSWER_CONDITIONS_MAX) {
        DW_TRY(read_condition(parser, &out->conditions[out->condition_count++], known));
        if (!*known || parser->pos == end) {
            return DW_OK;
        }
        *known = dw__parser_accept(parser, DW_KEYWORD_AND);
    }
    *known = false;
    return DW_OK;
}

static dw_status
read_question(dw_execution *x, const dw_binding *binding, dw_sql_range range, question *out,
              bool *known)
{
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    parser.pos = range.first;
    *known = false;
    if (binding->references.count != 1 || binding->references.items[0].changes.is_set ||
        binding->edits.count > 2 || !dw__parser_accept(&parser, DW_KEYWORD_SELECT)) {
        return DW_OK;
    }
    do {
        answer_item item = {0};
        if (out->count == DW_ANSWER_ITEMS_MAX) {
            return DW_OK;
        }
        DW_TRY(read_item(&parser, &item, known));
        if (!*known) {
            return DW_OK;
        }
        out->items[out->count++] = item;
    } while (dw__parser_accept_symbol(&parser, ","));
    *known = dw__parser_accept(&parser, DW_KEYWORD_FROM) && accept_table(&parser, binding);
    return *known ? read_conditions(&parser, range.last, out, known) : DW_OK;
}

/* ---- Answering ------------------------------------------------------------------------------- */

typedef struct answer {
    dw_rows_column column;
    dw_value value;
} answer;

/* The kind of column that the engine would return for a type; false where we have none. */
static bool
column_kind(const dw_type *type, dw_rows_column *out)
{
    out->precision = type->precision;
    out->scale = type->scale;
    switch (type->kind) {
    case DW_TYPE_LONG:
        out->kind = DW_ROWS_I64;
        return true;
    case DW_TYPE_INTEGER:
        out->kind = DW_ROWS_I32;
        return true;
    case DW_TYPE_DATE:
        out->kind = DW_ROWS_DATE;
        return true;
    case DW_TYPE_BOOLEAN:
        out->kind = DW_ROWS_BOOL;
        return true;
    case DW_TYPE_DECIMAL:
        out->kind = DW_ROWS_DECIMAL;
        return true;
    case DW_TYPE_STRING:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_BINARY:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        return false;
    }
    return false;
}

static bool
is_partition_column(const dw_metadata *metadata, const dw_field *field)
{
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        if (dw__str_equal(metadata->partition_columns[i], field->name)) {
            return true;
        }
    }
    return false;
}

/* A condition as a match of a partition column; false where the engine may see it another way. */
static bool
match_of(dw_log_snapshot *snapshot, const answer_condition *condition, dw_partition_match *out)
{
    out->field = dw__schema_find(dw__log_snapshot_schema(snapshot), condition->column);
    if (out->field == NULL ||
        !is_partition_column(dw__log_snapshot_metadata(snapshot), out->field)) {
        return false;
    }
    dw_type_kind kind = out->field->type->kind;
    if (condition->is_text && kind == DW_TYPE_STRING) {
        out->value = (dw_value){.kind = DW_VALUE_STR, .as.str = condition->text};
        return true;
    }
    out->value = (dw_value){.kind = DW_VALUE_I64, .as.i64 = condition->number};
    bool is_number = kind == DW_TYPE_LONG || kind == DW_TYPE_INTEGER || kind == DW_TYPE_SHORT ||
                     kind == DW_TYPE_BYTE;
    return condition->is_text
               ? kind == DW_TYPE_DATE && dw__date_parse(condition->text, &out->value.as.i64)
               : is_number;
}

static dw_status
answer_count(dw_execution *x, const question *asked, dw_log_snapshot *snapshot, answer *out,
             bool *known)
{
    dw_partition_match matches[DW_ANSWER_CONDITIONS_MAX];
    out->column.kind = DW_ROWS_I64;
    out->value.kind = DW_VALUE_I64;
    for (size_t i = 0; i < asked->condition_count; i++) {
        if (!match_of(snapshot, &asked->conditions[i], &matches[i])) {
            *known = false;
            return DW_OK;
        }
    }
    return dw__scan_count_matching(snapshot, matches, asked->condition_count, &out->value.as.i64,
                                   known, x->err);
}

static dw_status
answer_extreme(dw_execution *x, dw_log_snapshot *snapshot, const answer_item *item, answer *out,
               bool *known)
{
    dw_value least;
    dw_value greatest;
    const dw_field *field = dw__schema_find(dw__log_snapshot_schema(snapshot), item->column);
    *known = field != NULL && column_kind(field->type, &out->column);
    if (!*known) {
        return DW_OK;
    }
    DW_TRY(dw__scan_min_max(snapshot, field, &x->arena, &least, &greatest, known, x->err));
    out->value = item->kind == ANSWER_MIN ? least : greatest;
    bool is_decimal = out->column.kind == DW_ROWS_DECIMAL && out->value.kind != DW_VALUE_NULL;
    *known = *known && (!is_decimal || (out->value.kind == DW_VALUE_DECIMAL &&
                                        out->value.scale == out->column.scale));
    return DW_OK;
}

static void
put_value(dw_rows *rows, const answer *from)
{
    switch (from->value.kind) {
    case DW_VALUE_NULL:
        dw__rows_put_null(rows);
        return;
    case DW_VALUE_BOOL:
        dw__rows_put_bool(rows, from->value.as.i64 != 0);
        return;
    case DW_VALUE_I64:
        dw__rows_put_i64(rows, from->value.as.i64);
        return;
    case DW_VALUE_DECIMAL:
        dw__rows_put_decimal(rows, from->value.as.i128);
        return;
    case DW_VALUE_DOUBLE:
    case DW_VALUE_STR:
        break;
    }
    dw_unreachable("a kind that column_kind left out");
}

static dw_status
print_answers(dw_execution *x, const answer *answers, size_t count, struct ArrowArrayStream *out)
{
    dw_rows_column columns[DW_ANSWER_ITEMS_MAX];
    dw_rows *rows;
    for (size_t i = 0; i < count; i++) {
        columns[i] = answers[i].column;
    }
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, count, &rows, x->err));
    for (size_t i = 0; i < count; i++) {
        put_value(rows, &answers[i]);
    }
    return dw__rows_stream(rows, out, x->err);
}

static dw_status
answer_all(dw_execution *x, const question *asked, dw_log_snapshot *snapshot,
           struct ArrowArrayStream *out, bool *answered_out)
{
    answer answers[DW_ANSWER_ITEMS_MAX] = {0};
    bool known = true;
    for (size_t i = 0; i < asked->count; i++) {
        const answer_item *item = &asked->items[i];
        answers[i].column.name = dw__arena_dup_cstr(&x->arena, item->label);
        if (answers[i].column.name == NULL) {
            return dw__error_oom(x->err);
        }
        if (item->kind == ANSWER_COUNT) {
            DW_TRY(answer_count(x, asked, snapshot, &answers[i], &known));
        } else {
            known = asked->condition_count == 0;
            if (known) {
                DW_TRY(answer_extreme(x, snapshot, item, &answers[i], &known));
            }
        }
        if (!known) {
            return DW_OK;
        }
    }
    *answered_out = true;
    return print_answers(x, answers, asked->count, out);
}

dw_status
dw__answer_from_metadata(dw_execution *x, const dw_binding *binding, dw_sql_range range,
                         struct ArrowArrayStream *out, bool *answered_out)
{
    question asked = {0};
    bool known;
    *answered_out = false;
    memset(out, 0, sizeof *out);
    DW_TRY(read_question(x, binding, range, &asked, &known));
    if (!known) {
        return DW_OK;
    }
    dw_scan_source *sources;
    DW_TRY(dw__execution_sources(x, binding, &sources));
    DW_TRY(answer_all(x, &asked, sources[0].snapshot, out, answered_out));
    return *answered_out ? dw__execution_note_read(x, sources, 0, 1, NULL) : DW_OK;
}
