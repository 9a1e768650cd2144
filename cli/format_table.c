/*
 * Tables for a person: boxes, numbers to the right, columns cut to what fits; where a terminal is
 * too narrow for that, records: a line for each column.
 *
 * The first rows decide how wide the columns are; what comes later is printed in those widths as it
 * arrives, so that a result of any size needs little memory.
 */
#include "format.h"

#include "cell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MEASURED_ROWS_MAX 1000
/* No column is cut below this width: records are easier to read. */
#define COLUMN_WIDTH_MIN 12
#define RECORD_RULE_WIDTH 30
#define BORDER_WIDTH 3

typedef enum shape {
    SHAPE_BOX,
    SHAPE_RECORDS,
    SHAPE_LINES /* of EXPLAIN and SHOW CREATE TABLE: text that is laid out already */
} shape;

typedef struct table {
    FILE *file;
    const struct ArrowSchema *schema;
    size_t column_count;
    size_t *widths;
    char **cells; /* of the measured rows, row by row; NULL for NULL */
    size_t cell_count;
    bool is_started;
    shape shape;
    int64_t rows_max; /* 0: all */
    int64_t row_count;
} table;

/* ---- Cells ----------------------------------------------------------------------------------- */

/* Line breaks and other control characters would tear the box: they are shown by their escapes. */
static char *
printable(const text *value)
{
    text out = {0};
    for (size_t i = 0; i < value->len; i++) {
        unsigned char c = (unsigned char) value->ptr[i];
        unsigned char next = i + 1 < value->len ? (unsigned char) value->ptr[i + 1] : 0;
        if (c == '\n') {
            text_append_cstr(&out, "\\n");
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) { /* U+0080 to U+009F */
            text_printf(&out, "\\x%02x", next);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            text_printf(&out, "\\x%02x", c);
        } else {
            text_append_char(&out, (char) c);
        }
    }
    char *copy = memory_dup(text_cstr(&out), out.len);
    text_free(&out);
    return copy;
}

static char *
make_cell(const table *t, const struct ArrowArray *batch, size_t column, int64_t row)
{
    const struct ArrowSchema *schema = t->schema->children[column];
    const struct ArrowArray *array = batch->children[column];
    if (cell_is_null(schema, array, row + batch->offset)) {
        return NULL;
    }
    text value = {0};
    cell_append_text(&value, schema, array, row + batch->offset);
    char *cell =
        t->shape == SHAPE_LINES ? memory_dup(text_cstr(&value), value.len) : printable(&value);
    text_free(&value);
    return cell;
}

static const char *
shown(const char *cell)
{
    return cell == NULL ? "NULL" : cell;
}

/* ---- Widths ---------------------------------------------------------------------------------- */

static size_t
terminal_width(FILE *file)
{
    struct winsize size;
    if (isatty(fileno(file)) == 0) {
        return 0;
    }
    return ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static size_t
total_width(const table *t)
{
    size_t total = 1;
    for (size_t i = 0; i < t->column_count; i++) {
        total += t->widths[i] + BORDER_WIDTH;
    }
    return total;
}

/* Takes from the widest column, one character at a time, until the table fits. False when it does
 * not. */
static bool
shrink_to(table *t, size_t limit)
{
    while (total_width(t) > limit) {
        size_t widest = 0;
        for (size_t i = 1; i < t->column_count; i++) {
            widest = t->widths[i] > t->widths[widest] ? i : widest;
        }
        if (t->widths[widest] <= COLUMN_WIDTH_MIN) {
            return false;
        }
        t->widths[widest]--;
    }
    return true;
}

static void
measure(table *t)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const char *name = t->schema->children[i]->name;
        t->widths[i] = text_width(name, strlen(name));
    }
    for (size_t i = 0; i < t->cell_count; i++) {
        const char *cell = shown(t->cells[i]);
        size_t width = text_width(cell, strlen(cell));
        size_t column = i % t->column_count;
        t->widths[column] = width > t->widths[column] ? width : t->widths[column];
    }
    size_t limit = terminal_width(t->file);
    if (t->shape == SHAPE_BOX && limit > 0 && !shrink_to(t, limit)) {
        t->shape = SHAPE_RECORDS;
    }
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void
put_repeated(FILE *file, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(piece, file);
    }
}

static void
put_rule(const table *t, const char *left, const char *middle, const char *right)
{
    fputs(left, t->file);
    for (size_t i = 0; i < t->column_count; i++) {
        put_repeated(t->file, "─", t->widths[i] + 2);
        fputs(i + 1 == t->column_count ? right : middle, t->file);
    }
    fputc('\n', t->file);
}

static void
put_cell(const table *t, size_t column, const char *cell, bool to_the_right)
{
    size_t len = strlen(cell);
    size_t width = text_width(cell, len);
    size_t room = t->widths[column];
    fputc(' ', t->file);
    if (width > room) {
        size_t kept = text_prefix(cell, len, room - 1);
        fwrite(cell, 1, kept, t->file);
        fputs("…", t->file);
        put_repeated(t->file, " ", room - 1 - text_width(cell, kept));
    } else {
        put_repeated(t->file, " ", to_the_right ? room - width : 0);
        fwrite(cell, 1, len, t->file);
        put_repeated(t->file, " ", to_the_right ? 0 : room - width);
    }
    fputs(" │", t->file);
}

