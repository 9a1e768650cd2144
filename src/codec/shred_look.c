/*
 * Choosing what a column of variants is shredded by. The fields of the rows that are looked at are
 * counted in a tree; types of one field are merged: integers and decimals to what holds all of
 * them, JSON's null to any, all others to none.
 */
#include "base/assert.h"
#include "codec/variant_write.h"

typedef enum look_state {
    UNSEEN, /* or JSON's null alone */
    SEEN,   /* values of one kind */
    MIXED
} look_state;

typedef struct look_node {
    dw_str name;
    look_state state;
    dw_shred_kind kind;
    /* Of numbers: the most digits before and behind the point; kind is DW_SHRED_LONG while all of
     * them are integers. */
    unsigned range, scale;
    size_t count; /* of rows that have it; inside of arrays: of elements */
    struct look_nodes {
        struct look_node **items;
        size_t count, capacity;
    } fields; /* by name */
    struct look_node *element;
} look_node;

struct dw_shred_look {
    dw_arena arena;
    look_node root;
    size_t row_count;
    size_t node_count;
};

dw_status
dw__shred_look_new(const dw_allocator *allocator, dw_shred_look **out, dw_error *err)
{
    *out = DW_NEW(allocator, dw_shred_look);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    dw__arena_init(&(*out)->arena, allocator);
    return DW_OK;
}

/* Recursion here and below is at most DW_SHRED_DEPTH_MAX deep. */
static void
free_fields(const dw_allocator *allocator, look_node *node)
{
    for (size_t i = 0; i < node->fields.count; i++) {
        free_fields(allocator, node->fields.items[i]);
    }
    if (node->element != NULL) {
        free_fields(allocator, node->element);
    }
    DW_VEC_DEINIT(allocator, &node->fields);
}

void
dw__shred_look_free(dw_shred_look *look)
{
    if (look != NULL) {
        const dw_allocator *allocator = look->arena.allocator;
        free_fields(allocator, &look->root);
        dw__arena_deinit(&look->arena);
        DW_DELETE(allocator, look);
    }
}

/* ---- Types ----------------------------------------------------------------------------------- */

static unsigned
count_digits(dw_int128 number)
{
    unsigned digits = 0;
    for (; number != 0; number /= 10) {
        digits++;
    }
    return digits;
}

static bool
is_number(dw_shred_kind kind)
{
    return kind == DW_SHRED_LONG || kind == DW_SHRED_DECIMAL;
}

/* What one value is; NONE for JSON's null and for types that have no column. */
typedef struct one_value {
    dw_shred_kind kind;
    bool is_null;
    unsigned range, scale;
} one_value;

static dw_shred_kind
kind_of_primitive(unsigned type)
{
    static const uint8_t kinds[] = {
        [PRIMITIVE_TRUE] = DW_SHRED_BOOLEAN,
        [PRIMITIVE_FALSE] = DW_SHRED_BOOLEAN,
        [PRIMITIVE_INT_8] = DW_SHRED_LONG,
        [PRIMITIVE_INT_16] = DW_SHRED_LONG,
        [PRIMITIVE_INT_32] = DW_SHRED_LONG,
        [PRIMITIVE_INT_64] = DW_SHRED_LONG,
        [PRIMITIVE_DOUBLE] = DW_SHRED_DOUBLE,
        [PRIMITIVE_DECIMAL_4] = DW_SHRED_DECIMAL,
        [PRIMITIVE_DECIMAL_8] = DW_SHRED_DECIMAL,
        [PRIMITIVE_DECIMAL_16] = DW_SHRED_DECIMAL,
        [PRIMITIVE_DATE] = DW_SHRED_DATE,
        [PRIMITIVE_INSTANT] = DW_SHRED_INSTANT,
        [PRIMITIVE_LOCAL_TIME] = DW_SHRED_LOCAL_TIME,
        [PRIMITIVE_FLOAT] = DW_SHRED_FLOAT,
        [PRIMITIVE_BINARY] = DW_SHRED_BYTES,
        [PRIMITIVE_TEXT] = DW_SHRED_TEXT,
    };
    return type < sizeof(kinds) ? (dw_shred_kind) kinds[type] : DW_SHRED_NONE;
}

static one_value
look_at(dw_str value)
{
    unsigned head = (uint8_t) value.ptr[0];
    switch (head & 3) {
    case BASIC_SHORT_TEXT:
        return (one_value){.kind = DW_SHRED_TEXT};
    case BASIC_OBJECT:
        return (one_value){.kind = DW_SHRED_OBJECT};
    case BASIC_ARRAY:
        return (one_value){.kind = DW_SHRED_ARRAY};
    default:
        break;
    }
    one_value found = {.kind = kind_of_primitive(head >> 2), .is_null = head == PRIMITIVE_NULL};
    dw_shred_scalar scalar = {0};
    dw_int128 unscaled = 0;
    if (found.kind == DW_SHRED_LONG &&
        dw__shred_scalar(&(dw_shred_type){.kind = DW_SHRED_LONG}, value, &scalar)) {
        found.range = count_digits(scalar.number);
    } else if (found.kind == DW_SHRED_DECIMAL &&
               dw__shred_decimal(value, &unscaled, &found.scale)) {
        unsigned digits = count_digits(unscaled);
        found.range = digits > found.scale ? digits - found.scale : 0;
    }
    return found;
}

