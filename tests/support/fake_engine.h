/*
 * An engine without DuckDB: it reads and writes "Parquet" objects in a simple binary form of its
 * own, so that checkpoints work where only the core is linked (unit tests of the log, the
 * simulator).
 *
 *     dw_engine *engine = dwt_fake_engine_open(&world.env);
 *     ... dw__log_open(&world.env, storage, engine, &log, &err) ...
 *     dw__engine_close(engine);
 *
 * It behaves as dw_engine_ops demands: columns and fields that are missing read as NULL, integers
 * widen, another shape is DW_CORRUPT (PARQUET_TYPE), damaged bytes are DW_CORRUPT
 * (PARQUET_INVALID).
 */
#ifndef DWT_SUPPORT_FAKE_ENGINE_H
#define DWT_SUPPORT_FAKE_ENGINE_H

#include "engine/engine.h"

/* Reports lack of memory as the real engine does. NULL when out of memory. */
dw_engine *dwt_fake_engine_open(const dw_env *env);
/* How many files were read and written since it was opened. */
int64_t dwt_fake_engine_read_count(const dw_engine *engine);
int64_t dwt_fake_engine_write_count(const dw_engine *engine);

#endif
