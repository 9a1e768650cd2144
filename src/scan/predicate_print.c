/*
 * Predicates as text, for EXPLAIN. It is read by people and never parsed again.
 */
#include "base/assert.h"
#include "scan/predicate.h"

#include <math.h>

static void
print_quoted(dw_strbuf *out, dw_str text)
{
    dw__strbuf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'') {
            dw__strbuf_append_char(out, '\'');
        }
        dw__strbuf_append_char(out, text.ptr[i]);
    }
    dw__strbuf_append_char(out, '\'');
}

static void
print_blob(dw_strbuf *out, dw_str bytes)
{
    dw__strbuf_append_literal(out, "'");
    for (size_t i = 0; i < bytes.len; i++) {
        dw__strbuf_printf(out, "\\x%02X", (unsigned) (unsigned char) bytes.ptr[i]);
    }
    dw__strbuf_append_literal(out, "'");
}

static void
print_double(dw_strbuf *out, double value)
{
    if (isnan(value)) {
        dw__strbuf_append_literal(out, "'NaN'");
    } else if (isinf(value)) {
        dw__strbuf_append(out, value > 0 ? DW_STR("'Infinity'") : DW_STR("'-Infinity'"));
    } else {
        dw__strbuf_printf(out, "%.15g", value);
    }
}

/* The type that an integer stands for once the column is transformed. */
static dw_type_kind
kind_after(dw_type_kind kind, dw_transform transform)
{
    switch (transform) {
    case DW_TRANSFORM_NONE:
    case DW_TRANSFORM_TO_DOUBLE:
        return kind;
    case DW_TRANSFORM_DATE_TO_MICROS:
        return DW_TYPE_TIMESTAMP_NTZ;
    case DW_TRANSFORM_DATE_TO_MICROS_ZONED:
        return DW_TYPE_TIMESTAMP;
    case DW_TRANSFORM_MICROS_TO_DATE:
    case DW_TRANSFORM_MICROS_TO_DATE_ZONED:
        return DW_TYPE_DATE;
    case DW_TRANSFORM_MICROS_ZONED:
        return kind == DW_TYPE_TIMESTAMP ? DW_TYPE_TIMESTAMP_NTZ : DW_TYPE_TIMESTAMP;
    }
    dw_unreachable("all transforms are handled");
}

static void
print_integer(dw_strbuf *out, int64_t value, dw_type_kind kind)
{
    if (kind == DW_TYPE_DATE) {
        dw__strbuf_append_char(out, '\'');
        dw__date_print(out, value);
        dw__strbuf_append_char(out, '\'');
    } else if (kind == DW_TYPE_TIMESTAMP || kind == DW_TYPE_TIMESTAMP_NTZ) {
        dw__strbuf_append_char(out, '\'');
        dw__timestamp_print(out, value, ' ', -1, kind == DW_TYPE_TIMESTAMP ? "Z" : "");
        dw__strbuf_append_char(out, '\'');
    } else {
        dw__strbuf_append_i64(out, value);
    }
}

static void
print_value(dw_strbuf *out, const dw_value *value, dw_type_kind column_kind, dw_transform transform)
{
    switch (value->kind) {
    case DW_VALUE_NULL:
        dw__strbuf_append_literal(out, "NULL");
        break;
    case DW_VALUE_BOOL:
        dw__strbuf_append(out, value->as.i64 != 0 ? DW_STR("true") : DW_STR("false"));
        break;
    case DW_VALUE_I64:
        print_integer(out, value->as.i64, kind_after(column_kind, transform));
        break;
    case DW_VALUE_DOUBLE:
        print_double(out, value->as.f64);
        break;
    case DW_VALUE_DECIMAL:
        dw__decimal_print(out, value->as.i128, value->scale);
        break;
    case DW_VALUE_STR:
        if (column_kind == DW_TYPE_BINARY) {
            print_blob(out, value->as.str);
        } else {
            print_quoted(out, value->as.str);
        }
        break;
    }
}

static const char *
comparison_text(dw_comparison comparison)
{
    switch (comparison) {
    case DW_COMPARISON_EQUAL:
        return "=";
    case DW_COMPARISON_NOT_EQUAL:
        return "<>";
    case DW_COMPARISON_LESS:
        return "<";
    case DW_COMPARISON_LESS_OR_EQUAL:
        return "<=";
    case DW_COMPARISON_GREATER:
        return ">";
    case DW_COMPARISON_GREATER_OR_EQUAL:
        return ">=";
    case DW_COMPARISON_DISTINCT:
        return "IS DISTINCT FROM";
    case DW_COMPARISON_NOT_DISTINCT:
        return "IS NOT DISTINCT FROM";
    }
    dw_unreachable("all comparisons are handled");
}

