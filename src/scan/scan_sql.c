/*
 * Writing the SELECT. Data columns are read by `schema` of read_parquet, which maps names or field
 * ids of files to names and types of ours; what it cannot do (partition columns, fields renamed
 * inside of structs, deleted rows) is done above it.
 */
#include "scan/scan_sql.h"

#include "base/assert.h"
#include "log/changes.h"
#include "protocol/feature_use.h"
#include "scan/scan.h"
#include "scan/scan_values.h"

/* ---- What a schema needs --------------------------------------------------------------------- */

/*
 * Conditions that the engine would judge wrongly if it met them while it reads the file:
 * - It brings their constants to the type that a file has, and rounds them: of the integers below
 *   1.5 it would leave out 1. Only integers made wider are safe from that.
 * - Of binary values that a dictionary holds it finds none equal.
 * - In a row group without values `a IS DISTINCT FROM b OR ...` holds for none.
 */
static bool
is_misjudged(const dw_scan_sql *scan, const dw_field *field)
{
    dw_type_kind kind = field->type->kind;
    bool is_rounded =
        kind == DW_TYPE_DOUBLE || kind == DW_TYPE_DECIMAL || kind == DW_TYPE_TIMESTAMP_NTZ;
    return scan->compares_nulls || kind == DW_TYPE_BINARY ||
           ((field->traits & DW_FIELD_WIDENED) != 0 && is_rounded);
}

