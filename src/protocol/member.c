/*
 * Reading the members of an action.
 */
#include "protocol/member.h"

#include "base/assert.h"
#include "protocol/json_arena.h"

dw_status
dw__member_invalid(const dw_member_reader *reader, dw_str member, const char *expected,
                   dw_json found)
{
    return dw__error_set(reader->err, DW_CORRUPT, "COMMIT_INVALID",
                         "%s.%.*s: expected %s, found %s", reader->action, DW_STR_ARG(member),
                         expected, dw__json_kind_name(dw__json_kind(found)));
}

dw_status
dw__member_missing(const dw_member_reader *reader, const char *member)
{
    return dw__error_set(reader->err, DW_CORRUPT, "COMMIT_INVALID", "%s.%s is missing",
                         reader->action, member);
}

static dw_status
dup_str(const dw_member_reader *reader, dw_str s, dw_str *out)
{
    return dw__arena_dup(reader->arena, s, out) ? DW_OK : dw__error_oom(reader->err);
}

dw_status
dw__member_str(const dw_member_reader *reader, dw_str member, dw_json value, dw_str *out)
{
    dw_str text = dw__json_str(value);
    if (dw__str_is_null(text)) {
        return dw__member_invalid(reader, member, "a string", value);
    }
    return dup_str(reader, text, out);
}

dw_status
dw__member_i64(const dw_member_reader *reader, dw_str member, dw_json value, int64_t *out)
{
    if (!dw__json_i64(value, out)) {
        return dw__member_invalid(reader, member, "an integer of 64 bits", value);
    }
    return DW_OK;
}

dw_status
dw__member_i32(const dw_member_reader *reader, dw_str member, dw_json value, int32_t min,
               int32_t *out)
{
    int64_t wide;
    if (!dw__json_i64(value, &wide) || wide < min || wide > INT32_MAX) {
        return dw__member_invalid(reader, member,
                                  min < 0 ? "an integer of 32 bits"
                                          : "an integer of 32 bits that is not negative",
                                  value);
    }
    *out = (int32_t) wide;
    return DW_OK;
}

dw_status
dw__member_bool(const dw_member_reader *reader, dw_str member, dw_json value, bool *out)
{
    if (dw__json_kind(value) != DW_JSON_BOOL) {
        return dw__member_invalid(reader, member, "true or false", value);
    }
    *out = dw__json_bool(value, false);
    return DW_OK;
}

dw_status
dw__member_object(const dw_member_reader *reader, dw_str member, dw_json value, dw_str *out)
{
    if (dw__json_kind(value) != DW_JSON_OBJECT) {
        return dw__member_invalid(reader, member, "an object", value);
    }
    return dw__json_to_arena(value, reader->arena, out, reader->err);
}

/* The text of a scalar, borrowed; false for arrays and objects. */
static bool
scalar_text(dw_json value, dw_str *out)
{
    switch (dw__json_kind(value)) {
    case DW_JSON_NULL:
        *out = DW_STR_NULL;
        return true;
    case DW_JSON_STRING:
        *out = dw__json_str(value);
        return true;
    case DW_JSON_NUMBER:
        *out = dw__json_number(value);
        return true;
    case DW_JSON_BOOL:
        *out = dw__json_bool(value, false) ? DW_STR("true") : DW_STR("false");
        return true;
    case DW_JSON_MISSING:
    case DW_JSON_ARRAY:
    case DW_JSON_OBJECT:
        return false;
    }
    dw_unreachable("every kind is listed");
}

/* A copy of `s`, or `before` when that is the same text. */
static dw_status
share_str(const dw_member_reader *reader, dw_str s, dw_str before, dw_str *out)
{
    if (!dw__str_is_null(before) && !dw__str_is_null(s) && dw__str_equal(s, before)) {
        *out = before;
        return DW_OK;
    }
    return dup_str(reader, s, out);
}

dw_status
dw__member_pairs(const dw_member_reader *reader, dw_str member, dw_json value, dw_pairs *out)
{
    *out = (dw_pairs){0};
    if (dw__json_kind(value) != DW_JSON_OBJECT) {
        return dw__member_invalid(reader, member, "an object", value);
    }
    size_t count = dw__json_count(value);
    if (count == 0) {
        return DW_OK;
    }
    out->items = DW_ARENA_ARRAY(reader->arena, dw_pair, count);
    if (out->items == NULL) {
        return dw__error_oom(reader->err);
    }
    const dw_pairs *before = reader->pairs_before;
    dw_json_iter it = dw__json_iter(value);
    while (dw__json_next(&it)) {
        dw_pair *pair = &out->items[out->count];
        bool shared = before != NULL && out->count < before->count;
        dw_pair like = shared ? before->items[out->count] : (dw_pair){DW_STR_NULL, DW_STR_NULL};
        dw_str text;
        if (!scalar_text(it.value, &text)) {
            return dw__member_invalid(reader, member, "strings or null as values", it.value);
        }
        DW_TRY(share_str(reader, it.key, like.key, &pair->key));
        DW_TRY(share_str(reader, text, like.value, &pair->value));
        out->count++;
    }
    return DW_OK;
}

dw_status
dw__member_strs(const dw_member_reader *reader, dw_str member, dw_json value, dw_str **out,
                size_t *count_out)
{
    *out = NULL;
    *count_out = 0;
    if (dw__json_kind(value) != DW_JSON_ARRAY) {
        return dw__member_invalid(reader, member, "an array of strings", value);
    }
    dw_str *items = DW_ARENA_ARRAY(reader->arena, dw_str, dw__json_count(value));
    if (items == NULL) {
        return dw__error_oom(reader->err);
    }
    dw_json_iter it = dw__json_iter(value);
    size_t count = 0;
    while (dw__json_next(&it)) {
        DW_TRY(dw__member_str(reader, member, it.value, &items[count]));
        count++;
    }
    *out = items;
    *count_out = count;
    return DW_OK;
}
