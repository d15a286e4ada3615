/* SPDX-License-Identifier: MIT */
/*
 * bug: Two threads write to each other through pipes that hold one block; one
 *      that finds nothing to read yet writes first, and both wait for room.
 * oracle: deadlock
 * preemptions: 0
 * critical: server io.poll - before send_all io.write -
 */
#include "explore.h"

#include <fcntl.h>
#include <poll.h>

enum { BLOCK = 4096, BLOCKS = 2 };

static int up[2], down[2];

CALL_SITE static void
send_all(int fd)
{
	char block[BLOCK] = { 0 };

	for (int i = 0; i < BLOCKS; i++)
		must(write(fd, block, BLOCK) != BLOCK);
}

CALL_SITE static void
receive_all(int fd)
{
	char block[BLOCK];

	for (size_t got = 0; got < (size_t)BLOCK * BLOCKS;) {
		ssize_t n = read(fd, block, BLOCK);

		must(n <= 0);
		got += (size_t)n;
	}
}

static void *
client(void *unused)
{
	(void)unused;
	send_all(up[1]);
	receive_all(down[0]);
	return NULL;
}

static void *
server(void *unused)
{
	(void)unused;
#ifndef FIXED
	struct pollfd request = { .fd = up[0], .events = POLLIN };

	if (poll(&request, 1, 0) == 0) {
		send_all(down[1]);
		receive_all(up[0]);
		return NULL;
	}
#endif
	receive_all(up[0]);
	send_all(down[1]);
	return NULL;
}

int
main(void)
{
	must(pipe(up) || pipe(down));
	must(fcntl(up[1], F_SETPIPE_SZ, BLOCK) != BLOCK);
	must(fcntl(down[1], F_SETPIPE_SZ, BLOCK) != BLOCK);
	together(client, server);
	return verdict(1);
}
