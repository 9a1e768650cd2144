/*
 * The GNU attributes that the project uses, each under one name.
 */
#ifndef DW_BASE_ATTR_H
#define DW_BASE_ATTR_H

#define DW_PRINTF(fmt_idx, args_idx) __attribute__((format(printf, fmt_idx, args_idx)))
#define DW_UNUSED __attribute__((unused))
#define DW_CLEANUP(fn) __attribute__((cleanup(fn)))
#define DW_NORETURN __attribute__((noreturn))
#define DW_WARN_UNUSED __attribute__((warn_unused_result))

/*
 * Declares a local that is released when it goes out of scope, by dw__<type>_cleanup:
 *     DW_AUTO(dw_strbuf) text = ...;
 */
#define DW_AUTO(type) DW_CLEANUP(dw__##type##_cleanup) DW_UNUSED type

#endif
