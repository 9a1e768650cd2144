/*
 * Reading constraints and printing them as branches of a CASE.
 */
#include "table/constraint.h"

#include "codec/codec.h"
#include "scan/scan.h"
#include "table/projection.h"

#define MESSAGE_BYTES_MAX ((size_t) 1 << 20)
#define SCAN_PREFIX "dw_check_"
/* What an error shows: of an expression, of a value, of a row. */
#define SHOWN_EXPRESSION_BYTES 240
#define SHOWN_VALUE_CHARS 60
#define SHOWN_COLUMNS_MAX 12

dw_status
dw__property_key_small(dw_str prefix, dw_str name, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str key = dw__arena_printf(arena, "%.*s%.*s", DW_STR_ARG(prefix), DW_STR_ARG(name));
    if (dw__str_is_null(key)) {
        return dw__error_oom(err);
    }
    char *bytes = (char *) (uintptr_t) key.ptr;
    for (size_t i = prefix.len; i < key.len; i++) {
        bytes[i] = (char) (bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] + ('a' - 'A') : bytes[i]);
    }
    *out = key;
    return DW_OK;
}

dw_status
dw__constraint_key(dw_str name, dw_arena *arena, dw_str *out, dw_error *err)
{
    return dw__property_key_small(DW_CONSTRAINT_PREFIX, name, arena, out, err);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* The start of a text, cut between characters. */
static dw_str
shorten(dw_str text, const char **dots_out)
{
    *dots_out = "";
    if (text.len <= SHOWN_EXPRESSION_BYTES) {
        return text;
    }
    size_t len = SHOWN_EXPRESSION_BYTES;
    while (len > 0 && ((unsigned char) text.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    *dots_out = "...";
    return dw__str_slice(text, 0, len);
}

dw_status
dw__row_check_of(const char *what, dw_str name, dw_str text, const dw_type *schema, dw_arena *arena,
                 dw_row_check *out, dw_error *err)
{
    const char *dots;
    dw_str shown = shorten(text, &dots);
    *out = (dw_row_check){.code = "CHECK_CONSTRAINT_VIOLATION"};
    out->label = dw__arena_printf(arena, "%s \"%.*s\" (%.*s%s)", what, DW_STR_ARG(name),
                                  DW_STR_ARG(shown), dots);
    if (dw__str_is_null(out->label)) {
        return dw__error_oom(err);
    }
    dw_status status = dw__expression_translate(text, schema, arena, &out->expression, err);
    if (status != DW_OK) {
        dw__error_context(err, "%.*s", DW_STR_ARG(out->label));
        return status;
    }
    dw_type_kind kind = out->expression.type->kind;
    if (kind != DW_TYPE_BOOLEAN && kind != DW_TYPE_VOID) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID",
                             "%.*s: expected a condition, found a value", DW_STR_ARG(out->label));
    }
    return DW_OK;
}

dw_status
dw__row_check_make(dw_str name, dw_str text, const dw_type *schema, dw_arena *arena,
                   dw_row_check *out, dw_error *err)
{
    return dw__row_check_of("CHECK constraint", name, text, schema, arena, out, err);
}

/* {"expression":{"expression":"x > 3"}} */
dw_status
dw__invariant_text(const dw_field *field, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str json;
    DW_TRY(dw__field_metadata_get(field, DW_STR("delta.invariants"), arena, &json, err));
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, json, "an invariant", &doc, err));
    dw_json rule = dw__json_get(dw__json_root(doc), DW_STR("expression"));
    dw_str text = dw__json_str(dw__json_get(rule, DW_STR("expression")));
    if (dw__str_is_null(text)) {
        return dw__error_set(err, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED",
                             "the invariant of column \"%.*s\" is of a kind that this version does "
                             "not know: %.*s",
                             DW_STR_ARG(field->name), DW_STR_ARG(json));
    }
    return dw__arena_dup(arena, text, out) ? DW_OK : dw__error_oom(err);
}

/* What is gathered; grows in the arena's memory. */
typedef struct reading {
    const dw_type *schema;
    dw_arena *arena;
    dw_row_checks *out;
    dw_error *err;
} reading;

static size_t
count_invariants(const dw_type *type)
{
    size_t count = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        count += (type->fields[i].traits & DW_FIELD_INVARIANT) != 0 ? 1 : 0;
        count += count_invariants(type->fields[i].type);
    }
    return count;
}

/* Also of fields of structs: their expressions name columns of the table all the same. */
static dw_status
read_invariants(const reading *r, const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if ((field->traits & DW_FIELD_INVARIANT) != 0) {
            dw_str text;
            DW_TRY(dw__invariant_text(field, r->arena, &text, r->err));
            DW_TRY(dw__row_check_of("the invariant of column", field->name, text, r->schema,
                                    r->arena, &r->out->items[r->out->count], r->err));
            r->out->count++;
        }
        DW_TRY(read_invariants(r, field->type));
    }
    return DW_OK;
}

static bool
is_constraint_key(dw_str key)
{
    return key.len > DW_CONSTRAINT_PREFIX.len &&
           dw__str_equal_nocase(dw__str_slice(key, 0, DW_CONSTRAINT_PREFIX.len),
                                DW_CONSTRAINT_PREFIX);
}

