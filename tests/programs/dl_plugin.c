/* SPDX-License-Identifier: MIT */
/* The plugin of dl_victim: -shared -fPIC. */
#include "victim.h"

static pthread_mutex_t plugin_lock = PTHREAD_MUTEX_INITIALIZER;
static int calls;

int plugin_work(void);

CALL_SITE int
plugin_work(void)
{
	int n;

	/* at: plugin lock */
	pthread_mutex_lock(&plugin_lock);
	n = ++calls;
	pthread_mutex_unlock(&plugin_lock);
	return n;
}
