/*
 * A world for tests of expressions: a schema with a column of each kind.
 */
#ifndef TRANSLATED_H
#define TRANSLATED_H

#include "support/test.h"

#include "expression/expression.h"
#include "support/test_env.h"

#include <stdlib.h>

#define DWT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct translated {
    dwt_env test;
    dw_arena arena;
    const dw_type *schema;
    dw_expression expression;
    dw_error err;
    dw_status status;
} translated;

/* Translates over (i int, l bigint, s string, d date, ts timestamp, n timestamp_ntz, x double,
 * f float, b boolean, p decimal(10,2), st struct<a int, `B c` string>, a array<int>,
 * m map<string,int>, bin binary, `odd "name"` int). */
static inline void
translate(translated *t, const char *text)
{
    static const char schema[] =
        "{\"type\":\"struct\",\"fields\":["
        "{\"name\":\"i\",\"type\":\"integer\"},{\"name\":\"l\",\"type\":\"long\"},"
        "{\"name\":\"s\",\"type\":\"string\"},{\"name\":\"d\",\"type\":\"date\"},"
        "{\"name\":\"ts\",\"type\":\"timestamp\"},{\"name\":\"n\",\"type\":\"timestamp_ntz\"},"
        "{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"f\",\"type\":\"float\"},"
        "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"p\",\"type\":\"decimal(10,2)\"},"
        "{\"name\":\"st\",\"type\":{\"type\":\"struct\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"integer\"},{\"name\":\"B c\",\"type\":\"string\"}]}},"
        "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"elementType\":\"integer\","
        "\"containsNull\":true}},"
        "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":"
        "\"integer\",\"valueContainsNull\":true}},"
        "{\"name\":\"bin\",\"type\":\"binary\"},{\"name\":\"odd \\\"name\\\"\",\"type\":"
        "\"integer\"}]}";
    t->err = (dw_error) DW_ERROR_INIT;
    assert_ok(dw__schema_parse("the schema", dw__str_from(schema), &t->arena, &t->schema, &t->err),
              &t->err);
    t->status =
        dw__expression_translate(dw__str_from(text), t->schema, &t->arena, &t->expression, &t->err);
}

static inline int
translated_setup(void **state)
{
    translated *t = calloc(1, sizeof(translated));
    dwt_env_init(&t->test, 1);
    dw__arena_init(&t->arena, t->test.env.allocator);
    *state = t;
    return 0;
}

static inline int
translated_teardown(void **state)
{
    translated *t = *state;
    dw__arena_deinit(&t->arena);
    dwt_env_deinit(&t->test);
    free(t);
    return 0;
}

#endif
