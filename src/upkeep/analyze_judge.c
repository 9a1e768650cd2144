/*
 * Are the statistics of an add right? Bounds are when they enclose the values and are no wider than
 * what would be written now; so those that others cut or print in another way stay. [ANALYZE-2]
 */
#include "codec/codec.h"
#include "upkeep/analyze_core.h"

/* Others cut texts elsewhere, and mark the cut with a character of up to so many bytes. */
#define CUT_BYTES ((size_t) 4)

typedef struct judging {
    const dw_analyzing *a;
    const dw_analyze_file *file;
    dw_arena *arena;
    dw_file_stats counts;     /* that the add has */
    dw_column_stats *said;    /* by the add */
    dw_column_stats *written; /* as what is to be written reads */
    dw_stats_entry *entries;  /* what is to be written */
    int64_t physical_rows;    /* deleted ones counted */
    bool is_partial;          /* some leaf is not known, so that what is said of it stays */
} judging;

/* ---- What is to be written ------------------------------------------------------------------- */

static dw_status
make_entries(judging *j, dw_json root, dw_error *err)
{
    for (size_t i = 0; i < j->a->leaf_count; i++) {
        const dw_analyze_measure *measure = &j->file->leaves[i];
        dw_stats_entry *entry = &j->entries[i];
        *entry = (dw_stats_entry){
            .column = j->a->paths[i], .min_text = DW_STR_NULL, .max_text = DW_STR_NULL};
        if (measure->is_ignored || !measure->is_known) {
            entry->stats = j->said[i];
            DW_TRY(dw__stats_keep_texts(root, j->arena, entry, err));
            continue;
        }
        const dw_leaf_measure *leaf = &measure->leaf;
        entry->stats = (dw_column_stats){.has_min = leaf->has_min && !leaf->has_nan,
                                         .has_max = leaf->has_max && !leaf->has_nan,
                                         .has_null_count = leaf->has_value_count,
                                         .min = leaf->min,
                                         .max = leaf->max};
        entry->stats.null_count =
            leaf->has_value_count ? j->file->row_count - leaf->value_count : 0;
    }
    return DW_OK;
}

static dw_status
print(judging *j, dw_str *out, dw_error *err)
{
    const dw_properties *properties = dw__log_snapshot_properties(j->a->snapshot);
    dw_file_stats counts;
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(j->arena->allocator, DW_ANALYZE_TEXT_BYTES_MAX);
    bool is_tight = !j->is_partial || dw__str_is_null(j->file->add.stats) ||
                    (j->counts.has_num_records && j->counts.tight_bounds);
    DW_TRY(dw__stats_print(&json, j->physical_rows, is_tight, j->entries, j->a->leaf_count,
                           properties->data_skipping_string_prefix_length, err));
    bool ok = dw__arena_dup(j->arena, dw__strbuf_str(&json), out) &&
              dw__stats_read(*out, j->a->paths, j->a->leaf_count, j->arena, &counts, j->written);
    return ok ? DW_OK : dw__error_oom(err);
}

/* ---- What is said ---------------------------------------------------------------------------- */

/* Floats count as equal up to single precision: they may have been narrower when the statistics
 * were written. */
static int
compare(const dw_type *type, const dw_value *a, const dw_value *b)
{
    bool comparable;
    double x, y;
    int order = dw__value_compare(a, b, &comparable);
    bool is_float = type->kind == DW_TYPE_FLOAT || type->kind == DW_TYPE_DOUBLE;
    bool is_close = is_float && dw__value_to_double(a, &x) && dw__value_to_double(b, &y) &&
                    (float) x >= (float) y && (float) x <= (float) y;
    return is_close ? 0 : order;
}

static bool
is_cut_elsewhere(const dw_value *said, const dw_value *written)
{
    return said->kind == DW_VALUE_STR && written->kind == DW_VALUE_STR &&
           said->as.str.len + CUT_BYTES >= written->as.str.len;
}

/* `sign` is 1 for a lower bound, -1 for an upper one. */
static dw_analyze_verdict
judge_bound(const dw_type *type, const dw_value *said, const dw_value *written,
            const dw_value *real, int sign)
{
    if (real != NULL && said != NULL && sign * compare(type, said, real) > 0) {
        return DW_STATS_WRONG;
    }
    if (written == NULL) {
        return DW_STATS_RIGHT;
    }
    bool is_wide = said == NULL ||
                   (sign * compare(type, said, written) < 0 && !is_cut_elsewhere(said, written));
    return is_wide ? DW_STATS_IMPRECISE : DW_STATS_RIGHT;
}

