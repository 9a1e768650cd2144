/*
 * From the JSON of a file's statistics to typed columns.
 */
#include "log/typed_stats.h"

#include "base/assert.h"
#include "protocol/value.h"

/* What a struct of statistics holds of each leaf. */
typedef enum purpose { PURPOSE_BOUNDS, PURPOSE_NULL_COUNT } purpose;

/* ---- Types ----------------------------------------------------------------------------------- */

/* The column of a value of that type; false: such values have none. */
static bool
set_kind(const dw_type *type, dw_column_spec *out)
{
    static const struct {
        bool is_there;
        dw_vector_kind kind;
    } kinds[] = {
        [DW_TYPE_BOOLEAN] = {true, DW_VECTOR_BOOL},
        [DW_TYPE_BYTE] = {true, DW_VECTOR_I8},
        [DW_TYPE_SHORT] = {true, DW_VECTOR_I16},
        [DW_TYPE_INTEGER] = {true, DW_VECTOR_I32},
        [DW_TYPE_LONG] = {true, DW_VECTOR_I64},
        [DW_TYPE_FLOAT] = {true, DW_VECTOR_FLOAT},
        [DW_TYPE_DOUBLE] = {true, DW_VECTOR_DOUBLE},
        [DW_TYPE_DECIMAL] = {true, DW_VECTOR_DECIMAL},
        [DW_TYPE_DATE] = {true, DW_VECTOR_DATE},
        [DW_TYPE_TIMESTAMP] = {true, DW_VECTOR_TIMESTAMP},
        [DW_TYPE_TIMESTAMP_NTZ] = {true, DW_VECTOR_TIMESTAMP_NTZ},
        [DW_TYPE_STRING] = {true, DW_VECTOR_STR},
        [DW_TYPE_BINARY] = {true, DW_VECTOR_BYTES},
    };
    size_t idx = (size_t) type->kind;
    if (idx >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[idx].is_there) {
        return false;
    }
    out->kind = kinds[idx].kind;
    out->precision = type->precision;
    out->scale = type->scale;
    return true;
}

static bool
has_bound_column(const dw_type *type)
{
    dw_column_spec ignored;
    return dw__stats_has_bounds(type) && set_kind(type, &ignored);
}

/* ---- The specs ------------------------------------------------------------------------------- */

/* The leaves from `first` to `end` share their path down to `depth`. */
typedef struct level {
    const dw_column_path *leaves;
    size_t first, end, depth;
} level;

/* Where those end that share one more name with the first. */
static size_t
group_end(const level *at, size_t first)
{
    size_t end = first + 1;
    while (at->leaves[first].count > at->depth + 1 && end < at->end &&
           at->leaves[end].count > at->depth + 1 &&
           dw__str_equal(at->leaves[end].parts[at->depth], at->leaves[first].parts[at->depth])) {
        end++;
    }
    return end;
}

/* A struct in which no leaf has a place has no children. */
static dw_status
make_struct(const level *at, purpose why, dw_arena *arena, dw_column_spec *out, dw_error *err)
{
    dw_assert(at->depth < DW_SCHEMA_DEPTH_MAX);
    dw_column_spec *children = DW_ARENA_ARRAY(arena, dw_column_spec, at->end - at->first);
    if (children == NULL) {
        return dw__error_oom(err);
    }
    out->kind = DW_VECTOR_STRUCT;
    out->children = children;
    for (size_t i = at->first, end = i; i < at->end; i = end) {
        end = group_end(at, i);
        const dw_column_path *leaf = &at->leaves[i];
        dw_column_spec child = {.name = dw__arena_dup_cstr(arena, leaf->parts[at->depth])};
        if (child.name == NULL) {
            return dw__error_oom(err);
        }
        bool has_place = true;
        if (leaf->count > at->depth + 1) {
            const level inner = {at->leaves, i, end, at->depth + 1};
            DW_TRY(make_struct(&inner, why, arena, &child, err));
            has_place = child.child_count > 0;
        } else if (why == PURPOSE_NULL_COUNT) {
            child.kind = DW_VECTOR_I64;
        } else {
            has_place = has_bound_column(leaf->type) && set_kind(leaf->type, &child);
        }
        if (has_place) {
            children[out->child_count++] = child;
        }
    }
    return DW_OK;
}

