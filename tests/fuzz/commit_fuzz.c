/*
 * Commit files. Whatever parses prints, and the print parses to the same print; what the actions
 * hold is looked into as a reader would.
 */
#include "fuzz.h"

#include "codec/uri.h"
#include "protocol/feature.h"
#include "protocol/property.h"
#include "protocol/stats.h"

typedef struct commit_walk {
    dw_arena *arena;
    dw_strbuf *printed;
} commit_walk;

static void
look_into_file(const dw_file *file, dw_arena *arena)
{
    dw_str text;
    dw_file_stats stats;
    dw_file copy;
    bool absolute;
    fuzz_run(dw__uri_canonical(arena, file->path, &text, NULL));
    fuzz_run(dw__uri_resolve(arena, DW_STR("/t"), file->path, &text, NULL));
    dw__stats_read_counts(file->stats, &stats);
    fuzz_run(dw__dv_unique_id(file->dv, arena, &text, NULL));
    if (file->dv != NULL && file->dv->storage_type != 'i') {
        fuzz_run(dw__dv_path(file->dv, arena, &text, &absolute, NULL));
    }
    dw_assert(dw__file_dup(arena, file, &copy));
}

static void
look_into_metadata(const dw_metadata *metadata, dw_arena *arena)
{
    dw_properties properties;
    dw_metadata copy;
    const dw_type *schema;
    dw_protocol protocol;
    dw__properties_read(&metadata->configuration, &properties, NULL);
    dw_assert(dw__metadata_dup(arena, metadata, &copy));
    dw_status status =
        dw__schema_parse("the schema", metadata->schema_string, arena, &schema, NULL);
    if (status == DW_OK && dw__protocol_for_new_table(schema, &metadata->configuration, arena,
                                                      &protocol, NULL) == DW_OK) {
        fuzz_run(dw__protocol_check_write(&protocol, schema, NULL));
    }
}

static dw_status
visit(void *ctx, const dw_action *action, dw_error *err)
{
    (void) err;
    commit_walk *walk = ctx;
    dw_commit_info info;
    if (action->kind == DW_ACTION_ADD || action->kind == DW_ACTION_REMOVE) {
        look_into_file(&action->as.file, walk->arena);
    } else if (action->kind == DW_ACTION_METADATA) {
        look_into_metadata(&action->as.metadata, walk->arena);
    } else if (action->kind == DW_ACTION_PROTOCOL) {
        fuzz_run(dw__protocol_check_read(&action->as.protocol, NULL));
    } else if (action->kind == DW_ACTION_COMMIT_INFO) {
        fuzz_run(dw__commit_info_parse(action->as.json, walk->arena, &info, NULL));
    }
    dw__action_print(walk->printed, action);
    return DW_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_strbuf) once = fuzz_strbuf();
    DW_AUTO(dw_strbuf) twice = fuzz_strbuf();
    dw_error err = DW_ERROR_INIT;
    commit_walk walk = {&arena, &once};
    dw_status status = dw__actions_parse(fuzz_text(data, size), &arena, visit, &walk, &err);
    dw_assert((status == DW_OK) == (err.status == DW_OK));
    dw_assert(strchr(err.message, '\n') == NULL);
    if (status == DW_OK) {
        walk.printed = &twice;
        status = dw__actions_parse(dw__strbuf_str(&once), &arena, visit, &walk, &err);
        dw_assert(status == DW_OK);
        dw_assert(dw__str_equal(dw__strbuf_str(&once), dw__strbuf_str(&twice)));
    }
    return 0;
}
