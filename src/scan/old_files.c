/*
 * Files with values of Spark's old calendar (codec/old_calendar.h). Spark 2 wrote no others, and
 * later ones do so when they are told to; the footer says so. To look into it costs as much as to
 * begin to read the file, so it is done only where a value may be from before today's calendar:
 * statistics, which are written in today's, tell that of most tables at once.
 */
#include "base/assert.h"
#include "codec/old_calendar.h"
#include "parquet/footer.h"
#include "parquet/plain_copy.h"
#include "protocol/feature_use.h"
#include "scan/scan_core.h"
#include "scan/scan_sql.h"

#include <stdlib.h>

/* To know the statistics of so many files takes about as long as to look into one. */
#define STATISTICS_PER_LOOK 32
/* Offsets of local times have seconds, which texts of statistics leave out. */
#define OFFSET_MICROS_MAX (INT64_C(60) * 1000000)
#define DAY_MICROS (INT64_C(86400) * 1000000)

/* ---- Which columns ----------------------------------------------------------------------------*/

/* What rows must be like for there to be old values. */
typedef struct old_finder {
    const dw_relation *relation;
    dw_predicate_scope scope;
    const dw_predicate *conditions[DW_PREDICATE_COLUMNS_MAX];
    size_t count;
    bool has_times; /* some column is of dates or instants */
    bool has_widened_dates;
    bool is_unknown; /* for one of them statistics say nothing */
    bool failed;
    dw_str path[DW_SCHEMA_DEPTH_MAX];
} old_finder;

static void
add_condition(old_finder *finder, const dw_type *type, size_t field_idx, size_t depth)
{
    int64_t ends = type->kind == DW_TYPE_DATE        ? DW_OLD_DATE_END
                   : type->kind == DW_TYPE_TIMESTAMP ? DW_OLD_INSTANT_END + OFFSET_MICROS_MAX
                                                     : DW_OLD_DATE_END * DAY_MICROS;
    dw_value end = {.kind = DW_VALUE_I64, .as.i64 = ends};
    size_t column_idx;
    if (!dw__predicate_column(&finder->scope, field_idx, finder->path, depth, &column_idx)) {
        finder->failed = true;
    } else if (column_idx == SIZE_MAX || finder->count == DW_PREDICATE_COLUMNS_MAX) {
        finder->is_unknown = true;
    } else {
        const dw_predicate *condition = dw__predicate_compare(
            &finder->scope, column_idx, DW_TRANSFORM_NONE, DW_COMPARISON_LESS, &end);
        finder->conditions[finder->count++] = condition;
        finder->failed = finder->failed || condition == NULL;
    }
}

/* True when files may have dates where the field has local times by now. */
static bool
has_widened_dates(const dw_field *field)
{
    return (field->traits & DW_FIELD_WIDENED) != 0 && field->type->kind != DW_TYPE_STRUCT &&
           dw__schema_has_kind(field->type, DW_TYPE_TIMESTAMP_NTZ);
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static void
add_conditions(old_finder *finder, const dw_field *field, size_t field_idx, size_t depth)
{
    const dw_type *type = field->type;
    bool is_widened = has_widened_dates(field);
    finder->has_widened_dates = finder->has_widened_dates || is_widened;
    if (type->kind == DW_TYPE_STRUCT) {
        for (size_t i = 0; i < type->field_count; i++) {
            dw_assert(depth < DW_SCHEMA_DEPTH_MAX);
            finder->path[depth] = type->fields[i].name;
            add_conditions(finder, &type->fields[i], field_idx, depth + 1);
        }
    } else if (is_widened || dw__schema_has_kind(type, DW_TYPE_DATE) ||
               dw__schema_has_kind(type, DW_TYPE_TIMESTAMP)) {
        finder->has_times = true;
        if (type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP) {
            finder->is_unknown = true;
        } else {
            add_condition(finder, type, field_idx, depth);
        }
    }
}

/* Columns that are in files, and of interest. */
static void
look_at_schema(old_finder *finder, const dw_plan_source *plan)
{
    const dw_relation *relation = finder->relation;
    size_t count =
        relation->schema->field_count - dw__scan_metadata_column_count(relation->metadata);
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = &relation->schema->fields[i];
        if (dw__plan_reads(plan, i) &&
            !dw__str_among(relation->partition_columns, relation->partition_count, field->name)) {
            add_conditions(finder, field, i, 0);
        }
    }
}

/* ---- Which files ----------------------------------------------------------------------------- */

static int
compare_refs(const void *a, const void *b)
{
    const dw_file_ref *left = a, *right = b;
    uint64_t x = (uint64_t) left->block << 32 | left->row;
    uint64_t y = (uint64_t) right->block << 32 | right->row;
    return x < y ? -1 : x > y ? 1 : 0;
}

