/*
 * Types as Spark and the engine write them, read into the protocol's types.
 *
 * A name means what it means in Delta on Spark: TIMESTAMP is an instant, TIMESTAMP_NTZ a wall-clock
 * time, DECIMAL without precision decimal(10,0). Lengths of VARCHAR and CHAR are read over, as the
 * engine does. PROTOCOL.md "Schema Serialization Format".
 */
#include "base/assert.h"
#include "sql/parse.h"

typedef struct type_name {
    const char *name;
    dw_type_kind kind;
} type_name;

static const type_name type_names[] = {
    {"bigint", DW_TYPE_LONG},
    {"binary", DW_TYPE_BINARY},
    {"blob", DW_TYPE_BINARY},
    {"bool", DW_TYPE_BOOLEAN},
    {"boolean", DW_TYPE_BOOLEAN},
    {"bpchar", DW_TYPE_STRING},
    {"byte", DW_TYPE_BYTE},
    {"bytea", DW_TYPE_BINARY},
    {"char", DW_TYPE_STRING},
    {"character", DW_TYPE_STRING},
    {"date", DW_TYPE_DATE},
    {"datetime", DW_TYPE_TIMESTAMP_NTZ},
    {"dec", DW_TYPE_DECIMAL},
    {"decimal", DW_TYPE_DECIMAL},
    {"double", DW_TYPE_DOUBLE},
    {"float", DW_TYPE_FLOAT},
    {"float4", DW_TYPE_FLOAT},
    {"float8", DW_TYPE_DOUBLE},
    {"int", DW_TYPE_INTEGER},
    {"int1", DW_TYPE_BYTE},
    {"int2", DW_TYPE_SHORT},
    {"int4", DW_TYPE_INTEGER},
    {"int8", DW_TYPE_LONG},
    {"integer", DW_TYPE_INTEGER},
    {"long", DW_TYPE_LONG},
    {"numeric", DW_TYPE_DECIMAL},
    {"real", DW_TYPE_FLOAT},
    {"short", DW_TYPE_SHORT},
    {"smallint", DW_TYPE_SHORT},
    {"string", DW_TYPE_STRING},
    {"text", DW_TYPE_STRING},
    {"timestamp", DW_TYPE_TIMESTAMP},
    {"timestamp_ltz", DW_TYPE_TIMESTAMP},
    {"timestamp_ntz", DW_TYPE_TIMESTAMP_NTZ},
    {"timestamptz", DW_TYPE_TIMESTAMP},
    {"tinyint", DW_TYPE_BYTE},
    {"varbinary", DW_TYPE_BINARY},
    {"varchar", DW_TYPE_STRING},
    {"variant", DW_TYPE_VARIANT},
};

/* Types of the engine that Delta lacks, and what to write instead. */
static const char *const foreign_types[][2] = {
    {"hugeint", "decimal(38,0)"},
    {"uhugeint", "decimal(38,0)"},
    {"ubigint", "decimal(20,0)"},
    {"uinteger", "bigint"},
    {"uint32", "bigint"},
    {"uint64", "decimal(20,0)"},
    {"usmallint", "int"},
    {"uint16", "int"},
    {"utinyint", "smallint"},
    {"uint8", "smallint"},
    {"uuid", "string"},
    {"json", "string"},
    {"time", "string"},
    {"timetz", "string"},
    {"interval", "bigint or string"},
    {"enum", "string"},
    {"bit", "binary or string"},
    {"bitstring", "binary or string"},
    {"timestamp_s", "timestamp_ntz"},
    {"timestamp_ms", "timestamp_ntz"},
    {"timestamp_ns", "timestamp_ntz"},
    {"union", "a struct"},
    {"geometry", "binary"},
};

static dw_status parse_type_at(dw_parser *parser, size_t depth, const dw_type **out);

static dw_status
made(const dw_parser *parser, const dw_type *type, const dw_type **out)
{
    *out = type;
    return type != NULL ? DW_OK : dw__error_oom(parser->err);
}

/* ---- Types without elements ------------------------------------------------------------------ */

static dw_status
unknown_type(const dw_parser *parser, dw_str name)
{
    for (size_t i = 0; i < sizeof foreign_types / sizeof *foreign_types; i++) {
        if (dw__str_equal_nocase(name, dw__str_from(foreign_types[i][0]))) {
            return dw__parser_refuse(parser, parser->pos, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
                                     "Delta tables have no type %.*s: use %s", DW_STR_ARG(name),
                                     foreign_types[i][1]);
        }
    }
    return dw__parser_fail(parser, "a type");
}