dw_status
dw__row_checks_read(const dw_metadata *metadata, const dw_type *schema, dw_arena *arena,
                    dw_row_checks *out, dw_error *err)
{
    const dw_pairs *configuration = &metadata->configuration;
    reading r = {schema, arena, out, err};
    *out = (dw_row_checks){0};
    out->items =
        DW_ARENA_ARRAY(arena, dw_row_check, configuration->count + count_invariants(schema) + 1);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < configuration->count; i++) {
        const dw_pair *pair = &configuration->items[i];
        if (is_constraint_key(pair->key) && !dw__str_is_null(pair->value)) {
            dw_str name = dw__str_slice(pair->key, DW_CONSTRAINT_PREFIX.len, pair->key.len);
            DW_TRY(
                dw__row_check_make(name, pair->value, schema, arena, &out->items[out->count], err));
            out->count++;
        }
    }
    return read_invariants(&r, schema);
}

/* ---- Printing -------------------------------------------------------------------------------- */

void
dw__row_values_print(dw_strbuf *out, const dw_expression *expression, const dw_type *schema)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, MESSAGE_BYTES_MAX);
    const char *before = "a row with";
    size_t shown = 0;
    for (size_t i = 0; i < expression->use_count && shown < SHOWN_COLUMNS_MAX; i++) {
        if (!expression->uses[i]) {
            continue;
        }
        dw__strbuf_clear(&text);
        dw__strbuf_printf(&text, "%s %.*s = ", before, DW_STR_ARG(schema->fields[i].name));
        dw__strbuf_append(out, shown == 0 ? DW_STR("") : DW_STR(" || "));
        dw__sql_put_literal(out, dw__strbuf_str(&text));
        bool is_text = schema->fields[i].type->kind == DW_TYPE_STRING;
        const char *quote = is_text ? "''''" : "''";
        dw__strbuf_printf(out, " || coalesce(%s || left(CAST(", quote);
        dw__sql_put_identifier(out, schema->fields[i].name);
        dw__strbuf_printf(out, " AS VARCHAR), %d) || %s, 'NULL')", SHOWN_VALUE_CHARS, quote);
        before = ",";
        shown++;
    }
    dw__strbuf_append(out, shown == 0 ? DW_STR("'every row'") : DW_STR(""));
    out->failed = out->failed || text.failed;
}

/* Appends an SQL expression of the message: the label and the values of the columns it is about. */
static void
print_message(dw_strbuf *out, const dw_row_check *check, const dw_type *schema)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, MESSAGE_BYTES_MAX);
    dw__strbuf_printf(&text, DW_EXPRESSION_MARK "%s:%.*s is violated by ", check->code,
                      DW_STR_ARG(check->label));
    dw__sql_put_literal(out, dw__strbuf_str(&text));
    dw__strbuf_append_literal(out, " || ");
    dw__row_values_print(out, &check->expression, schema);
    out->failed = out->failed || text.failed;
}

void
dw__row_check_print_branch(dw_strbuf *out, const dw_row_check *check, const dw_type *schema)
{
    dw__strbuf_append_literal(out, "((");
    dw__strbuf_append(out, check->expression.sql);
    dw__strbuf_append_literal(out, ") IS DISTINCT FROM true) THEN error(");
    print_message(out, check, schema);
    dw__strbuf_append_char(out, ')');
}

/* ---- Rows that are there --------------------------------------------------------------------- */

static dw_status
print_search(const dw_row_check *check, dw_log_snapshot *snapshot, dw_str name, dw_strbuf *out,
             dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(snapshot);
    dw__strbuf_append_literal(out, "SELECT ");
    print_message(out, check, schema);
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, name);
    dw__strbuf_append_literal(out, " WHERE (");
    dw__strbuf_append(out, check->expression.sql);
    dw__strbuf_append_literal(out, ") IS DISTINCT FROM true LIMIT 1");
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
search(dw_table *table, dw_connection *connection, dw_log_snapshot *snapshot, dw_str sql,
       dw_str name, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    dw_scan_source source = {.name = name, .snapshot = snapshot};
    dw_scan *scan = NULL;
    dw_text_rows rows = {0};
    DW_TRY(dw__scan_open(connection, dw__table_database(table), sql, &source, 1, &scan, err));
    dw_status status = dw__connection_query_text(connection, sql, &arena, &rows, err);
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    if (status != DW_OK || rows.row_count == 0) {
        return status;
    }
    /* The text is that of an error of the engine; so it becomes one. */
    DW_TRY(dw__function_error(rows.cells[0], err));
    return dw__error_set(err, DW_INVALID_ARGUMENT, "CHECK_CONSTRAINT_VIOLATION", "%.*s",
                         DW_STR_ARG(rows.cells[0]));
}

dw_status
dw__row_check_verify(dw_table *table, dw_connection *connection, dw_log_snapshot *snapshot,
                     const dw_row_check *check, dw_error *err)
{
    char name[sizeof(SCAN_PREFIX) + DW_UUID_TEXT_SIZE] = SCAN_PREFIX;
    dw__uuid_make(dw__table_env(table), name + sizeof(SCAN_PREFIX) - 1);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__table_env(table)->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_search(check, snapshot, dw__str_from(name), &sql, err));
    return search(table, connection, snapshot, dw__strbuf_str(&sql), dw__str_from(name), err);
}
