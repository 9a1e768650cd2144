/*
 * Statistics out of footers, many files in one query that reads no row. Bounds of whole numbers,
 * decimals, dates and instants are exact in footers; of texts where the writer says so; those of
 * floats say nothing of NaN. Dates and instants before the calendars agree are left to the rows.
 */
#include "codec/uri.h"
#include "upkeep/analyze_core.h"

/* More would make the query too long: then rows are read. */
#define LEAVES_MAX ((size_t) 256)
/* The name of the file and its rows; then of each leaf those of dw_leaf_measure, and whether the
 * bounds are those of all row groups. */
#define CELLS_A_FILE ((size_t) 2)
#define CELLS_A_LEAF (DW_LEAF_CELLS + 1)

/* ---- The query ------------------------------------------------------------------------------- */

static void
put_time(dw_strbuf *out, const char *bound, const char *zone, const char *type)
{
    dw__strbuf_printf(out,
                      "CASE WHEN regexp_full_match(%s, '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d"
                      "(\\.\\d{1,6})?%s') AND %s >= '1900' THEN epoch_us(TRY_CAST(%s AS %s)) END",
                      bound, zone, bound, bound, type);
}

/* The value that a bound is for sure, or NULL. */
static void
put_value(dw_strbuf *out, const dw_type *type, const char *bound)
{
    switch ((unsigned) type->kind) {
    case DW_TYPE_BYTE:
    case DW_TYPE_SHORT:
    case DW_TYPE_INTEGER:
    case DW_TYPE_LONG:
        dw__strbuf_printf(out, "TRY_CAST(%s AS BIGINT)", bound);
        break;
    case DW_TYPE_DECIMAL:
        dw__strbuf_printf(out, "TRY_CAST(%s AS DECIMAL(%u,%u))", bound, type->precision,
                          type->scale);
        break;
    case DW_TYPE_DATE:
        dw__strbuf_printf(out,
                          "CASE WHEN TRY_CAST(%s AS DATE) >= DATE '1582-10-15' "
                          "THEN TRY_CAST(%s AS DATE) END",
                          bound, bound);
        break;
    case DW_TYPE_TIMESTAMP:
        put_time(out, bound, "[+-]\\d\\d(:\\d\\d)?", "TIMESTAMPTZ");
        break;
    case DW_TYPE_TIMESTAMP_NTZ:
        put_time(out, bound, "", "TIMESTAMP");
        break;
    case DW_TYPE_STRING: /* bytes that are no text are printed with backslashes */
        dw__strbuf_printf(out, "CASE WHEN e AND NOT contains(%s, '\\') THEN %s END", bound, bound);
        break;
    default:
        dw__strbuf_append_literal(out, "CAST(NULL AS VARCHAR)");
    }
}

static void
put_bound(dw_strbuf *out, const char *function, const dw_type *type, const char *bound, dw_str path)
{
    dw__strbuf_printf(out, ", CAST(%s(", function);
    put_value(out, type, bound);
    dw__strbuf_append_literal(out, ") FILTER (WHERE p = ");
    dw__sql_put_literal(out, path);
    dw__strbuf_append_literal(out, ") AS VARCHAR)");
}

/* As the engine spells the path of a column: parts with ", " between. */
static void
put_leaf(dw_strbuf *out, const dw_column_path *leaf, dw_strbuf *path)
{
    dw__strbuf_clear(path);
    for (size_t i = 0; i < leaf->count; i++) {
        dw__strbuf_append(path, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__strbuf_append(path, leaf->parts[i]);
    }
    dw_str name = dw__strbuf_str(path);
    dw__strbuf_append_literal(out, ", CASE WHEN bool_and(z IS NOT NULL) FILTER (WHERE p = ");
    dw__sql_put_literal(out, name);
    dw__strbuf_append_literal(out, ") THEN sum(n - z) FILTER (WHERE p = ");
    dw__sql_put_literal(out, name);
    dw__strbuf_append_literal(out, ") END");
    put_bound(out, "min", leaf->type, "lo", name);
    put_bound(out, "max", leaf->type, "hi", name);
    dw__strbuf_append_literal(out, ", NULL, bool_and(coalesce(z = n, false) OR (");
    put_value(out, leaf->type, "lo");
    dw__strbuf_append_literal(out, " IS NOT NULL AND ");
    put_value(out, leaf->type, "hi");
    dw__strbuf_append_literal(out, " IS NOT NULL)) FILTER (WHERE p = ");
    dw__sql_put_literal(out, name);
    dw__strbuf_append_char(out, ')');
    out->failed = out->failed || path->failed;
}

static void
print_query(const dw_analyzing *a, const dw_str *paths, size_t count, dw_strbuf *out)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(out->allocator, DW_ANALYZE_TEXT_BYTES_MAX);
    dw__strbuf_append_literal(out, "SELECT f, sum(n) FILTER (WHERE c = 0)");
    for (size_t i = 0; i < a->leaf_count; i++) {
        if (a->leaves[i].is_wanted) {
            put_leaf(out, &a->paths[i], &path);
        }
    }
    dw__strbuf_append_literal(
        out, " FROM (SELECT file_name AS f, path_in_schema AS p, column_id AS c, "
             "row_group_num_rows AS n, stats_null_count AS z, stats_min_value AS lo, "
             "stats_max_value AS hi, coalesce(min_is_exact AND max_is_exact, false) AS e "
             "FROM parquet_metadata([");
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(out, paths[i]);
    }
    dw__strbuf_append_literal(out, "])) GROUP BY f");
}

