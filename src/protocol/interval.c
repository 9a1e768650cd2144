/*
 * Intervals as the reference writes them: "interval 1 week 2 hours".
 */
#include "base/checked.h"
#include "protocol/property.h"

static const struct {
    dw_str name; /* in the singular */
    int64_t micros;
} units[] = {
    {{"week", 4}, INT64_C(604800000000)},
    {{"day", 3}, INT64_C(86400000000)},
    {{"hour", 4}, INT64_C(3600000000)},
    {{"minute", 6}, INT64_C(60000000)},
    {{"second", 6}, INT64_C(1000000)},
    {{"millisecond", 11}, 1000},
    {{"microsecond", 11}, 1},
};

/* Takes the next word off the front of `rest`; the empty string when there is none. */
static dw_str
take_word(dw_str *rest)
{
    *rest = dw__str_trim(*rest);
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t') {
        len++;
    }
    dw_str word = dw__str_slice(*rest, 0, len);
    *rest = dw__str_slice(*rest, len, rest->len);
    return word;
}

/* The microseconds of one unit, 0 for a word that is none. */
static int64_t
unit_micros(dw_str word)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        bool plural = word.len == units[i].name.len + 1 &&
                      (word.ptr[word.len - 1] == 's' || word.ptr[word.len - 1] == 'S');
        dw_str singular = dw__str_slice(word, 0, word.len - (plural ? 1 : 0));
        if (dw__str_equal_nocase(singular, units[i].name)) {
            return units[i].micros;
        }
    }
    return 0;
}

bool
dw__interval_parse(dw_str text, int64_t *ms_out)
{
    *ms_out = 0;
    dw_str rest = text;
    dw_str word = take_word(&rest);
    if (dw__str_equal_nocase(word, DW_STR("interval"))) {
        word = take_word(&rest);
    }
    if (word.len == 0) {
        return false;
    }
    int64_t micros = 0;
    for (; word.len > 0; word = take_word(&rest)) {
        int64_t count;
        int64_t unit = unit_micros(take_word(&rest));
        int64_t part;
        if (unit == 0 || !dw__str_to_i64(word, &count) ||
            !dw__checked_mul_i64(count, unit, &part) ||
            !dw__checked_add_i64(micros, part, &micros)) {
            return false;
        }
    }
    if (micros < 0) {
        return false;
    }
    *ms_out = micros / 1000;
    return true;
}
