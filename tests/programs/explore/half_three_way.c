/* SPDX-License-Identifier: MIT */
/*
 * half_three_way: three_way, mended by half: the cycle of three is broken,
 * and one of two is there now.
 */
#include "explore.h"

static pthread_mutex_t input = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tree = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static void *
parser(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&input);
	pthread_mutex_lock(&tree);
	pthread_mutex_unlock(&tree);
	pthread_mutex_unlock(&input);
	return NULL;
}

static void *
checker(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&output);
	pthread_mutex_lock(&tree);
	pthread_mutex_unlock(&tree);
	pthread_mutex_unlock(&output);
	return NULL;
}

static void *
writer(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&tree);
	pthread_mutex_lock(&output);
	pthread_mutex_unlock(&output);
	pthread_mutex_unlock(&tree);
	return NULL;
}

int
main(void)
{
	together(parser, checker, writer);
	return verdict(1);
}
