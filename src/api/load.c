/*
 * Loading files through a session.
 */
#include "table/load.h"
#include "api/handles.h"
#include "api/options.h"
#include "sql/sql.h"

static dw_status
choose_columns(const dw_load_options *options, dw_load_spec *spec, dw_error *err)
{
    bool merges = DW_HAS_OPTION(options, merge_schema) && options->merge_schema;
    bool replaces = DW_HAS_OPTION(options, overwrite_schema) && options->overwrite_schema;
    if (merges && replaces) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "expected merge_schema or overwrite_schema, found both");
    }
    spec->columns_become = replaces ? DW_COLUMNS_REPLACED
                           : merges ? DW_COLUMNS_MERGED
                                    : DW_COLUMNS_STAY;
    return DW_OK;
}

static dw_status
fill_spec(const dw_load_options *options, dw_arena *arena, dw_load_spec *spec, dw_error *err)
{
    dw_load_options defaults = DW_LOAD_OPTIONS_INIT;
    if (options == NULL) {
        options = &defaults;
    }
    if (!DW_HAS_OPTION(options, user_metadata)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARGUMENT_RANGE",
                             "options->size is too small: use DW_LOAD_OPTIONS_INIT");
    }
    spec->mode = options->mode;
    spec->format = options->format;
    spec->force = options->force;
    spec->txn_app_id = dw__str_from(options->txn_app_id);
    spec->txn_version = options->txn_app_id == NULL ? -1 : options->txn_version;
    spec->user_metadata = dw__str_from(options->user_metadata);
    DW_TRY(choose_columns(options, spec, err));
    DW_TRY(dw__options_strings(options->partition_columns, arena, &spec->partition_columns,
                               &spec->partition_column_count, err));
    DW_TRY(dw__options_pairs(options->property_keys, options->property_values, arena,
                             &spec->properties, err));
    return dw__options_pairs(options->option_keys, options->option_values, arena,
                             &spec->format_options, err);
}

dw_status
dw_session_load(dw_session *session, const char *uri, const char *const *files,
                const dw_load_options *options, dw_load *out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = (dw_load){.commit.version = -1};
    DW_REQUIRE(session);
    DW_REQUIRE(uri);
    DW_REQUIRE(files);
    DW_REQUIRE(files[0]);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_load_spec spec = {.create = true};
    DW_TRY(fill_spec(options, &arena, &spec, err));
    DW_TRY(dw__options_strings(files, &arena, &spec.files, &spec.file_count, err));
    dw_load_result result;
    DW_TRY(dw__session_load(session, dw__str_from(uri), &spec, &result, err));
    *out = (dw_load){.commit = {.version = result.write.version,
                                .rows_added = result.write.rows_added,
                                .files_added = result.write.files_added,
                                .bytes_added = result.write.bytes_added,
                                .skipped_as_duplicate = result.write.was_duplicate},
                     .files_loaded = result.files_loaded,
                     .files_skipped = result.files_skipped,
                     .created = result.created};
    return DW_OK;
}
