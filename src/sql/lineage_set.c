/*
 * The names in an expression: what a column is made of that is set to it, or which columns decide
 * where it is a condition. [LINEAGE-1]
 */
#include "lineage/lineage.h"
#include "sql/lineage.h"

typedef struct set_reader {
    dw_execution *x;
    const dw_noted_side *sides;
    size_t side_count;
    dw_lineage_ref *refs;
    size_t count, capacity;
    size_t name_count; /* of columns that were found */
    dw_lineage_how last_how;
    bool is_any;
} set_reader;

static bool
add_ref(set_reader *reader, dw_lineage_ref ref)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->refs[i].input == ref.input &&
            dw__str_equal(reader->refs[i].column, ref.column)) {
            return true;
        }
    }
    if (reader->count == reader->capacity) {
        size_t capacity = 2 * reader->capacity + 16;
        dw_lineage_ref *refs = DW_ARENA_ARRAY(&reader->x->arena, dw_lineage_ref, capacity);
        if (refs == NULL) {
            return false;
        }
        for (size_t i = 0; i < reader->count; i++) {
            refs[i] = reader->refs[i];
        }
        reader->refs = refs;
        reader->capacity = capacity;
    }
    reader->refs[reader->count++] = ref;
    return true;
}

static bool
add_column(set_reader *reader, const dw_noted_side *side, size_t idx)
{
    dw_lineage_column made_of;
    reader->name_count++;
    if (!side->is_query && side->input == SIZE_MAX) {
        reader->is_any = true;
        return true;
    }
    if (!side->is_query) {
        reader->last_how = DW_LINEAGE_SAME;
        return add_ref(reader, (dw_lineage_ref){side->input, side->columns[idx].name});
    }
    dw__lineage_column_of(reader->x->lineage, side->columns[idx].name, idx, &made_of);
    reader->last_how = made_of.how;
    reader->is_any = reader->is_any || made_of.how == DW_LINEAGE_ANY;
    bool ok = true;
    for (size_t i = 0; ok && i < made_of.from_count; i++) {
        ok = add_ref(reader, made_of.from[i]);
    }
    return ok;
}

static bool
add_name(set_reader *reader, dw_str qualifier, dw_str name)
{
    bool ok = true;
    for (size_t i = 0; i < reader->side_count; i++) {
        const dw_noted_side *side = &reader->sides[i];
        bool is_others = false;
        for (size_t k = 0; k < reader->side_count; k++) {
            is_others = is_others || (k != i && qualifier.len > 0 &&
                                      dw__str_equal_nocase(qualifier, reader->sides[k].alias) &&
                                      !dw__str_equal_nocase(qualifier, side->alias));
        }
        for (size_t k = 0; ok && !is_others && k < side->column_count; k++) {
            if (dw__str_equal_nocase(side->columns[k].name, name)) {
                ok = add_column(reader, side, k);
            }
        }
    }
    return ok;
}

/* A side as a whole, `*`, or COLUMNS(...): each column may be meant. */
static bool
may_be_all(const set_reader *reader, const dw_sql_text *sql, size_t token)
{
    dw_str text = dw__token_text(sql, token);
    if (dw__token_is_symbol(sql, token, "*")) {
        return token == 0 || dw__token_is_symbol(sql, token - 1, "(") ||
               dw__token_is_symbol(sql, token - 1, ",") || dw__token_is_symbol(sql, token - 1, ".");
    }
    return dw__str_equal_nocase(text, DW_STR("columns")) &&
           dw__token_is_symbol(sql, token + 1, "(") && reader->side_count > 0;
}

static bool
is_side(const set_reader *reader, dw_str name)
{
    bool is = false;
    for (size_t i = 0; i < reader->side_count; i++) {
        is = is || dw__str_equal_nocase(reader->sides[i].alias, name);
    }
    return is;
}

