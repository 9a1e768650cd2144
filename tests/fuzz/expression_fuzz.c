/*
 * Expressions of Spark: whatever stands in a table's metadata is translated or refused, in one
 * line. What is translated has a type, and text that is UTF-8 and not beyond its limit.
 */
#include "fuzz.h"

#include "expression/expression.h"

static const char schema_text[] =
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"i\",\"type\":\"integer\"},"
    "{\"name\":\"l\",\"type\":\"long\"},{\"name\":\"s\",\"type\":\"string\"},"
    "{\"name\":\"d\",\"type\":\"date\"},{\"name\":\"ts\",\"type\":\"timestamp\"},"
    "{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"b\",\"type\":\"boolean\"},"
    "{\"name\":\"p\",\"type\":\"decimal(10,2)\"},{\"name\":\"st\",\"type\":{\"type\":\"struct\","
    "\"fields\":[{\"name\":\"a\",\"type\":\"integer\"}]}},{\"name\":\"a\",\"type\":{\"type\":"
    "\"array\",\"elementType\":\"integer\",\"containsNull\":true}},{\"name\":\"m\",\"type\":{"
    "\"type\":\"map\",\"keyType\":\"string\",\"valueType\":\"integer\","
    "\"valueContainsNull\":true}}]}";

static void
translate(dw_str text, dw_arena *arena)
{
    const dw_type *schema;
    dw_expression expression;
    dw_error err = DW_ERROR_INIT;
    dw_status parsed =
        dw__schema_parse("the schema", dw__str_from(schema_text), arena, &schema, &err);
    dw_assert(parsed == DW_OK);
    dw_status status = dw__expression_translate(text, schema, arena, &expression, &err);
    dw_assert(err.status == status);
    dw_assert(strchr(err.message, '\n') == NULL);
    if (status == DW_OK) {
        dw_assert(expression.type != NULL);
        dw_assert(expression.sql.len > 0 && expression.sql.len <= DW_EXPRESSION_SQL_BYTES_MAX);
        dw_assert(dw__str_is_utf8(expression.sql));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dw_arena arena;
    dw__arena_init(&arena, dw__allocator_libc());
    translate(dw__str_make((const char *) data, size), &arena);
    dw__arena_deinit(&arena);
    return 0;
}
