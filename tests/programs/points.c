/* SPDX-License-Identifier: MIT */
/*
 * points: names a mutex "queue", and is at the point "between" while it has
 * it; prints errno as it was before and after, and what it did.
 */
#include "../../include/seam/point.h"
#include "victim.h"

static struct {
	long before;
	pthread_mutex_t lock;
} * heap;

int
main(void)
{
	heap = calloc(1, sizeof(*heap));
	if (!heap || pthread_mutex_init(&heap->lock, NULL))
		die("points: no memory");
	errno = EDOM;
	seam_name(&heap->lock, "queue");
	say("named %d", errno == EDOM);
	pthread_mutex_lock(&heap->lock);
	errno = EDOM;
	seam_point("between");
	say("passed %d", errno == EDOM);
	pthread_mutex_unlock(&heap->lock);
	return 0;
}
