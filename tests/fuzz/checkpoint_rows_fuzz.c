/*
 * Rows of a checkpoint: the input fills columns of the shape that a checkpoint has, as the engine
 * would give them, with NULLs anywhere. Whatever is read as an action prints as a line that parses.
 */
#include "fuzz.h"

#include "log/checkpoint_rows.h"

enum { ELEMENTS_MAX = 3 };

/* Fills one row of a column, and of what it holds. */
static bool
fill(const dw_column_spec *spec, dw_str *input, size_t row_count, dw_arena *arena, dw_vector *out)
{
    bool *valid = DW_ARENA_ARRAY(arena, bool, row_count);
    dw_span *spans = DW_ARENA_ARRAY(arena, dw_span, row_count);
    uint64_t *words = DW_ARENA_ARRAY(arena, uint64_t, row_count);
    dw_str *strs = DW_ARENA_ARRAY(arena, dw_str, row_count);
    dw_vector *children = DW_ARENA_ARRAY(arena, dw_vector, spec->child_count);
    if (valid == NULL || spans == NULL || words == NULL || strs == NULL || children == NULL) {
        return false;
    }
    size_t element_count = 0;
    for (size_t row = 0; row < row_count; row++) {
        uint8_t flags = fuzz_take_byte(input);
        valid[row] = (flags & 1) != 0;
        if (spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP) {
            uint32_t len = valid[row] ? (uint32_t) (flags >> 1) % (ELEMENTS_MAX + 1) : 0;
            spans[row] = (dw_span){(uint32_t) element_count, len};
            element_count += len;
        } else if (spec->kind == DW_VECTOR_STR && valid[row]) {
            strs[row] = fuzz_take_str(input);
        } else if (spec->kind == DW_VECTOR_I64 && valid[row]) {
            words[row] = fuzz_take_word(input, 8);
        }
    }
    int32_t *ints = DW_ARENA_ARRAY(arena, int32_t, row_count);
    bool *bools = DW_ARENA_ARRAY(arena, bool, row_count);
    if (ints == NULL || bools == NULL) {
        return false;
    }
    for (size_t row = 0; row < row_count; row++) {
        ints[row] = spec->kind == DW_VECTOR_I32 ? (int32_t) fuzz_take_word(input, 4) : 0;
        bools[row] = spec->kind == DW_VECTOR_BOOL && (fuzz_take_byte(input) & 1) != 0;
    }
    bool is_container = spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP;
    for (size_t i = 0; i < spec->child_count; i++) {
        if (!fill(&spec->children[i], input, is_container ? element_count : row_count, arena,
                  &children[i])) {
            return false;
        }
    }
    const void *data[] = {
        [DW_VECTOR_BOOL] = bools,   [DW_VECTOR_I32] = ints,    [DW_VECTOR_I64] = words,
        [DW_VECTOR_DOUBLE] = words, [DW_VECTOR_STR] = strs,    [DW_VECTOR_LIST] = spans,
        [DW_VECTOR_MAP] = spans,    [DW_VECTOR_STRUCT] = NULL,
    };
    *out = (dw_vector){.valid = valid, .data = data[spec->kind], .children = children};
    return true;
}

typedef dw_status (*row_reader)(const dw_vector *column, size_t row, dw_arena *arena,
                                dw_action *out, bool *is_there_out, dw_error *err);

static const struct {
    const dw_column_spec *spec;
    row_reader read;
} readers[] = {
    {&dw__ck_protocol_spec, dw__ck_protocol}, {&dw__ck_metadata_spec, dw__ck_metadata},
    {&dw__ck_txn_spec, dw__ck_txn},           {&dw__ck_domain_spec, dw__ck_domain},
    {&dw__ck_sidecar_spec, dw__ck_sidecar},   {&dw__ck_remove_spec, dw__ck_remove},
};

static dw_status
ignore(void *ctx, const dw_action *action, dw_error *err)
{
    (void) ctx;
    (void) action;
    (void) err;
    return DW_OK;
}

/* The line may be refused for what a row cannot know, such as an empty path, but never as JSON. */
static void
check_action(const dw_action *action, dw_arena *arena)
{
    DW_AUTO(dw_strbuf) line = fuzz_strbuf();
    dw__action_print(&line, action);
    dw_error err = DW_ERROR_INIT;
    if (dw__actions_parse(dw__strbuf_str(&line), arena, ignore, NULL, &err) != DW_OK) {
        dw_assert(strstr(err.message, "not valid JSON") == NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_str input = fuzz_text(data, size);
    size_t choice = fuzz_take_byte(&input) % (sizeof(readers) / sizeof(readers[0]));
    dw_vector column;
    bool filled = fill(readers[choice].spec, &input, 1, &arena, &column);
    dw_assert(filled);
    dw_action action;
    bool is_there = false;
    dw_error err = DW_ERROR_INIT;
    dw_status status = readers[choice].read(&column, 0, &arena, &action, &is_there, &err);
    dw_assert((status == DW_OK) == (err.status == DW_OK));
    if (status == DW_OK && is_there) {
        check_action(&action, &arena);
    }
    return 0;
}