static void
put_record(const table *t, char *const *cells)
{
    size_t label_width = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        const char *name = t->schema->children[i]->name;
        size_t width = text_width(name, strlen(name));
        label_width = width > label_width ? width : label_width;
    }
    fprintf(t->file, "── row %" PRId64 " ", t->row_count);
    put_repeated(t->file, "─", RECORD_RULE_WIDTH);
    fputc('\n', t->file);
    for (size_t i = 0; i < t->column_count; i++) {
        const char *name = t->schema->children[i]->name;
        size_t len = strlen(name);
        fputs(name, t->file);
        put_repeated(t->file, " ", label_width - text_width(name, len));
        fprintf(t->file, "  %s\n", shown(cells[i]));
    }
}

static void
put_row(table *t, char *const *cells)
{
    t->row_count++;
    if (t->shape == SHAPE_RECORDS) {
        put_record(t, cells);
        return;
    }
    if (t->shape == SHAPE_LINES) {
        fprintf(t->file, "%s\n", shown(cells[0]));
        return;
    }
    fputs("│", t->file);
    for (size_t i = 0; i < t->column_count; i++) {
        put_cell(t, i, shown(cells[i]), cell_is_number(t->schema->children[i]));
    }
    fputc('\n', t->file);
}

static void
put_head(const table *t)
{
    put_rule(t, "┌", "┬", "┐");
    fputs("│", t->file);
    for (size_t i = 0; i < t->column_count; i++) {
        const struct ArrowSchema *schema = t->schema->children[i];
        put_cell(t, i, schema->name, cell_is_number(schema));
    }
    fputc('\n', t->file);
    put_rule(t, "├", "┼", "┤");
}

/* Prints the head and the rows that were kept back for measuring. */
static void
start(table *t)
{
    measure(t);
    if (t->shape == SHAPE_BOX) {
        put_head(t);
    }
    for (size_t i = 0; i < t->cell_count; i += t->column_count) {
        put_row(t, t->cells + i);
    }
    t->is_started = true;
}

static void
free_cells(char **cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(cells[i]);
    }
}

static void
take_row(table *t, const struct ArrowArray *batch, int64_t row)
{
    char **slot = t->cells + t->cell_count;
    if (t->is_started) {
        slot = t->cells;
        free_cells(slot, t->column_count);
    }
    for (size_t i = 0; i < t->column_count; i++) {
        slot[i] = make_cell(t, batch, i, row);
    }
    if (t->is_started) {
        put_row(t, slot);
        return;
    }
    t->cell_count += t->column_count;
    if (t->cell_count == MEASURED_ROWS_MAX * t->column_count) {
        start(t);
    }
}

static dw_status
take_batches(table *t, struct ArrowArrayStream *rows, format_count *count, dw_error *err)
{
    while (!count->has_more) {
        struct ArrowArray batch;
        dw_status status = format_next(rows, t->file, &batch, err);
        if (status != DW_OK) {
            return status;
        }
        if (batch.release == NULL) {
            return DW_OK;
        }
        int64_t room = t->rows_max == 0 ? INT64_MAX : t->rows_max - count->rows;
        int64_t taken = batch.length < room ? batch.length : room;
        for (int64_t row = 0; row < taken; row++) {
            take_row(t, &batch, row);
        }
        count->rows += taken;
        count->has_more = taken < batch.length;
        batch.release(&batch);
        if (ferror(t->file) != 0) {
            return format_output_error(err);
        }
    }
    return DW_OK;
}

static bool
is_laid_out(const struct ArrowSchema *schema)
{
    const char *name = schema->children[0]->name;
    return schema->n_children == 1 &&
           (strcmp(name, "explain") == 0 || strcmp(name, "createtab_stmt") == 0);
}

dw_status
format_table_print(struct ArrowArrayStream *rows, const struct ArrowSchema *schema,
                   const format_table_options *options, FILE *file, format_count *count_out,
                   dw_error *err)
{
    size_t column_count = (size_t) schema->n_children;
    if (column_count == 0) {
        return DW_OK;
    }
    table t = {.file = file,
               .schema = schema,
               .column_count = column_count,
               .shape = options->is_vertical ? SHAPE_RECORDS : SHAPE_BOX,
               .rows_max = options->rows_max};
    if (is_laid_out(schema)) {
        t.shape = SHAPE_LINES;
    }
    t.widths = memory_resize(NULL, column_count * sizeof(size_t));
    t.cells = memory_resize(NULL, MEASURED_ROWS_MAX * column_count * sizeof(char *));
    dw_status status = take_batches(&t, rows, count_out, err);
    if (status == DW_OK) {
        if (!t.is_started) {
            start(&t);
        }
        if (t.shape == SHAPE_BOX) {
            put_rule(&t, "└", "┴", "┘");
        }
        status = fflush(file) == 0 ? DW_OK : format_output_error(err);
    }
    free_cells(t.cells, t.cell_count);
    free(t.cells);
    free(t.widths);
    return status;
}
