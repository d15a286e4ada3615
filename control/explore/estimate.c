/* SPDX-License-Identifier: MIT */
/*
 * The Good-Turing estimate of the unseen: f1/N, where f1 of the N runs are the
 * only ones of their class (I. J. Good, The population frequencies of species
 * and the estimation of population parameters, Biometrika 40, 1953).  Its bias
 * is below 1/N.
 */
#include "explore/estimate.h"

double
explore_unseen(const struct explore_set *classes, uint64_t runs)
{
	if (!runs)
		return 1;
	return (double)explore_set_times(classes, 1) / (double)runs;
}
