/*
 * The engine's types as SQL spells them. Struct fields are always quoted, so that the text can be
 * used in a statement whatever they are called; ENUM is printed without its values.
 */
#include "base/assert.h"
#include "engine/internal.h"

enum { TYPE_DEPTH_MAX = 128 };

typedef struct printer {
    const dw_duck *duck;
    dw_strbuf *out;
    int depth;
    bool is_too_deep;
} printer;

static void print(printer *p, duckdb_logical_type type);

/* NULL for the types that are more than a name. */
static const char *
plain_name(duckdb_type id)
{
    static const char *const names[] = {
        [DUCKDB_TYPE_BOOLEAN] = "BOOLEAN",
        [DUCKDB_TYPE_TINYINT] = "TINYINT",
        [DUCKDB_TYPE_SMALLINT] = "SMALLINT",
        [DUCKDB_TYPE_INTEGER] = "INTEGER",
        [DUCKDB_TYPE_BIGINT] = "BIGINT",
        [DUCKDB_TYPE_UTINYINT] = "UTINYINT",
        [DUCKDB_TYPE_USMALLINT] = "USMALLINT",
        [DUCKDB_TYPE_UINTEGER] = "UINTEGER",
        [DUCKDB_TYPE_UBIGINT] = "UBIGINT",
        [DUCKDB_TYPE_FLOAT] = "FLOAT",
        [DUCKDB_TYPE_DOUBLE] = "DOUBLE",
        [DUCKDB_TYPE_TIMESTAMP] = "TIMESTAMP",
        [DUCKDB_TYPE_DATE] = "DATE",
        [DUCKDB_TYPE_TIME] = "TIME",
        [DUCKDB_TYPE_INTERVAL] = "INTERVAL",
        [DUCKDB_TYPE_HUGEINT] = "HUGEINT",
        [DUCKDB_TYPE_UHUGEINT] = "UHUGEINT",
        [DUCKDB_TYPE_VARCHAR] = "VARCHAR",
        [DUCKDB_TYPE_STRING_LITERAL] = "VARCHAR",
        [DUCKDB_TYPE_INTEGER_LITERAL] = "INTEGER",
        [DUCKDB_TYPE_BLOB] = "BLOB",
        [DUCKDB_TYPE_TIMESTAMP_S] = "TIMESTAMP_S",
        [DUCKDB_TYPE_TIMESTAMP_MS] = "TIMESTAMP_MS",
        [DUCKDB_TYPE_TIMESTAMP_NS] = "TIMESTAMP_NS",
        [DUCKDB_TYPE_ENUM] = "ENUM",
        [DUCKDB_TYPE_UUID] = "UUID",
        [DUCKDB_TYPE_BIT] = "BIT",
        [DUCKDB_TYPE_TIME_TZ] = "TIME WITH TIME ZONE",
        [DUCKDB_TYPE_TIMESTAMP_TZ] = "TIMESTAMP WITH TIME ZONE",
        [DUCKDB_TYPE_BIGNUM] = "BIGNUM",
        [DUCKDB_TYPE_SQLNULL] = "NULL",
        [DUCKDB_TYPE_TIME_NS] = "TIME_NS",
        [DUCKDB_TYPE_GEOMETRY] = "GEOMETRY",
        [DUCKDB_TYPE_VARIANT] = "VARIANT",
    };
    return (size_t) id < sizeof(names) / sizeof(names[0]) ? names[id] : NULL;
}

static void
print_and_destroy(printer *p, duckdb_logical_type type)
{
    print(p, type);
    p->duck->destroy_logical_type(&type);
}

static void
print_member(printer *p, idx_t idx, char *name, duckdb_logical_type type)
{
    if (idx > 0) {
        dw__strbuf_append_literal(p->out, ", ");
    }
    if (name != NULL && name[0] != '\0') {
        dw__sql_put_identifier(p->out, dw__str_from(name));
        dw__strbuf_append_char(p->out, ' ');
    }
    p->duck->release(name);
    print_and_destroy(p, type);
}

static void
print_struct(printer *p, duckdb_logical_type type)
{
    const dw_duck *duck = p->duck;
    dw__strbuf_append_literal(p->out, "STRUCT(");
    idx_t count = duck->struct_type_child_count(type);
    for (idx_t i = 0; i < count; i++) {
        print_member(p, i, duck->struct_type_child_name(type, i),
                     duck->struct_type_child_type(type, i));
    }
    dw__strbuf_append_char(p->out, ')');
}

