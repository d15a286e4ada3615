/* SPDX-License-Identifier: MIT */
/*
 * closers MODE: locks close.lock by fcntl, closes it in one of many ways,
 * which drops the lock, and says what came of it.
 */
#include "victim.h"

#include <fcntl.h>

static FILE *stream;

static int
do_close(void)
{
	return close(fileno(stream));
}

static int
do_dup2(void)
{
	return dup2(STDERR_FILENO, fileno(stream)) < 0;
}

static int
do_fclose(void)
{
	return fclose(stream);
}

static int
do_freopen(void)
{
	return freopen("/dev/null", "r+", stream) != stream;
}

static int
do_freopen64(void)
{
	return freopen64("/dev/null", "r+", stream) != stream;
}

/* Nothing is opened; what was open is closed all the same. */
static int
do_freopen_fail(void)
{
	return freopen("/no/such/file", "r+", stream) || errno != ENOENT;
}

static const struct {
	const char *mode;
	int (*run)(void);
} table[] = {
	{ "close", do_close },	       { "dup2", do_dup2 },
	{ "fclose", do_fclose },       { "freopen", do_freopen },
	{ "freopen64", do_freopen64 }, { "freopen-fail", do_freopen_fail },
};

int
main(int argc, char **argv)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	stream = fopen("close.lock", "w+e");
	if (!stream || fcntl(fileno(stream), F_SETLK, &lock))
		die("closers: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (argc > 1 && strcmp(argv[1], table[i].mode) == 0) {
			say("%s %d", argv[1], table[i].run());
			return 0;
		}
	die("usage: closers MODE");
}
