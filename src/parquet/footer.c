/*
 * FileMetaData of parquet.thrift; the numbers of its fields are written out beside their names.
 */
#include "parquet/footer.h"

#include "base/assert.h"
#include "parquet/thrift.h"

/* Columns and groups of a file; lists of lists and structs in structs; row groups. */
#define NODES_MAX ((size_t) 1 << 16)
#define DEPTH_MAX 255
#define ROW_GROUPS_MAX ((size_t) 1 << 16)

dw_status
dw__pq_odd(dw_error *err, const char *what)
{
    return dw__error_set(err, DW_UNSUPPORTED, "PARQUET_ODD", "expected another %s in Parquet",
                         what);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* ConvertedType, the older way to say what a node means. */
static dw_pq_meaning
converted_meaning(int64_t converted)
{
    enum { UTF8, MAP, MAP_KEY_VALUE, LIST, INT_8 = 15, INT_64 = 18 };
    if (converted == UTF8) {
        return DW_PQ_TEXT;
    }
    if (converted == MAP || converted == MAP_KEY_VALUE) {
        return DW_PQ_MAP;
    }
    if (converted == LIST) {
        return DW_PQ_LIST;
    }
    return converted >= INT_8 && converted <= INT_64 ? DW_PQ_SIGNED : DW_PQ_OTHER;
}

/* IntType: its field 2 says whether it is signed. */
static dw_pq_meaning
integer_meaning(dw_thrift *thrift)
{
    bool is_signed = false;
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == 2) {
            is_signed = dw__thrift_bool(thrift, &field);
        } else {
            dw__thrift_skip(thrift, &field);
        }
    }
    return is_signed ? DW_PQ_SIGNED : DW_PQ_OTHER;
}

/* ConvertedType, likewise. */
static dw_pq_measure
converted_measure(int64_t converted)
{
    enum { DECIMAL = 5, DATE = 6, TIMESTAMP_MILLIS = 9, TIMESTAMP_MICROS = 10 };
    return converted == DECIMAL            ? DW_PQ_DECIMAL
           : converted == DATE             ? DW_PQ_DAYS
           : converted == TIMESTAMP_MILLIS ? DW_PQ_MILLIS
           : converted == TIMESTAMP_MICROS ? DW_PQ_MICROS
                                           : DW_PQ_NO_MEASURE;
}

/* TimeUnit, a union that is the field 2 of TimestampType. */
static dw_pq_measure
timestamp_measure(dw_thrift *thrift)
{
    enum { UNIT = 2, MILLIS = 1, MICROS = 2 };
    dw_pq_measure measure = DW_PQ_NO_MEASURE;
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id != UNIT || field.type != DW_THRIFT_STRUCT) {
            dw__thrift_skip(thrift, &field);
            continue;
        }
        dw_thrift_field unit = {0};
        while (dw__thrift_next(thrift, &unit)) {
            measure = unit.id == MILLIS   ? DW_PQ_MILLIS
                      : unit.id == MICROS ? DW_PQ_MICROS
                                          : DW_PQ_NO_MEASURE;
            dw__thrift_skip(thrift, &unit);
        }
    }
    return measure;
}

/* LogicalType, a union. The digits of decimals stand beside it, too. */
static void
parse_logical(dw_thrift *thrift, const dw_thrift_field *union_field, dw_pq_node *out)
{
    enum { STRING = 1, MAP, LIST, DECIMAL = 5, DATE, TIMESTAMP = 8, INTEGER = 10, VARIANT = 16 };
    out->meaning = DW_PQ_OTHER;
    out->measure = DW_PQ_NO_MEASURE;
    dw_thrift_field field = {0};
    dw__thrift_enter(thrift, union_field);
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == INTEGER && field.type == DW_THRIFT_STRUCT) {
            out->meaning = integer_meaning(thrift);
            continue;
        }
        if (field.id == TIMESTAMP && field.type == DW_THRIFT_STRUCT) {
            out->measure = timestamp_measure(thrift);
            continue;
        }
        out->meaning = field.id == STRING    ? DW_PQ_TEXT
                       : field.id == MAP     ? DW_PQ_MAP
                       : field.id == LIST    ? DW_PQ_LIST
                       : field.id == VARIANT ? DW_PQ_VARIANT
                                             : DW_PQ_OTHER;
        out->measure = field.id == DECIMAL ? DW_PQ_DECIMAL
                       : field.id == DATE  ? DW_PQ_DAYS
                                           : DW_PQ_NO_MEASURE;
        dw__thrift_skip(thrift, &field);
    }
}

