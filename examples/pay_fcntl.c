/* SPDX-License-Identifier: MIT */
/* pay_fcntl LEDGER NAME: pays, unless another process writes the ledger. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int
pay_individual(const char *ledger, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(ledger, O_RDWR | O_CREAT | O_APPEND, 0600);

	if (fd < 0)
		return 2;
	if (fcntl(fd, F_SETLK, &lock)) {
		printf("the ledger is in use: %s is refused\n", name);
		return 1;
	}
	dprintf(fd, "%s\n", name);
	printf("%s is paid\n", name);
	close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	return argc == 3 ? pay_individual(argv[1], argv[2]) : 2;
}
