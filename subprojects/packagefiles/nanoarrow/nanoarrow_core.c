#include "nanoarrow/common/array.c"
#include "nanoarrow/common/array_stream.c"
#include "nanoarrow/common/schema.c"
#include "nanoarrow/common/utils.c"
