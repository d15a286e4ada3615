/* SPDX-License-Identifier: MIT */
/* The same at a fixed address: linked with -no-pie, compiled without -fPIE,
 * where a weak reference is harder to leave open. */
#include "points.c"
