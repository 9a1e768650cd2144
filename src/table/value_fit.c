/*
 * Which types fit which: the rules of ANSI store assignment as Spark has them, but nothing is ever
 * rounded or cut.
 */
#include "table/value_fit.h"

static bool
is_integer(dw_type_kind kind)
{
    return kind == DW_TYPE_LONG || kind == DW_TYPE_INTEGER || kind == DW_TYPE_SHORT ||
           kind == DW_TYPE_BYTE;
}

static bool
is_float(dw_type_kind kind)
{
    return kind == DW_TYPE_FLOAT || kind == DW_TYPE_DOUBLE;
}

static bool
is_time(dw_type_kind kind)
{
    return kind == DW_TYPE_DATE || kind == DW_TYPE_TIMESTAMP || kind == DW_TYPE_TIMESTAMP_NTZ;
}

static dw_fit
fit_number(const dw_type *from, const dw_type *to)
{
    if (is_float(to->kind)) {
        return DW_FIT_CAST;
    }
    if (is_integer(from->kind)) {
        return DW_FIT_CAST; /* the engine refuses what is out of range */
    }
    bool scale_shrinks = from->kind == DW_TYPE_DECIMAL &&
                         from->scale > (to->kind == DW_TYPE_DECIMAL ? to->scale : 0);
    return is_float(from->kind) || scale_shrinks ? DW_FIT_CHECKED : DW_FIT_CAST;
}

static bool
is_number(const dw_type *type)
{
    return is_integer(type->kind) || is_float(type->kind) || type->kind == DW_TYPE_DECIMAL;
}

static dw_fit
fit_primitive(const dw_type *from, const dw_type *to)
{
    if (is_number(from) && is_number(to)) {
        return fit_number(from, to);
    }
    if (to->kind == DW_TYPE_VARIANT) {
        return from->kind == DW_TYPE_MAP ? DW_FIT_NEVER
                                         : DW_FIT_CAST; /* it holds values of any type */
    }
    if (from->kind == DW_TYPE_STRING) {
        return to->kind == DW_TYPE_BINARY || to->kind == DW_TYPE_VOID ? DW_FIT_NEVER : DW_FIT_CAST;
    }
    if (to->kind == DW_TYPE_STRING) {
        return from->kind == DW_TYPE_BINARY ? DW_FIT_NEVER : DW_FIT_CAST;
    }
    if (is_time(from->kind) && is_time(to->kind)) {
        return to->kind == DW_TYPE_DATE ? DW_FIT_CHECKED : DW_FIT_CAST;
    }
    return DW_FIT_NEVER;
}

/* What is still to be compared: a pair of types at some depth. */
typedef struct type_pair {
    const dw_type *from, *to;
} type_pair;

/* The field of `to` that a struct field of that name goes to must exist: nothing is dropped. */
static dw_fit
fit_struct(const dw_type *from, const dw_type *to, type_pair *stack, size_t *depth, size_t room)
{
    for (size_t i = 0; i < from->field_count; i++) {
        const dw_field *field = dw__schema_find(to, from->fields[i].name);
        if (field == NULL || *depth == room) {
            return DW_FIT_NEVER;
        }
        stack[(*depth)++] = (type_pair){from->fields[i].type, field->type};
    }
    return DW_FIT_CAST;
}

static dw_fit
fit_one(const type_pair *pair, type_pair *stack, size_t *depth, size_t room)
{
    const dw_type *from = pair->from;
    const dw_type *to = pair->to;
    if (from->kind == DW_TYPE_VOID) {
        return DW_FIT_CAST;
    }
    /* The engine calls the type of a bare NULL an integer; that it is one is judged by the rows. */
    if (to->kind == DW_TYPE_VOID && from->kind == DW_TYPE_INTEGER) {
        return DW_FIT_CAST;
    }
    if (!dw__type_is_nested(to) || from->kind != to->kind) {
        if (from->kind == to->kind && from->kind != DW_TYPE_DECIMAL) {
            return DW_FIT_SAME;
        }
        return fit_primitive(from, to);
    }
    if (to->kind == DW_TYPE_STRUCT) {
        return fit_struct(from, to, stack, depth, room);
    }
    if (*depth + 2 > room) {
        return DW_FIT_NEVER;
    }
    stack[(*depth)++] = (type_pair){from->element, to->element};
    if (to->kind == DW_TYPE_MAP) {
        stack[(*depth)++] = (type_pair){from->key, to->key};
    }
    return DW_FIT_CAST;
}

/* How a value of `from` fits `to`. Inside nested values a rounding cast cannot be compared cell by
 * cell, so the whole value is compared after casting back: DW_FIT_CHECKED wins over DW_FIT_CAST. */
dw_fit
dw__fit_of(const dw_type *from, const dw_type *to)
{
    enum { ROOM = 4096 };
    type_pair stack[ROOM];
    size_t depth = 0;
    stack[depth++] = (type_pair){from, to};
    dw_fit whole = DW_FIT_SAME;
    while (depth > 0) {
        type_pair pair = stack[--depth];
        dw_fit part = fit_one(&pair, stack, &depth, ROOM);
        if (part == DW_FIT_NEVER) {
            return DW_FIT_NEVER;
        }
        whole = part > whole ? part : whole;
    }
    return whole;
}

bool
dw__fit_has_nanoseconds(dw_str type_name)
{
    static const char nanoseconds[] = "TIMESTAMP_NS";
    return memmem(type_name.ptr, type_name.len, nanoseconds, sizeof(nanoseconds) - 1) != NULL;
}
