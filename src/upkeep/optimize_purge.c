/*
 * Files with columns that the table dropped, for REORG TABLE ... APPLY (PURGE). Only a table that
 * maps its columns can drop some without writing its files again.
 */
#include "codec/uri.h"
#include "parquet/source.h"
#include "scan/scan.h"
#include "upkeep/file_columns.h"
#include "upkeep/optimize_core.h"

static dw_status
has_dropped(dw_optimize *o, const dw_optimize_file *file, dw_arena *scratch, bool *out,
            dw_error *err)
{
    const dw_file_set *set = dw__log_snapshot_files(o->snapshot);
    dw_str path = dw__file_set_path(set, file->ref);
    dw_pq_source source = {.storage = dw__table_storage(o->spec->table),
                           .size_bytes = dw__file_set_file_size(set, file->ref)};
    dw_pq_footer footer;
    dw_str bytes;
    *out = true; /* what cannot be looked into is written again by the engine, or fails there */
    if (dw__uri_is_absolute(path)) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) end =
        dw__strbuf_make(scratch->allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    DW_TRY(dw__uri_canonical(scratch, path, &source.key, err));
    DW_TRY(dw__pq_source_footer(&source, &end, &bytes, err));
    DW_TRY(dw__pq_footer_parse(bytes, scratch, &footer, err));
    dw_row_id_columns ids = dw__scan_row_id_columns(o->snapshot);
    *out = !dw__file_has_only(&footer, dw__log_snapshot_schema(o->snapshot), DW_MAPPING_NONE, &ids);
    return DW_OK;
}

dw_status
dw__optimize_find_dropped(dw_optimize *o, dw_error *err)
{
    if (dw__log_snapshot_properties(o->snapshot)->mapping_mode == DW_MAPPING_NONE) {
        return DW_OK;
    }
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, o->arena.allocator);
    for (size_t i = 0; i < o->file_count; i++) {
        bool has;
        dw_status status = DW_OK;
        DW_TRY(dw__upkeep_check(o->upkeep, err));
        if (!o->files[i].is_due) {
            status = has_dropped(o, &o->files[i], &scratch, &has, err);
            o->files[i].is_due = has;
        }
        if (status != DW_OK && status != DW_UNSUPPORTED) {
            return status;
        }
        dw__error_clear(err);
        dw__arena_reset(&scratch);
    }
    return DW_OK;
}
