/* SPDX-License-Identifier: MIT */
/*
 * dl_victim PLUGIN [unload]: opens the plugin and calls plugin_work in a
 * thread "worker"; with "unload" closes it, opens it again and once more.
 */
#include "victim.h"

#include <dlfcn.h>
#include <limits.h>

static void *
worker_main(void *work)
{
	int (*run)(void);

	pthread_setname_np(pthread_self(), "worker");
	memcpy(&run, work, sizeof(run));
	say("plugin %d", run());
	return NULL;
}

static void
use(const char *path, int unload)
{
	void *handle = dlopen(path, RTLD_NOW), *work;
	pthread_t worker;

	if (!handle)
		die("dl_victim: %s", dlerror());
	work = dlsym(handle, "plugin_work");
	if (!work)
		die("dl_victim: %s", dlerror());
	pthread_create(&worker, NULL, worker_main, &work);
	pthread_join(worker, NULL);
	if (unload)
		dlclose(handle);
}

/* A name without a slash is beside the program. */
static const char *
plugin_path(const char *name)
{
	static char path[PATH_MAX + 64];
	ssize_t n;

	if (strchr(name, '/'))
		return name;
	n = readlink("/proc/self/exe", path, PATH_MAX);
	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n <= 0)
		die("dl_victim: /proc/self/exe");
	snprintf(path + n, sizeof(path) - (size_t)n, "%s", name);
	return path;
}

int
main(int argc, char **argv)
{
	const char *path;
	int unload = argc > 2 && strcmp(argv[2], "unload") == 0;

	if (argc < 2)
		die("usage: dl_victim PLUGIN [unload]");
	path = plugin_path(argv[1]);
	use(path, unload);
	if (unload)
		use(path, unload);
	return 0;
}
