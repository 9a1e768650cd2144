/*
 * Numbers as people read them.
 */
#include "sql/result.h"

#include <inttypes.h>
#include <stdio.h>

void
dw__put_count(dw_strbuf *out, int64_t count)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRId64, count);
    for (int i = 0; i < len; i++) {
        bool is_group = i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-';
        dw__strbuf_append(out, is_group ? DW_STR(",") : DW_STR(""));
        dw__strbuf_append_char(out, digits[i]);
    }
}

void
dw__put_counted(dw_strbuf *out, int64_t count, const char *noun)
{
    dw__put_count(out, count);
    dw__strbuf_printf(out, " %s%s", noun, count == 1 ? "" : "s");
}

void
dw__put_size(dw_strbuf *out, int64_t size_bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (size_bytes < 1000) {
        dw__put_counted(out, size_bytes, "byte");
        return;
    }
    double size = (double) size_bytes / 1000;
    size_t unit = 0;
    while (size >= 999.95 && unit + 1 < sizeof units / sizeof *units) {
        size /= 1000;
        unit++;
    }
    dw__strbuf_printf(out, "%.1f %s", size, units[unit]);
}
