/*
 * Reading statistics: one pass over the text, comparing each key with the few that are wanted.
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/stats.h"
#include "protocol/stats_bound.h"
#include "protocol/stats_scan.h"

/* Columns that one pass looks for; more take further passes. */
#define BATCH_COUNT_MAX ((size_t) 64)

typedef enum section { SECTION_MIN, SECTION_MAX, SECTION_NULL_COUNT } section;

typedef struct stats_reader {
    dw_scanner scanner;
    const dw_column_path *columns;
    size_t column_count;
    dw_column_stats *out;
    dw_arena *arena;
    bool out_of_memory;
    size_t taken_count; /* values found in this section */
    /* For each column how many parts of its path lead to the object that is being read. */
    uint8_t matched[BATCH_COUNT_MAX];
} stats_reader;

/* ---- One column ------------------------------------------------------------------------------ */

static void
take_bound(stats_reader *reader, size_t column, dw_str token, bool is_max)
{
    dw_column_stats *out = &reader->out[column];
    bool *has = is_max ? &out->has_max : &out->has_min;
    bool *exact = is_max ? &out->max_is_exact : &out->min_is_exact;
    dw_value *value = is_max ? &out->max : &out->min;
    if (!dw__stats_bound_read(reader->columns[column].type, token, is_max, reader->arena, has,
                              exact, value)) {
        reader->out_of_memory = true;
        *has = false;
    }
    *exact = *exact && *has;
}

static void
take_value(stats_reader *reader, size_t column, section in, dw_str token)
{
    dw_column_stats *out = &reader->out[column];
    if (in == SECTION_NULL_COUNT) {
        out->has_null_count =
            dw__json_number_to_i64(token, &out->null_count) && out->null_count >= 0;
    } else {
        take_bound(reader, column, token, in == SECTION_MAX);
    }
}

/* ---- A section ------------------------------------------------------------------------------- */

/* What a key means for the columns: where the first one that ends here stands, and whether some
 * lead further in. */
typedef struct key_match {
    size_t leaf; /* SIZE_MAX: none */
    bool is_prefix;
} key_match;

static inline bool
is_at(const stats_reader *reader, size_t column, dw_str key, size_t depth)
{
    return reader->matched[column] == depth &&
           dw__scan_key_equal(&reader->scanner, key, reader->columns[column].parts[depth]);
}

static key_match
match_key(stats_reader *reader, dw_str key, size_t depth)
{
    key_match match = {SIZE_MAX, false};
    for (size_t i = 0; i < reader->column_count; i++) {
        if (!is_at(reader, i, key, depth)) {
            continue;
        }
        if (reader->columns[i].count > depth + 1) {
            match.is_prefix = true;
            reader->matched[i]++;
        } else if (match.leaf == SIZE_MAX) {
            match.leaf = i;
        }
    }
    return match;
}

static void
leave_key(stats_reader *reader, size_t depth)
{
    for (size_t i = 0; i < reader->column_count; i++) {
        if (reader->matched[i] > depth) {
            reader->matched[i] = (uint8_t) depth;
        }
    }
}

/* Gives the value to the column, and to those behind it that ask for the same. */
static void
take_leaf(stats_reader *reader, const key_match *match, dw_str key, size_t depth, section in)
{
    dw_str token = dw__scan_value(&reader->scanner);
    for (size_t i = match->leaf; i < reader->column_count && !reader->scanner.failed; i++) {
        if (i == match->leaf ||
            (is_at(reader, i, key, depth) && reader->columns[i].count == depth + 1)) {
            take_value(reader, i, in, token);
            reader->taken_count++;
        }
    }
}

/* Reads an object of a section. Recurses only along the path of a wanted column. */
static void
read_object(stats_reader *reader, section in, size_t depth)
{
    dw_assert(depth <= DW_SCHEMA_DEPTH_MAX);
    dw_scanner *scanner = &reader->scanner;
    dw_str key;
    for (bool first = true; dw__scan_member(scanner, first, &key); first = false) {
        key_match match = match_key(reader, key, depth);
        if (match.leaf != SIZE_MAX) {
            take_leaf(reader, &match, key, depth, in);
        } else if (match.is_prefix && dw__scan_enter(scanner)) {
            read_object(reader, in, depth + 1);
        } else {
            (void) dw__scan_value(scanner);
        }
        if (match.is_prefix) {
            leave_key(reader, depth);
        }
        if (reader->taken_count >= reader->column_count) {
            (void) dw__scan_rest(scanner, 1);
            return;
        }
    }
}

