/*
 * The engine makes keys of values (create_sort_key): bytes, or a whole number whose bytes they are
 * when they are few and as many for all rows.
 */
#include "engine/numbering.h"

#include "base/assert.h"
#include "engine/functions.h"

#include <endian.h>
#include <inttypes.h>

#define FUNCTION "dw__number"
/* Of a key as text, in digits: more than any clustering by texts needs. */
#define KEY_DIGITS_MAX 512

struct dw_numbering {
    dw_entry entry;
    const dw_env *env;
    dw_row_numbering spec;
};

/* ---- The function ---------------------------------------------------------------------------- */

/* The rows of a chunk. */
enum { ROWS_MAX = 2048, WORD_SIZE = 8 };

/* Of one column. */
typedef struct key_rows {
    dw_str keys[ROWS_MAX];
    char words[ROWS_MAX][WORD_SIZE];
} key_rows;

static bool
holds_words(const dw_duck *duck, duckdb_vector vector)
{
    duckdb_logical_type type = duck->vector_get_column_type(vector);
    bool is_word = duck->get_type_id(type) == DUCKDB_TYPE_BIGINT;
    duck->destroy_logical_type(&type);
    return is_word;
}

static void
read_words(const int64_t *words, idx_t row_count, char (*bytes)[WORD_SIZE], dw_str *keys)
{
    for (idx_t row = 0; row < row_count; row++) {
        uint64_t word = htobe64((uint64_t) words[row]);
        memcpy(bytes[row], &word, WORD_SIZE);
        keys[row] = dw__str_make(bytes[row], WORD_SIZE);
    }
}

static void
read_texts(const dw_duck *duck, duckdb_string_t *texts, idx_t row_count, dw_str *keys)
{
    for (idx_t row = 0; row < row_count; row++) {
        keys[row] =
            dw__str_make(duck->string_t_data(&texts[row]), duck->string_t_length(texts[row]));
    }
}

static void
number_rows(const dw_duck *duck, const dw_numbering *numbering, duckdb_data_chunk input,
            key_rows *rows, uint32_t *out)
{
    const dw_str *columns[DW_NUMBERING_KEYS_MAX];
    idx_t row_count = duck->data_chunk_get_size(input);
    dw_assert(row_count <= ROWS_MAX);
    for (size_t i = 0; i < numbering->spec.key_count; i++) {
        duckdb_vector vector = duck->data_chunk_get_vector(input, i + 1);
        void *data = duck->vector_get_data(vector);
        if (holds_words(duck, vector)) {
            read_words(data, row_count, rows[i].words, rows[i].keys);
        } else {
            read_texts(duck, data, row_count, rows[i].keys);
        }
        columns[i] = rows[i].keys;
    }
    numbering->spec.number(numbering->spec.ctx, columns, row_count, out);
}

static void
number_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_numbering *numbering = duck->scalar_function_get_bind_data(info);
    dw_assert(numbering != NULL);
    if (duck->data_chunk_get_column_count(input) != numbering->spec.key_count + 1) {
        duck->scalar_function_set_error(info, "expected as many keys as the numbering has");
        return;
    }
    size_t size = numbering->spec.key_count * sizeof(key_rows);
    key_rows *rows = dw__alloc(numbering->env->allocator, size);
    if (rows == NULL) {
        duck->scalar_function_set_error(info, "out of memory");
        return;
    }
    number_rows(duck, numbering, input, rows, duck->vector_get_data(output));
    dw__dealloc(numbering->env->allocator, rows, size);
}

static void
bind_numbering(duckdb_bind_info info)
{
    dw__bind_scalar_entry(info, DW_ENTRY_NUMBERING,
                          "expected the number of a bound numbering, found another");
}

dw_status
dw__numbering_function_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_scalar_function_spec spec = {.name = FUNCTION,
                                                 .parameters = {DUCKDB_TYPE_BIGINT},
                                                 .others = DUCKDB_TYPE_ANY,
                                                 .returns = DUCKDB_TYPE_UINTEGER,
                                                 .bind = bind_numbering,
                                                 .run = number_function};
    return dw__scalar_function_register(database, handle, &spec, err);
}

/* ---- Binding --------------------------------------------------------------------------------- */

static void
destroy_numbering(dw_entry *entry)
{
    dw_numbering *numbering = (dw_numbering *) entry;
    DW_DELETE(numbering->env->allocator, numbering);
}

dw_status
dw__connection_bind_numbering(dw_connection *connection, const dw_row_numbering *spec,
                              dw_numbering **out, dw_error *err)
{
    dw_assert(spec->key_count > 0 && spec->key_count <= DW_NUMBERING_KEYS_MAX);
    *out = NULL;
    DW_TRY(dw__database_load(connection->database, err));
    dw_numbering *numbering = DW_NEW(connection->env->allocator, dw_numbering);
    if (numbering == NULL) {
        return dw__error_oom(err);
    }
    numbering->entry = (dw_entry){.kind = DW_ENTRY_NUMBERING, .destroy = destroy_numbering};
    numbering->env = connection->env;
    numbering->spec = *spec;
    dw_status status = dw__registry_add(&connection->database->registry, &numbering->entry, err);
    if (status != DW_OK) {
        destroy_numbering(&numbering->entry);
        return status;
    }
    *out = numbering;
    return DW_OK;
}

void
dw__connection_unbind_numbering(dw_connection *connection, dw_numbering *numbering)
{
    if (numbering != NULL) {
        dw__registry_remove(&connection->database->registry, &numbering->entry);
    }
}

/* ---- In SQL ---------------------------------------------------------------------------------- */

static void
put_key(dw_str value, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "create_sort_key(");
    dw__strbuf_append(out, value);
    dw__strbuf_append_literal(out, ", 'ASC NULLS FIRST')");
}

void
dw__numbering_print(const dw_numbering *numbering, const dw_str *values, dw_strbuf *out)
{
    dw__strbuf_printf(out, FUNCTION "(%" PRId64, numbering->entry.id);
    for (size_t i = 0; i < numbering->spec.key_count; i++) {
        dw__strbuf_append_literal(out, ", ");
        put_key(values[i], out);
    }
    dw__strbuf_append_char(out, ')');
}

void
dw__sort_key_print(dw_str value, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "left(hex(");
    put_key(value, out);
    dw__strbuf_printf(out, "), %d)", KEY_DIGITS_MAX);
}

static unsigned
digit_of(char c)
{
    return (unsigned) (c >= 'A' ? c - 'A' + 10 : c - '0');
}

/* Of a whole number the engine leaves out the first zero, and there is only one. */
dw_str
dw__sort_key_read(dw_str text, dw_arena *arena)
{
    size_t missing = text.len % 2, len = (text.len + missing) / 2;
    char *bytes = dw__arena_alloc_bytes(arena, len + 1);
    if (bytes == NULL) {
        return DW_STR_NULL;
    }
    memset(bytes, 0, len);
    for (size_t i = 0; i < text.len; i++) {
        size_t at = i + missing;
        unsigned digit = digit_of(text.ptr[i]);
        bytes[at / 2] = (char) ((unsigned char) bytes[at / 2] | digit << (at % 2 == 0 ? 4 : 0));
    }
    return dw__str_make(bytes, len);
}
