/*
 * Type names of the engine: printed for schemas, parsed for what a query returns.
 */
#include "scan/scan.h"

#include "base/assert.h"

#define TYPE_NAME_BYTES_MAX ((size_t) 1 << 20)

/* ---- Printing -------------------------------------------------------------------------------- */

static dw_str
primitive_name(dw_type_kind kind)
{
    switch (kind) {
    case DW_TYPE_STRING:
        return DW_STR("VARCHAR");
    case DW_TYPE_LONG:
        return DW_STR("BIGINT");
    case DW_TYPE_INTEGER:
        return DW_STR("INTEGER");
    case DW_TYPE_SHORT:
        return DW_STR("SMALLINT");
    case DW_TYPE_BYTE:
        return DW_STR("TINYINT");
    case DW_TYPE_FLOAT:
        return DW_STR("FLOAT");
    case DW_TYPE_DOUBLE:
        return DW_STR("DOUBLE");
    case DW_TYPE_BOOLEAN:
        return DW_STR("BOOLEAN");
    case DW_TYPE_BINARY:
        return DW_STR("BLOB");
    case DW_TYPE_DATE:
        return DW_STR("DATE");
    case DW_TYPE_TIMESTAMP:
        return DW_STR("TIMESTAMP WITH TIME ZONE");
    case DW_TYPE_TIMESTAMP_NTZ:
        return DW_STR("TIMESTAMP");
    case DW_TYPE_VARIANT:
        return DW_STR("VARIANT");
    case DW_TYPE_VOID:
        /* A column of NULLs: the engine gives them this type too when it must choose one. */
        return DW_STR("INTEGER");
    case DW_TYPE_DECIMAL:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    dw_unreachable("nested types have no single name");
}

/* How types are printed. */
typedef struct type_style {
    bool is_of_files; /* physical names */
    dw_times_as_text as_text;
} type_style;

static void print_type(dw_strbuf *out, const dw_type *type, type_style style);

static void
print_struct(dw_strbuf *out, const dw_type *type, type_style style)
{
    dw__strbuf_append_literal(out, "STRUCT(");
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_identifier(out, style.is_of_files ? field->physical_name : field->name);
        dw__strbuf_append_char(out, ' ');
        print_type(out, field->type, style);
    }
    dw__strbuf_append_char(out, ')');
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static void
print_type(dw_strbuf *out, const dw_type *type, type_style style)
{
    if (type->kind == DW_TYPE_DECIMAL) {
        dw__strbuf_printf(out, "DECIMAL(%d,%d)", type->precision, type->scale);
    } else if (type->kind == DW_TYPE_STRUCT) {
        print_struct(out, type, style);
    } else if (type->kind == DW_TYPE_ARRAY) {
        print_type(out, type->element, style);
        dw__strbuf_append_literal(out, "[]");
    } else if (type->kind == DW_TYPE_MAP) {
        dw__strbuf_append_literal(out, "MAP(");
        print_type(out, type->key, style);
        dw__strbuf_append_literal(out, ", ");
        print_type(out, type->element, style);
        dw__strbuf_append_char(out, ')');
    } else if ((type->kind == DW_TYPE_TIMESTAMP && style.as_text.instants) ||
               (type->kind == DW_TYPE_TIMESTAMP_NTZ && style.as_text.local_times)) {
        dw__strbuf_append_literal(out, "VARCHAR");
    } else {
        dw__strbuf_append(out, primitive_name(type->kind));
    }
}

void
dw__engine_type_print(dw_strbuf *out, const dw_type *type)
{
    print_type(out, type, (type_style){0});
}

void
dw__engine_type_print_physical(dw_strbuf *out, const dw_type *type, dw_times_as_text as_text)
{
    print_type(out, type, (type_style){true, as_text});
}

/* ---- Parsing --------------------------------------------------------------------------------- */

typedef struct type_parser {
    dw_str column;
    dw_str text;
    size_t pos;
    dw_arena *arena;
    dw_error *err;
} type_parser;

typedef struct known_type {
    dw_str name;
    dw_type_kind kind;
    uint8_t precision; /* DECIMAL */
} known_type;

static const known_type known_types[] = {
    {{"BIGINT", 6}, DW_TYPE_LONG, 0},
    {{"INTEGER", 7}, DW_TYPE_INTEGER, 0},
    {{"SMALLINT", 8}, DW_TYPE_SHORT, 0},
    {{"TINYINT", 7}, DW_TYPE_BYTE, 0},
    {{"HUGEINT", 7}, DW_TYPE_DECIMAL, 38},
    {{"UBIGINT", 7}, DW_TYPE_DECIMAL, 20},
    {{"UINTEGER", 8}, DW_TYPE_LONG, 0},
    {{"USMALLINT", 9}, DW_TYPE_INTEGER, 0},
    {{"UTINYINT", 8}, DW_TYPE_SHORT, 0},
    {{"FLOAT", 5}, DW_TYPE_FLOAT, 0},
    {{"DOUBLE", 6}, DW_TYPE_DOUBLE, 0},
    {{"BOOLEAN", 7}, DW_TYPE_BOOLEAN, 0},
    {{"VARCHAR", 7}, DW_TYPE_STRING, 0},
    {{"JSON", 4}, DW_TYPE_STRING, 0},
    {{"UUID", 4}, DW_TYPE_STRING, 0},
    {{"BLOB", 4}, DW_TYPE_BINARY, 0},
    {{"DATE", 4}, DW_TYPE_DATE, 0},
    {{"TIMESTAMP WITH TIME ZONE", 24}, DW_TYPE_TIMESTAMP, 0},
    {{"TIMESTAMP", 9}, DW_TYPE_TIMESTAMP_NTZ, 0},
    {{"TIMESTAMP_S", 11}, DW_TYPE_TIMESTAMP_NTZ, 0},
    {{"TIMESTAMP_MS", 12}, DW_TYPE_TIMESTAMP_NTZ, 0},
    {{"TIMESTAMP_NS", 12}, DW_TYPE_TIMESTAMP_NTZ, 0},
    {{"VARIANT", 7}, DW_TYPE_VARIANT, 0},
};

static dw_status
unsupported(const type_parser *parser, dw_str name, const char *advice)
{
    return dw__error_set(parser->err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
                         "column %.*s has the type %.*s, which Delta tables do not have; %s",
                         DW_STR_ARG(parser->column), DW_STR_ARG(name), advice);
}

static dw_status
malformed(const type_parser *parser)
{
    return dw__error_set(
        parser->err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
        "column %.*s has the type %.*s, which is not understood; cast it to a type "
        "that Delta tables have",
        DW_STR_ARG(parser->column), DW_STR_ARG(parser->text));
}

static dw_status
give(const type_parser *parser, const dw_type *type, const dw_type **out)
{
    *out = type;
    return type == NULL ? dw__error_oom(parser->err) : DW_OK;
}

static void
skip_blanks(type_parser *parser)
{
    while (parser->pos < parser->text.len && parser->text.ptr[parser->pos] == ' ') {
        parser->pos++;
    }
}

static bool
skip(type_parser *parser, char c)
{
    skip_blanks(parser);
    if (parser->pos == parser->text.len || parser->text.ptr[parser->pos] != c) {
        return false;
    }
    parser->pos++;
    return true;
}

static bool
is_word_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           ((unsigned char) c & 0x80) != 0;
}

