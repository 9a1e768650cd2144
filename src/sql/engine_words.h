/*
 * How the engine prints names: for the labels of columns that it did not make.
 */
#ifndef DW_SQL_ENGINE_WORDS_H
#define DW_SQL_ENGINE_WORDS_H

#include "base/str.h"

/* True for a name that the engine puts in double quotes when it prints an expression: one with
 * characters that it does not expect in a name, or a word of its grammar, reserved or not. */
bool dw__engine_prints_quoted(dw_str name);

#endif
