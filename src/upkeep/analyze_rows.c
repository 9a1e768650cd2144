/*
 * Statistics out of rows: one query over the files of which footers do not say all, for the columns
 * that some of them do not say.
 */
#include "codec/codec.h"
#include "scan/dv.h"
#include "scan/scan.h"
#include "upkeep/analyze_core.h"

#define SCAN_PREFIX "deltaworks_analyze_"
/* Before the cells of the leaves: the place of the file, and how many rows it has. */
#define CELLS_A_FILE ((size_t) 2)

typedef struct asking {
    dw_analyzing *a;
    dw_arena *scratch;
    dw_analyze_file *files[DW_ANALYZE_FILES];
    dw_file_ref refs[DW_ANALYZE_FILES];
    dw_rowset *deleted[DW_ANALYZE_FILES]; /* what each file leaves out */
    dw_rowset *none;
    size_t count;
    bool *is_asked; /* each leaf */
} asking;

/* ---- Which ----------------------------------------------------------------------------------- */

static bool
is_known(const dw_analyzing *a, const dw_analyze_file *file)
{
    bool known = file->has_row_count;
    for (size_t i = 0; i < a->leaf_count && known; i++) {
        known = !a->leaves[i].is_wanted || file->leaves[i].is_known || file->leaves[i].is_ignored;
    }
    return known;
}

static void
choose_leaves(asking *q, const dw_analyze_file *file)
{
    for (size_t i = 0; i < q->a->leaf_count; i++) {
        q->is_asked[i] =
            q->is_asked[i] ||
            (q->a->leaves[i].is_wanted && !file->leaves[i].is_known && !file->leaves[i].is_ignored);
    }
}

static dw_status
choose(asking *q, dw_analyze_file *files, size_t count, dw_error *err)
{
    q->is_asked = DW_ARENA_ARRAY(q->scratch, bool, q->a->leaf_count + 1);
    if (q->is_asked == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__rowset_new(q->scratch->allocator, &q->none, err));
    for (size_t i = 0; i < count; i++) {
        if (is_known(q->a, &files[i])) {
            continue;
        }
        choose_leaves(q, &files[i]);
        dw_rowset *deleted = q->none;
        if (files[i].add.dv != NULL) {
            DW_TRY(dw__dv_read(dw__table_storage(q->a->table), files[i].add.dv, q->scratch,
                               &deleted, err));
        }
        q->deleted[q->count] = deleted;
        q->refs[q->count] = files[i].ref;
        q->files[q->count++] = &files[i];
    }
    return DW_OK;
}

static void
release(asking *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->deleted[i] != q->none) {
            dw__rowset_free(q->deleted[i]);
        }
    }
    dw__rowset_free(q->none);
}

/* ---- The query ------------------------------------------------------------------------------- */

static void
print_query(const asking *q, dw_str view, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "SELECT " DW_SCAN_FILE_COLUMN ", count(*)");
    for (size_t i = 0; i < q->a->leaf_count; i++) {
        if (q->is_asked[i]) {
            dw__leaf_measure_put(out, q->a->paths[i].type, q->a->leaves[i].sql);
        }
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, view);
    dw__strbuf_append_literal(out, " GROUP BY " DW_SCAN_FILE_COLUMN);
}

/* `cells` NULL: no row is left in the file. */
static void
take_file(const asking *q, const dw_str *cells, dw_analyze_file *file)
{
    const dw_str *at = cells == NULL ? NULL : cells + CELLS_A_FILE;
    file->row_count = 0;
    file->has_row_count = cells == NULL || dw__str_to_i64(cells[1], &file->row_count);
    for (size_t i = 0; i < q->a->leaf_count; i++) {
        dw_analyze_measure *out = &file->leaves[i];
        if (!q->is_asked[i]) {
            continue;
        }
        *out = (dw_analyze_measure){.is_ignored = out->is_ignored, .is_known = true};
        if (at == NULL) {
            out->leaf.has_value_count = true;
        } else {
            dw__leaf_measure_read(q->a->paths[i].type, at, q->scratch, &out->leaf);
            at += DW_LEAF_CELLS;
        }
    }
}

static dw_analyze_file *
find_file(const asking *q, dw_file_ref ref)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->refs[i].block == ref.block && q->refs[i].row == ref.row) {
            return q->files[i];
        }
    }
    return NULL;
}

static void
take_rows(const asking *q, const dw_scan *scan, const dw_text_rows *rows)
{
    size_t count;
    const dw_file_ref *refs = dw__scan_files(scan, 0, &count);
    for (size_t i = 0; i < q->count; i++) {
        take_file(q, NULL, q->files[i]);
    }
    for (size_t i = 0; i < rows->row_count; i++) {
        const dw_str *cells = &rows->cells[i * rows->column_count];
        int64_t idx = -1;
        bool is_place = dw__str_to_i64(cells[0], &idx) && idx >= 0 && (size_t) idx < count;
        dw_analyze_file *file = is_place ? find_file(q, refs[idx]) : NULL;
        if (file != NULL) {
            take_file(q, cells, file);
        }
    }
}

static dw_status
ask(asking *q, dw_error *err)
{
    dw_connection *connection = q->a->upkeep->connection;
    char name[sizeof(SCAN_PREFIX) + DW_UUID_TEXT_SIZE] = SCAN_PREFIX;
    dw__uuid_make(q->a->upkeep->env, name + sizeof(SCAN_PREFIX) - 1);
    dw_scan_rows rows = {
        .files = q->refs, .rows = q->deleted, .count = q->count, .are_left_out = true};
    dw_scan_source source = {.name = dw__str_from(name),
                             .snapshot = q->a->snapshot,
                             .rows = &rows,
                             .with_positions = true};
    dw_scan *scan;
    dw_text_rows cells;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(q->scratch->allocator, DW_ANALYZE_TEXT_BYTES_MAX);
    print_query(q, source.name, &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the query", err));
    DW_TRY(dw__scan_open(connection, dw__table_database(q->a->table), DW_STR(""), &source, 1, &scan,
                         err));
    dw_status status =
        dw__connection_query_text(connection, dw__strbuf_str(&sql), q->scratch, &cells, err);
    if (status == DW_OK) {
        take_rows(q, scan, &cells);
        q->a->result->read_count += (int64_t) q->count;
    } else if (err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

dw_status
dw__analyze_rows(dw_analyzing *a, dw_analyze_file *files, size_t count, dw_arena *scratch,
                 dw_error *err)
{
    asking q = {.a = a, .scratch = scratch};
    dw_status status = choose(&q, files, count, err);
    if (status == DW_OK && q.count > 0) {
        status = ask(&q, err);
    }
    release(&q);
    return status;
}
