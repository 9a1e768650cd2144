/*
 * The table's schema: the protocol's JSON schema string, parsed. PROTOCOL.md "Schema Serialization
 * Format", "Column Mapping".
 *
 *  [SCHEMA-1] Parsing and printing keeps every member of every field that is not understood.
 *  [SCHEMA-2] Column names are unique without regard to case; case is kept.
 */
#ifndef DW_PROTOCOL_SCHEMA_H
#define DW_PROTOCOL_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"

#define DW_SCHEMA_DEPTH_MAX 64
#define DW_SCHEMA_FIELDS_MAX 100000
#define DW_DECIMAL_PRECISION_MAX 38

typedef enum dw_type_kind {
    DW_TYPE_STRING,
    DW_TYPE_LONG,
    DW_TYPE_INTEGER,
    DW_TYPE_SHORT,
    DW_TYPE_BYTE,
    DW_TYPE_FLOAT,
    DW_TYPE_DOUBLE,
    DW_TYPE_DECIMAL,
    DW_TYPE_BOOLEAN,
    DW_TYPE_BINARY,
    DW_TYPE_DATE,
    DW_TYPE_TIMESTAMP,     /* an instant, microseconds UTC */
    DW_TYPE_TIMESTAMP_NTZ, /* a wall-clock time without zone */
    DW_TYPE_VARIANT,
    DW_TYPE_VOID,
    DW_TYPE_STRUCT,
    DW_TYPE_ARRAY,
    DW_TYPE_MAP
} dw_type_kind;

typedef struct dw_type dw_type;
typedef struct dw_field dw_field;

/* Immutable once parsed or built; lives in the arena of its schema. */
struct dw_type {
    dw_type_kind kind;
    uint8_t precision, scale; /* DECIMAL */
    bool contains_null;       /* ARRAY: containsNull; MAP: valueContainsNull */
    const dw_type *element;   /* ARRAY; MAP: the value */
    const dw_type *key;       /* MAP */
    dw_field *fields;         /* STRUCT */
    size_t field_count;
};

/* What a field's metadata says to writers and, the last, to readers. */
typedef enum dw_field_trait {
    DW_FIELD_INVARIANT = 1 << 0, /* delta.invariants */
    DW_FIELD_GENERATED = 1 << 1, /* delta.generationExpression */
    DW_FIELD_IDENTITY = 1 << 2,  /* delta.identity.* */
    DW_FIELD_DEFAULT = 1 << 3,   /* CURRENT_DEFAULT */
    DW_FIELD_WIDENED = 1 << 4    /* delta.typeChanges */
} dw_field_trait;

struct dw_field {
    dw_str name;
    const dw_type *type;
    bool nullable;
    dw_str metadata_json; /* the whole "metadata" object as JSON text, "{}" when empty */
    dw_str physical_name; /* delta.columnMapping.physicalName, or the name where there is none */
    int64_t mapping_id;   /* delta.columnMapping.id, or -1 */
    dw_str extra_json; /* members other than name, type, nullable, metadata; "" or ",\"k\":v..." */
    unsigned traits;   /* dw_field_trait bits, read from the metadata */
};

/* A schema is a DW_TYPE_STRUCT type. Errors are DW_CORRUPT (SCHEMA_INVALID), or DW_UNSUPPORTED
 * (TYPE_UNSUPPORTED) for a type name that is unknown, with the column's path in the message. */
DW_WARN_UNUSED dw_status dw__schema_parse(const char *what, dw_str json, dw_arena *arena,
                                          const dw_type **out, dw_error *err);
/* Appends the schema string: what Spark would print. */
void dw__schema_print(dw_strbuf *out, const dw_type *schema);
/*
 * Appends the type as SQL on Spark writes it: "decimal(10,2)", "struct<a:int,b:string>", "bigint".
 */
void dw__type_print_sql(dw_strbuf *out, const dw_type *type);
/* The SQL name of a type, for messages: "decimal(10,2)"; of nested types the word only: "struct".
 * Takes no memory. */
#define DW_TYPE_TEXT_SIZE 32
const char *dw__type_text(const dw_type *type, char text[DW_TYPE_TEXT_SIZE]);
/* Appends the protocol's name of a type: "long", "decimal(10,2)", or JSON for nested ones. */
void dw__type_print(dw_strbuf *out, const dw_type *type);
bool dw__type_equal(const dw_type *a, const dw_type *b, bool ignore_nullability);

/* The same schema with the column mapping laid aside: physical names are the names, at every depth.
 * For tables whose delta.columnMapping.mode is none, where leftover metadata must not count.
 * Returns `schema` itself when there is nothing to lay aside; NULL when out of memory. */
const dw_type *dw__schema_without_mapping(const dw_type *schema, dw_arena *arena);
/* The schema without what begins with one of the prefixes in the metadata of its fields, at every
 * depth. */
DW_WARN_UNUSED dw_status dw__schema_strip(const dw_type *schema, const dw_str *prefixes,
                                          size_t count, dw_arena *arena, const dw_type **out,
                                          dw_error *err);
/* The value of a member of a field's metadata: a string's text, a number's, "true" or "false", or
 * JSON; the null string when there is no such member. The result lives in `arena`. */
DW_WARN_UNUSED dw_status dw__field_metadata_get(const dw_field *field, dw_str key, dw_arena *arena,
                                                dw_str *out, dw_error *err);
/* The first field, at any depth, that has the trait; NULL when there is none. */
const dw_field *dw__schema_find_trait(const dw_type *schema, dw_field_trait trait);

/* The top-level field of that name (exact first, then without case); NULL when there is none. */
const dw_field *dw__schema_find(const dw_type *schema, dw_str name);
/* The field of a struct that files know by that name; NULL when there is none, or no type. */
const dw_field *dw__schema_find_physical(const dw_type *type, dw_str physical_name);
size_t dw__schema_find_idx(const dw_type *schema, dw_str name); /* SIZE_MAX: none */

static inline bool
dw__type_is_nested(const dw_type *type)
{
    return type->kind == DW_TYPE_STRUCT || type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP;
}

/* Building, for CREATE TABLE: the result lives in `arena`; NULL when out of memory. The strings of
 * fields are copied; a null physical_name, metadata_json or extra_json stands for none (and a null
 * physical_name for mapping_id -1). */
const dw_type *dw__type_make(dw_arena *arena, dw_type_kind kind);
const dw_type *dw__type_make_decimal(dw_arena *arena, uint8_t precision, uint8_t scale);
const dw_type *dw__type_make_array(dw_arena *arena, const dw_type *element, bool contains_null);
const dw_type *dw__type_make_map(dw_arena *arena, const dw_type *key, const dw_type *value,
                                 bool value_contains_null);
const dw_type *dw__type_make_struct(dw_arena *arena, const dw_field *fields, size_t count);

/* Checks that the schema can be that of a table: unique names, legal characters (with column
 * mapping any), partition columns that exist and are primitive, at least one column that is not a
 * partition column. DW_INVALID_ARGUMENT names the column. */
DW_WARN_UNUSED dw_status dw__schema_check(const dw_type *schema, const dw_str *partition_columns,
                                          size_t partition_count, bool column_mapping,
                                          dw_error *err);

#endif