static void
print_leaf(dw_strbuf *out, const dw_predicate_scope *scope, const dw_predicate *leaf)
{
    const dw_predicate_column *column = &scope->columns[leaf->column_idx];
    dw__strbuf_append(out, column->name);
    if (leaf->kind == DW_PREDICATE_COMPARE) {
        dw__strbuf_printf(out, " %s ", comparison_text(leaf->comparison));
        print_value(out, leaf->values, column->path.type->kind, leaf->transform);
        return;
    }
    if (leaf->kind != DW_PREDICATE_IN) {
        dw__strbuf_append(out, leaf->kind == DW_PREDICATE_IS_NULL ? DW_STR(" IS NULL")
                                                                  : DW_STR(" IS NOT NULL"));
        return;
    }
    dw__strbuf_append_literal(out, " IN (");
    for (size_t i = 0; i < leaf->value_count && out->len < DW_PREDICATE_TEXT_BYTES_MAX; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        print_value(out, &leaf->values[i], column->path.type->kind, leaf->transform);
    }
    if (leaf->has_null) {
        dw__strbuf_append(out, leaf->value_count > 0 ? DW_STR(", NULL") : DW_STR("NULL"));
    }
    dw__strbuf_append_char(out, ')');
}

static void print_node(dw_strbuf *out, const dw_predicate_scope *scope,
                       const dw_predicate *predicate, bool in_parentheses);

static void
print_junction(dw_strbuf *out, const dw_predicate_scope *scope, const dw_predicate *predicate,
               bool in_parentheses)
{
    dw_str between = predicate->kind == DW_PREDICATE_AND ? DW_STR(" AND ") : DW_STR(" OR ");
    dw__strbuf_append(out, in_parentheses ? DW_STR("(") : DW_STR(""));
    for (size_t i = 0; i < predicate->child_count && out->len < DW_PREDICATE_TEXT_BYTES_MAX; i++) {
        dw__strbuf_append(out, i > 0 ? between : DW_STR(""));
        print_node(out, scope, predicate->children[i], true);
    }
    dw__strbuf_append(out, in_parentheses ? DW_STR(")") : DW_STR(""));
}

/* Recursion is at most DW_PREDICATE_DEPTH_MAX deep. */
static void
print_node(dw_strbuf *out, const dw_predicate_scope *scope, const dw_predicate *predicate,
           bool in_parentheses)
{
    switch (predicate->kind) {
    case DW_PREDICATE_UNKNOWN:
        dw__strbuf_append_literal(out, "...");
        break;
    case DW_PREDICATE_CONSTANT:
        dw__strbuf_append(out, predicate->outcomes == DW_OUTCOME_TRUE    ? DW_STR("true")
                               : predicate->outcomes == DW_OUTCOME_FALSE ? DW_STR("false")
                                                                         : DW_STR("NULL"));
        break;
    case DW_PREDICATE_AND:
    case DW_PREDICATE_OR:
        print_junction(out, scope, predicate, in_parentheses);
        break;
    case DW_PREDICATE_NOT:
        dw__strbuf_append_literal(out, "NOT ");
        print_node(out, scope, predicate->children[0], true);
        break;
    case DW_PREDICATE_COMPARE:
    case DW_PREDICATE_IN:
    case DW_PREDICATE_IS_NULL:
    case DW_PREDICATE_IS_NOT_NULL:
        print_leaf(out, scope, predicate);
        break;
    }
}

/* At most `size` bytes of well-formed UTF-8, not cut inside a character. */
static dw_str
cut(dw_str text, size_t size)
{
    while (size > 0 && size < text.len && ((unsigned char) text.ptr[size] & 0xc0) == 0x80) {
        size--;
    }
    return dw__str_slice(text, 0, size);
}

void
dw__predicate_print(dw_strbuf *out, const dw_predicate_scope *scope, const dw_predicate *predicate)
{
    dw_strbuf text = dw__strbuf_make(out->allocator, 4 * DW_PREDICATE_TEXT_BYTES_MAX);
    print_node(&text, scope, predicate, false);
    if (text.failed && !text.too_large) {
        out->failed = true;
    } else if (text.failed || text.len > DW_PREDICATE_TEXT_BYTES_MAX) {
        dw__strbuf_append(out, cut(dw__strbuf_str(&text), DW_PREDICATE_TEXT_BYTES_MAX - 4));
        dw__strbuf_append_literal(out, " ...");
    } else {
        dw__strbuf_append(out, dw__strbuf_str(&text));
    }
    dw__strbuf_deinit(&text);
}
