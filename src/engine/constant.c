/*
 * Constants of a connection: long expressions that many statements use, evaluated once and kept as
 * variables of the engine.
 *
 *  [CONSTANT-1] A constant is never changed or forgotten while the connection is open, for a
 *               statement that runs may stand on it; when there are too many, new ones are written
 *               out instead.
 */
#include "base/assert.h"
#include "base/vec.h"
#include "engine/internal.h"

#define CONSTANTS_MAX ((size_t) 256)
#define CONSTANTS_BYTES_MAX ((size_t) 16 << 20)

static bool
find_constant(const dw_constant_vec *constants, dw_str expression, size_t *idx_out)
{
    for (size_t i = 0; i < constants->count; i++) {
        const dw_constant *constant = &constants->items[i];
        if (dw__str_equal(dw__str_make(constant->text, constant->len), expression)) {
            *idx_out = i;
            return true;
        }
    }
    return false;
}

static bool
has_room(const dw_constant_vec *constants, size_t len)
{
    size_t used = len;
    for (size_t i = 0; i < constants->count; i++) {
        used += constants->items[i].len;
    }
    return constants->count < CONSTANTS_MAX && used <= CONSTANTS_BYTES_MAX;
}

static dw_status
set_variable(dw_connection *connection, size_t idx, dw_str expression, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_printf(&sql, "SET VARIABLE dw__constant_%zu = ", idx);
    dw__strbuf_append(&sql, expression);
    DW_TRY(dw__strbuf_ok(&sql, "a constant", err));
    return dw__connection_execute(connection, dw__strbuf_str(&sql), err);
}

static dw_status
add_constant(dw_connection *connection, dw_str expression, dw_error *err)
{
    const dw_allocator *allocator = connection->env->allocator;
    dw_constant_vec *constants = &connection->constants;
    if (!DW_VEC_RESERVE(allocator, constants, constants->count + 1)) {
        return dw__error_oom(err);
    }
    char *text = dw__alloc(allocator, expression.len);
    if (text == NULL) {
        return dw__error_oom(err);
    }
    memcpy(text, expression.ptr, expression.len);
    dw_status status = set_variable(connection, constants->count, expression, err);
    if (status != DW_OK) {
        dw__dealloc(allocator, text, expression.len);
        return status;
    }
    dw_constant *constant = DW_VEC_PUSH(allocator, constants);
    dw_assert(constant != NULL);
    *constant = (dw_constant){text, expression.len};
    return DW_OK;
}

dw_status
dw__connection_put_constant(dw_connection *connection, dw_str expression, dw_strbuf *out,
                            dw_error *err)
{
    dw_assert(expression.len > 0);
    size_t idx = connection->constants.count;
    if (!find_constant(&connection->constants, expression, &idx)) {
        if (!has_room(&connection->constants, expression.len)) {
            dw__strbuf_append(out, expression);
            return DW_OK;
        }
        DW_TRY(add_constant(connection, expression, err));
    }
    dw__strbuf_printf(out, "getvariable('dw__constant_%zu')", idx);
    return DW_OK;
}

void
dw__constants_clear(dw_connection *connection)
{
    const dw_allocator *allocator = connection->env->allocator;
    for (size_t i = 0; i < connection->constants.count; i++) {
        dw_constant *constant = &connection->constants.items[i];
        dw__dealloc(allocator, constant->text, constant->len);
    }
    DW_VEC_DEINIT(allocator, &connection->constants);
}
