/*
 * A growing text for the program's output. Running out of memory ends the program: there is nothing
 * half-done in a formatter that would have to be undone.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct text {
    char *ptr; /* NUL-terminated once anything was appended */
    size_t len;
    size_t capacity;
} text;

void text_append(text *out, const char *bytes, size_t len);
void text_append_cstr(text *out, const char *cstr);
/* Appends the string between two of that quote, with every one inside of it doubled. */
void text_append_quoted(text *out, const char *string, char quote);
void text_append_char(text *out, char c);
__attribute__((format(printf, 2, 3))) void text_printf(text *out, const char *fmt, ...);
void text_clear(text *out);
void text_free(text *out);
const char *text_cstr(const text *out);

/* The columns that UTF-8 text takes on a terminal. */
size_t text_width(const char *bytes, size_t len);
/* The number of bytes of the longest prefix that is at most `columns` wide. */
size_t text_prefix(const char *bytes, size_t len, size_t columns);

/* Memory that is there, or the end of the program with exit status 1. */
void *memory_resize(void *ptr, size_t size);
char *memory_dup(const char *bytes, size_t len);

#endif