static bool
parse_node(dw_thrift *thrift, dw_pq_node *out)
{
    enum { TYPE = 1, WIDTH, REPETITION, NAME, CHILDREN, CONVERTED, SCALE, PRECISION, ID, LOGICAL };
    enum { REQUIRED, OPTIONAL, REPEATED };
    *out = (dw_pq_node){.type = DW_PQ_GROUP, .meaning = DW_PQ_PLAIN, .field_id = -1};
    int64_t type = DW_PQ_GROUP, repetition = REQUIRED, child_count = 0;
    bool has_logical = false;
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        switch (field.id) {
        case TYPE:
            type = dw__thrift_int(thrift, &field);
            break;
        case REPETITION:
            repetition = dw__thrift_int(thrift, &field);
            break;
        case NAME:
            out->name = dw__thrift_bytes(thrift, &field);
            break;
        case CHILDREN:
            child_count = dw__thrift_int(thrift, &field);
            break;
        case CONVERTED: {
            int64_t converted = dw__thrift_int(thrift, &field);
            out->meaning = has_logical ? out->meaning : converted_meaning(converted);
            out->measure = has_logical ? out->measure : converted_measure(converted);
            break;
        }
        case WIDTH:
            out->width = dw__thrift_int(thrift, &field);
            break;
        case SCALE:
            out->scale = dw__thrift_int(thrift, &field);
            break;
        case PRECISION:
            out->precision = dw__thrift_int(thrift, &field);
            break;
        case ID:
            out->field_id = dw__thrift_int(thrift, &field);
            break;
        case LOGICAL:
            parse_logical(thrift, &field, out);
            has_logical = true;
            break;
        default:
            dw__thrift_skip(thrift, &field);
        }
    }
    bool is_group = child_count > 0;
    bool is_known = type >= 0 && type <= DW_PQ_GROUP && repetition >= REQUIRED &&
                    repetition <= REPEATED && child_count >= 0 &&
                    child_count <= (int64_t) NODES_MAX;
    out->type = is_group ? DW_PQ_GROUP : (dw_pq_type) type;
    out->child_count = is_known ? (size_t) child_count : 0;
    out->is_optional = repetition == OPTIONAL;
    out->is_repeated = repetition == REPEATED;
    out->is_unmarked_instant =
        out->type == DW_PQ_INT96 ||
        (!has_logical && (out->measure == DW_PQ_MILLIS || out->measure == DW_PQ_MICROS));
    return is_known && !thrift->failed;
}

/* The nodes above the one that is looked at, and how many of their children are still to come. */
typedef struct open_groups {
    dw_pq_node *groups[DEPTH_MAX];
    size_t left[DEPTH_MAX];
    size_t count;
} open_groups;

/* Gives a node its place in the tree; false when it has none. */
static bool
place_node(dw_pq_footer *footer, size_t idx, open_groups *open)
{
    dw_pq_node *node = &footer->nodes[idx];
    if (idx > 0 && open->count == 0) {
        return false;
    }
    if (open->count > 0) {
        const dw_pq_node *parent = open->groups[open->count - 1];
        node->max_def = (uint8_t) (parent->max_def + (node->is_optional || node->is_repeated));
        node->max_rep = (uint8_t) (parent->max_rep + node->is_repeated);
        open->left[open->count - 1]--;
    }
    node->leaf_idx = footer->leaf_count;
    if (node->type != DW_PQ_GROUP) {
        footer->leaf_count++;
    } else if (node->child_count > 0) {
        if (open->count == DEPTH_MAX) {
            return false;
        }
        open->groups[open->count] = node;
        open->left[open->count++] = node->child_count;
    }
    node->end = idx + 1;
    while (open->count > 0 && open->left[open->count - 1] == 0) {
        open->groups[--open->count]->end = idx + 1;
    }
    return true;
}