/* ---- The files ------------------------------------------------------------------------------- */

/* Names of the engine's lists of files may be patterns. */
static bool
is_plain(dw_str path)
{
    bool plain = true;
    for (size_t i = 0; i < path.len && plain; i++) {
        plain = strchr("*?[]{}\\", path.ptr[i]) == NULL;
    }
    return plain;
}

static void
take_leaf(const dw_analyze_leaf *leaf, const dw_str *cells, dw_arena *arena,
          dw_analyze_measure *out)
{
    const dw_type *type = leaf->column.path.type;
    dw__leaf_measure_read(type, cells, arena, &out->leaf);
    bool is_bounded = dw__str_equal(cells[DW_LEAF_CELLS], DW_STR("true"));
    out->is_known =
        out->leaf.has_value_count && (!dw__stats_has_bounds(type) || out->leaf.value_count == 0 ||
                                      (is_bounded && out->leaf.has_min && out->leaf.has_max));
}

static void
take_file(const dw_analyzing *a, const dw_str *cells, dw_arena *arena, dw_analyze_file *file)
{
    file->has_row_count = !dw__str_is_null(cells[1]) && dw__str_to_i64(cells[1], &file->row_count);
    const dw_str *at = cells + CELLS_A_FILE;
    for (size_t i = 0; i < a->leaf_count; i++) {
        if (a->leaves[i].is_wanted) {
            take_leaf(&a->leaves[i], at, arena, &file->leaves[i]);
            at += CELLS_A_LEAF;
        }
    }
}

static dw_status
query(dw_analyzing *a, dw_analyze_file *const *files, const dw_str *paths, size_t count,
      dw_arena *scratch, dw_error *err)
{
    dw_text_rows rows;
    dw_error detail = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(scratch->allocator, DW_ANALYZE_TEXT_BYTES_MAX);
    print_query(a, paths, count, &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the query", err));
    dw_status status = dw__connection_query_text(a->upkeep->connection, dw__strbuf_str(&sql),
                                                 scratch, &rows, &detail);
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(err, &detail);
        return status;
    }
    for (size_t r = 0; status == DW_OK && r < rows.row_count; r++) {
        const dw_str *cells = &rows.cells[r * rows.column_count];
        for (size_t i = 0; i < count; i++) {
            if (dw__str_equal(paths[i], cells[0])) {
                take_file(a, cells, scratch, files[i]);
            }
        }
    }
    return DW_OK; /* what is wrong with a file shows when it is read */
}

dw_status
dw__analyze_footers(dw_analyzing *a, dw_analyze_file *files, size_t count, dw_arena *scratch,
                    dw_error *err)
{
    dw_mapping_mode mode = dw__log_snapshot_properties(a->snapshot)->mapping_mode;
    dw_str paths[DW_ANALYZE_FILES];
    dw_analyze_file *asked[DW_ANALYZE_FILES];
    size_t asked_count = 0;
    for (size_t i = 0; i < count; i++) {
        dw_str path;
        DW_TRY(dw__uri_resolve(scratch, dw__table_root(a->table), files[i].add.path, &path, err));
        if (files[i].add.dv == NULL && is_plain(path)) {
            asked[asked_count] = &files[i];
            paths[asked_count++] = path;
        }
    }
    bool has_names = mode != DW_MAPPING_ID && a->leaf_count <= LEAVES_MAX;
    return asked_count > 0 && has_names ? query(a, asked, paths, asked_count, scratch, err) : DW_OK;
}
