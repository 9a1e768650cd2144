/*
 * Which partitions an INSERT OVERWRITE replaces, and which files are in them. [PARTITIONS-1]
 */
#include "base/assert.h"
#include "protocol/value.h"
#include "table/write_core.h"

#define KEY_BYTES_MAX ((size_t) 16 << 20)

/* Where partition values are read from: a live file's, or those of an add. */
typedef struct value_source {
    const dw_file_set *files;
    dw_file_ref ref;
    const dw_pairs *pairs; /* not NULL: these */
} value_source;

static dw_str
value_text(const value_source *source, dw_str physical_name)
{
    if (source->pairs == NULL) {
        return dw__file_set_partition_value(source->files, source->ref, physical_name);
    }
    const dw_str *value = dw__pairs_get(source->pairs, physical_name);
    return value == NULL ? DW_STR_NULL : *value;
}

/* ---- Static partitions ----------------------------------------------------------------------- */

static dw_status
matches_static(const dw_write *write, const value_source *source, dw_arena *scratch, bool *out,
               dw_error *err)
{
    const dw_pairs *wanted = &write->spec->static_partitions;
    *out = true;
    for (size_t i = 0; i < wanted->count && *out; i++) {
        const dw_field *field = dw__schema_find(write->schema, wanted->items[i].key);
        dw_assert(field != NULL);
        dw_str text = value_text(source, field->physical_name);
        dw_value have;
        dw_value want;
        DW_TRY(dw__partition_value_parse(field, text, scratch, &have, err));
        DW_TRY(dw__partition_value_parse(field, wanted->items[i].value, scratch, &want, err));
        bool comparable = true;
        bool is_null = have.kind == DW_VALUE_NULL || want.kind == DW_VALUE_NULL;
        *out = is_null ? have.kind == want.kind
                       : dw__value_compare(&have, &want, &comparable) == 0 && comparable;
    }
    return DW_OK;
}

/* ---- Dynamic partitions ---------------------------------------------------------------------- */

/* "3:day,-:,": each value as we would spell it, behind its length. */
static dw_status
print_key(const dw_write *write, const value_source *source, dw_arena *scratch, dw_strbuf *out,
          dw_error *err)
{
    dw__strbuf_clear(out);
    for (size_t i = 0; i < write->metadata->partition_column_count; i++) {
        const dw_field *field =
            dw__schema_find(write->schema, write->metadata->partition_columns[i]);
        dw_assert(field != NULL); /* or nothing had been written */
        dw_value value;
        dw_str text;
        DW_TRY(dw__partition_value_parse(field, value_text(source, field->physical_name), scratch,
                                         &value, err));
        DW_TRY(dw__partition_value_print(field, &value, scratch, &text, err));
        if (dw__str_is_null(text)) {
            dw__strbuf_append_literal(out, "-:,");
        } else {
            dw__strbuf_printf(out, "%zu:%.*s,", text.len, DW_STR_ARG(text));
        }
    }
    return dw__strbuf_ok(out, "a partition", err);
}

static dw_status
add_file(dw_partition_set *set, const dw_file *file, dw_error *err)
{
    dw_str key;
    bool is_new;
    value_source source = {.pairs = &file->partition_values};
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(set->arena->allocator, KEY_BYTES_MAX);
    DW_TRY(print_key(set->write, &source, set->arena, &text, err));
    return dw__arena_dup(set->arena, dw__strbuf_str(&text), &key) &&
                   dw__map_put(&set->keys, key, &is_new) != NULL
               ? DW_OK
               : dw__error_oom(err);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static dw_status
has(const dw_partition_set *set, const value_source *source, bool *out, dw_error *err)
{
    *out = true;
    if (set->holds_all) {
        return DW_OK;
    }
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, set->arena->allocator);
    DW_TRY(matches_static(set->write, source, &scratch, out, err));
    if (!*out || !set->has_keys) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(set->arena->allocator, KEY_BYTES_MAX);
    DW_TRY(print_key(set->write, source, &scratch, &key, err));
    *out = dw__map_get(&set->keys, dw__strbuf_str(&key)) != NULL;
    return DW_OK;
}

dw_status
dw__partition_set_init(dw_partition_set *set, const dw_write *write, const dw_data_files *files,
                       dw_error *err)
{
    bool is_dynamic = write->spec->is_dynamic && write->metadata->partition_column_count > 0;
    *set = (dw_partition_set){.write = write,
                              .has_keys = is_dynamic,
                              .holds_all = !is_dynamic && write->spec->static_partitions.count == 0,
                              .arena = write->arena};
    dw__map_init(&set->keys, write->arena->allocator);
    for (size_t i = 0; is_dynamic && i < files->count; i++) {
        DW_TRY(add_file(set, &files->adds[i], err));
    }
    return DW_OK;
}

void
dw__partition_set_deinit(dw_partition_set *set)
{
    dw__map_deinit(&set->keys);
}

dw_status
dw__partition_set_has(const dw_partition_set *set, dw_file_ref ref, bool *out, dw_error *err)
{
    value_source source = {.files = dw__log_snapshot_files(set->write->snapshot), .ref = ref};
    return has(set, &source, out, err);
}

dw_status
dw__partition_set_find(void *ctx, const dw_action *actions, size_t count, bool *found,
                       dw_error *err)
{
    const dw_partition_set *set = ctx;
    for (size_t i = 0; i < count; i++) {
        value_source source = {.pairs = &actions[i].as.file.partition_values};
        if (actions[i].kind == DW_ACTION_ADD) {
            DW_TRY(has(set, &source, &found[i], err));
        }
    }
    return DW_OK;
}
