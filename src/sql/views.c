/*
 * The views of a session.
 */
#include "sql/session.h"

static size_t
find_idx(const dw_session *session, dw_str name)
{
    for (size_t i = 0; i < session->views.count; i++) {
        if (dw__str_equal_nocase(session->views.items[i]->view.name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

const dw_sql_view *
dw__session_view_find(const dw_session *session, dw_str name)
{
    size_t idx = find_idx(session, name);
    return idx == SIZE_MAX ? NULL : &session->views.items[idx]->view;
}

static void
free_view(const dw_session *session, dw_session_view *view)
{
    dw__arena_deinit(&view->arena);
    DW_DELETE(session->env->allocator, view);
}

static bool
copy_view(dw_session_view *to, const dw_sql_view *from)
{
    dw_str *columns = DW_ARENA_ARRAY(&to->arena, dw_str, from->column_count + 1);
    bool copied = columns != NULL && dw__arena_dup(&to->arena, from->name, &to->view.name) &&
                  dw__arena_dup(&to->arena, from->text, &to->view.text);
    for (size_t i = 0; copied && i < from->column_count; i++) {
        copied = dw__arena_dup(&to->arena, from->columns[i], &columns[i]);
    }
    to->view.columns = columns;
    to->view.column_count = from->column_count;
    return copied;
}

dw_status
dw__session_view_put(dw_session *session, const dw_sql_view *view, dw_error *err)
{
    DW_AUTO(dw_sql_text) text = {0};
    DW_TRY(dw__sql_text_init(&text, session->env->allocator, view->text, err));
    dw_session_view *copy = DW_NEW(session->env->allocator, dw_session_view);
    if (copy == NULL) {
        return dw__error_oom(err);
    }
    copy->compares_nulls = dw__sql_compares_nulls(&text);
    dw__arena_init(&copy->arena, session->env->allocator);
    if (!copy_view(copy, view)) {
        free_view(session, copy);
        return dw__error_oom(err);
    }
    dw_session_view **slot = DW_VEC_PUSH(session->env->allocator, &session->views);
    if (slot == NULL) {
        free_view(session, copy);
        return dw__error_oom(err);
    }
    *slot = copy;
    size_t old = find_idx(session, view->name);
    if (old + 1 < session->views.count) {
        free_view(session, session->views.items[old]);
        session->views.items[old] = copy;
        session->views.count--;
    }
    return DW_OK;
}

bool
dw__session_view_remove(dw_session *session, dw_str name)
{
    size_t idx = find_idx(session, name);
    if (idx == SIZE_MAX) {
        return false;
    }
    free_view(session, session->views.items[idx]);
    session->views.items[idx] = session->views.items[--session->views.count];
    return true;
}

void
dw__session_views_deinit(dw_session *session)
{
    for (size_t i = 0; i < session->views.count; i++) {
        free_view(session, session->views.items[i]);
    }
    DW_VEC_DEINIT(session->env->allocator, &session->views);
}
