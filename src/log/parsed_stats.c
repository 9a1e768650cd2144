/*
 * The struct of statistics: minValues and maxValues mirror the table's columns down to the leaves
 * that have bounds, nullCount down to all leaves. Names are physical.
 */
#include "log/parsed_stats.h"

#include "base/assert.h"
#include "log/vector_read.h"

/* The members of stats_parsed; those that no leaf has are left out of the spec. */
enum { NUM_RECORDS, TIGHT_BOUNDS, MIN_VALUES, MAX_VALUES, NULL_COUNT, MEMBER_COUNT };

/* What a struct of statistics holds of each leaf. */
typedef enum purpose { PURPOSE_BOUNDS, PURPOSE_NULL_COUNT } purpose;

static bool
is_partition_column(const dw_parsed_stats *parsed, const dw_field *field)
{
    for (size_t i = 0; i < parsed->partition_count; i++) {
        if (dw__str_equal(parsed->partition_columns[i], field->name)) {
            return true;
        }
    }
    return false;
}

/* True when the field, or one inside it, has a place in a struct of that purpose. */
static bool
has_place(const dw_type *type, purpose why)
{
    if (type->kind != DW_TYPE_STRUCT) {
        return why == PURPOSE_NULL_COUNT || dw__stats_has_bounds(type);
    }
    bool found = false;
    for (size_t i = 0; !found && i < type->field_count; i++) {
        found = has_place(type->fields[i].type, why);
    }
    return found;
}

static dw_vector_kind
bound_kind(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
        return DW_VECTOR_I64;
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
        return DW_VECTOR_DOUBLE;
    case DW_TYPE_STRING:
        return DW_VECTOR_STR;
    case DW_TYPE_DECIMAL:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        return DW_VECTOR_TEXT;
    }
    dw_unreachable("no such type");
}

/* ---- The spec -------------------------------------------------------------------------------- */

static dw_status
make_struct(const dw_parsed_stats *parsed, const dw_type *type, bool is_top, purpose why,
            dw_arena *arena, dw_column_spec *out, dw_error *err)
{
    dw_column_spec *children = DW_ARENA_ARRAY(arena, dw_column_spec, type->field_count);
    if (children == NULL) {
        return dw__error_oom(err);
    }
    out->kind = DW_VECTOR_STRUCT;
    out->children = children;
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (!has_place(field->type, why) || (is_top && is_partition_column(parsed, field))) {
            continue;
        }
        dw_column_spec *child = &children[out->child_count++];
        child->name = dw__arena_dup_cstr(arena, field->physical_name);
        if (child->name == NULL) {
            return dw__error_oom(err);
        }
        if (field->type->kind == DW_TYPE_STRUCT) {
            DW_TRY(make_struct(parsed, field->type, false, why, arena, child, err));
        } else {
            child->kind = why == PURPOSE_BOUNDS ? bound_kind(field->type) : DW_VECTOR_I64;
        }
    }
    return DW_OK;
}

static size_t
count_leaves(const dw_type *type)
{
    size_t count = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_type *field = type->fields[i].type;
        count += field->kind == DW_TYPE_STRUCT ? count_leaves(field) : 1;
    }
    return count;
}

/* A struct without fields cannot be asked for: it is then an integer that no file has. */
static void
avoid_empty(dw_column_spec *spec)
{
    if (spec->child_count == 0) {
        spec->kind = DW_VECTOR_I64;
        spec->name = "";
    }
}

dw_status
dw__parsed_stats_make(const dw_type *schema, const dw_str *partition_columns,
                      size_t partition_count, dw_arena *arena, dw_parsed_stats *out, dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    *out = (dw_parsed_stats){.schema = schema,
                             .partition_columns = partition_columns,
                             .partition_count = partition_count,
                             .leaf_count = count_leaves(schema)};
    dw_column_spec *members = DW_ARENA_ARRAY(arena, dw_column_spec, MEMBER_COUNT);
    if (members == NULL) {
        return dw__error_oom(err);
    }
    members[NUM_RECORDS] = (dw_column_spec){.name = "numRecords", .kind = DW_VECTOR_I64};
    members[TIGHT_BOUNDS] = (dw_column_spec){.name = "tightBounds", .kind = DW_VECTOR_BOOL};
    members[MIN_VALUES].name = "minValues";
    members[MAX_VALUES].name = "maxValues";
    members[NULL_COUNT].name = "nullCount";
    DW_TRY(make_struct(out, schema, true, PURPOSE_BOUNDS, arena, &members[MIN_VALUES], err));
    DW_TRY(make_struct(out, schema, true, PURPOSE_BOUNDS, arena, &members[MAX_VALUES], err));
    DW_TRY(make_struct(out, schema, true, PURPOSE_NULL_COUNT, arena, &members[NULL_COUNT], err));
    avoid_empty(&members[MIN_VALUES]);
    avoid_empty(&members[MAX_VALUES]);
    avoid_empty(&members[NULL_COUNT]);
    out->spec = (dw_column_spec){.name = "stats_parsed",
                                 .kind = DW_VECTOR_STRUCT,
                                 .children = members,
                                 .child_count = MEMBER_COUNT};
    return DW_OK;
}

/* ---- One row --------------------------------------------------------------------------------- */

/* The three structs at one level of the schema; NULL where a column has no such struct. */
typedef struct level {
    const dw_vector *min, *max, *null_count;
} level;

