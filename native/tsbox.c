/*
 * tsbox.so: what Node calls in its own process, by way of src/kernel/ffi.ts.
 */
#include "launch.c"
#include "look.h"
#include "remove.h"
