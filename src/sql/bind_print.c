/*
 * The engine's SQL of what was bound: scans instead of tables, their aliases, and columns that were
 * qualified by more than one name.
 */
#include "base/assert.h"
#include "base/strbuf.h"
#include "engine/database.h"
#include "sql/bind_walk.h"

/* ---- Aliases --------------------------------------------------------------------------------- */

/* The last part of a path. */
static dw_str
base_name(dw_str path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    size_t slash = dw__str_find_last(path, '/');
    bool has_base = slash != SIZE_MAX && slash + 1 < path.len;
    return has_base ? dw__str_slice(path, slash + 1, path.len) : path;
}

static dw_str
short_alias(const dw_sql_name *name)
{
    return name->is_path ? base_name(name->parts[0]) : name->parts[name->part_count - 1];
}

/* The table's own name, or the last part of its path unless another table has that name, too. */
static dw_str
default_alias(const dw_binding *binding, const dw_sql_name *name)
{
    dw_str alias = short_alias(name);
    if (!name->is_path) {
        return alias;
    }
    for (size_t i = 0; i < binding->references.count; i++) {
        const dw_sql_reference *other = &binding->references.items[i];
        if (!other->has_alias && dw__str_equal_nocase(short_alias(&other->name), alias) &&
            !dw__sql_name_equal(&other->name, name)) {
            return name->parts[0];
        }
    }
    return alias;
}

/* ---- Edits ----------------------------------------------------------------------------------- */

static void
put_edit(const dw_binding *binding, const dw_sql_edit *edit, dw_strbuf *out)
{
    dw_str text = edit->is_star && binding->shows_stars ? edit->alias : edit->text;
    dw_str alias = edit->alias;
    if (edit->reference != SIZE_MAX) {
        const dw_sql_reference *reference = &binding->references.items[edit->reference];
        text = reference->scan_name;
        alias = default_alias(binding, &reference->name);
    }
    dw__strbuf_append(out, edit->is_whole_query ? DW_STR("(FROM ") : DW_STR(""));
    dw__strbuf_append(out, text);
    if (!edit->has_alias) {
        dw__strbuf_append_literal(out, " AS ");
        dw__sql_put_identifier(out, alias);
    }
    dw__strbuf_append(out, edit->is_whole_query ? DW_STR(")") : DW_STR(""));
}

/* ---- Qualified columns ----------------------------------------------------------------------- */

/*
 * True for a name that a column can only be qualified by as a whole, once the table has an alias.
 */
static bool
is_compound(const dw_sql_reference *reference)
{
    return !reference->has_alias && (reference->name.is_path || reference->name.part_count > 1);
}

static bool
has_compound(const dw_binding *binding)
{
    for (size_t i = 0; i < binding->references.count; i++) {
        if (is_compound(&binding->references.items[i])) {
            return true;
        }
    }
    return false;
}

/* Tokens from `idx` on: name.name. ... with a dot behind the last one. */
static dw_status
match_name(const dw_binding *binding, size_t idx, const dw_sql_name *name, size_t *count_out,
           dw_error *err)
{
    const dw_sql_text *sql = binding->sql;
    size_t prefix = name->is_path ? 1 : 0; /* delta */
    size_t parts = name->part_count + prefix;
    *count_out = 0;
    for (size_t i = 0; i < parts; i++) {
        size_t token = idx + 2 * i;
        dw_str text;
        if (token + 1 >= sql->count || !dw__token_is_name(&sql->items[token]) ||
            !dw__token_is_symbol(sql, token + 1, ".")) {
            return DW_OK;
        }
        DW_TRY(dw__token_name(sql, token, binding->arena, &text, err));
        dw_str wanted = i < prefix ? DW_STR("delta") : name->parts[i - prefix];
        if (!dw__str_equal_nocase(text, wanted)) {
            return DW_OK;
        }
    }
    *count_out = 2 * parts - 1;
    return DW_OK;
}