static dw_status
parse_decimal(dw_parser *parser, const dw_type **out)
{
    int64_t precision = 10;
    int64_t scale = 0;
    size_t begin = parser->pos;
    if (dw__parser_accept_symbol(parser, "(")) {
        DW_TRY(dw__parser_integer(parser, "a precision", &precision));
        if (dw__parser_accept_symbol(parser, ",")) {
            DW_TRY(dw__parser_integer(parser, "a scale", &scale));
        }
        DW_TRY(dw__parser_expect_symbol(parser, ")"));
    }
    if (precision < 1 || precision > DW_DECIMAL_PRECISION_MAX || scale > precision) {
        return dw__parser_refuse(parser, begin, DW_INVALID_ARGUMENT, "TYPE_INVALID",
                                 "expected a precision from 1 to %d and a scale up to it, found "
                                 "decimal(%lld,%lld)",
                                 DW_DECIMAL_PRECISION_MAX, (long long) precision,
                                 (long long) scale);
    }
    return made(parser, dw__type_make_decimal(parser->arena, (uint8_t) precision, (uint8_t) scale),
                out);
}

/* [WITH | WITHOUT TIME ZONE] */
static dw_status
parse_zone(dw_parser *parser, dw_type_kind *kind)
{
    bool with = dw__parser_is(parser, DW_KEYWORD_WITH);
    bool without =
        dw__str_equal_nocase(dw__token_text(parser->sql, parser->pos), DW_STR("without"));
    if (*kind != DW_TYPE_TIMESTAMP || !(with || without) ||
        !dw__parser_is_at(parser, 1, DW_KEYWORD_TIME)) {
        return DW_OK;
    }
    parser->pos += 2;
    *kind = with ? DW_TYPE_TIMESTAMP : DW_TYPE_TIMESTAMP_NTZ;
    return dw__parser_expect(parser, DW_KEYWORD_ZONE);
}

/* What may stand behind the name of a type: DOUBLE PRECISION, VARCHAR(10), TIMESTAMP(6) */
static dw_status
parse_plain(dw_parser *parser, dw_type_kind kind, const dw_type **out)
{
    dw_str next = dw__token_text(parser->sql, parser->pos);
    if (kind == DW_TYPE_DOUBLE && dw__str_equal_nocase(next, DW_STR("precision"))) {
        parser->pos++;
    }
    if (kind == DW_TYPE_STRING && dw__str_equal_nocase(next, DW_STR("varying"))) {
        parser->pos++;
    }
    if (dw__parser_is_symbol(parser, "(")) {
        int64_t length;
        parser->pos++;
        DW_TRY(dw__parser_integer(parser, "a length", &length));
        DW_TRY(dw__parser_expect_symbol(parser, ")"));
    }
    DW_TRY(parse_zone(parser, &kind));
    return made(parser, dw__type_make(parser->arena, kind), out);
}

/* ---- Types with elements --------------------------------------------------------------------- */

/* The parenthesis that opens the elements: `<`, or `(` as the engine writes it. */
static dw_status
open_elements(dw_parser *parser, bool *is_angle)
{
    *is_angle = dw__parser_accept_symbol(parser, "<");
    return *is_angle || dw__parser_accept_symbol(parser, "(") ? DW_OK
                                                              : dw__parser_fail(parser, "\"<\"");
}

static dw_status
close_elements(dw_parser *parser, bool is_angle)
{
    if (!is_angle) {
        return dw__parser_expect_symbol(parser, ")");
    }
    return dw__parser_accept_angle(parser) ? DW_OK : dw__parser_fail(parser, "\">\"");
}

static dw_status
parse_array(dw_parser *parser, size_t depth, const dw_type **out)
{
    bool is_angle;
    const dw_type *element;
    DW_TRY(open_elements(parser, &is_angle));
    DW_TRY(parse_type_at(parser, depth + 1, &element));
    DW_TRY(close_elements(parser, is_angle));
    return made(parser, dw__type_make_array(parser->arena, element, true), out);
}

static dw_status
parse_map(dw_parser *parser, size_t depth, const dw_type **out)
{
    bool is_angle;
    const dw_type *key;
    const dw_type *value;
    DW_TRY(open_elements(parser, &is_angle));
    DW_TRY(parse_type_at(parser, depth + 1, &key));
    DW_TRY(dw__parser_expect_symbol(parser, ","));
    DW_TRY(parse_type_at(parser, depth + 1, &value));
    DW_TRY(close_elements(parser, is_angle));
    return made(parser, dw__type_make_map(parser->arena, key, value, true), out);
}

