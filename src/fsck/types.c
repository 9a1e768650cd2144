/*
 * What types columns had when files were written. Readers learn from the schema which types older
 * files may have, so a file may stay as long as the types of its time are those of the schema, or
 * stand in the schema's records. A table that goes back to a version before a type was widened has
 * no record any more, and only files from before. Rule J3.
 */
#include "fsck/core.h"
#include "protocol/type_widening.h"

/* ---- Two schemas ----------------------------------------------------------------------------- */

/* True when the metadata records a change from that type. */
static bool
records_change(dw_fsck *fsck, const dw_field *field, dw_str from)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (dw__fsck_parse(fsck, field->metadata_json, "the metadata", &doc, &ignored) != DW_OK) {
        return false;
    }
    dw_json_iter it = dw__json_iter(dw__json_get(dw__json_root(doc), DW_TYPE_CHANGES_KEY));
    bool found = false;
    while (!found && dw__json_next(&it)) {
        found = dw__str_equal(dw__json_str(dw__json_get(it.value, DW_STR("fromType"))), from);
    }
    return found;
}

/* Which changes of types are looked for: those without a record in the newer schema, or all. */
typedef struct type_search {
    dw_fsck *fsck;
    bool ignores_records;
} type_search;

static bool
is_found(const type_search *search, const dw_field *owner, const dw_type *before,
         const dw_type *now)
{
    bool is_void = before->kind == DW_TYPE_VOID || now->kind == DW_TYPE_VOID; /* not in files */
    if (is_void || dw__type_is_nested(now) || dw__type_is_nested(before) ||
        dw__type_equal(before, now, true)) {
        return false;
    }
    if (search->ignores_records) {
        return true;
    }
    dw_fsck *fsck = search->fsck;
    DW_AUTO(dw_strbuf) from = dw__strbuf_make(fsck->env->allocator, DW_TYPE_TEXT_SIZE * 2);
    dw__type_print(&from, before);
    fsck->is_out_of_memory = fsck->is_out_of_memory || from.failed;
    return !from.failed && !records_change(fsck, owner, dw__strbuf_str(&from));
}

/*
 * The field that `field` was before: by its id, or where one of them has none by its name in files.
 */
static const dw_field *
find_before(const dw_type *before, const dw_field *field)
{
    for (size_t i = 0; i < before->field_count; i++) {
        const dw_field *old = &before->fields[i];
        bool by_id = field->mapping_id >= 0 && old->mapping_id >= 0;
        if (by_id ? old->mapping_id == field->mapping_id
                  : dw__str_equal_nocase(old->physical_name, field->physical_name)) {
            return old;
        }
    }
    return NULL;
}

/*
 * A field of `now` whose type was another one; NULL: none. As deep as schemas, which have a limit.
 */
static const dw_field *
find_change(const type_search *search, const dw_field *owner, const dw_type *before,
            const dw_type *now)
{
    if (before->kind != now->kind || !dw__type_is_nested(now)) {
        return is_found(search, owner, before, now) ? owner : NULL;
    }
    const dw_field *found = NULL;
    for (size_t i = 0; found == NULL && i < now->field_count; i++) {
        const dw_field *old = find_before(before, &now->fields[i]);
        found = old == NULL ? NULL
                            : find_change(search, &now->fields[i], old->type, now->fields[i].type);
    }
    if (found == NULL && now->key != NULL) {
        found = find_change(search, owner, before->key, now->key);
    }
    return found == NULL && now->element != NULL
               ? find_change(search, owner, before->element, now->element)
               : found;
}

static const dw_field *
find_unrecorded(dw_fsck *fsck, const dw_type *before, const dw_type *now)
{
    const type_search search = {.fsck = fsck};
    return find_change(&search, NULL, before, now);
}

/* ---- The types of a time --------------------------------------------------------------------- */

void
dw__fsck_types_deinit(dw_fsck *fsck)
{
    for (size_t i = 0; i < fsck->types.count; i++) {
        dw__arena_deinit(&fsck->types.items[i].arena);
    }
    DW_VEC_DEINIT(fsck->env->allocator, &fsck->types);
}

dw_status
dw__fsck_types_keep(dw_fsck *fsck, dw_error *err)
{
    const dw_fsck_state *state = &fsck->state;
    if (state->schema == NULL) {
        return DW_OK;
    }
    dw_fsck_types *types = DW_VEC_PUSH(fsck->env->allocator, &fsck->types);
    if (types == NULL) {
        return dw__error_oom(err);
    }
    dw_error ignored = DW_ERROR_INIT;
    types->end = fsck->version;
    dw__arena_init(&types->arena, fsck->env->allocator);
    dw_status status = dw__schema_parse("the schema", state->metadata->schema_string, &types->arena,
                                        &types->schema, &ignored);
    return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
}

bool
dw__fsck_types_end(dw_fsck *fsck)
{
    static const type_search any = {.ignores_records = true};
    const dw_type *now = fsck->state.schema;
    size_t count = fsck->types.count;
    dw_fsck_types *last = count == 0 ? NULL : &fsck->types.items[count - 1];
    if (last == NULL || last->end != fsck->version) {
        return false;
    }
    if (now != NULL && last->schema != NULL && find_change(&any, NULL, last->schema, now) != NULL) {
        return true;
    }
    dw__arena_deinit(&last->arena);
    fsck->types.count--;
    return false;
}

/* ---- Files that stay ------------------------------------------------------------------------- */

typedef struct stale_file {
    dw_str path; /* the null string: none was found */
    const dw_field *field;
} stale_file;

/* The types of the time when the path was added; NULL: they are those of now. */
static const dw_fsck_types *
types_of(const dw_fsck *fsck, const dw_fsck_path *path)
{
    for (size_t i = 0; i < fsck->types.count; i++) {
        if (path->first_version < fsck->types.items[i].end) {
            return &fsck->types.items[i];
        }
    }
    return NULL;
}

static dw_status
judge_file(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    stale_file *found = ctx;
    const dw_fsck_types *types = types_of(fsck, path);
    (void) file;
    (void) err;
    /* The files of a clone are older than it: they may have any type that it records. */
    bool is_stale =
        types != NULL && types->unrecorded != NULL && !(path->is_cloned && types->records_reverse);
    if (is_stale && dw__str_is_null(found->path)) {
        *found = (stale_file){path->path, types->unrecorded};
    }
    return DW_OK;
}

dw_status
dw__fsck_check_types(dw_fsck *fsck, dw_error *err)
{
    const dw_type *now = fsck->state.schema;
    bool is_any = false;
    for (size_t i = 0; i < fsck->types.count; i++) {
        dw_fsck_types *types = &fsck->types.items[i];
        types->unrecorded =
            types->schema == NULL ? NULL : find_unrecorded(fsck, types->schema, now);
        types->records_reverse =
            types->unrecorded != NULL && find_unrecorded(fsck, now, types->schema) == NULL;
        is_any = is_any || types->unrecorded != NULL;
    }
    stale_file found = {.path = DW_STR_NULL};
    if (is_any) {
        DW_TRY(dw__fsck_visit_live(fsck, judge_file, &found, err));
    }
    if (!dw__str_is_null(found.path)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "J3", found.path,
                      "the type of column '%.*s' changes without a record in delta.typeChanges, "
                      "and files from before stay",
                      DW_STR_ARG(found.field->name));
    }
    return DW_OK;
}