typedef struct printer {
    const dw_parsed_stats *parsed;
    size_t row;
    dw_arena *scratch;
    dw_stats_entry *entries;
    size_t count;
    dw_str path[DW_SCHEMA_DEPTH_MAX];
} printer;

/* A bound as a typed value; false when there is none that makes sense. */
static bool
read_bound(const dw_type *type, const dw_vector *vector, size_t row, dw_value *out)
{
    *out = (dw_value){.kind = DW_VALUE_I64};
    if (vector == NULL || !dw__vector_is_valid(vector, row)) {
        return false;
    }
    dw_vector_kind kind = bound_kind(type);
    if (kind == DW_VECTOR_I64) {
        return dw__vector_i64(vector, row, &out->as.i64);
    }
    if (kind == DW_VECTOR_DOUBLE) {
        out->kind = DW_VALUE_DOUBLE;
        out->as.f64 = ((const double *) vector->data)[row];
        return true;
    }
    dw_str text = dw__vector_str(vector, row);
    if (kind == DW_VECTOR_STR) {
        out->kind = DW_VALUE_STR;
        out->as.str = text;
        return true;
    }
    if (type->kind == DW_TYPE_DATE) {
        return dw__date_parse(text, &out->as.i64);
    }
    if (type->kind == DW_TYPE_DECIMAL) {
        out->kind = DW_VALUE_DECIMAL;
        out->scale = type->scale;
        return dw__decimal_parse(text, type->precision, type->scale, &out->as.i128);
    }
    return dw__timestamp_parse(text, false, &out->as.i64);
}

static dw_status
add_leaf(printer *p, const dw_field *field, size_t depth, level at, dw_error *err)
{
    dw_stats_entry *entry = &p->entries[p->count];
    *entry = (dw_stats_entry){.column = {.count = depth, .type = field->type}};
    dw_column_stats *stats = &entry->stats;
    bool has_bounds = dw__stats_has_bounds(field->type);
    stats->has_min = has_bounds && read_bound(field->type, at.min, p->row, &stats->min);
    stats->has_max = has_bounds && read_bound(field->type, at.max, p->row, &stats->max);
    stats->has_null_count =
        at.null_count != NULL && dw__vector_i64(at.null_count, p->row, &stats->null_count);
    if (!stats->has_min && !stats->has_max && !stats->has_null_count) {
        return DW_OK;
    }
    dw_str *parts = DW_ARENA_ARRAY(p->scratch, dw_str, depth);
    if (parts == NULL) {
        return dw__error_oom(err);
    }
    memcpy(parts, p->path, depth * sizeof(dw_str));
    entry->column.parts = parts;
    p->count++;
    return DW_OK;
}

static const dw_vector *
child_of(const dw_vector *vector, size_t idx)
{
    return vector == NULL ? NULL : &vector->children[idx];
}

static dw_status
add_fields(printer *p, const dw_type *type, size_t depth, level at, dw_error *err)
{
    dw_assert(depth < DW_SCHEMA_DEPTH_MAX);
    size_t bound_idx = 0, null_idx = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (depth == 0 && is_partition_column(p->parsed, field)) {
            continue;
        }
        bool has_bounds = has_place(field->type, PURPOSE_BOUNDS);
        bool has_count = has_place(field->type, PURPOSE_NULL_COUNT);
        level inner = {has_bounds ? child_of(at.min, bound_idx) : NULL,
                       has_bounds ? child_of(at.max, bound_idx) : NULL,
                       has_count ? child_of(at.null_count, null_idx) : NULL};
        bound_idx += has_bounds;
        null_idx += has_count;
        p->path[depth] = field->physical_name;
        if (field->type->kind == DW_TYPE_STRUCT) {
            DW_TRY(add_fields(p, field->type, depth + 1, inner, err));
        } else {
            DW_TRY(add_leaf(p, field, depth + 1, inner, err));
        }
    }
    return DW_OK;
}

static const dw_vector *
struct_member(const dw_parsed_stats *parsed, const dw_vector *column, size_t member)
{
    bool is_struct = parsed->spec.children[member].kind == DW_VECTOR_STRUCT;
    return is_struct ? &column->children[member] : NULL;
}

dw_status
dw__parsed_stats_print(const dw_parsed_stats *parsed, const dw_vector *column, size_t row,
                       dw_arena *scratch, dw_strbuf *out, dw_error *err)
{
    int64_t num_records;
    bool tight_bounds;
    if (!dw__vector_is_valid(column, row) ||
        !dw__vector_i64(&column->children[NUM_RECORDS], row, &num_records)) {
        return DW_OK;
    }
    if (!dw__vector_bool(&column->children[TIGHT_BOUNDS], row, &tight_bounds)) {
        tight_bounds = true;
    }
    printer p = {.parsed = parsed,
                 .row = row,
                 .scratch = scratch,
                 .entries = DW_ARENA_ARRAY(scratch, dw_stats_entry, parsed->leaf_count)};
    if (p.entries == NULL) {
        return dw__error_oom(err);
    }
    level top = {struct_member(parsed, column, MIN_VALUES),
                 struct_member(parsed, column, MAX_VALUES),
                 struct_member(parsed, column, NULL_COUNT)};
    DW_TRY(add_fields(&p, parsed->schema, 0, top, err));
    /* Strings were cut when the statistics were made. */
    return dw__stats_print(out, num_records, tight_bounds, p.entries, p.count, INT64_MAX, err);
}
