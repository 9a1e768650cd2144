/*
 * See upkeep_table.h.
 */
#include "upkeep_table.h"

#include "base/assert.h"
#include "table/file_rewrite.h"
#include "upkeep/arrangement.h"
#include "upkeep/optimize_core.h"

/* ---- table/table.h --------------------------------------------------------------------------- */

dw_status
dw__table_open(const dw_env *env, dw_database *database, dw_str uri, dw_table **out, dw_error *err)
{
    (void) env;
    (void) database;
    (void) uri;
    (void) out;
    (void) err;
    dw_unreachable("no table of the simulator is opened by its name");
}

dw_table *
dw__table_ref(dw_table *table)
{
    return table;
}

void
dw__table_unref(dw_table *table)
{
    (void) table;
}

dw_str
dw__table_root(const dw_table *table)
{
    return table->root;
}

dw_log *
dw__table_log(dw_table *table)
{
    return table->log;
}

dw_storage *
dw__table_storage(dw_table *table)
{
    return table->storage;
}

const dw_riders *
dw__table_riders(const dw_table *table)
{
    static const dw_riders none = {.user_metadata = {NULL, 0}};
    (void) table;
    return &none;
}

dw_log_snapshot *
dw__table_planned(const dw_table *table)
{
    (void) table;
    return NULL;
}

void
dw__table_set_planned(dw_table *table, dw_log_snapshot *snapshot)
{
    (void) table;
    (void) snapshot;
    dw_unreachable("nothing is planned here");
}

dw_database *
dw__table_database(dw_table *table)
{
    return table->database;
}

const dw_env *
dw__table_env(const dw_table *table)
{
    return table->env;
}

/* ---- table/file_rewrite.h -------------------------------------------------------------------- */

static dw_status
ignore_stats(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) ctx;
    (void) ref;
    (void) stats;
    (void) err;
    return DW_OK;
}

static dw_status
write_again(dw_table *table, const dw_file_set *set, dw_file_ref ref, dw_arena *arena, dw_file *out,
            dw_error *err)
{
    DW_TRY(dw__file_set_get((dw_file_set *) (uintptr_t) set, ref, arena, out, err));
    dw_str origin = dw__str_slice(out->path, 0, dw__str_find(out->path, '~'));
    out->path =
        dw__arena_printf(arena, "%.*s~%s", DW_STR_ARG(origin), life_new_path(table->self).ptr);
    out->has_base_row_id = false;
    out->has_default_row_commit_version = false;
    out->tags_json = DW_STR_NULL;
    out->clustering_provider = DW_STR_NULL;
    out->data_change = false;
    dml_put_file(table->all, table->self->actor, out->path);
    return DW_OK;
}

dw_status
dw__file_rewrite_rows(dw_file_rewrite *rewrite, dw_table *table, dw_log_snapshot *snapshot,
                      dw_arena *arena, dw_error *err)
{
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    dw_data_files *written = &rewrite->written;
    *written = (dw_data_files){.adds = DW_ARENA_ARRAY(arena, dw_file, rewrite->file_count + 1)};
    dw_assert(written->adds != NULL);
    DW_TRY(dw__file_set_visit_stats(set, ignore_stats, NULL, err));
    for (size_t i = 0; i < rewrite->file_count; i++) {
        DW_TRY(write_again(table, set, rewrite->files[i], arena, &written->adds[i], err));
        written->count++;
        written->size_bytes += written->adds[i].size_bytes;
    }
    return DW_OK;
}

dw_status
dw__file_rewrite(dw_file_rewrite *rewrite, dw_change *change, dw_error *err)
{
    (void) rewrite;
    (void) change;
    (void) err;
    dw_unreachable("no command that looks after a table asks for it");
}

/* ---- upkeep/optimize_copy.c, upkeep/arrangement.h -------------------------------------------- */

dw_status
dw__optimize_may_copy(dw_optimize *o, bool *out, dw_error *err)
{
    (void) o;
    (void) err;
    *out = false;
    return DW_OK;
}

dw_status
dw__optimize_copy(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_data_files *out,
                  bool *copied_out, dw_error *err)
{
    (void) o;
    (void) bin;
    (void) arena;
    (void) out;
    (void) copied_out;
    (void) err;
    dw_unreachable("no bytes are copied");
}

dw_row_arrangement
dw__arrangement_of(dw_arrangement *arrangement)
{
    (void) arrangement;
    return (dw_row_arrangement){0};
}

void
dw__arrangement_close(dw_arrangement *arrangement)
{
    (void) arrangement;
}