static dw_status
parse_nodes(dw_thrift *thrift, const dw_thrift_field *field, dw_arena *arena, dw_pq_footer *out,
            dw_error *err)
{
    out->node_count = dw__thrift_list(thrift, field, DW_THRIFT_STRUCT);
    if (out->node_count == 0 || out->node_count > NODES_MAX || out->nodes != NULL) {
        return dw__pq_odd(err, "schema");
    }
    out->nodes = DW_ARENA_ARRAY(arena, dw_pq_node, out->node_count);
    if (out->nodes == NULL) {
        return dw__error_oom(err);
    }
    open_groups open = {.count = 0};
    for (size_t i = 0; i < out->node_count; i++) {
        if (!parse_node(thrift, &out->nodes[i]) || !place_node(out, i, &open)) {
            return dw__pq_odd(err, "schema");
        }
    }
    bool is_whole = open.count == 0 && out->nodes[0].type == DW_PQ_GROUP;
    return is_whole ? DW_OK : dw__pq_odd(err, "schema");
}

const dw_pq_node *
dw__pq_child(const dw_pq_footer *footer, const dw_pq_node *parent, dw_str name)
{
    size_t first = (size_t) (parent - footer->nodes) + 1;
    for (size_t i = first; i < parent->end; i = footer->nodes[i].end) {
        if (dw__str_equal(footer->nodes[i].name, name)) {
            return &footer->nodes[i];
        }
    }
    return NULL;
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

/* Levels may be said to be bit-packed where there are none. */
static bool
parse_encodings(dw_thrift *thrift, const dw_thrift_field *field)
{
    enum { I32 = 5, PLAIN = 0, PLAIN_DICTIONARY = 2, RLE = 3, BIT_PACKED = 4, RLE_DICTIONARY = 8 };
    bool has_others = false;
    size_t count = dw__thrift_list(thrift, field, I32);
    for (size_t i = 0; i < count && !thrift->failed; i++) {
        int64_t encoding = dw__thrift_element(thrift);
        has_others =
            has_others || (encoding != PLAIN && encoding != PLAIN_DICTIONARY && encoding != RLE &&
                           encoding != BIT_PACKED && encoding != RLE_DICTIONARY);
    }
    return has_others;
}

/* The older bounds of fields 1 and 2 are by an order of their own. */
static void
parse_statistics(dw_thrift *thrift, dw_pq_chunk *out)
{
    enum { NULLS = 3, GREATEST = 5, LEAST = 6 };
    int64_t null_count = -1;
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == NULLS) {
            null_count = dw__thrift_int(thrift, &field);
        } else if (field.id == LEAST || field.id == GREATEST) {
            *(field.id == LEAST ? &out->least : &out->greatest) = dw__thrift_bytes(thrift, &field);
        } else {
            dw__thrift_skip(thrift, &field);
        }
    }
    bool has_none = null_count >= 0 && null_count == out->value_count;
    out->least_byte = thrift->failed        ? DW_PQ_BYTE_UNKNOWN
                      : has_none            ? DW_PQ_BYTE_NONE
                      : out->least.len == 0 ? DW_PQ_BYTE_UNKNOWN
                                            : (uint8_t) out->least.ptr[0];
}