static dw_analyze_verdict
judge_nulls(const judging *j, const dw_column_stats *said, const dw_column_stats *written)
{
    if (!written->has_null_count) {
        return DW_STATS_RIGHT;
    }
    if (!said->has_null_count) {
        return DW_STATS_IMPRECISE;
    }
    bool is_wrong = j->counts.tight_bounds ? said->null_count != written->null_count
                                           : said->null_count == 0 && written->null_count != 0;
    return is_wrong ? DW_STATS_WRONG : DW_STATS_RIGHT;
}

static dw_analyze_verdict
judge_leaf(const judging *j, size_t idx)
{
    const dw_type *type = j->a->paths[idx].type;
    const dw_leaf_measure *real = &j->file->leaves[idx].leaf;
    const dw_column_stats *said = &j->said[idx], *written = &j->written[idx];
    dw_analyze_verdict verdicts[] = {judge_nulls(j, said, written),
                                     judge_bound(type, said->has_min ? &said->min : NULL,
                                                 written->has_min ? &written->min : NULL,
                                                 real->has_min ? &real->min : NULL, 1),
                                     judge_bound(type, said->has_max ? &said->max : NULL,
                                                 written->has_max ? &written->max : NULL,
                                                 real->has_max ? &real->max : NULL, -1)};
    dw_analyze_verdict worst = DW_STATS_RIGHT;
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (verdicts[i] == DW_STATS_WRONG || worst == DW_STATS_RIGHT) {
            worst = verdicts[i];
        }
    }
    return worst;
}

static dw_analyze_verdict
judge(const judging *j)
{
    if (!j->counts.has_num_records) {
        return DW_STATS_MISSING;
    }
    if (j->counts.num_records != j->physical_rows) {
        return DW_STATS_WRONG;
    }
    dw_analyze_verdict worst =
        j->counts.tight_bounds || j->is_partial ? DW_STATS_RIGHT : DW_STATS_IMPRECISE;
    for (size_t i = 0; i < j->a->leaf_count && worst != DW_STATS_WRONG; i++) {
        dw_analyze_verdict verdict =
            j->file->leaves[i].is_known ? judge_leaf(j, i) : DW_STATS_RIGHT;
        worst = verdict == DW_STATS_RIGHT ? worst : verdict;
    }
    return worst;
}

/* ---- One file -------------------------------------------------------------------------------- */

static dw_status
judge_file(judging *j, dw_json root, dw_analyze_verdict *out, dw_str *stats_out, dw_error *err)
{
    DW_TRY(make_entries(j, root, err));
    DW_TRY(print(j, stats_out, err));
    *out = judge(j);
    return DW_OK;
}

static dw_status
read_said(judging *j, dw_error *err)
{
    size_t count = j->a->leaf_count + 1;
    j->said = DW_ARENA_ARRAY(j->arena, dw_column_stats, count);
    j->written = DW_ARENA_ARRAY(j->arena, dw_column_stats, count);
    j->entries = DW_ARENA_ARRAY(j->arena, dw_stats_entry, count);
    bool ok = j->said != NULL && j->written != NULL && j->entries != NULL;
    if (ok && !dw__str_is_null(j->file->add.stats)) {
        ok = dw__stats_read(j->file->add.stats, j->a->paths, j->a->leaf_count, j->arena, &j->counts,
                            j->said);
    }
    for (size_t i = 0; i < j->a->leaf_count; i++) {
        j->is_partial =
            j->is_partial || (!j->file->leaves[i].is_known && !j->file->leaves[i].is_ignored);
    }
    return ok ? DW_OK : dw__error_oom(err);
}

dw_status
dw__analyze_judge(const dw_analyzing *a, const dw_analyze_file *file, dw_arena *arena,
                  dw_analyze_verdict *out, dw_str *stats_out, dw_error *err)
{
    judging j = {.a = a, .file = file, .arena = arena};
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    dw_json root = {0};
    *out = DW_STATS_RIGHT;
    *stats_out = DW_STR_NULL;
    if (!file->has_row_count) {
        return DW_OK;
    }
    j.physical_rows = file->row_count + (file->add.dv == NULL ? 0 : file->add.dv->cardinality);
    DW_TRY(read_said(&j, err));
    if (!dw__str_is_null(file->add.stats)) {
        dw_status status =
            dw__json_parse(arena->allocator, file->add.stats, "statistics", &doc, &ignored);
        if (status == DW_OUT_OF_MEMORY) {
            return dw__error_oom(err);
        }
        root = status == DW_OK ? dw__json_root(doc) : root;
    }
    return judge_file(&j, root, out, stats_out, err);
}