/* name [:] type [NOT NULL] [COMMENT 'text'] */
static dw_status
parse_struct_field(dw_parser *parser, size_t depth, dw_field *out)
{
    dw_str name;
    const dw_type *type;
    DW_TRY(dw__parser_name(parser, "a field name", &name));
    (void) dw__parser_accept_symbol(parser, ":");
    DW_TRY(parse_type_at(parser, depth + 1, &type));
    DW_TRY(dw__field_make(parser, name, type, out));
    return dw__parse_field_attributes(parser, out);
}

typedef struct field_vec {
    dw_field *items;
    size_t count;
    size_t capacity;
} field_vec;

static dw_status
parse_struct(dw_parser *parser, size_t depth, const dw_type **out)
{
    bool is_angle;
    field_vec fields = {0};
    const dw_allocator *allocator = parser->arena->allocator;
    DW_TRY(open_elements(parser, &is_angle));
    dw_status status = DW_OK;
    do {
        dw_field *field = DW_VEC_PUSH(allocator, &fields);
        status =
            field == NULL ? dw__error_oom(parser->err) : parse_struct_field(parser, depth, field);
    } while (status == DW_OK && dw__parser_accept_symbol(parser, ","));
    if (status == DW_OK) {
        status = close_elements(parser, is_angle);
    }
    if (status == DW_OK) {
        status = made(parser, dw__type_make_struct(parser->arena, fields.items, fields.count), out);
    }
    DW_VEC_DEINIT(allocator, &fields);
    return status;
}

/* ---- Any type -------------------------------------------------------------------------------- */

static dw_status
parse_named(dw_parser *parser, size_t depth, const dw_type **out)
{
    dw_str name = dw__token_text(parser->sql, parser->pos);
    bool opens = dw__parser_is_symbol_at(parser, 1, "<") || dw__parser_is_symbol_at(parser, 1, "(");
    if (opens && dw__str_equal_nocase(name, DW_STR("array"))) {
        parser->pos++;
        return parse_array(parser, depth, out);
    }
    if (opens && dw__str_equal_nocase(name, DW_STR("map"))) {
        parser->pos++;
        return parse_map(parser, depth, out);
    }
    if (opens && (dw__str_equal_nocase(name, DW_STR("struct")) ||
                  dw__str_equal_nocase(name, DW_STR("row")))) {
        parser->pos++;
        return parse_struct(parser, depth, out);
    }
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (dw__str_equal_nocase(name, dw__str_from(type_names[i].name))) {
            parser->pos++;
            return type_names[i].kind == DW_TYPE_DECIMAL
                       ? parse_decimal(parser, out)
                       : parse_plain(parser, type_names[i].kind, out);
        }
    }
    return unknown_type(parser, name);
}

/* The engine's INTEGER[] and INTEGER[3]. */
static dw_status
parse_brackets(dw_parser *parser, size_t depth, const dw_type **out)
{
    while (dw__parser_accept_symbol(parser, "[")) {
        int64_t length;
        if (++depth > DW_SCHEMA_DEPTH_MAX) {
            return dw__parser_fail(parser, "a type that is nested less deeply");
        }
        if (!dw__parser_is_symbol(parser, "]")) {
            DW_TRY(dw__parser_integer(parser, "\"]\"", &length));
        }
        DW_TRY(dw__parser_expect_symbol(parser, "]"));
        DW_TRY(made(parser, dw__type_make_array(parser->arena, *out, true), out));
    }
    return DW_OK;
}

/* The depth of recursion is that of the type, which has a limit. */
static dw_status
parse_type_at(dw_parser *parser, size_t depth, const dw_type **out)
{
    *out = NULL;
    if (depth > DW_SCHEMA_DEPTH_MAX) {
        return dw__parser_refuse(parser, parser->pos, DW_INVALID_ARGUMENT, "TYPE_INVALID",
                                 "expected a type nested at most %d deep, found a deeper one",
                                 DW_SCHEMA_DEPTH_MAX);
    }
    if (dw__parser_peek(parser, 0)->kind != DW_TOKEN_WORD) {
        return dw__parser_fail(parser, "a type");
    }
    DW_TRY(parse_named(parser, depth, out));
    return parse_brackets(parser, depth, out);
}

dw_status
dw__parse_type(dw_parser *parser, const dw_type **out)
{
    return parse_type_at(parser, 0, out);
}