/* Every name in the text that is a column's. What begins a query may read anything. */
static dw_status
read_text(set_reader *reader, const dw_sql_text *sql, size_t *word_count_out)
{
    dw_str before = DW_STR("");
    *word_count_out = 0;
    for (size_t i = 0; i + 1 < sql->count; i++) {
        dw_str name;
        uint16_t word = sql->items[i].keyword;
        bool is_other = !dw__token_is_name(&sql->items[i]);
        *word_count_out += is_other && !dw__token_is_symbol(sql, i, "(") &&
                                   !dw__token_is_symbol(sql, i, ")") &&
                                   !dw__token_is_symbol(sql, i, ".")
                               ? 1
                               : 0;
        reader->is_any = reader->is_any || dw__may_begin_query(word) || may_be_all(reader, sql, i);
        if (is_other) {
            before = dw__token_is_symbol(sql, i, ".") ? before : DW_STR("");
            continue;
        }
        DW_TRY(dw__token_name(sql, i, &reader->x->arena, &name, reader->x->err));
        bool is_qualifier = dw__token_is_symbol(sql, i + 1, ".");
        size_t found = reader->name_count;
        if (!add_name(reader, before, name)) {
            return dw__error_oom(reader->x->err);
        }
        bool is_column = found != reader->name_count;
        reader->is_any = reader->is_any || (!is_column && !is_qualifier && is_side(reader, name));
        *word_count_out += !is_column && !is_qualifier ? 1 : 0;
        before = is_qualifier ? name : DW_STR("");
    }
    return DW_OK;
}

static dw_lineage_column *
column_of(dw_noted_columns *columns, dw_str name)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (dw__str_equal_nocase(columns->items[i].name, name)) {
            return &columns->items[i];
        }
    }
    return NULL;
}

static dw_status
make_room(dw_execution *x, dw_noted_columns *columns, size_t max)
{
    if (columns->items == NULL) {
        columns->items = DW_ARENA_ARRAY(&x->arena, dw_lineage_column, max + 1);
    }
    return columns->items == NULL ? dw__error_oom(x->err) : DW_OK;
}

dw_status
dw__execution_note_set(dw_execution *x, dw_noted_columns *columns, size_t max, dw_str column,
                       dw_str text, const dw_noted_side *sides, size_t side_count)
{
    size_t word_count;
    set_reader reader = {.x = x, .sides = sides, .side_count = side_count};
    if (x->lineage == NULL) {
        return DW_OK;
    }
    DW_TRY(make_room(x, columns, max));
    dw_lineage_column *known = column_of(columns, column);
    for (size_t i = 0; known != NULL && i < known->from_count; i++) {
        if (!add_ref(&reader, known->from[i])) {
            return dw__error_oom(x->err);
        }
    }
    DW_AUTO(dw_sql_text) sql = {0};
    DW_TRY(dw__sql_text_init(&sql, x->arena.allocator, text, x->err));
    DW_TRY(read_text(&reader, &sql, &word_count));
    bool is_bare = word_count == 0 && reader.name_count == 1 && reader.count == 1;
    dw_lineage_how how = is_bare ? reader.last_how : DW_LINEAGE_DERIVED;
    if (known != NULL && (known->how != how || how != DW_LINEAGE_SAME)) {
        how = known->how == DW_LINEAGE_ANY ? DW_LINEAGE_ANY : DW_LINEAGE_DERIVED;
    }
    if (known == NULL && columns->count == max) {
        return DW_OK;
    }
    known = known == NULL ? &columns->items[columns->count++] : known;
    *known = (dw_lineage_column){.name = column,
                                 .how = reader.is_any ? DW_LINEAGE_ANY : how,
                                 .from = reader.refs,
                                 .from_count = reader.count};
    return DW_OK;
}

dw_status
dw__execution_note_columns(dw_execution *x, const dw_noted_columns *columns)
{
    if (x->lineage == NULL) {
        return DW_OK;
    }
    return dw__lineage_set_columns(x->lineage, columns->items, columns->count)
               ? DW_OK
               : dw__error_oom(x->err);
}

dw_status
dw__execution_note_condition(dw_execution *x, dw_condition_kind kind, dw_str text,
                             const dw_noted_side *sides, size_t side_count)
{
    size_t word_count;
    set_reader reader = {.x = x, .sides = sides, .side_count = side_count};
    if (x->lineage == NULL) {
        return DW_OK;
    }
    DW_AUTO(dw_sql_text) sql = {0};
    DW_TRY(dw__sql_text_init(&sql, x->arena.allocator, text, x->err));
    DW_TRY(read_text(&reader, &sql, &word_count));
    bool ok = true;
    for (size_t i = 0; ok && i < reader.count; i++) {
        ok = dw__lineage_add_condition(x->lineage, reader.refs[i], kind);
    }
    dw_lineage_statement *statement = &x->lineage->statement;
    statement->has_more_conditions = statement->has_more_conditions || reader.is_any;
    return ok ? DW_OK : dw__error_oom(x->err);
}
