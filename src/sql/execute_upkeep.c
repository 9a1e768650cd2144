/*
 * What the commands of upkeep share when they run as statements.
 */
#include "sql/execution.h"

dw_upkeep
dw__execution_upkeep(dw_execution *x, const dw_upkeep_options *options)
{
    dw_upkeep upkeep = dw__upkeep_make(x->session->env, x->session->connection, options);
    upkeep.is_cancelled = dw__session_is_cancelled;
    upkeep.progress = dw__session_set_progress;
    upkeep.ctx = x->session;
    return upkeep;
}
