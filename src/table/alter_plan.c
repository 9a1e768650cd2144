/*
 * DRY RUN: what a change of the definition would do, told from the definition before and after it.
 */
#include "expression/expression.h"
#include "protocol/engine_support.h"
#include "protocol/schema_diff.h"
#include "table/alter_core.h"
#include "table/column_dependants.h"

#include <inttypes.h>

/* Tables with statistics of more columns have them of all. */
#define LEAVES_COMPARED_MAX ((size_t) 2000)

typedef struct planning {
    dw_alter *alter;
    dw_alter_report *report;
    const dw_protocol *old_protocol;
    const dw_metadata *old_metadata;
    const dw_type *old_schema;
    dw_properties properties; /* as they will be */
    dw_error *err;
} planning;

/* ---- One effect ------------------------------------------------------------------------------ */

static dw_status
dup(const planning *p, dw_str text, dw_str *out)
{
    *out = text;
    return dw__str_is_null(text) || dw__arena_dup(p->report->arena, text, out)
               ? DW_OK
               : dw__error_oom(p->err);
}

static dw_status
put(planning *p, const char *aspect, dw_str item, dw_str before, dw_str after)
{
    dw_alter_report *report = p->report;
    if (report->effect_count == report->effect_max) {
        size_t max = report->effect_max * 2 + 16;
        dw_alter_effect *more = DW_ARENA_ARRAY(report->arena, dw_alter_effect, max);
        if (more == NULL) {
            return dw__error_oom(p->err);
        }
        if (report->effect_count > 0) {
            memcpy(more, report->effects, report->effect_count * sizeof(*more));
        }
        report->effects = more;
        report->effect_max = max;
    }
    dw_alter_effect *effect = &report->effects[report->effect_count++];
    effect->aspect = aspect;
    DW_TRY(dup(p, item, &effect->item));
    DW_TRY(dup(p, before, &effect->before));
    return dup(p, after, &effect->after);
}

/* ---- Metadata -------------------------------------------------------------------------------- */

static dw_status
put_pair(planning *p, const dw_pairs *before, const dw_pairs *after, dw_str key)
{
    const dw_str *old = dw__pairs_get(before, key);
    const dw_str *new = dw__pairs_get(after, key);
    if (old != NULL && new != NULL && dw__str_equal(*old, *new)) {
        return DW_OK;
    }
    return put(p, "property", key, old == NULL ? DW_STR_NULL : *old,
               new == NULL ? DW_STR_NULL : *new);
}

static dw_status
put_properties(planning *p)
{
    const dw_pairs *before = &p->old_metadata->configuration;
    const dw_pairs *after = &p->alter->metadata.configuration;
    for (size_t i = 0; i < after->count; i++) {
        DW_TRY(put_pair(p, before, after, after->items[i].key));
    }
    for (size_t i = 0; i < before->count; i++) {
        if (dw__pairs_get(after, before->items[i].key) == NULL) {
            DW_TRY(put_pair(p, before, after, before->items[i].key));
        }
    }
    dw_str old = p->old_metadata->description;
    dw_str new = p->alter->metadata.description;
    bool same = dw__str_is_null(old) == dw__str_is_null(new) && dw__str_equal(old, new);
    return same ? DW_OK : put(p, "comment", DW_STR(""), old, new);
}

/* ---- Protocol -------------------------------------------------------------------------------- */

static dw_status
put_number(planning *p, const char *name, int32_t before, int32_t after)
{
    if (before == after) {
        return DW_OK;
    }
    dw_str old = dw__arena_printf(p->report->arena, "%" PRId32, before);
    dw_str new = dw__arena_printf(p->report->arena, "%" PRId32, after);
    return dw__str_is_null(old) || dw__str_is_null(new)
               ? dw__error_oom(p->err)
               : put(p, "protocol", dw__str_from(name), old, new);
}

static dw_status
put_protocol(planning *p)
{
    const dw_protocol *before = p->old_protocol;
    const dw_protocol *after = &p->alter->protocol;
    DW_TRY(
        put_number(p, "minReaderVersion", before->min_reader_version, after->min_reader_version));
    DW_TRY(
        put_number(p, "minWriterVersion", before->min_writer_version, after->min_writer_version));
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        const dw_feature_spec *spec = dw__feature_spec((dw_feature) i);
        bool had = dw__protocol_supports(before, (dw_feature) i);
        bool has = dw__protocol_supports(after, (dw_feature) i);
        dw_str word =
            spec->is_reader_feature ? DW_STR("for readers and writers") : DW_STR("for writers");
        if (had != has) {
            DW_TRY(put(p, has ? "feature added" : "feature dropped", spec->name,
                       had ? word : DW_STR_NULL, has ? word : DW_STR_NULL));
        }
    }
    return DW_OK;
}