static void
print_union(printer *p, duckdb_logical_type type)
{
    const dw_duck *duck = p->duck;
    dw__strbuf_append_literal(p->out, "UNION(");
    idx_t count = duck->union_type_member_count(type);
    for (idx_t i = 0; i < count; i++) {
        print_member(p, i, duck->union_type_member_name(type, i),
                     duck->union_type_member_type(type, i));
    }
    dw__strbuf_append_char(p->out, ')');
}

static void
print_nested(printer *p, duckdb_type id, duckdb_logical_type type)
{
    const dw_duck *duck = p->duck;
    if (id == DUCKDB_TYPE_STRUCT) {
        print_struct(p, type);
    } else if (id == DUCKDB_TYPE_UNION) {
        print_union(p, type);
    } else if (id == DUCKDB_TYPE_LIST) {
        print_and_destroy(p, duck->list_type_child_type(type));
        dw__strbuf_append_literal(p->out, "[]");
    } else if (id == DUCKDB_TYPE_ARRAY) {
        print_and_destroy(p, duck->array_type_child_type(type));
        dw__strbuf_printf(p->out, "[%llu]", (unsigned long long) duck->array_type_array_size(type));
    } else if (id == DUCKDB_TYPE_MAP) {
        dw__strbuf_append_literal(p->out, "MAP(");
        print_and_destroy(p, duck->map_type_key_type(type));
        dw__strbuf_append_literal(p->out, ", ");
        print_and_destroy(p, duck->map_type_value_type(type));
        dw__strbuf_append_char(p->out, ')');
    } else {
        dw__strbuf_append_literal(p->out, "UNKNOWN");
    }
}

static bool
is_json(printer *p, duckdb_logical_type type)
{
    char *alias = p->duck->logical_type_get_alias(type);
    bool found = alias != NULL && strcmp(alias, "JSON") == 0;
    if (alias != NULL) {
        p->duck->release(alias);
    }
    return found;
}

static void
print(printer *p, duckdb_logical_type type)
{
    const dw_duck *duck = p->duck;
    duckdb_type id = duck->get_type_id(type);
    const char *name = plain_name(id);
    if (id == DUCKDB_TYPE_VARCHAR && is_json(p, type)) {
        dw__strbuf_append_literal(p->out, "JSON");
    } else if (name != NULL) {
        dw__strbuf_append(p->out, dw__str_from(name));
    } else if (id == DUCKDB_TYPE_DECIMAL) {
        dw__strbuf_printf(p->out, "DECIMAL(%u,%u)", duck->decimal_width(type),
                          duck->decimal_scale(type));
    } else if (p->depth == TYPE_DEPTH_MAX) {
        p->is_too_deep = true;
    } else {
        p->depth++;
        print_nested(p, id, type);
        p->depth--;
    }
}

dw_status
dw__duck_type_print(const dw_duck *duck, duckdb_logical_type type, dw_strbuf *out, dw_error *err)
{
    dw_assert(type != NULL);
    printer p = {.duck = duck, .out = out};
    print(&p, type);
    if (p.is_too_deep) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
                             "expected a type of at most %d levels, found a deeper one",
                             TYPE_DEPTH_MAX);
    }
    return dw__strbuf_ok(out, "the name of a type", err);
}

/* Deeper than TYPE_DEPTH_MAX nothing is looked for: printing such a type is refused. */
static bool
has_variants(const dw_duck *duck, duckdb_logical_type type, int depth)
{
    /* Most types have no members to look into. */
    duckdb_type id = duck->get_type_id(type);
    if (plain_name(id) != NULL || id == DUCKDB_TYPE_DECIMAL || depth == TYPE_DEPTH_MAX) {
        return id == DUCKDB_TYPE_VARIANT;
    }
    duckdb_logical_type member = NULL;
    bool found = false;
    if (id == DUCKDB_TYPE_STRUCT) {
        idx_t count = duck->struct_type_child_count(type);
        for (idx_t i = 0; i < count && !found; i++) {
            member = duck->struct_type_child_type(type, i);
            found = has_variants(duck, member, depth + 1);
            duck->destroy_logical_type(&member);
        }
        return found;
    }
    if (id == DUCKDB_TYPE_LIST) {
        member = duck->list_type_child_type(type);
    } else if (id == DUCKDB_TYPE_ARRAY) {
        member = duck->array_type_child_type(type);
    } else if (id == DUCKDB_TYPE_MAP) {
        member = duck->map_type_value_type(type);
    }
    found = member != NULL && has_variants(duck, member, depth + 1);
    duck->destroy_logical_type(&member);
    return found;
}

bool
dw__duck_type_has_variants(const dw_duck *duck, duckdb_logical_type type)
{
    return has_variants(duck, type, 0);
}