static dw_str
take_word(type_parser *parser)
{
    skip_blanks(parser);
    size_t start = parser->pos;
    while (parser->pos < parser->text.len && is_word_char(parser->text.ptr[parser->pos])) {
        parser->pos++;
    }
    return dw__str_slice(parser->text, start, parser->pos - start);
}

/* A word, or anything in double quotes with "" for one of them. */
static dw_status
take_identifier(type_parser *parser, dw_str *out)
{
    if (!skip(parser, '"')) {
        *out = take_word(parser);
        return out->len == 0 ? malformed(parser) : DW_OK;
    }
    char *name = dw__arena_alloc_bytes(parser->arena, parser->text.len);
    size_t len = 0;
    if (name == NULL) {
        return dw__error_oom(parser->err);
    }
    while (parser->pos < parser->text.len) {
        char c = parser->text.ptr[parser->pos++];
        bool is_doubled =
            c == '"' && parser->pos < parser->text.len && parser->text.ptr[parser->pos] == '"';
        if (c == '"' && !is_doubled) {
            *out = dw__str_make(name, len);
            return DW_OK;
        }
        parser->pos += is_doubled ? 1 : 0;
        name[len++] = c;
    }
    return malformed(parser);
}

static dw_status parse_type(type_parser *parser, size_t depth, const dw_type **out);

