/* SPDX-License-Identifier: MIT */
/* pay_sem SEMAPHORE NAME: pays, when it is its turn. */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>

static int
pay_individual(sem_t *turn, const char *name)
{
	if (sem_wait(turn))
		return 2;
	printf("%s is paid\n", name);
	sem_post(turn);
	return 0;
}

int
main(int argc, char **argv)
{
	sem_t *turn;

	if (argc != 3)
		return 2;
	turn = sem_open(argv[1], O_CREAT, 0600, 1);
	return turn == SEM_FAILED ? 2 : pay_individual(turn, argv[2]);
}