/* The place of a field among the partition columns, or SIZE_MAX. */
static size_t
partition_idx(const dw_scan_sql *scan, const dw_field *field)
{
    for (size_t i = 0; i < scan->partition_count; i++) {
        if (dw__str_equal(scan->partition_columns[i], field->name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool
is_change_type(const dw_scan_sql *scan, const dw_field *field)
{
    return scan->has_changes && dw__str_equal(field->name, DW_STR(DW_CHANGE_TYPE_COLUMN));
}

/* Which of the hidden columns a field is, or SIZE_MAX. */
static size_t
metadata_idx(const dw_scan_sql *scan, const dw_field *field)
{
    size_t idx = (size_t) (field - scan->schema->fields);
    size_t first = scan->schema->field_count - dw__scan_metadata_column_count(scan->metadata);
    return idx < first ? SIZE_MAX : idx - first;
}

static bool
has_materialised_ids(const dw_scan_sql *scan)
{
    return scan->metadata != NULL &&
           (scan->metadata->columns.id.len > 0 || scan->metadata->columns.version.len > 0);
}

/* True when the column is read from files. */
static bool
is_in_files(const dw_scan_sql *scan, const dw_field *field)
{
    if (is_change_type(scan, field)) {
        return scan->has_recorded_changes;
    }
    if (metadata_idx(scan, field) != SIZE_MAX) {
        return false;
    }
    return field->type->kind != DW_TYPE_VOID && partition_idx(scan, field) == SIZE_MAX;
}

/* What the SELECT is made of, seen once over the schema. */
typedef struct select_shape {
    bool by_id;          /* columns are found by field id */
    bool is_plain;       /* SELECT * will do */
    bool use_own_names;  /* inner columns are called c0, c1, ...: the engine's names are taken */
    size_t column_count; /* read from files */
} select_shape;

static bool
is_engine_name(dw_str name)
{
    return dw__str_equal_nocase(name, DW_STR("file_index")) ||
           dw__str_equal_nocase(name, DW_STR("file_row_number"));
}

/* True when conditions on the places of rows stand in the SELECT. */
static bool
uses_positions(const dw_scan_sql *scan)
{
    for (size_t i = 0; i < scan->part_count; i++) {
        if (scan->parts[i].has_deleted_rows || scan->parts[i].is_large) {
            return true;
        }
    }
    return false;
}

bool
dw__scan_sql_ignores_ids(const dw_scan_sql *scan)
{
    /* What is no column of the table has no id. */
    bool only_by_name = scan->has_recorded_changes || has_materialised_ids(scan);
    return scan->mapping_mode == DW_MAPPING_ID && only_by_name;
}

static select_shape
shape_of(const dw_scan_sql *scan)
{
    select_shape shape = {.by_id = scan->mapping_mode == DW_MAPPING_ID &&
                                   !dw__scan_sql_ignores_ids(scan),
                          .is_plain = !scan->has_changes};
    bool uses_engine_names = uses_positions(scan) || scan->with_positions ||
                             scan->partition_count > 0 || scan->metadata != NULL ||
                             dw__scan_has_old_values(scan);
    for (size_t i = 0; i < scan->schema->field_count; i++) {
        const dw_field *field = &scan->schema->fields[i];
        if (!is_in_files(scan, field)) {
            shape.is_plain = false;
            continue;
        }
        shape.column_count++;
        shape.by_id = shape.by_id && field->mapping_id >= 0;
        shape.is_plain = shape.is_plain && !dw__scan_is_rewritten(scan, field->type) &&
                         !is_misjudged(scan, field);
        if (uses_engine_names && is_engine_name(field->name)) {
            shape.use_own_names = true;
            shape.is_plain = false;
        }
    }
    return shape;
}

/* ---- read_parquet ---------------------------------------------------------------------------- */

static void
put_inner_name(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape, size_t idx)
{
    if (shape->use_own_names) {
        dw__strbuf_printf(out, "c%zu", idx);
    } else {
        dw__strbuf_append(out, scan->schema->fields[idx].name);
    }
}

/* Appends `text` as a literal and empties it. */
static void
put_as_literal(dw_strbuf *out, dw_strbuf *text)
{
    dw__sql_put_literal(out, dw__strbuf_str(text));
    out->failed = out->failed || text->failed;
    dw__strbuf_clear(text);
}

/* One entry of the map: what the file calls it, what it is called here, its type. */
static void
put_map_entry(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape, size_t idx)
{
    const dw_field *field = &scan->schema->fields[idx];
    dw_strbuf text = dw__strbuf_make(out->allocator, DW_SCAN_SQL_BYTES_MAX);
    if (shape->by_id) {
        dw__strbuf_append_i64(out, field->mapping_id);
    } else {
        dw__sql_put_literal(out, field->physical_name);
    }
    dw__strbuf_append_literal(out, ": {name: ");
    put_inner_name(&text, scan, shape, idx);
    put_as_literal(out, &text);
    dw__strbuf_append_literal(out, ", type: ");
    dw_times_as_text as_text = {scan->instants_as_text, scan->has_old_widened};
    const dw_type *type = scan->asked == NULL ? field->type : scan->asked[idx];
    dw__engine_type_print_physical(&text, type, as_text);
    put_as_literal(out, &text);
    dw__strbuf_append_literal(out, ", default_value: NULL}");
    dw__strbuf_deinit(&text);
}

/* A column of materialised ids. */
static void
put_id_entry(dw_strbuf *out, dw_str column, const char *inner_name)
{
    if (column.len > 0) {
        dw__sql_put_literal(out, column);
        dw__strbuf_printf(out, ": {name: '%s', type: 'BIGINT', default_value: NULL}, ", inner_name);
    }
}

/* The map of all columns that are in files. */
static void
put_map(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape)
{
    dw__strbuf_append_literal(out, "MAP {");
    if (has_materialised_ids(scan)) {
        put_id_entry(out, scan->metadata->columns.id, DW_ROW_ID_INNER);
        put_id_entry(out, scan->metadata->columns.version, DW_ROW_VERSION_INNER);
    }
    if (shape->column_count == 0) {
        /* All columns are NULL or from the log, yet the files say how many rows there are. */
        dw__strbuf_append(out, shape->by_id ? DW_STR("-1") : DW_STR("'c'"));
        dw__strbuf_append_literal(out, ": {name: 'c', type: 'INTEGER', default_value: NULL}");
    }
    bool is_first = true;
    for (size_t i = 0; i < scan->schema->field_count; i++) {
        if (is_in_files(scan, &scan->schema->fields[i])) {
            dw__strbuf_append(out, is_first ? DW_STR("") : DW_STR(", "));
            put_map_entry(out, scan, shape, i);
            dw__scan_put_twins(out, scan, shape->by_id, &scan->schema->fields[i]);
            is_first = false;
        }
    }
    dw__strbuf_append_char(out, '}');
}

/* The engine reads a list of one file with as many threads as the file has row groups, of which it
 * knows none when it is given the columns: with one. So it gets a large file twice, and a condition
 * that skips the second. */
static bool
is_doubled(const dw_scan_part *part)
{
    return part->count == 1 && part->is_large;
}

static void
put_files(dw_strbuf *out, const dw_scan_sql *scan, const dw_scan_part *part)
{
    size_t first = part->first + 1;
    if (is_doubled(part)) {
        dw__strbuf_printf(out, "[dw_files()[%zu], dw_files()[%zu]]", first, first);
    } else if (scan->part_count > 1) {
        dw__strbuf_printf(out, "dw_files()[%zu:%zu]", first, part->first + part->count);
    } else {
        dw__strbuf_append_literal(out, "dw_files()");
    }
}

static dw_status
put_read_parquet(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape,
                 const dw_scan_part *part, dw_error *err)
{
    dw__strbuf_append_literal(out, "read_parquet(");
    put_files(out, scan, part);
    dw__strbuf_append_literal(out, ", hive_partitioning = false, ");
    if (dw__schema_has_kind(scan->schema, DW_TYPE_FLOAT) ||
        dw__schema_has_kind(scan->schema, DW_TYPE_DOUBLE)) {
        /* Statistics in Parquet files do not tell either whether there are NaNs. */
        dw__strbuf_append_literal(out, "can_have_nan = true, ");
    }
    if (dw__schema_has_kind(scan->schema, DW_TYPE_STRING) &&
        !dw__schema_has_kind(scan->schema, DW_TYPE_BINARY) &&
        !dw__schema_has_kind(scan->schema, DW_TYPE_VARIANT)) {
        /* Some writers do not mark texts as such; the engine would show their bytes. */
        dw__strbuf_append_literal(out, "binary_as_string = true, ");
    }
    if (part->row_count >= 0) {
        dw__strbuf_printf(out, "explicit_cardinality = %lld, ",
                          part->row_count > 0 ? (long long) part->row_count : 1LL);
    }
    dw__strbuf_append_literal(out, "schema = ");
    if (scan->connection == NULL) {
        put_map(out, scan, shape);
    } else {
        DW_AUTO(dw_strbuf) map = dw__strbuf_make(out->allocator, DW_SCAN_SQL_BYTES_MAX);
        put_map(&map, scan, shape);
        DW_TRY(dw__strbuf_ok(&map, "the columns of a table", err));
        DW_TRY(dw__connection_put_constant(scan->connection, dw__strbuf_str(&map), out, err));
    }
    dw__strbuf_append_char(out, ')');
    return DW_OK;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* The place of a part's file among all files. Of a single one it is a constant: then the engine has
 * the Parquet reader mask rows, as it does for conditions on one column. */
static void
put_file_index(dw_strbuf *out, const dw_scan_part *part)
{
    if (part->count == 1) {
        dw__strbuf_printf(out, "CAST(%zu AS UBIGINT)", part->first);
    } else if (part->first == 0) {
        dw__strbuf_append_literal(out, "file_index");
    } else {
        dw__strbuf_printf(out, "file_index + CAST(%zu AS UBIGINT)", part->first);
    }
}

static dw_status
put_part(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape,
         const dw_scan_part *part, dw_error *err)
{
    DW_TRY(put_read_parquet(out, scan, shape, part, err));
    if (is_doubled(part)) {
        dw__strbuf_append_literal(out, " WHERE file_index = 0");
    }
    if (part->has_deleted_rows) {
        dw__strbuf_append(out, is_doubled(part) ? DW_STR(" AND") : DW_STR(" WHERE"));
        dw__strbuf_append_literal(out, " dw_keep(");
        put_file_index(out, part);
        dw__strbuf_append_literal(out, ", file_row_number)");
    }
    return DW_OK;
}

/* The rows of all parts, with the column file_index where there is a use for it. */
static dw_status
put_parts(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape, dw_error *err)
{
    if (scan->part_count == 1) {
        return put_part(out, scan, shape, &scan->parts[0], err);
    }
    dw_assert(!scan->with_positions);
    bool has_values = scan->partition_count > 0 || scan->metadata != NULL || scan->has_changes ||
                      dw__scan_has_old_values(scan);
    for (size_t i = 0; i < scan->part_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("(SELECT *") : DW_STR(" UNION ALL SELECT *"));
        if (has_values) {
            dw__strbuf_append_literal(out, ", ");
            put_file_index(out, &scan->parts[i]);
            dw__strbuf_append_literal(out, " AS file_index");
        }
        dw__strbuf_append_literal(out, " FROM ");
        DW_TRY(put_part(out, scan, shape, &scan->parts[i], err));
    }
    dw__strbuf_append_char(out, ')');
    return DW_OK;
}

/* ---- The SELECT ------------------------------------------------------------------------------ */

static void
put_partition_column(dw_strbuf *out, const dw_field *field, size_t idx)
{
    bool is_text = field->type->kind == DW_TYPE_STRING;
    dw__strbuf_append(out, is_text ? DW_STR("") : DW_STR("CAST("));
    dw__strbuf_printf(out, "dw_partition(file_index, %zu)", idx);
    if (!is_text) {
        dw__strbuf_append_literal(out, " AS ");
        dw__engine_type_print(out, field->type);
        dw__strbuf_append_char(out, ')');
    }
}

static void
put_null(dw_strbuf *out, const dw_type *type)
{
    dw__strbuf_append_literal(out, "CAST(NULL AS ");
    dw__engine_type_print(out, type);
    dw__strbuf_append_char(out, ')');
}

static void
put_column(dw_strbuf *out, const dw_scan_sql *scan, const select_shape *shape, dw_arena *arena,
           size_t idx)
{
    const dw_field *field = &scan->schema->fields[idx];
    size_t partition = partition_idx(scan, field);
    size_t hidden = metadata_idx(scan, field);
    bool is_kind = is_change_type(scan, field);
    if (scan->part_count > 0 && hidden != SIZE_MAX) {
        dw__scan_metadata_put(out, scan->metadata, hidden, scan->partition_count);
    } else if (scan->part_count > 0 && is_kind && !is_in_files(scan, field)) {
        dw__strbuf_printf(out, "dw_partition(file_index, %zu)", scan->partition_count);
    } else if (scan->part_count == 0 || (partition == SIZE_MAX && !is_in_files(scan, field))) {
        put_null(out, field->type);
    } else if (partition != SIZE_MAX) {
        put_partition_column(out, field, partition);
    } else {
        dw_strbuf name = dw__strbuf_make(out->allocator, DW_SCAN_SQL_BYTES_MAX);
        dw_strbuf quoted = dw__strbuf_make(out->allocator, DW_SCAN_SQL_BYTES_MAX);
        put_inner_name(&name, scan, shape, idx);
        dw__sql_put_identifier(&quoted, dw__strbuf_str(&name));
        out->failed = out->failed || name.failed || quoted.failed;
        if (is_kind) {
            dw__strbuf_printf(out, "coalesce(dw_partition(file_index, %zu), ",
                              scan->partition_count);
        }
        /* An expression is evaluated over values that have the column's type. */
        dw__strbuf_append(out, is_misjudged(scan, field) ? DW_STR("coalesce(") : DW_STR(""));
        dw__scan_put_value(out, scan, shape->by_id, field, dw__strbuf_str(&quoted), arena);
        dw__strbuf_append(out, is_misjudged(scan, field) ? DW_STR(", NULL)") : DW_STR(""));
        dw__strbuf_append(out, is_kind ? DW_STR(")") : DW_STR(""));
        dw__strbuf_deinit(&name);
        dw__strbuf_deinit(&quoted);
    }
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, field->name);
}

static void
put_positions(dw_strbuf *out, const dw_scan_sql *scan)
{
    if (scan->part_count > 0) {
        dw__strbuf_append_literal(out, ", CAST(file_index AS BIGINT) AS " DW_SCAN_FILE_COLUMN
                                       ", file_row_number AS " DW_SCAN_ROW_COLUMN);
    } else {
        dw__strbuf_append_literal(out, ", CAST(NULL AS BIGINT) AS " DW_SCAN_FILE_COLUMN
                                       ", CAST(NULL AS BIGINT) AS " DW_SCAN_ROW_COLUMN);
    }
}

dw_status
dw__scan_sql_print(dw_strbuf *out, const dw_scan_sql *scan, dw_arena *arena, dw_error *err)
{
    select_shape shape = shape_of(scan);
    dw__strbuf_append_literal(out, "SELECT ");
    if (scan->part_count > 0 && shape.is_plain) {
        dw__strbuf_append_char(out, '*');
    } else {
        for (size_t i = 0; i < scan->schema->field_count; i++) {
            dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
            put_column(out, scan, &shape, arena, i);
        }
    }
    if (scan->with_positions) {
        put_positions(out, scan);
    }
    if (scan->part_count == 0) {
        dw__strbuf_append_literal(out, " WHERE false");
        return dw__strbuf_ok(out, "the scan of a table", err);
    }
    dw__strbuf_append_literal(out, " FROM ");
    DW_TRY(put_parts(out, scan, &shape, err));
    return dw__strbuf_ok(out, "the scan of a table", err);
}

/* ---- Partition values ------------------------------------------------------------------------ */

/* Bytes as the engine reads them from text: \xHH each. */
static void
put_bytes(dw_strbuf *out, dw_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        dw__strbuf_printf(out, "\\x%02X", (unsigned) (unsigned char) bytes.ptr[i]);
    }
}

static bool
put_value(dw_strbuf *out, const dw_field *field, const dw_value *value)
{
    switch (field->type->kind) {
    case DW_TYPE_BINARY:
        put_bytes(out, value->as.str);
        return true;
    case DW_TYPE_DATE:
        dw__date_print(out, value->as.i64);
        return true;
    case DW_TYPE_TIMESTAMP:
        dw__timestamp_print(out, value->as.i64, ' ', -1, "+00");
        return true;
    case DW_TYPE_TIMESTAMP_NTZ:
        dw__timestamp_print(out, value->as.i64, ' ', -1, "");
        return true;
    case DW_TYPE_STRING:
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    return false;
}

dw_status
dw__scan_partition_text(const dw_field *field, dw_str text, dw_arena *arena, dw_str *out,
                        dw_error *err)
{
    dw_value value;
    *out = DW_STR_NULL;
    DW_TRY(dw__partition_value_parse(field, text, arena, &value, err));
    if (value.kind == DW_VALUE_NULL) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(arena->allocator, DW_SCAN_SQL_BYTES_MAX);
    if (!put_value(&buf, field, &value)) {
        *out = text;
        return DW_OK;
    }
    DW_TRY(dw__strbuf_ok(&buf, "a partition value", err));
    return dw__arena_dup(arena, dw__strbuf_str(&buf), out) ? DW_OK : dw__error_oom(err);
}
