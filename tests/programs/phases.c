/* SPDX-License-Identifier: MIT */
/*
 * phases TAG LOG [short|long]: a machine of two phases.  Each takes a lock of
 * its own and appends a line, such as "a1", to the file LOG; at the end "a."
 * is written.  short: ends before the second; long: works on afterwards, with
 * another lock and the line "a+", in a thread of its own.
 * phases both LOG: two of them, in the threads "one" and "two" of a process.
 * phases meet LOG: one machine whose phases are two threads', "one" and "two".
 */
#include <fcntl.h>
#include <stdint.h>

#include "victim.h"

pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t second_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t later_lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd;

static void
put(const char *tag, const char *what)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%s%s\n", tag, what);

	if (write(log_fd, line, (size_t)n) != n)
		die("phases: write");
}

CALL_SITE static void
first_phase(const char *tag)
{
	/* at: first phase */
	pthread_mutex_lock(&first_lock);
	put(tag, "1");
	pthread_mutex_unlock(&first_lock);
	HERE();
}

CALL_SITE static void
second_phase(const char *tag)
{
	/* at: second phase */
	pthread_mutex_lock(&second_lock);
	put(tag, "2");
	pthread_mutex_unlock(&second_lock);
	HERE();
}

static void *
later_main(void *tag)
{
	pthread_mutex_lock(&later_lock);
	put(tag, "+");
	pthread_mutex_unlock(&later_lock);
	return NULL;
}

static void
in_thread(void *(*run)(void *), const char *tag)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)(uintptr_t)tag) ||
	    pthread_join(thread, NULL))
		die("phases: pthread_create");
}

static void
machine(const char *tag, const char *how)
{
	first_phase(tag);
	if (!strcmp(how, "short"))
		return;
	second_phase(tag);
	if (!strcmp(how, "long"))
		in_thread(later_main, tag);
	put(tag, ".");
}

static void *
machine_main(void *name)
{
	pthread_setname_np(pthread_self(), name);
	machine(name, "");
	return NULL;
}

static void *
phase_main(void *name)
{
	pthread_setname_np(pthread_self(), name);
	if (!strcmp(name, "one"))
		first_phase(name);
	else
		second_phase(name);
	return NULL;
}

static void
both(void *(*run)(void *))
{
	static char one[] = "one", two[] = "two";
	pthread_t thread[2];

	if (pthread_create(&thread[0], NULL, run, one) ||
	    pthread_create(&thread[1], NULL, run, two))
		die("phases: pthread_create");
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

int
main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: phases TAG|both|meet LOG [short|long]");
	log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		die("phases: %s", argv[2]);
	if (!strcmp(argv[1], "both"))
		both(machine_main);
	else if (!strcmp(argv[1], "meet"))
		both(phase_main);
	else
		machine(argv[1], argc > 3 ? argv[3] : "");
	return 0;
}