static dw_status
make_stats_spec(dw_typed_stats *typed, dw_arena *arena, dw_error *err)
{
    enum { MEMBERS_MAX = 5 };
    const level top = {.leaves = typed->leaves, .end = typed->leaf_count};
    dw_column_spec bounds = {0}, null_count = {.name = "nullCount"};
    DW_TRY(make_struct(&top, PURPOSE_BOUNDS, arena, &bounds, err));
    DW_TRY(make_struct(&top, PURPOSE_NULL_COUNT, arena, &null_count, err));
    dw_column_spec *members = DW_ARENA_ARRAY(arena, dw_column_spec, MEMBERS_MAX);
    if (members == NULL) {
        return dw__error_oom(err);
    }
    size_t count = 0;
    members[count++] = (dw_column_spec){.name = "numRecords", .kind = DW_VECTOR_I64};
    for (size_t i = 0; bounds.child_count > 0 && i < 2; i++) {
        bounds.name = i == 0 ? "minValues" : "maxValues";
        members[count++] = bounds;
    }
    if (null_count.child_count > 0) {
        members[count++] = null_count;
    }
    if (typed->has_tight_bounds) {
        members[count++] = (dw_column_spec){.name = "tightBounds", .kind = DW_VECTOR_BOOL};
    }
    typed->stats_spec = (dw_column_spec){.name = "stats_parsed",
                                         .kind = DW_VECTOR_STRUCT,
                                         .children = members,
                                         .child_count = count};
    return DW_OK;
}

static dw_status
make_partition_spec(dw_typed_stats *typed, const dw_type *schema, const dw_metadata *metadata,
                    dw_arena *arena, dw_error *err)
{
    size_t count = metadata->partition_column_count;
    dw_column_spec *members = DW_ARENA_ARRAY(arena, dw_column_spec, count);
    typed->partition_fields = DW_ARENA_ARRAY(arena, const dw_field *, count);
    if (members == NULL || typed->partition_fields == NULL) {
        return dw__error_oom(err);
    }
    dw_column_spec *spec = &typed->partition_spec;
    *spec = (dw_column_spec){
        .name = "partitionValues_parsed", .kind = DW_VECTOR_STRUCT, .children = members};
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = dw__schema_find(schema, metadata->partition_columns[i]);
        dw_column_spec *member = &members[spec->child_count];
        *member = (dw_column_spec){0};
        if (field == NULL || !set_kind(field->type, member)) {
            continue;
        }
        member->name = dw__arena_dup_cstr(arena, field->physical_name);
        if (member->name == NULL) {
            return dw__error_oom(err);
        }
        typed->partition_fields[spec->child_count++] = field;
    }
    return DW_OK;
}

dw_status
dw__typed_stats_make(const dw_type *schema, const dw_metadata *metadata,
                     const dw_column_path *leaves, size_t leaf_count, bool has_tight_bounds,
                     dw_arena *arena, dw_typed_stats *out, dw_error *err)
{
    *out = (dw_typed_stats){
        .leaves = leaves, .leaf_count = leaf_count, .has_tight_bounds = has_tight_bounds};
    DW_TRY(make_stats_spec(out, arena, err));
    return make_partition_spec(out, schema, metadata, arena, err);
}

/* ---- Where values go ------------------------------------------------------------------------- */

static size_t
count_structs(const dw_column_spec *spec)
{
    size_t count = spec->kind == DW_VECTOR_STRUCT;
    for (size_t i = 0; i < spec->child_count; i++) {
        count += count_structs(&spec->children[i]);
    }
    return count;
}

/* Notes the structs of a tree, and hands its leaves out in order. */
static void
bind_tree(dw_typed_stats *typed, dw_column *column, dw_column **leaves, size_t *leaf_count)
{
    if (column->spec->kind != DW_VECTOR_STRUCT) {
        leaves[(*leaf_count)++] = column;
        return;
    }
    typed->structs[typed->struct_count++] = column;
    for (size_t i = 0; i < column->spec->child_count; i++) {
        bind_tree(typed, &column->children[i], leaves, leaf_count);
    }
}