/* Puts the alias for the qualifier that begins here, if one does: `*count_out` tokens. */
static dw_status
put_qualifier(const dw_binding *binding, size_t idx, dw_strbuf *out, size_t *count_out,
              dw_error *err)
{
    *count_out = 0;
    if (!dw__token_is_name(&binding->sql->items[idx]) ||
        (idx > 0 && dw__token_is_symbol(binding->sql, idx - 1, "."))) {
        return DW_OK;
    }
    for (size_t i = 0; i < binding->references.count && *count_out == 0; i++) {
        const dw_sql_reference *reference = &binding->references.items[i];
        if (is_compound(reference)) {
            DW_TRY(match_name(binding, idx, &reference->name, count_out, err));
            if (*count_out > 0) {
                dw__sql_put_identifier(out, default_alias(binding, &reference->name));
            }
        }
    }
    return DW_OK;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* Appends what lies between the end of the last printed token and token `idx`. */
static void
put_gap(const dw_binding *binding, size_t *from, size_t idx, dw_strbuf *out)
{
    size_t to = binding->sql->items[idx].offset;
    dw_assert(*from <= to);
    dw__strbuf_append(out, dw__str_slice(binding->sql->text, *from, to - *from));
}

static size_t
end_of(const dw_binding *binding, size_t last)
{
    return binding->sql->items[last - 1].offset + binding->sql->items[last - 1].len;
}

static dw_status
put_tokens(const dw_binding *binding, dw_sql_range range, dw_strbuf *out, dw_error *err)
{
    size_t edit_idx = 0;
    size_t from = binding->sql->items[range.first].offset;
    bool qualifies = has_compound(binding);
    const dw_sql_edit_vec *edits = &binding->edits;
    for (size_t i = range.first; i < range.last;) {
        size_t count = 0;
        while (edit_idx < edits->count && edits->items[edit_idx].last <= i) {
            edit_idx++;
        }
        put_gap(binding, &from, i, out);
        if (edit_idx < edits->count && edits->items[edit_idx].first == i) {
            put_edit(binding, &edits->items[edit_idx], out);
            count = edits->items[edit_idx].last - i;
        } else if (qualifies) {
            DW_TRY(put_qualifier(binding, i, out, &count, err));
        }
        if (count == 0) {
            DW_TRY(dw__sql_range_append(out, binding->sql, (dw_sql_range){i, i + 1}, binding->arena,
                                        err));
            count = 1;
        }
        i += count;
        from = end_of(binding, i);
    }
    return DW_OK;
}

dw_status
dw__binding_print(const dw_binding *binding, dw_sql_range range, dw_str *out, dw_error *err)
{
    *out = DW_STR("");
    if (dw__sql_range_is_empty(range)) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(binding->arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    DW_TRY(put_tokens(binding, range, &buf, err));
    DW_TRY(dw__strbuf_ok(&buf, "the statement", err));
    return dw__arena_dup(binding->arena, dw__strbuf_str(&buf), out) ? DW_OK : dw__error_oom(err);
}

/* ---- Views ----------------------------------------------------------------------------------- */

dw_status
dw__view_print(const dw_sql_view *view, dw_str text, dw_arena *arena, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    bool has_columns = view->column_count > 0;
    dw__strbuf_append(&buf, has_columns ? DW_STR("(FROM (") : DW_STR("("));
    dw__strbuf_append(&buf, text);
    dw__strbuf_append_literal(&buf, "\n)"); /* the text may end in a comment */
    if (has_columns) {
        dw__strbuf_append_literal(&buf, " AS ");
        dw__sql_put_identifier(&buf, view->name);
        for (size_t i = 0; i < view->column_count; i++) {
            dw__strbuf_append(&buf, i == 0 ? DW_STR("(") : DW_STR(", "));
            dw__sql_put_identifier(&buf, view->columns[i]);
        }
        dw__strbuf_append_literal(&buf, "))");
    }
    DW_TRY(dw__strbuf_ok(&buf, "the view", err));
    return dw__arena_dup(arena, dw__strbuf_str(&buf), out) ? DW_OK : dw__error_oom(err);
}
