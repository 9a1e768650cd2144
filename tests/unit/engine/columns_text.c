/*
 * See columns_text.h.
 */
#include "columns_text.h"

static void
print_value(dw_strbuf *out, const dw_column_spec *spec, const dw_vector *vector, size_t row)
{
    if (!dw__vector_is_valid(vector, row)) {
        dw__strbuf_append_literal(out, "-");
        return;
    }
    dw_span span;
    switch (spec->kind) {
    case DW_VECTOR_BOOL:
        dw__strbuf_printf(out, "%d", ((const bool *) vector->data)[row]);
        break;
    case DW_VECTOR_I32:
        dw__strbuf_printf(out, "%d", ((const int32_t *) vector->data)[row]);
        break;
    case DW_VECTOR_I64:
        dw__strbuf_append_i64(out, ((const int64_t *) vector->data)[row]);
        break;
    case DW_VECTOR_DOUBLE:
        dw__strbuf_printf(out, "%g", ((const double *) vector->data)[row]);
        break;
    case DW_VECTOR_STR:
    case DW_VECTOR_TEXT:
        dw__strbuf_append_char(out, '\'');
        dw__strbuf_append(out, ((const dw_str *) vector->data)[row]);
        dw__strbuf_append_char(out, '\'');
        break;
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
        span = ((const dw_span *) vector->data)[row];
        dw__strbuf_append_char(out, '[');
        for (size_t i = span.offset; i < (size_t) span.offset + span.len; i++) {
            for (size_t k = 0; k < spec->child_count; k++) {
                dw__strbuf_append(out, k == 1 ? DW_STR("=") : DW_STR(""));
                print_value(out, &spec->children[k], &vector->children[k], i);
            }
            dw__strbuf_append_char(out, ';');
        }
        dw__strbuf_append_char(out, ']');
        break;
    case DW_VECTOR_STRUCT:
        dw__strbuf_append_char(out, '{');
        for (size_t k = 0; k < spec->child_count; k++) {
            dw__strbuf_append(out, k > 0 ? DW_STR(" ") : DW_STR(""));
            print_value(out, &spec->children[k], &vector->children[k], row);
        }
        dw__strbuf_append_char(out, '}');
        break;
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
    case DW_VECTOR_DECIMAL:
    case DW_VECTOR_BYTES:
        break;
    }
}

dw_status
columns_text_visit(void *ctx, const dw_batch *batch, dw_error *err)
{
    columns_text *c = ctx;
    if (c->fail_with != DW_OK) {
        return dw__error_set(err, c->fail_with, "STOPPED", "the visitor has enough");
    }
    c->row_count += batch->row_count;
    for (size_t row = 0; row < batch->row_count; row++) {
        for (size_t i = 0; i < c->request->column_count; i++) {
            dw__strbuf_append(&c->text, i > 0 ? DW_STR(" ") : DW_STR(""));
            print_value(&c->text, &c->request->columns[i], &batch->columns[i], row);
        }
        dw__strbuf_append_char(&c->text, '\n');
    }
    return DW_OK;
}