/* ---- Engines --------------------------------------------------------------------------------- */

/* Partition columns of a table that was made with column mapping; where it was switched on later
 * they have their names. */
static bool
maps_partitions(const dw_alter *alter)
{
    for (size_t i = 0; i < alter->metadata.partition_column_count; i++) {
        const dw_field *field =
            dw__schema_find(alter->schema, alter->metadata.partition_columns[i]);
        if (field != NULL && dw__str_starts_with(field->physical_name, DW_STR("col-"))) {
            return true;
        }
    }
    return false;
}

/* What an engine can do with the table: "reads and writes", "reads; no writes: rowTracking". */
static dw_status
engine_text(const planning *p, const dw_engine_support *engine, const dw_protocol *protocol,
            dw_str *out)
{
    bool maps = maps_partitions(p->alter);
    dw_feature unread = dw__engine_cannot_read(engine, protocol, maps);
    dw_feature unwritten = dw__engine_cannot_write(engine, protocol, maps);
    if (unread != DW_FEATURE_COUNT) {
        *out = dw__arena_printf(p->report->arena, "cannot read it: %.*s",
                                DW_STR_ARG(dw__feature_spec(unread)->name));
    } else if (engine->writes_known && unwritten != DW_FEATURE_COUNT) {
        *out = dw__arena_printf(p->report->arena, "reads, cannot write: %.*s",
                                DW_STR_ARG(dw__feature_spec(unwritten)->name));
    } else {
        *out = engine->writes_known ? DW_STR("reads and writes") : DW_STR("reads");
    }
    return dw__str_is_null(*out) ? dw__error_oom(p->err) : DW_OK;
}

/* Those for which something changes. */
static dw_status
put_engines(planning *p)
{
    size_t count;
    const dw_engine_support *engines = dw__engines(&count);
    for (size_t i = 0; i < count; i++) {
        dw_str before, after;
        DW_TRY(engine_text(p, &engines[i], p->old_protocol, &before));
        DW_TRY(engine_text(p, &engines[i], &p->alter->protocol, &after));
        if (!dw__str_equal(before, after)) {
            DW_TRY(put(p, "engine", dw__str_from(engines[i].name), before, after));
        }
    }
    return DW_OK;
}

/* ---- What the columns are used for ----------------------------------------------------------- */

static dw_status
put_use(planning *p, dw_str column, const char *use, dw_str what)
{
    dw_str text = dw__arena_printf(p->report->arena, "%s%.*s", use, DW_STR_ARG(what));
    return dw__str_is_null(text) ? dw__error_oom(p->err)
                                 : put(p, "used by", column, DW_STR_NULL, text);
}

static dw_status
put_expression_uses(planning *p, dw_str column, dw_name_path path)
{
    dw_alter *alter = p->alter;
    dw_table_expression *items;
    size_t count;
    DW_TRY(dw__table_expressions(&alter->metadata, alter->schema, &alter->arena, &items, &count,
                                 p->err));
    for (size_t i = 0; i < count; i++) {
        bool names;
        DW_TRY(dw__expression_names(items[i].text, path.parts, path.count, &alter->arena, &names,
                                    p->err));
        if (names) {
            DW_TRY(put_use(p, column,
                           items[i].is_generation    ? "the generated column "
                           : items[i].is_expectation ? "the expectation "
                                                     : "the constraint ",
                           items[i].owner));
        }
    }
    return DW_OK;
}

/* What uses the top-level column that a change is in. */
static dw_status
put_uses(planning *p, const dw_schema_change *change)
{
    dw_alter *alter = p->alter;
    dw_str name = alter->schema->fields[change->top_idx].name;
    dw_str physical = alter->schema->fields[change->top_idx].physical_name;
    for (size_t i = 0; i < alter->metadata.partition_column_count; i++) {
        if (dw__str_equal_nocase(alter->metadata.partition_columns[i], name)) {
            DW_TRY(put_use(p, change->column, "the partitions", DW_STR("")));
        }
    }
    dw_cluster_columns columns;
    DW_TRY(dw__cluster_columns_of(alter->snapshot, &alter->arena, &columns, p->err));
    for (size_t i = 0; i < columns.count; i++) {
        if (dw__str_equal(columns.items[i].path.parts[0], physical)) {
            DW_TRY(put_use(p, change->column, "the clustering by ", columns.items[i].name));
        }
    }
    return put_expression_uses(p, change->column, (dw_name_path){&name, 1});
}