static void
parse_column_metadata(dw_thrift *thrift, dw_pq_chunk *out)
{
    enum { TYPE = 1, ENCODINGS = 2, CODEC = 4, VALUES = 5, SIZE = 7, DATA = 9, DICTIONARY = 11 };
    enum { STATISTICS = 12 };
    int64_t data = -1, dictionary = -1;
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        switch (field.id) {
        case TYPE:
            out->type = dw__thrift_int(thrift, &field);
            break;
        case ENCODINGS:
            out->has_other_encodings = parse_encodings(thrift, &field);
            break;
        case CODEC:
            out->codec = dw__thrift_int(thrift, &field);
            break;
        case VALUES:
            out->value_count = dw__thrift_int(thrift, &field);
            break;
        case SIZE:
            out->size_bytes = dw__thrift_int(thrift, &field);
            break;
        case DATA:
            data = dw__thrift_int(thrift, &field);
            break;
        case DICTIONARY:
            dictionary = dw__thrift_int(thrift, &field);
            break;
        default:
            if (field.id == STATISTICS && field.type == DW_THRIFT_STRUCT) {
                parse_statistics(thrift, out);
            } else {
                dw__thrift_skip(thrift, &field);
            }
        }
    }
    /* Some writers say 0 where there is no dictionary. */
    out->offset = dictionary > 0 && dictionary < data ? dictionary : data;
}

static int64_t *
index_place(dw_pq_chunk *chunk, int64_t field_id)
{
    enum { OFFSETS = 4, OFFSETS_SIZE, BOUNDS, BOUNDS_SIZE };
    switch (field_id) {
    case OFFSETS:
        return &chunk->offsets.offset;
    case OFFSETS_SIZE:
        return &chunk->offsets.size;
    case BOUNDS:
        return &chunk->bounds.offset;
    case BOUNDS_SIZE:
        return &chunk->bounds.size;
    default:
        return NULL;
    }
}

static bool
parse_chunk(dw_thrift *thrift, const dw_pq_node *leaf, dw_pq_chunk *out)
{
    enum { FILE_PATH = 1, METADATA = 3 };
    *out = (dw_pq_chunk){.offset = -1,
                         .size_bytes = -1,
                         .value_count = -1,
                         .codec = -1,
                         .type = -1,
                         .least_byte = DW_PQ_BYTE_UNKNOWN};
    bool is_elsewhere = false;
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        int64_t *place = index_place(out, field.id);
        if (place != NULL) {
            *place = dw__thrift_int(thrift, &field);
        } else if (field.id == METADATA && field.type == DW_THRIFT_STRUCT) {
            parse_column_metadata(thrift, out);
        } else {
            is_elsewhere = is_elsewhere || field.id == FILE_PATH;
            dw__thrift_skip(thrift, &field);
        }
    }
    return !thrift->failed && !is_elsewhere && out->offset >= 0 && out->size_bytes >= 0 &&
           out->value_count >= 0 && out->type == (int64_t) leaf->type;
}

static dw_status
parse_row_group(dw_thrift *thrift, dw_arena *arena, const dw_pq_footer *footer,
                const dw_pq_node *const *leaves, dw_pq_row_group *out, dw_error *err)
{
    enum { COLUMNS = 1, ROWS = 3 };
    dw_thrift_field field = {0};
    *out = (dw_pq_row_group){.row_count = -1};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == ROWS) {
            out->row_count = dw__thrift_int(thrift, &field);
            continue;
        }
        if (field.id != COLUMNS) {
            dw__thrift_skip(thrift, &field);
            continue;
        }
        size_t count = dw__thrift_list(thrift, &field, DW_THRIFT_STRUCT);
        if (count != footer->leaf_count) {
            return dw__pq_odd(err, "number of columns");
        }
        out->chunks = DW_ARENA_ARRAY(arena, dw_pq_chunk, count);
        if (out->chunks == NULL) {
            return dw__error_oom(err);
        }
        for (size_t i = 0; i < count; i++) {
            if (!parse_chunk(thrift, leaves[i], &out->chunks[i])) {
                return dw__pq_odd(err, "column");
            }
        }
    }
    bool is_whole = !thrift->failed && out->row_count >= 0 && out->chunks != NULL;
    return is_whole ? DW_OK : dw__pq_odd(err, "row group");
}