static void
merge(look_node *node, one_value value)
{
    if (value.is_null || node->state == MIXED) {
        return;
    }
    if (value.kind == DW_SHRED_NONE) {
        node->state = MIXED;
    } else if (node->state == UNSEEN) {
        node->state = SEEN;
        node->kind = value.kind;
        node->range = value.range;
        node->scale = value.scale;
    } else if (is_number(node->kind) && is_number(value.kind)) {
        node->kind = node->kind == value.kind ? node->kind : DW_SHRED_DECIMAL;
        node->range = value.range > node->range ? value.range : node->range;
        node->scale = value.scale > node->scale ? value.scale : node->scale;
        node->state = node->range + node->scale > DW_SHRED_DIGITS_MAX ? MIXED : SEEN;
    } else if (node->kind != value.kind) {
        node->state = MIXED;
    }
}

/* ---- Counting -------------------------------------------------------------------------------- */

/* The place of the first field that is not less than the name. */
static size_t
place_of(const look_node *node, dw_str name)
{
    size_t first = 0, end = node->fields.count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (dw__str_compare(node->fields.items[middle]->name, name) < 0) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

/* Of what cannot be the name of a column: the engine takes no zero bytes, and an empty one is not
 * to be had everywhere. */
static bool
can_be_column(dw_str name)
{
    return name.len > 0 && memchr(name.ptr, 0, name.len) == NULL;
}

/* `*out` NULL: there are too many fields. */
static dw_status
find_field(dw_shred_look *look, look_node *node, dw_str name, look_node **out, dw_error *err)
{
    size_t place = place_of(node, name);
    *out = place < node->fields.count ? node->fields.items[place] : NULL;
    if (*out != NULL && dw__str_equal((*out)->name, name)) {
        return DW_OK;
    }
    *out = NULL;
    if (node->fields.count == DW_SHRED_FIELDS_MAX || look->node_count == DW_SHRED_NODES_MAX ||
        !can_be_column(name)) {
        return DW_OK;
    }
    look_node *field = DW_ARENA_NEW(&look->arena, look_node);
    if (field == NULL || !dw__arena_dup(&look->arena, name, &field->name) ||
        DW_VEC_PUSH(look->arena.allocator, &node->fields) == NULL) {
        return dw__error_oom(err);
    }
    look_node **items = node->fields.items;
    memmove(items + place + 1, items + place, (node->fields.count - 1 - place) * sizeof(*items));
    items[place] = field;
    look->node_count++;
    *out = field;
    return DW_OK;
}

static dw_status
find_element(dw_shred_look *look, look_node *node, look_node **out, dw_error *err)
{
    if (node->element == NULL && look->node_count < DW_SHRED_NODES_MAX) {
        node->element = DW_ARENA_NEW(&look->arena, look_node);
        if (node->element == NULL) {
            return dw__error_oom(err);
        }
        look->node_count++;
    }
    *out = node->element;
    return DW_OK;
}

static dw_status
add(dw_shred_look *look, look_node *node, dw_str metadata, dw_str value, int depth, dw_error *err)
{
    dw_variant_walk walk;
    bool is_group;
    node->count++;
    merge(node, look_at(value));
    DW_TRY(dw__variant_walk(metadata, value, &walk, &is_group, err));
    if (!is_group || depth == DW_SHRED_DEPTH_MAX || node->state == MIXED) {
        return DW_OK;
    }
    for (size_t i = 0; i < walk.count; i++) {
        look_node *inner = NULL;
        dw_str name, inner_value;
        DW_TRY(dw__variant_walk_at(&walk, i, &name, &inner_value, err));
        DW_TRY(walk.is_object ? find_field(look, node, name, &inner, err)
                              : find_element(look, node, &inner, err));
        if (inner != NULL) {
            DW_TRY(add(look, inner, metadata, inner_value, depth + 1, err));
        }
    }
    return DW_OK;
}

dw_status
dw__shred_look_add(dw_shred_look *look, dw_str metadata, dw_str value, dw_error *err)
{
    dw_assert(value.len > 0);
    look->row_count++;
    return add(look, &look->root, metadata, value, 0, err);
}

/* ---- The type -------------------------------------------------------------------------------- */

typedef struct type_maker {
    dw_arena *arena;
    size_t count_min;
    size_t *width_left;
    dw_error *err;
} type_maker;

static dw_status make_type(const type_maker *maker, const look_node *node, int depth,
                           const dw_shred_type **out);

/* Names that differ by case alone are one to many readers: the one that most rows have gets the
 * column, the first of equals. */
static bool
has_column(const type_maker *maker, const look_node *node, size_t idx)
{
    const look_node *field = node->fields.items[idx];
    if (field->count < maker->count_min) {
        return false;
    }
    for (size_t i = 0; i < node->fields.count; i++) {
        const look_node *other = node->fields.items[i];
        if (i != idx && dw__str_equal_nocase(other->name, field->name) &&
            (other->count > field->count || (other->count == field->count && i < idx))) {
            return false;
        }
    }
    return true;
}

static dw_status
make_object(const type_maker *maker, const look_node *node, int depth, dw_shred_type *type)
{
    dw_shred_field *fields = DW_ARENA_ARRAY(maker->arena, dw_shred_field, node->fields.count + 1);
    if (fields == NULL) {
        return dw__error_oom(maker->err);
    }
    for (size_t i = 0; i<node->fields.count && * maker->width_left> 0; i++) {
        const look_node *field = node->fields.items[i];
        if (!has_column(maker, node, i)) {
            continue;
        }
        dw_shred_field *out = &fields[type->field_count++];
        if (!dw__arena_dup(maker->arena, field->name, &out->name)) {
            return dw__error_oom(maker->err);
        }
        DW_TRY(make_type(maker, field, depth + 1, &out->type));
    }
    type->kind = type->field_count > 0 ? DW_SHRED_OBJECT : DW_SHRED_NONE;
    type->fields = fields;
    return DW_OK;
}

static dw_status
make_array(const type_maker *maker, const look_node *node, int depth, dw_shred_type *type)
{
    static const look_node unseen;
    type->kind = DW_SHRED_ARRAY;
    return make_type(maker, node->element == NULL ? &unseen : node->element, depth + 1,
                     &type->element);
}

/* Decimals have 18 digits or 38, as the engine and Spark write them. */
static void
make_number(const look_node *node, dw_shred_type *type)
{
    enum { NARROW_DIGITS = 18 };
    type->kind = node->kind;
    if (node->kind == DW_SHRED_DECIMAL) {
        type->scale = (uint8_t) node->scale;
        type->precision =
            node->range + node->scale <= NARROW_DIGITS ? NARROW_DIGITS : DW_SHRED_DIGITS_MAX;
    }
}

static dw_status
make_type(const type_maker *maker, const look_node *node, int depth, const dw_shred_type **out)
{
    dw_shred_type *type = DW_ARENA_NEW(maker->arena, dw_shred_type);
    if (type == NULL) {
        return dw__error_oom(maker->err);
    }
    *out = type;
    /* Each has a column of values, and one of typed values needs another. */
    *maker->width_left -= *maker->width_left > 0 ? 1 : 0;
    if (node->state != SEEN || *maker->width_left == 0 || depth == DW_SHRED_DEPTH_MAX) {
        return DW_OK;
    }
    if (node->kind == DW_SHRED_OBJECT) {
        return make_object(maker, node, depth, type);
    }
    if (node->kind == DW_SHRED_ARRAY) {
        return make_array(maker, node, depth, type);
    }
    *maker->width_left -= 1;
    make_number(node, type);
    return DW_OK;
}

dw_status
dw__shred_look_type(const dw_shred_look *look, dw_arena *arena, size_t *width_left,
                    const dw_shred_type **out, dw_error *err)
{
    const type_maker maker = {arena, (look->row_count + 9) / 10, width_left, err};
    *out = NULL;
    return make_type(&maker, &look->root, 0, out);
}

static bool
dup_fields(const dw_shred_type *type, dw_arena *arena, dw_shred_type *out)
{
    dw_shred_field *fields = DW_ARENA_ARRAY(arena, dw_shred_field, type->field_count + 1);
    out->fields = fields;
    for (size_t i = 0; fields != NULL && i < type->field_count; i++) {
        fields[i].type = dw__shred_type_dup(type->fields[i].type, arena);
        if (fields[i].type == NULL ||
            !dw__arena_dup(arena, type->fields[i].name, &fields[i].name)) {
            return false;
        }
    }
    return fields != NULL;
}

const dw_shred_type *
dw__shred_type_dup(const dw_shred_type *type, dw_arena *arena)
{
    dw_shred_type *copy = DW_ARENA_NEW(arena, dw_shred_type);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *type;
    if (type->kind == DW_SHRED_ARRAY) {
        copy->element = dw__shred_type_dup(type->element, arena);
        return copy->element == NULL ? NULL : copy;
    }
    return dup_fields(type, arena, copy) ? copy : NULL;
}
