/*
 * See fixture.h.
 */
#include "fixture.h"

#include <stdlib.h>

int
fixture_setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    dwt_env_init(&f->world, 1);
    dwt_temp_dir_make(&f->dir);
    dw__arena_init(&f->arena, dw__allocator_libc());
    const char *spill = fixture_path(f, "spill");
    dw_database_options options = {0, 2, dw__str_from(spill)};
    assert_ok(dw__database_open(&f->world.env, &options, &f->database, &f->err), &f->err);
    assert_ok(dw__connection_open(f->database, &f->connection, &f->err), &f->err);
    dw__connection_count_progress(f->connection);
    *state = f;
    return 0;
}

int
fixture_teardown(void **state)
{
    fixture *f = *state;
    dw__connection_close(f->connection);
    dw__database_close(f->database);
    dw__arena_deinit(&f->arena);
    dwt_temp_dir_remove(&f->dir);
    dwt_env_deinit(&f->world);
    free(f);
    return 0;
}

const char *
fixture_path(fixture *f, const char *name)
{
    return dw__arena_printf(&f->arena, "%s/%s", f->dir.path, name).ptr;
}

static dw_str
format(fixture *f, const char *fmt, va_list args)
{
    char text[8192];
    int len = vsnprintf(text, sizeof(text), fmt, args);
    assert_true(len >= 0 && (size_t) len < sizeof(text));
    return dw__str_from(dw__arena_dup_cstr(&f->arena, dw__str_from(text)));
}

void
fixture_run(fixture *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    dw_str sql = format(f, fmt, args);
    va_end(args);
    assert_ok(dw__connection_execute(f->connection, sql, &f->err), &f->err);
}

const char *
fixture_rows(fixture *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    dw_str sql = format(f, fmt, args);
    va_end(args);
    dw_text_rows rows;
    assert_ok(dw__connection_query_text(f->connection, sql, &f->arena, &rows, &f->err), &f->err);
    dw_strbuf text = dw__strbuf_make(dw__allocator_libc(), 1 << 20);
    for (size_t i = 0; i < rows.row_count * rows.column_count; i++) {
        if (i > 0) {
            dw__strbuf_append_char(&text, i % rows.column_count == 0 ? '\n' : '|');
        }
        dw__strbuf_append(&text, dw__str_is_null(rows.cells[i]) ? DW_STR("NULL") : rows.cells[i]);
    }
    const char *copy = dw__arena_dup_cstr(&f->arena, dw__strbuf_str(&text));
    dw__strbuf_deinit(&text);
    return copy;
}
