/* SPDX-License-Identifier: MIT */
/*
 * static_prog, linked with -static: no preload reaches it.  static_prog also
 * executes what it is given, to be met by an exec: static_prog exec CMD ARG...
 */
#include "victim.h"

pthread_mutex_t static_lock = PTHREAD_MUTEX_INITIALIZER;

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "exec") == 0) {
		execvp(argv[2], argv + 2);
		die("static_prog: %s: %s", argv[2], strerror(errno));
	}
	pthread_mutex_lock(&static_lock);
	say("static done");
	pthread_mutex_unlock(&static_lock);
	return 0;
}