/* The number of fields of the struct whose parenthesis has just been opened. */
static size_t
count_fields(const type_parser *parser)
{
    size_t count = 1;
    size_t open = 1;
    char quote = '\0';
    for (size_t i = parser->pos; i < parser->text.len && open > 0; i++) {
        char c = parser->text.ptr[i];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else {
            open += c == '(' ? 1 : 0;
            open -= c == ')' ? 1 : 0;
            count += c == ',' && open == 1 ? 1 : 0;
        }
    }
    return count;
}

static dw_status
parse_struct(type_parser *parser, size_t depth, const dw_type **out)
{
    size_t fields_max = count_fields(parser);
    dw_field *fields = DW_ARENA_ARRAY(parser->arena, dw_field, fields_max);
    if (fields == NULL) {
        return dw__error_oom(parser->err);
    }
    size_t count = 0;
    do {
        if (count == fields_max) {
            return malformed(parser);
        }
        dw_field *field = &fields[count++];
        DW_TRY(take_identifier(parser, &field->name));
        DW_TRY(parse_type(parser, depth + 1, &field->type));
        field->physical_name = field->name;
        field->nullable = true;
        field->metadata_json = DW_STR("{}");
        field->mapping_id = -1;
        field->extra_json = DW_STR("");
    } while (skip(parser, ','));
    if (!skip(parser, ')')) {
        return malformed(parser);
    }
    return give(parser, dw__type_make_struct(parser->arena, fields, count), out);
}

static dw_status
parse_map(type_parser *parser, size_t depth, const dw_type **out)
{
    const dw_type *key;
    const dw_type *value;
    DW_TRY(parse_type(parser, depth + 1, &key));
    if (!skip(parser, ',')) {
        return malformed(parser);
    }
    DW_TRY(parse_type(parser, depth + 1, &value));
    if (!skip(parser, ')')) {
        return malformed(parser);
    }
    return give(parser, dw__type_make_map(parser->arena, key, value, true), out);
}

static dw_status
parse_decimal(type_parser *parser, const dw_type **out)
{
    int64_t precision, scale;
    bool ok = dw__str_to_i64(take_word(parser), &precision) && skip(parser, ',');
    ok = ok && dw__str_to_i64(take_word(parser), &scale) && skip(parser, ')');
    if (!ok || precision < 1 || precision > DW_DECIMAL_PRECISION_MAX || scale < 0 ||
        scale > precision) {
        return malformed(parser);
    }
    return give(parser, dw__type_make_decimal(parser->arena, (uint8_t) precision, (uint8_t) scale),
                out);
}

/* The rest of an ENUM, whose values may hold anything in single quotes. */
static dw_status
skip_enum(type_parser *parser)
{
    bool quoted = false;
    while (parser->pos < parser->text.len) {
        char c = parser->text.ptr[parser->pos++];
        quoted = c == '\'' ? !quoted : quoted;
        if (c == ')' && !quoted) {
            return DW_OK;
        }
    }
    return malformed(parser);
}

