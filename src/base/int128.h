/*
 * Integers of 128 bits: unscaled decimals.
 */
#ifndef DW_BASE_INT128_H
#define DW_BASE_INT128_H

__extension__ typedef __int128 dw_i128;

#endif