static void
read_section(stats_reader *reader, section in)
{
    if (!dw__scan_enter(&reader->scanner)) {
        (void) dw__scan_value(&reader->scanner);
        return;
    }
    memset(reader->matched, 0, reader->column_count);
    reader->taken_count = 0;
    read_object(reader, in, 0);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void
take_num_records(dw_scanner *scanner, dw_file_stats *out)
{
    dw_str token = dw__scan_value(scanner);
    out->has_num_records =
        dw__json_number_to_i64(token, &out->num_records) && out->num_records >= 0;
}

static void
take_tight_bounds(dw_scanner *scanner, dw_file_stats *out)
{
    /* Anything but true is taken for the weaker promise. */
    dw_str token = dw__scan_value(scanner);
    out->tight_bounds =
        dw__str_equal(token, DW_STR("true")) || dw__str_equal(token, DW_STR("null"));
}

static bool
read_all(stats_reader *reader, dw_file_stats *out)
{
    dw_scanner *scanner = &reader->scanner;
    if (!dw__scan_enter(scanner)) {
        return false;
    }
    dw_str key;
    for (bool first = true; dw__scan_member(scanner, first, &key); first = false) {
        if (dw__scan_key_equal(scanner, key, DW_STR("minValues"))) {
            read_section(reader, SECTION_MIN);
        } else if (dw__scan_key_equal(scanner, key, DW_STR("maxValues"))) {
            read_section(reader, SECTION_MAX);
        } else if (dw__scan_key_equal(scanner, key, DW_STR("nullCount"))) {
            read_section(reader, SECTION_NULL_COUNT);
        } else if (dw__scan_key_equal(scanner, key, DW_STR("numRecords"))) {
            take_num_records(scanner, out);
        } else if (dw__scan_key_equal(scanner, key, DW_STR("tightBounds"))) {
            take_tight_bounds(scanner, out);
        } else {
            (void) dw__scan_value(scanner);
        }
    }
    return dw__scan_is_at_end(scanner);
}

/* Drops what contradicts itself or says nothing. [STATS-1] [STATS-3] */
static void
settle(const dw_file_stats *file, dw_column_stats *column)
{
    if (column->has_null_count && file->has_num_records) {
        bool all = column->null_count == file->num_records;
        bool sure = file->tight_bounds || column->null_count == 0 || all;
        column->has_null_count = sure && column->null_count <= file->num_records;
    } else if (!file->tight_bounds && column->null_count != 0) {
        column->has_null_count = false;
    }
    if (column->has_min && column->has_max) {
        bool comparable;
        if (dw__value_compare(&column->min, &column->max, &comparable) > 0 || !comparable) {
            column->has_min = false;
            column->has_max = false;
        }
    }
    column->min_is_exact = column->min_is_exact && column->has_min && file->tight_bounds;
    column->max_is_exact = column->max_is_exact && column->has_max && file->tight_bounds;
}

bool
dw__stats_read(dw_str json, const dw_column_path *columns, size_t column_count, dw_arena *arena,
               dw_file_stats *out, dw_column_stats *columns_out)
{
    *out = (dw_file_stats){.tight_bounds = true};
    size_t start = 0;
    do {
        size_t left = column_count - start;
        size_t count = left < BATCH_COUNT_MAX ? left : BATCH_COUNT_MAX;
        stats_reader reader = {.scanner = dw__scanner_make(json),
                               .columns = columns + start,
                               .column_count = count,
                               .out = columns_out + start,
                               .arena = arena};
        *out = (dw_file_stats){.tight_bounds = true};
        for (size_t i = 0; i < count; i++) {
            reader.out[i] = (dw_column_stats){.has_min = false};
        }
        bool valid = read_all(&reader, out);
        if (reader.out_of_memory) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (valid) {
                settle(out, &reader.out[i]);
            } else {
                reader.out[i] = (dw_column_stats){.has_min = false};
            }
        }
        if (!valid) {
            *out = (dw_file_stats){.tight_bounds = true};
        }
        start += count;
    } while (start < column_count);
    return true;
}

void
dw__stats_read_counts(dw_str json, dw_file_stats *out)
{
    static const char tight_bounds_key[] = "\"tightBounds\"";
    *out = (dw_file_stats){.tight_bounds = true};
    bool may_be_loose = json.len > 0 && memmem(json.ptr, json.len, tight_bounds_key,
                                               sizeof(tight_bounds_key) - 1) != NULL;
    dw_scanner scanner = dw__scanner_make(json);
    dw_str key;
    bool is_object = dw__scan_enter(&scanner);
    for (bool first = true; is_object && dw__scan_member(&scanner, first, &key); first = false) {
        if (dw__scan_key_equal(&scanner, key, DW_STR("numRecords"))) {
            take_num_records(&scanner, out);
            /* Cut text, which cannot be trusted, does not end like an object. */
            if (!may_be_loose && out->has_num_records &&
                dw__str_ends_with(dw__str_trim(json), DW_STR("}"))) {
                return;
            }
        } else if (dw__scan_key_equal(&scanner, key, DW_STR("tightBounds"))) {
            take_tight_bounds(&scanner, out);
        } else {
            (void) dw__scan_value(&scanner);
        }
    }
    if (!is_object || !dw__scan_is_at_end(&scanner)) {
        *out = (dw_file_stats){.tight_bounds = true};
    }
}