static const char *
advice_for(dw_str name)
{
    if (dw__str_starts_with(name, DW_STR("TIME"))) {
        return "cast it to VARCHAR, or to BIGINT as microseconds";
    }
    if (dw__str_equal(name, DW_STR("\"NULL\""))) {
        return "say which type its NULLs have, as in CAST(NULL AS VARCHAR)";
    }
    if (dw__str_equal(name, DW_STR("UHUGEINT"))) {
        return "cast it to DECIMAL(38,0) or VARCHAR";
    }
    return "cast it to VARCHAR";
}

static dw_status
parse_primitive(type_parser *parser, dw_str name, const dw_type **out)
{
    if (dw__str_equal(name, DW_STR("TIMESTAMP")) || dw__str_equal(name, DW_STR("TIME"))) {
        dw_str zone = DW_STR(" WITH TIME ZONE");
        if (dw__str_starts_with(dw__str_slice(parser->text, parser->pos, zone.len), zone)) {
            parser->pos += zone.len;
            name = dw__str_make(name.ptr, name.len + zone.len);
        }
    }
    for (size_t i = 0; i < sizeof(known_types) / sizeof(*known_types); i++) {
        const known_type *known = &known_types[i];
        if (dw__str_equal(known->name, name)) {
            return give(parser,
                        known->kind == DW_TYPE_DECIMAL
                            ? dw__type_make_decimal(parser->arena, known->precision, 0)
                            : dw__type_make(parser->arena, known->kind),
                        out);
        }
    }
    return unsupported(parser, name, advice_for(name));
}

static dw_status
parse_base(type_parser *parser, size_t depth, const dw_type **out)
{
    if (skip(parser, '"')) {
        parser->pos--;
        dw_str quoted;
        DW_TRY(take_identifier(parser, &quoted));
        return unsupported(parser, DW_STR("\"NULL\""), advice_for(DW_STR("\"NULL\"")));
    }
    dw_str name = take_word(parser);
    if (dw__str_equal(name, DW_STR("STRUCT")) && skip(parser, '(')) {
        return parse_struct(parser, depth, out);
    }
    if (dw__str_equal(name, DW_STR("MAP")) && skip(parser, '(')) {
        return parse_map(parser, depth, out);
    }
    if (dw__str_equal(name, DW_STR("DECIMAL")) && skip(parser, '(')) {
        return parse_decimal(parser, out);
    }
    if (dw__str_equal(name, DW_STR("ENUM")) && skip(parser, '(')) {
        DW_TRY(skip_enum(parser));
        return give(parser, dw__type_make(parser->arena, DW_TYPE_STRING), out);
    }
    return parse_primitive(parser, name, out);
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
parse_type(type_parser *parser, size_t depth, const dw_type **out)
{
    const dw_type *type;
    if (depth >= DW_SCHEMA_DEPTH_MAX) {
        return malformed(parser);
    }
    DW_TRY(parse_base(parser, depth, &type));
    /* [] for a list, [3] for an array of fixed length. */
    while (skip(parser, '[')) {
        (void) take_word(parser);
        if (!skip(parser, ']') || ++depth >= DW_SCHEMA_DEPTH_MAX) {
            return malformed(parser);
        }
        DW_TRY(give(parser, dw__type_make_array(parser->arena, type, true), &type));
    }
    *out = type;
    return DW_OK;
}

dw_status
dw__engine_type_parse(dw_str column, dw_str type_name, dw_arena *arena, const dw_type **out,
                      dw_error *err)
{
    *out = NULL;
    type_parser parser = {.column = column, .text = type_name, .arena = arena, .err = err};
    if (type_name.len > TYPE_NAME_BYTES_MAX) {
        return malformed(&parser);
    }
    const dw_type *type;
    DW_TRY(parse_type(&parser, 0, &type));
    skip_blanks(&parser);
    if (parser.pos != type_name.len) {
        return malformed(&parser);
    }
    *out = type;
    return DW_OK;
}