/* Sets found[i] for each file of the source whose statistics do not rule old values out. */
static dw_status
ask_statistics(dw_scan *scan, const dw_bound_source *source, old_finder *finder, bool *found,
               dw_error *err)
{
    dw_file_set *set = source->relation.files;
    const dw_predicate *any =
        dw__predicate_junction(&finder->scope, DW_PREDICATE_OR, finder->conditions, finder->count);
    if (any == NULL) {
        return dw__error_oom(err);
    }
    dw_prune_result old;
    DW_TRY(dw__prune(scan->env->allocator, set, &finder->scope, any, &scan->arena, &old, err));
    for (size_t i = 0; i < source->file_count; i++) {
        found[i] = bsearch(&source->files[i], old.files, old.count, sizeof(*old.files),
                           compare_refs) != NULL;
    }
    return DW_OK;
}

static dw_str
name_of(dw_str path)
{
    size_t slash = dw__str_find_last(path, '/');
    return dw__str_slice(path, slash == SIZE_MAX ? 0 : slash + 1, path.len);
}

/* True when some file may be Spark's. */
static bool
drop_own_files(const dw_bound_source *source, bool *found)
{
    bool is_any = false;
    for (size_t i = 0; i < source->file_count; i++) {
        found[i] = found[i] && !dw__pq_is_own_name(name_of(source->paths[i]));
        is_any = is_any || found[i];
    }
    return is_any;
}

/* ---- What a file has --------------------------------------------------------------------------*/

static bool
has_int96(const dw_pq_footer *footer)
{
    for (size_t i = 0; i < footer->node_count; i++) {
        if (footer->nodes[i].type == DW_PQ_INT96) {
            return true;
        }
    }
    return false;
}

/* Where Spark writes INT96 at all, all instants of the file are. */
dw_status
dw__scan_judge_old(dw_connection *connection, const dw_pq_footer *footer, dw_arena *arena,
                   dw_old_values *out, dw_error *err)
{
    const dw_pq_spark *spark = &footer->spark;
    *out = (dw_old_values){.has_dates = dw__pq_has_old_dates(spark)};
    if (has_int96(footer) ? dw__pq_has_old_int96(spark) : out->has_dates) {
        dw_str zone = spark->zone;
        if (dw__str_is_null(zone)) {
            DW_TRY(dw__scan_session_zone(connection, arena, &zone, err));
        }
        out->zone = dw__old_zone_find(zone);
    }
    return DW_OK;
}

/* What cannot be read is the engine's to complain of. */
static dw_status
look_into(dw_scan *scan, dw_str path, dw_old_values *out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw_pq_footer footer;
    bool is_read;
    dw__arena_init(&arena, scan->env->allocator);
    if (dw__env_is_cancelled(scan->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    DW_TRY(dw__pq_footer_open(scan->env, path, &arena, &footer, &is_read, err));
    return is_read ? dw__scan_judge_old(scan->connection, &footer, &arena, out, err) : DW_OK;
}

static dw_status
look_into_files(dw_scan *scan, dw_bound_source *source, const bool *wanted, dw_error *err)
{
    source->old = DW_ARENA_ARRAY(&scan->arena, dw_old_values, source->file_count);
    if (source->old == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < source->file_count; i++) {
        if (wanted[i]) {
            DW_TRY(look_into(scan, source->paths[i], &source->old[i], err));
        }
        source->has_old_dates = source->has_old_dates || source->old[i].has_dates;
        source->has_old_instants = source->has_old_instants || source->old[i].zone != NULL;
    }
    return DW_OK;
}

dw_status
dw__scan_find_old_values(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    const dw_relation *relation = &source->relation;
    old_finder finder = {.relation = relation};
    dw__predicate_scope_init(&finder.scope, &scan->arena, relation->schema,
                             relation->partition_columns, relation->partition_count);
    look_at_schema(&finder, source->plan);
    source->has_widened_dates = finder.has_widened_dates;
    if (!finder.has_times || source->file_count == 0) {
        return DW_OK;
    }
    bool *wanted = DW_ARENA_ARRAY(&scan->arena, bool, source->file_count);
    if (finder.failed || wanted == NULL) {
        return dw__error_oom(err);
    }
    memset(wanted, true, source->file_count * sizeof(*wanted));
    if (!drop_own_files(source, wanted)) {
        return DW_OK;
    }
    bool is_few = source->file_count * STATISTICS_PER_LOOK < dw__file_set_count(relation->files);
    if (!finder.is_unknown && !is_few) {
        DW_TRY(ask_statistics(scan, source, &finder, wanted, err));
    }
    return drop_own_files(source, wanted) ? look_into_files(scan, source, wanted, err) : DW_OK;
}
