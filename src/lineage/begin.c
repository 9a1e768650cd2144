/*
 * Who writes, and in what run: the beginning of a record.
 */
#include "codec/codec.h"
#include "lineage/lineage.h"

static dw_str
last_part(dw_str root)
{
    size_t slash = dw__str_find_last(root, '/');
    return slash == SIZE_MAX ? root : dw__str_slice(root, slash + 1, root.len);
}

/* "insert.orders", or what the session calls it. */
static bool
take_job(dw_arena *arena, const dw_lineage_start *start, dw_str *out)
{
    if (start->job.len > 0) {
        return dw__arena_dup(arena, start->job, out);
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_LINEAGE_SQL_BYTES_MAX);
    for (const char *c = start->verb; *c != '\0'; c++) {
        char lower = (char) (*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        dw__strbuf_append_char(&text, lower == ' ' ? '_' : lower);
    }
    dw__strbuf_append_char(&text, '.');
    dw__strbuf_append(&text, last_part(start->table));
    return !text.failed && dw__arena_dup(arena, dw__strbuf_str(&text), out);
}

/* namespace/name/run, as OPENLINEAGE_PARENT_ID has it; what looks otherwise is none. */
static bool
take_parent(dw_str text, dw_arena *arena, dw_lineage_parent *out)
{
    size_t last = dw__str_find_last(text, '/');
    size_t first = dw__str_find(text, '/');
    *out = (dw_lineage_parent){.run = DW_STR_NULL};
    if (last == SIZE_MAX || first == last || text.len - last - 1 != DW_UUID_TEXT_SIZE - 1) {
        return true;
    }
    return dw__arena_dup(arena, dw__str_slice(text, 0, first), &out->namespace_name) &&
           dw__arena_dup(arena, dw__str_slice(text, first + 1, last - first - 1), &out->job) &&
           dw__arena_dup(arena, dw__str_slice(text, last + 1, text.len), &out->run);
}

static dw_str
first_of(dw_str a, dw_str b)
{
    return a.len > 0 ? a : b;
}

bool
dw__lineage_begin(dw_lineage *lineage, const dw_env *env, const dw_lineage_start *start)
{
    char run[DW_UUID_TEXT_SIZE];
    dw_arena *arena = lineage->arena;
    dw_lineage_record *record = &lineage->record;
    const dw_lineage_defaults *defaults = start->defaults;
    dw__uuid_make(env, run);
    dw_str space =
        first_of(start->namespace_name, first_of(defaults->namespace_name, DW_STR("default")));
    return dw__arena_dup(arena, dw__str_from(run), &record->run) &&
           dw__arena_dup(arena, space, &record->namespace_name) &&
           dw__arena_dup(arena, defaults->user, &record->user) &&
           take_parent(first_of(start->parent, defaults->parent), arena, &record->parent) &&
           take_job(arena, start, &record->job) &&
           dw__arena_dup(arena, start->table, &lineage->table);
}