static dw_column *
member_of(dw_column *column, const char *name)
{
    for (size_t i = 0; i < column->spec->child_count; i++) {
        if (strcmp(column->spec->children[i].name, name) == 0) {
            return &column->children[i];
        }
    }
    return NULL;
}

/* The n-th leaf of a tree is that of the n-th path which has a place in it. */
static dw_status
bind_leaves(dw_typed_stats *typed, dw_typed_member member, dw_arena *arena, dw_error *err)
{
    static const char *const names[] = {"minValues", "maxValues", "nullCount"};
    dw_column *tree = member_of(typed->stats, names[member]);
    if (tree == NULL) {
        return DW_OK;
    }
    dw_column **leaves = DW_ARENA_ARRAY(arena, dw_column *, typed->leaf_count);
    size_t count = 0, used = 0;
    if (leaves == NULL) {
        return dw__error_oom(err);
    }
    bind_tree(typed, tree, leaves, &count);
    for (size_t i = 0; i < typed->leaf_count; i++) {
        if (member == DW_TYPED_NULL_COUNT || has_bound_column(typed->leaves[i].type)) {
            typed->columns[i].members[member] = leaves[used++];
        }
    }
    dw_assert(used == count);
    return DW_OK;
}

dw_status
dw__typed_stats_bind(dw_typed_stats *typed, dw_column *stats, dw_column *partition_values,
                     dw_arena *arena, dw_error *err)
{
    typed->stats = stats;
    typed->partition_values = partition_values;
    typed->columns = DW_ARENA_ARRAY(arena, dw_typed_leaf, typed->leaf_count);
    typed->structs = DW_ARENA_ARRAY(arena, dw_column *, count_structs(&typed->stats_spec));
    typed->row = DW_ARENA_ARRAY(arena, dw_column_stats, typed->leaf_count);
    if (typed->columns == NULL || typed->structs == NULL || typed->row == NULL) {
        return dw__error_oom(err);
    }
    if (stats == NULL) {
        return DW_OK;
    }
    DW_TRY(bind_leaves(typed, DW_TYPED_MIN, arena, err));
    DW_TRY(bind_leaves(typed, DW_TYPED_MAX, arena, err));
    return bind_leaves(typed, DW_TYPED_NULL_COUNT, arena, err);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static bool
fits_decimal(dw_i128 value, uint8_t precision)
{
    dw_i128 limit = 1;
    for (uint8_t i = 0; i < precision; i++) {
        limit *= 10;
    }
    return value < limit && value > -limit;
}

static void
put_integer(dw_column *column, int64_t value, int64_t max)
{
    int8_t i8 = (int8_t) value;
    int16_t i16 = (int16_t) value;
    int32_t i32 = (int32_t) value;
    dw_vector_kind kind = column->spec->kind;
    if (value > max || value < -max - 1) {
        dw__column_put_null(column);
    } else {
        dw__column_put_value(column, kind == DW_VECTOR_I8    ? (const void *) &i8
                                     : kind == DW_VECTOR_I16 ? (const void *) &i16
                                                             : (const void *) &i32);
    }
}

/* [TYPED-1] */
static void
put_value(dw_column *column, const dw_value *value)
{
    float single = (float) value->as.f64;
    switch (column->spec->kind) {
    case DW_VECTOR_BOOL:
        dw__column_put_bool(column, value->as.i64 != 0);
        break;
    case DW_VECTOR_I8:
        put_integer(column, value->as.i64, INT8_MAX);
        break;
    case DW_VECTOR_I16:
        put_integer(column, value->as.i64, INT16_MAX);
        break;
    case DW_VECTOR_I32:
    case DW_VECTOR_DATE:
        put_integer(column, value->as.i64, INT32_MAX);
        break;
    case DW_VECTOR_I64:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
        dw__column_put_value(column, &value->as.i64);
        break;
    case DW_VECTOR_FLOAT:
        dw__column_put_value(column, &single);
        break;
    case DW_VECTOR_DOUBLE:
        dw__column_put_value(column, &value->as.f64);
        break;
    case DW_VECTOR_DECIMAL:
        if (value->scale == column->spec->scale &&
            fits_decimal(value->as.i128, column->spec->precision)) {
            dw__column_put_value(column, &value->as.i128);
        } else {
            dw__column_put_null(column);
        }
        break;
    case DW_VECTOR_STR:
    case DW_VECTOR_BYTES:
        dw__column_put_value(column, &value->as.str);
        break;
    case DW_VECTOR_TEXT:
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
        dw_unreachable("no kind of a typed value");
    }
}

static void
put_bound(dw_column *column, bool is_there, const dw_value *value)
{
    if (column != NULL && is_there) {
        put_value(column, value);
    } else if (column != NULL) {
        dw__column_put_null(column);
    }
}

static dw_status
put_stats(dw_typed_stats *typed, dw_str json, dw_arena *arena, dw_error *err)
{
    dw_file_stats file;
    if (json.len == 0) {
        dw__column_put_null(typed->stats);
        return DW_OK;
    }
    if (!dw__stats_read(json, typed->leaves, typed->leaf_count, arena, &file, typed->row)) {
        return dw__error_oom(err);
    }
    dw__column_put_struct(typed->stats);
    for (size_t i = 0; i < typed->struct_count; i++) {
        dw__column_put_struct(typed->structs[i]);
    }
    for (size_t i = 0; i < typed->leaf_count; i++) {
        const dw_column_stats *stats = &typed->row[i];
        const dw_value null_count = {.kind = DW_VALUE_I64, .as.i64 = stats->null_count};
        dw_column *const *members = typed->columns[i].members;
        put_bound(members[DW_TYPED_MIN], stats->has_min, &stats->min);
        put_bound(members[DW_TYPED_MAX], stats->has_max, &stats->max);
        put_bound(members[DW_TYPED_NULL_COUNT], stats->has_null_count, &null_count);
    }
    dw_column *members = typed->stats->children;
    if (file.has_num_records) {
        dw__column_put_i64(&members[0], file.num_records);
    } else {
        dw__column_put_null(&members[0]);
    }
    if (typed->has_tight_bounds) {
        dw__column_put_bool(&members[typed->stats_spec.child_count - 1], file.tight_bounds);
    }
    return DW_OK;
}

static dw_str
partition_text(const dw_file_block *block, size_t row, dw_str name)
{
    for (size_t i = 0; i < block->partitions.count; i++) {
        if (dw__str_equal(block->partitions.items[i].name, name)) {
            return dw__dict_column_get(&block->partitions.items[i], row);
        }
    }
    return DW_STR_NULL;
}

static dw_status
put_partition_values(dw_typed_stats *typed, const dw_file_block *block, size_t row, dw_arena *arena,
                     dw_error *err)
{
    dw__column_put_struct(typed->partition_values);
    for (size_t i = 0; i < typed->partition_spec.child_count; i++) {
        const dw_field *field = typed->partition_fields[i];
        dw_value value;
        dw_error ignored = DW_ERROR_INIT;
        dw_str text = partition_text(block, row, field->physical_name);
        dw_status status = dw__partition_value_parse(field, text, arena, &value, &ignored);
        if (status == DW_OUT_OF_MEMORY) {
            return dw__error_oom(err);
        }
        put_bound(&typed->partition_values->children[i],
                  status == DW_OK && value.kind != DW_VALUE_NULL, &value);
    }
    return DW_OK;
}

dw_status
dw__typed_stats_put(dw_typed_stats *typed, dw_str json, const dw_file_block *block, size_t row,
                    dw_arena *arena, dw_error *err)
{
    if (typed->partition_values != NULL) {
        DW_TRY(put_partition_values(typed, block, row, arena, err));
    }
    return typed->stats == NULL ? DW_OK : put_stats(typed, json, arena, err);
}
