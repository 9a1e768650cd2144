#include "src/runtime/builder.c"
#include "src/runtime/emitter.c"
#include "src/runtime/refmap.c"
#include "src/runtime/verifier.c"
