/*
 * Changing a schema at one place, which is named by the parts of a column's path: names of fields,
 * and "element", "key" and "value" below arrays and maps.
 *
 *  [EDIT-1] The schema that is given stays as it is: what leads to the place is copied.
 *  [EDIT-2] Names are found with their case, or else without.
 */
#ifndef DW_PROTOCOL_SCHEMA_EDIT_H
#define DW_PROTOCOL_SCHEMA_EDIT_H

#include "protocol/schema.h"

/* A place in a copy of a schema. */
typedef struct dw_schema_spot {
    dw_type *type;       /* what stands there; a copy where it is nested, with room for one field */
    dw_type *parent;     /* a copy; NULL: the place is the schema itself */
    size_t idx;          /* among the fields of the parent; SIZE_MAX: its element, key or value */
    dw_field *field;     /* NULL where `idx` is SIZE_MAX */
    dw_field *holder;    /* the field, or the nearest one above */
    dw_str below_holder; /* "element.key": from there to the place; "" for the field itself */
    bool nullable;
    bool is_in_collection;    /* below an array or a map */
    bool has_nullable_parent; /* one of the structs that it is in may be NULL */
    dw_str *names;            /* the path as the schema spells it */
    size_t name_count;
} dw_schema_spot;

/* Copies what leads to the place; a path without parts is the schema itself. DW_INVALID_ARGUMENT
 * (COLUMN_NOT_FOUND, COLUMN_PATH_NOT_NESTED, INCORRECT_ARRAY_ACCESS, FOUND_MAP_TYPE_COLUMN). */
DW_WARN_UNUSED dw_status dw__schema_spot_find(const dw_type *schema, const dw_str *parts,
                                              size_t count, dw_arena *arena,
                                              const dw_type **copy_out, dw_schema_spot *out,
                                              dw_error *err);
/* Puts another type there. */
void dw__schema_spot_set_type(dw_schema_spot *spot, const dw_type *type);
/* Puts a field into a struct, at an index up to its count. The struct has room for one. */
void dw__struct_insert(dw_type *type, size_t idx, const dw_field *field);
/* Takes a field out. */
void dw__struct_remove(dw_type *type, size_t idx);
/* Moves a field, so that it has the index `to` at the end. */
void dw__struct_move(dw_type *type, size_t from, size_t to);

/* Appends the parts as one name in SQL: a.b, with `...` around parts that need it, as Spark prints
 * names in commits. */
void dw__column_parts_print(dw_strbuf *out, const dw_str *parts, size_t count);

#define DW_COLUMN_PARTS_MAX ((size_t) DW_SCHEMA_DEPTH_MAX)
/* Takes the next name off a list such as "a, b.c, `d.e`.f". Backquotes are dropped, a doubled one
 * stands for itself. Returns false at the end of the list, or for more parts than a column can
 * have. */
bool dw__column_parts_take(dw_str *list, dw_arena *arena, dw_str *parts, size_t *count_out,
                           bool *out_of_memory);

/* Sets a member of a field's metadata to a JSON value, or takes it out (the null string), and the
 * field's traits with it. DW_CORRUPT when the metadata is no JSON. */
DW_WARN_UNUSED dw_status dw__field_metadata_set(dw_field *field, dw_str key, dw_str json,
                                                dw_arena *arena, dw_error *err);

#endif
