/*
 * Operands, types and errors of a translation.
 */
#include "base/assert.h"
#include "engine/database.h"
#include "expression/translator.h"
#include "scan/scan.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_SIZE 512

const dw_type *
dw__spark_type(dw_type_kind kind)
{
    static const dw_type types[] = {
        [DW_TYPE_STRING] = {.kind = DW_TYPE_STRING},
        [DW_TYPE_LONG] = {.kind = DW_TYPE_LONG},
        [DW_TYPE_INTEGER] = {.kind = DW_TYPE_INTEGER},
        [DW_TYPE_SHORT] = {.kind = DW_TYPE_SHORT},
        [DW_TYPE_BYTE] = {.kind = DW_TYPE_BYTE},
        [DW_TYPE_FLOAT] = {.kind = DW_TYPE_FLOAT},
        [DW_TYPE_DOUBLE] = {.kind = DW_TYPE_DOUBLE},
        [DW_TYPE_BOOLEAN] = {.kind = DW_TYPE_BOOLEAN},
        [DW_TYPE_BINARY] = {.kind = DW_TYPE_BINARY},
        [DW_TYPE_DATE] = {.kind = DW_TYPE_DATE},
        [DW_TYPE_TIMESTAMP] = {.kind = DW_TYPE_TIMESTAMP},
        [DW_TYPE_TIMESTAMP_NTZ] = {.kind = DW_TYPE_TIMESTAMP_NTZ},
        [DW_TYPE_VOID] = {.kind = DW_TYPE_VOID},
    };
    dw_assert(kind <= DW_TYPE_VOID);
    dw_assert(kind != DW_TYPE_DECIMAL && kind != DW_TYPE_VARIANT);
    return &types[kind];
}

bool
dw__spark_is_integer(const dw_type *type)
{
    return type->kind == DW_TYPE_LONG || type->kind == DW_TYPE_INTEGER ||
           type->kind == DW_TYPE_SHORT || type->kind == DW_TYPE_BYTE;
}

bool
dw__spark_is_float(const dw_type *type)
{
    return type->kind == DW_TYPE_FLOAT || type->kind == DW_TYPE_DOUBLE;
}

bool
dw__spark_is_number(const dw_type *type)
{
    return dw__spark_is_integer(type) || dw__spark_is_float(type) || type->kind == DW_TYPE_DECIMAL;
}

bool
dw__spark_is_time(const dw_type *type)
{
    return type->kind == DW_TYPE_TIMESTAMP || type->kind == DW_TYPE_TIMESTAMP_NTZ;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

dw_status
dw__spark_refuse(const dw_translator *tr, const char *fmt, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return dw__error_set(tr->err, DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED",
                         "%s: this version cannot evaluate it as Spark does", text);
}

dw_status
dw__spark_invalid(const dw_translator *tr, const char *fmt, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return dw__error_set(tr->err, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID", "%s", text);
}

/* ---- Templates ------------------------------------------------------------------------------- */

static void
put_template(dw_strbuf *out, const char *template, const dw_operand *operands, size_t count,
             const dw_type *type)
{
    for (const char *at = template; *at != '\0'; at++) {
        if (*at != '$') {
            dw__strbuf_append_char(out, *at);
        } else if (at[1] == 't') {
            dw__engine_type_print(out, type);
            at++;
        } else if (at[1] >= '1' && at[1] <= '9') {
            size_t idx = (size_t) (at[1] - '1');
            dw_assert(idx < count);
            dw__strbuf_append(out, operands[idx].sql);
            at++;
        } else {
            dw__strbuf_append_char(out, *at);
        }
    }
}

dw_status
dw__spark_fill(const dw_translator *tr, const char *template, const dw_operand *operands,
               size_t count, const dw_type *type, bool may_fail, dw_operand *out)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    put_template(&sql, template, operands, count, type);
    if (sql.failed && sql.too_large) {
        return dw__spark_refuse(tr, "the expression grows beyond %zu bytes",
                                DW_EXPRESSION_SQL_BYTES_MAX);
    }
    DW_TRY(dw__strbuf_ok(&sql, "an expression", tr->err));
    dw_operand made = {.type = type, .may_fail = may_fail};
    for (size_t i = 0; i < count; i++) {
        made.may_fail = made.may_fail || operands[i].may_fail;
    }
    if (!dw__arena_dup(tr->arena, dw__strbuf_str(&sql), &made.sql)) {
        return dw__error_oom(tr->err);
    }
    *out = made;
    return DW_OK;
}

dw_status
dw__spark_string(const dw_translator *tr, dw_str text, dw_operand *out)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "CAST(");
    dw__sql_put_literal(&sql, text);
    dw__strbuf_append_literal(&sql, " AS VARCHAR)");
    DW_TRY(dw__strbuf_ok(&sql, "a string", tr->err));
    *out = (dw_operand){.type = dw__spark_type(DW_TYPE_STRING), .is_constant = true, .text = text};
    return dw__arena_dup(tr->arena, dw__strbuf_str(&sql), &out->sql) ? DW_OK
                                                                     : dw__error_oom(tr->err);
}