static dw_status
parse_row_groups(dw_thrift *thrift, const dw_thrift_field *field, dw_arena *arena,
                 dw_pq_footer *out, dw_error *err)
{
    size_t count = dw__thrift_list(thrift, field, DW_THRIFT_STRUCT);
    if (out->nodes == NULL || out->row_groups != NULL || count > ROW_GROUPS_MAX) {
        return dw__pq_odd(err, "list of row groups");
    }
    const dw_pq_node **leaves = DW_ARENA_ARRAY(arena, const dw_pq_node *, out->leaf_count);
    out->row_groups = DW_ARENA_ARRAY(arena, dw_pq_row_group, count);
    if (leaves == NULL || out->row_groups == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < out->node_count; i++) {
        if (out->nodes[i].type != DW_PQ_GROUP) {
            leaves[out->nodes[i].leaf_idx] = &out->nodes[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(parse_row_group(thrift, arena, out, leaves, &out->row_groups[i], err));
    }
    out->row_group_count = count;
    return DW_OK;
}

/* ---- Keys and values ------------------------------------------------------------------------- */

static void
note_key(dw_pq_spark *spark, dw_str key, dw_str value)
{
    if (dw__str_equal(key, DW_STR("org.apache.spark.version"))) {
        spark->version = value;
    } else if (dw__str_equal(key, DW_STR("org.apache.spark.timeZone"))) {
        spark->zone = value;
    } else if (dw__str_equal(key, DW_STR("org.apache.spark.legacyDateTime"))) {
        spark->has_legacy_dates = true;
    } else if (dw__str_equal(key, DW_STR("org.apache.spark.legacyINT96"))) {
        spark->has_legacy_int96 = true;
    }
}

static void
parse_keys(dw_thrift *thrift, const dw_thrift_field *list, dw_pq_spark *out)
{
    enum { KEY = 1, VALUE = 2 };
    size_t count = dw__thrift_list(thrift, list, DW_THRIFT_STRUCT);
    for (size_t i = 0; i < count && !thrift->failed; i++) {
        dw_str key = DW_STR_NULL, value = DW_STR("");
        dw_thrift_field field = {0};
        while (dw__thrift_next(thrift, &field)) {
            if (field.id == KEY || field.id == VALUE) {
                dw_str text = dw__thrift_bytes(thrift, &field);
                *(field.id == KEY ? &key : &value) = text;
            } else {
                dw__thrift_skip(thrift, &field);
            }
        }
        note_key(out, key, value);
    }
}

dw_status
dw__pq_footer_parse(dw_str bytes, dw_arena *arena, dw_pq_footer *out, dw_error *err)
{
    enum { SCHEMA = 2, ROW_GROUPS = 4, KEYS = 5 };
    *out = (dw_pq_footer){0};
    dw_thrift thrift = dw__thrift_make(bytes);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == SCHEMA) {
            DW_TRY(parse_nodes(&thrift, &field, arena, out, err));
        } else if (field.id == ROW_GROUPS) {
            DW_TRY(parse_row_groups(&thrift, &field, arena, out, err));
        } else if (field.id == KEYS) {
            parse_keys(&thrift, &field, &out->spark);
        } else {
            dw__thrift_skip(&thrift, &field);
        }
    }
    bool is_whole = !thrift.failed && out->row_groups != NULL;
    return is_whole ? DW_OK : dw__pq_odd(err, "footer");
}

dw_status
dw__pq_footer_read(const dw_pq_source *source, dw_arena *arena, dw_pq_footer *out, dw_error *err)
{
    dw_str footer, copy;
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(arena->allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    DW_TRY(dw__pq_source_footer(source, &bytes, &footer, err));
    if (!dw__arena_dup(arena, footer, &copy)) {
        return dw__error_oom(err);
    }
    return dw__pq_footer_parse(copy, arena, out, err);
}

dw_status
dw__pq_footer_open(const dw_env *env, dw_str path, dw_arena *arena, dw_pq_footer *out,
                   bool *read_out, dw_error *err)
{
    DW_AUTO(dw_storage_ptr) storage = NULL;
    dw_pq_source source;
    dw_error ignored = DW_ERROR_INIT;
    *read_out = false;
    if (!dw__pq_source_open(env, path, &storage, &source)) {
        return DW_OK;
    }
    dw_status status = dw__pq_footer_read(&source, arena, out, &ignored);
    *read_out = status == DW_OK;
    return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
}
