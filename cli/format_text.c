/*
 * The formats that print row by row: CSV (RFC 4180), JSON, newline-delimited JSON, Markdown, and
 * text.
 */
#include "format.h"

#include "cell.h"

#include <string.h>

/* ---- CSV ------------------------------------------------------------------------------------- */

static void
put_csv_field(FILE *file, const char *bytes, size_t len)
{
    bool needs_quotes = len == 0 || memchr(bytes, ',', len) != NULL ||
                        memchr(bytes, '"', len) != NULL || memchr(bytes, '\n', len) != NULL ||
                        memchr(bytes, '\r', len) != NULL;
    if (!needs_quotes) {
        fwrite(bytes, 1, len, file);
        return;
    }
    fputc('"', file);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"') {
            fputc('"', file);
        }
        fputc(bytes[i], file);
    }
    fputc('"', file);
}

static void
csv_begin(format_sink *sink)
{
    for (int64_t i = 0; i < sink->schema->n_children; i++) {
        const char *name = sink->schema->children[i]->name;
        if (i > 0) {
            fputc(',', sink->file);
        }
        put_csv_field(sink->file, name, strlen(name));
    }
    fputc('\n', sink->file);
}

/* NULL is an empty field, an empty string is "". */
static void
csv_batch(format_sink *sink, const struct ArrowArray *batch)
{
    text cell = {0};
    for (int64_t row = 0; row < batch->length; row++) {
        for (int64_t i = 0; i < batch->n_children; i++) {
            const struct ArrowSchema *schema = sink->schema->children[i];
            if (i > 0) {
                fputc(',', sink->file);
            }
            if (!cell_is_null(schema, batch->children[i], row + batch->offset)) {
                text_clear(&cell);
                cell_append_text(&cell, schema, batch->children[i], row + batch->offset);
                put_csv_field(sink->file, text_cstr(&cell), cell.len);
            }
        }
        fputc('\n', sink->file);
    }
    text_free(&cell);
}

const format_ops format_csv_ops = {csv_begin, csv_batch, NULL};

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
put_object(format_sink *sink, const struct ArrowArray *batch, int64_t row, text *line)
{
    text_clear(line);
    text_append_char(line, '{');
    for (int64_t i = 0; i < batch->n_children; i++) {
        const struct ArrowSchema *schema = sink->schema->children[i];
        text_append_cstr(line, i == 0 ? "" : ",");
        cell_append_json_string(line, schema->name, strlen(schema->name));
        text_append_char(line, ':');
        cell_append_json(line, schema, batch->children[i], row + batch->offset);
    }
    text_append_char(line, '}');
    fwrite(text_cstr(line), 1, line->len, sink->file);
}

static void
ndjson_batch(format_sink *sink, const struct ArrowArray *batch)
{
    text line = {0};
    for (int64_t row = 0; row < batch->length; row++) {
        put_object(sink, batch, row, &line);
        fputc('\n', sink->file);
    }
    text_free(&line);
}

static void
json_begin(format_sink *sink)
{
    fputc('[', sink->file);
}

static void
json_batch(format_sink *sink, const struct ArrowArray *batch)
{
    text line = {0};
    for (int64_t row = 0; row < batch->length; row++) {
        fputs(sink->row_count + row == 0 ? "\n" : ",\n", sink->file);
        put_object(sink, batch, row, &line);
    }
    text_free(&line);
}

static void
json_end(format_sink *sink)
{
    fputs(sink->row_count > 0 ? "\n]\n" : "]\n", sink->file);
}

const format_ops format_json_ops = {json_begin, json_batch, json_end};
const format_ops format_ndjson_ops = {NULL, ndjson_batch, NULL};

/* ---- Markdown -------------------------------------------------------------------------------- */

/* A bar or a line break would end the cell. */
static void
put_markdown_cell(FILE *file, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '|') {
            fputs("\\|", file);
        } else if (bytes[i] == '\n') {
            fputs("<br>", file);
        } else if (bytes[i] != '\r') {
            fputc(bytes[i], file);
        }
    }
}

static void
markdown_begin(format_sink *sink)
{
    for (int64_t i = 0; i < sink->schema->n_children; i++) {
        const char *name = sink->schema->children[i]->name;
        fputs("| ", sink->file);
        put_markdown_cell(sink->file, name, strlen(name));
        fputc(' ', sink->file);
    }
    fputs("|\n", sink->file);
    for (int64_t i = 0; i < sink->schema->n_children; i++) {
        fputs(cell_is_number(sink->schema->children[i]) ? "|-:" : "|-", sink->file);
    }
    fputs("|\n", sink->file);
}

static void
markdown_batch(format_sink *sink, const struct ArrowArray *batch)
{
    text cell = {0};
    for (int64_t row = 0; row < batch->length; row++) {
        for (int64_t i = 0; i < batch->n_children; i++) {
            text_clear(&cell);
            cell_append_text(&cell, sink->schema->children[i], batch->children[i],
                             row + batch->offset);
            fputs("| ", sink->file);
            put_markdown_cell(sink->file, text_cstr(&cell), cell.len);
            fputc(' ', sink->file);
        }
        fputs("|\n", sink->file);
    }
    text_free(&cell);
}

const format_ops format_markdown_ops = {markdown_begin, markdown_batch, NULL};

/* ---- Text ------------------------------------------------------------------------------------ */

static void
text_batch(format_sink *sink, const struct ArrowArray *batch)
{
    text cell = {0};
    for (int64_t row = 0; batch->n_children > 0 && row < batch->length; row++) {
        text_clear(&cell);
        cell_append_text(&cell, sink->schema->children[0], batch->children[0], row + batch->offset);
        fwrite(text_cstr(&cell), 1, cell.len, sink->file);
        fputc('\n', sink->file);
    }
    text_free(&cell);
}

const format_ops format_text_ops = {NULL, text_batch, NULL};
