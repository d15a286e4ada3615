/* SPDX-License-Identifier: MIT */
/* Nothing: what any preload costs, for the benchmarks. */
extern const int empty;
const int empty = 0;
