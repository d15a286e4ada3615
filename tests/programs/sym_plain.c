/* SPDX-License-Identifier: MIT */
/*
 * Prints "NAME ADDRESS LINE" for objects and return addresses of its own,
 * then "ready".  For each line of input it does one thing more:
 * "load" dlopens sym_lib.so from its own directory.  Ends with its input.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noipa))
#endif

struct sym_pair {
	long a[8], b[8];
};

int sym_global = 1;
static int sym_lock = 2; /* sym_lib.so has one, too */
static struct sym_pair sym_zeroed[512];
int _sym_under = 3;
extern int sym_alias __attribute__((alias("_sym_under")));
static __thread int sym_tls;
static volatile int marker;

APART void
probe(const char *name, int line)
{
	printf("%s %p %d\n", name, __builtin_return_address(0), line);
}

static inline __attribute__((always_inline)) void
sym_inner(const char *name)
{
	marker++;
	probe(name, __LINE__);
	marker++;
}

APART void
sym_outer(void)
{
	sym_inner("inner1");
}

APART void
sym_another(void)
{
	sym_inner("inner2");
}

static APART void
sym_direct(void)
{
	probe("direct", __LINE__);
	marker++;
}

APART void
sym_two(void)
{
	probe("two", __LINE__);
	/* nor has this line any code: */

	marker++;
}

/* As the compiler names the part of a function it split off. */
APART void sym_whole_part(void) __asm__("sym_whole.part.0");
APART void
sym_whole_part(void)
{
	probe("part", __LINE__);
	marker++;
}

static void
object(const char *name, const void *p)
{
	printf("%s %p 0\n", name, p);
}

static void
objects(void)
{
	static int sym_local = 4;

	object("sym_global", &sym_global);
	object("stdout", &stdout);
	object("sym_lock", &sym_lock);
	object("sym_zeroed", sym_zeroed);
	object("sym_alias", &_sym_under);
	object("sym_local", &sym_local);
	object("sym_tls", &sym_tls);
	object("stack", &(int){ 0 });
	sym_local += marker;
}

static void
share(const char *path)
{
	int fd = open(path, O_RDWR);
	void *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	object("shared", p);
}

static void
load(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	void *lib;

	path[n > 0 ? n : 0] = '\0';
	strcpy(strrchr(path, '/') + 1, "sym_lib.so");
	lib = dlopen(path, RTLD_NOW);
	if (!lib) {
		printf("%s\n", dlerror());
		return;
	}
	object("lib_object", dlsym(lib, "sym_lib_object"));
	object("lib_function", dlsym(lib, "sym_lib_function"));
}

int
main(int argc, char **argv)
{
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	objects();
	if (argc > 1)
		share(argv[1]);
	sym_outer();
	sym_another();
	sym_direct();
	sym_two();
	sym_whole_part();
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "load\n") == 0)
			load();
		puts("ready");
	}
	return 0;
}