static dw_status
put_schema(planning *p)
{
    dw_schema_change *changes;
    size_t count;
    DW_TRY(dw__schema_diff(p->old_schema, p->alter->schema, &p->alter->arena, &changes, &count,
                           p->err));
    for (size_t i = 0; i < count; i++) {
        DW_TRY(put(p, dw__schema_change_name(changes[i].kind), changes[i].column, changes[i].before,
                   changes[i].after));
    }
    for (size_t i = 0; i < count; i++) {
        if (changes[i].top_idx != SIZE_MAX && changes[i].kind != DW_SCHEMA_ADDED) {
            DW_TRY(put_uses(p, &changes[i]));
        }
    }
    return DW_OK;
}

/* ---- Statistics ------------------------------------------------------------------------------ */

typedef struct leaves {
    dw_column_path *items;
    size_t count;
} leaves;

static dw_status
stats_leaves(const planning *p, const dw_type *schema, const dw_metadata *metadata,
             const dw_properties *properties, leaves *out)
{
    return dw__stats_columns_clustered(schema, metadata->partition_columns,
                                       metadata->partition_column_count, properties,
                                       dw__log_snapshot_clustering(p->alter->snapshot),
                                       &p->alter->arena, &out->items, &out->count, p->err);
}

static bool
has_leaf(const leaves *in, const dw_column_path *leaf)
{
    for (size_t i = 0; i < in->count; i++) {
        bool same = in->items[i].count == leaf->count;
        for (size_t k = 0; same && k < leaf->count; k++) {
            same = dw__str_equal(in->items[i].parts[k], leaf->parts[k]);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static size_t
count_missing(const leaves *in, const leaves *from)
{
    size_t count = 0;
    for (size_t i = 0; i < from->count; i++) {
        count += has_leaf(in, &from->items[i]) ? 0 : 1;
    }
    return count;
}

/* New files may get statistics of other columns: those that come first, or that are named. */
static dw_status
put_statistics(planning *p)
{
    leaves before, after;
    DW_TRY(stats_leaves(p, p->old_schema, p->old_metadata,
                        dw__log_snapshot_properties(p->alter->snapshot), &before));
    DW_TRY(stats_leaves(p, p->alter->schema, &p->alter->metadata, &p->properties, &after));
    bool compares = before.count <= LEAVES_COMPARED_MAX && after.count <= LEAVES_COMPARED_MAX;
    size_t gained = compares ? count_missing(&before, &after) : 0;
    size_t lost = compares ? count_missing(&after, &before) : 0;
    if (gained == 0 && lost == 0) {
        return DW_OK;
    }
    dw_str old = dw__arena_printf(p->report->arena, "%zu columns", before.count);
    dw_str new = dw__arena_printf(p->report->arena, "%zu columns: %zu more, %zu no longer",
                                  after.count, gained, lost);
    return dw__str_is_null(old) || dw__str_is_null(new)
               ? dw__error_oom(p->err)
               : put(p, "statistics", DW_STR("of new files"), old, new);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static dw_status
put_files(planning *p)
{
    const dw_alter *alter = p->alter;
    size_t all = dw__file_set_count(dw__log_snapshot_files(alter->snapshot));
    size_t count = alter->rewrites_with != NULL ? all : alter->rewrite_count;
    dw_str old = dw__arena_printf(p->report->arena, "%zu", all);
    dw_str new = dw__arena_printf(p->report->arena, "%zu written again", count);
    return dw__str_is_null(old) || dw__str_is_null(new) ? dw__error_oom(p->err)
                                                        : put(p, "files", DW_STR(""), old, new);
}

dw_status
dw__alter_plan(dw_alter *alter, dw_alter_report *report, dw_error *err)
{
    planning p = {.alter = alter,
                  .report = report,
                  .old_protocol = dw__log_snapshot_protocol(alter->snapshot),
                  .old_metadata = dw__log_snapshot_metadata(alter->snapshot),
                  .old_schema = dw__log_snapshot_schema(alter->snapshot),
                  .err = err};
    if (!alter->has_protocol) {
        alter->protocol = *p.old_protocol;
    }
    dw__properties_read(&alter->metadata.configuration, &p.properties, NULL);
    DW_TRY(put_schema(&p));
    DW_TRY(put_properties(&p));
    DW_TRY(put_protocol(&p));
    DW_TRY(put_statistics(&p));
    DW_TRY(put_files(&p));
    return put_engines(&p);
}
