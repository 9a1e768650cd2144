/*
 * The table handle that the commands which look after a table are given here: a storage and a log
 * of the simulator. This file stands in for three of the library's, the handle itself and the two
 * places where data files are written again: a file that is written again has the same rows at the
 * same places, under another name (see dml.h). All else that runs is the library's.
 */
#ifndef DWT_SIMULATION_UPKEEP_TABLE_H
#define DWT_SIMULATION_UPKEEP_TABLE_H

#include "dml.h"
#include "table/table.h"

struct dw_table {
    const dw_env *env;
    dw_database *database;
    dw_storage *storage;
    dw_log *log;
    dw_str root;
    life *self; /* who writes files; NULL: nobody does */
    dml *all;
};

#endif
