/* SPDX-License-Identifier: MIT */
/* Each line of input begins a job in a thread, and "forget" one that never
 * ends. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static sem_t never;

static void *
job(void *what)
{
	if (!strcmp(what, "forget\n"))
		while (sem_wait(&never))
			;
	return NULL;
}

static void
begin_job(int number, char *line)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, job, line))
		return;
	if (strcmp(line, "forget\n"))
		pthread_join(thread, NULL);
	printf("%d: begun %s", number, line);
	fflush(stdout);
}

int
main(void)
{
	static char lines[16][100];

	sem_init(&never, 0, 0);
	for (int i = 0; i < 16 && fgets(lines[i], sizeof(lines[i]), stdin); i++)
		begin_job(i + 1, lines[i]);
	return 0;
}
