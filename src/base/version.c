/*
 * The version of the library, as the build names it.
 */
#include "deltaworks.h"

const char *
dw_version(void)
{
    return DW_VERSION;
}
