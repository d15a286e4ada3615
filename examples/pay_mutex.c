/* SPDX-License-Identifier: MIT */
/*
 * Pays individuals, one payment at a time, whoever asks: a line of input is
 * a name, each is paid by a thread of its own.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t paying = PTHREAD_MUTEX_INITIALIZER;

static void
pay_individual(const char *name)
{
	if (pthread_mutex_trylock(&paying)) {
		printf("already paying an individual: %s is refused\n", name);
		return;
	}
	printf("%s is paid\n", name);
	pthread_mutex_unlock(&paying);
}

static void *
payer(void *name)
{
	pay_individual(name);
	return NULL;
}

int
main(void)
{
	char name[100];
	pthread_t thread;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		if (pthread_create(&thread, NULL, payer, name))
			return 1;
		pthread_join(thread, NULL);
	}
	return 0;
}
