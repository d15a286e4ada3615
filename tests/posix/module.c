/* SPDX-License-Identifier: MIT */
/* dlopen, as the caller's own: its run path, its errors, what locks in it. */
#include "promise.h"

#include <dlfcn.h>

#define PLUGIN "posix_plugin.so"

static void *
opens(void *arg)
{
	void *h = dlopen(PLUGIN, RTLD_NOW);

	(void)arg;
	return RESULT(h ? dlclose(h) : 1000);
}

int
main(void)
{
	is("dlopen, of the program", dlopen(NULL, RTLD_NOW) != NULL, 1);
	is("dlopen, no such file", dlopen("/no/where.so", RTLD_NOW) == NULL, 1);
	const char *why = dlerror();
	is("dlerror says which", why && strstr(why, "/no/where.so"), 1);
	is("dlerror, said already", dlerror() == NULL, 1);
	is("dlopen, no mode", dlopen(PLUGIN, 0) == NULL, 1);
	dlerror();
	is("dlopen, if it is loaded: not yet",
	   dlopen(PLUGIN, RTLD_NOW | RTLD_NOLOAD) == NULL, 1);
	dlerror();
	void *h = dlopen(PLUGIN, RTLD_NOW);
	is("dlopen, by the caller's run path", h != NULL, 1);
	if (!h)
		return 1;
	int (*ran)(void) = (int (*)(void))dlsym(h, "plugin_ran");
	is("its constructor locked, and made a thread", ran && ran() == 2, 1);
	is("dlsym, by the program", dlsym(RTLD_DEFAULT, "plugin_ran") == NULL,
	   1);
	is("dlopen twice is one", dlopen(PLUGIN, RTLD_LAZY) == h, 1);
	is("dlopen, if it is loaded",
	   dlopen(PLUGIN, RTLD_NOW | RTLD_NOLOAD) == h, 1);
	is("dlopen in a thread", in_thread(opens, NULL), 0);
	is("dlclose", dlclose(h) + dlclose(h) + dlclose(h), 0);
	is("which was the last", dlopen(PLUGIN, RTLD_NOW | RTLD_NOLOAD) == NULL,
	   1);
	h = dlmopen(LM_ID_NEWLM, PLUGIN, RTLD_NOW);
	is("dlmopen", h != NULL, 1);
	return broken;
}
