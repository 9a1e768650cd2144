/*
 * Types that some feature or rule is about.
 */
#include "protocol/feature_use.h"

#include "protocol/column_name.h"

bool
dw__schema_has_kind(const dw_type *schema, dw_type_kind kind)
{
    if (schema->kind == kind) {
        return true;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        if (dw__schema_has_kind(schema->fields[i].type, kind)) {
            return true;
        }
    }
    return (schema->element != NULL && dw__schema_has_kind(schema->element, kind)) ||
           (schema->key != NULL && dw__schema_has_kind(schema->key, kind));
}

static dw_status
void_refused(const dw_column_name *name, const char *why, dw_error *err)
{
    char text[DW_COLUMN_NAME_SIZE];
    return dw__error_set(err, DW_UNSUPPORTED, "TYPE_UNSUPPORTED",
                         "no data can be written: %s %s: change its type first",
                         dw__column_name_print(name, text), why);
}

static dw_status
check_void(const dw_type *type, const dw_column_name *name, dw_error *err)
{
    if (type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP) {
        return dw__schema_has_kind(type, DW_TYPE_VOID)
                   ? void_refused(name, "holds the type void inside an array or map", err)
                   : DW_OK;
    }
    bool all_void = type->field_count > 0;
    for (size_t i = 0; i < type->field_count; i++) {
        dw_column_name field = {name, type->fields[i].name};
        all_void = all_void && type->fields[i].type->kind == DW_TYPE_VOID;
        DW_TRY(check_void(type->fields[i].type, &field, err));
    }
    return all_void ? void_refused(name, "has only columns of type void", err) : DW_OK;
}

dw_status
dw__schema_check_void(const dw_type *schema, dw_error *err)
{
    return check_void(schema, NULL, err);
}
