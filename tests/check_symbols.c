/* SPDX-License-Identifier: MIT */
/* Names for addresses and addresses for names, in victims that print both. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "symbols_int.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* What a victim printed. */
struct fact {
	char name[32];
	uint64_t addr;
	int line;
};

struct victim {
	pid_t pid;
	FILE *in, *out;
	struct fact facts[32];
	int n;
};

static struct seam_syms *syms;
static struct seam_map *map;
static struct victim victim;
static char scratch[64];

static const char *
program(const char *name)
{
	static char path[2][PATH_MAX];
	static int turn;
	const char *programs = getenv("SEAM_TEST_PROGRAMS");

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s",
		 programs ? programs : "./tests/programs", name);
	return path[turn];
}

/* A path in the test's own directory. */
static const char *
temporary(const char *name)
{
	static char path[2][PATH_MAX];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", scratch, name);
	return path[turn];
}

static void
wait_ready(void)
{
	struct victim *v = &victim;
	struct fact *f;
	char line[128];

	for (;;) {
		ck_assert_ptr_nonnull(fgets(line, sizeof(line), v->out));
		if (strcmp(line, "ready\n") == 0)
			return;
		ck_assert_int_lt(v->n, COUNT(v->facts));
		f = &v->facts[v->n++];
		ck_assert_msg(sscanf(line, "%31s %" SCNx64 " %d", f->name,
				     &f->addr, &f->line) == 3,
			      "the victim said: %s", line);
	}
}

static void
start(const char *path, const char *arg)
{
	int in[2], out[2];

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	memset(&victim, 0, sizeof(victim));
	victim.pid = fork();
	ck_assert_int_ge(victim.pid, 0);
	if (victim.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, arg, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	victim.in = fdopen(in[1], "w");
	victim.out = fdopen(out[0], "r");
	setvbuf(victim.in, NULL, _IOLBF, 0);
	wait_ready();
	ck_assert_int_eq(seam_map_new(syms, victim.pid, &map), 0);
}

static void
stop(void)
{
	if (!victim.pid)
		return;
	fclose(victim.in);
	fclose(victim.out);
	waitpid(victim.pid, NULL, 0);
	victim.pid = 0;
}

static void
setup(void)
{
	scratch_make(scratch, sizeof(scratch));
	syms = seam_syms_new();
	ck_assert_ptr_nonnull(syms);
}

static void
teardown(void)
{
	stop();
	seam_map_free(map);
	map = NULL;
	seam_syms_free(syms);
	scratch_remove(scratch);
}

static const struct fact *
fact(const char *name)
{
	int i;

	for (i = 0; i < victim.n; i++)
		if (strcmp(victim.facts[i].name, name) == 0)
			return &victim.facts[i];
	ck_abort_msg("the victim printed no %s", name);
	return NULL;
}

static bool
covers(const struct seam_ranges *r, uint64_t addr)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (addr >= r->v[i].lo && addr < r->v[i].hi)
			return true;
	return false;
}

/* Does the pattern match that return address? */
static bool
matches(const char *pattern, uint64_t ret)
{
	struct seam_ranges r = { 0 };
	int rc = seam_map_find_site(map, pattern, &r);
	bool in = covers(&r, ret);

	ck_assert_msg(rc == 0 || (rc == -ENOENT && r.n == 0), "%s: %s", pattern,
		      strerror(-rc));
	seam_ranges_free(&r);
	return in;
}

#define MATCHES(pattern, name)                                                 \
	ck_assert_msg(matches(pattern, fact(name)->addr),                      \
		      "%s does not match %s", pattern, name)
#define DIFFERS(pattern, name)                                                 \
	ck_assert_msg(!matches(pattern, fact(name)->addr), "%s matches %s",    \
		      pattern, name)

struct found {
	int n;
	struct seam_symbol last;
};

static int
found(const struct seam_symbol *symbol, void *data)
{
	struct found *f = data;

	f->n++;
	f->last = *symbol;
	return 0;
}

static struct found
find(const char *name)
{
	struct found f = { 0 };
	int rc = seam_map_find_object(map, name, found, &f);

	ck_assert_int_eq(rc, f.n ? 0 : -ENOENT);
	return f;
}

static void
copy_file(const char *from, const char *to)
{
	char command[2 * PATH_MAX + 16];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	ck_assert_int_eq(system(command), 0);
}

/* Runs a tool of binutils; false when there is none. */
static bool
run(const char *format, const char *a, const char *b)
{
	char command[3 * PATH_MAX];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof(command), format, a, b);
#pragma GCC diagnostic pop
	return system(command) == 0;
}

/* --- names ---------------------------------------------------------------- */

static const struct {
	const char *raw, *full, *plain, *key;
} names[] = {
	{ "main", "main", "main", "main" },
	{ "f.part.0", "f.part.0", "f.part.0", "f" },
	{ "f.constprop.0.isra.0.cold", "f.constprop.0.isra.0.cold",
	  "f.constprop.0.isra.0.cold", "f" },
	{ "lock.1234", "lock.1234", "lock.1234", "lock" },
	{ "main.main", "main.main", "main.main", "main.main" },
	{ "_ZN5Cache3putEi", "Cache::put(int)", "Cache::put(int)",
	  "Cache::put" },
	{ "_ZN5Cache3putEi.part.0", "Cache::put(int)", "Cache::put(int)",
	  "Cache::put" },
	{ "_ZNK5Cache3getEv", "Cache::get() const", "Cache::get() const",
	  "Cache::get" },
	{ "_ZN5Cache5twiceIiEET_S1_", "int Cache::twice<int>(int)",
	  "Cache::twice<int>(int)", "Cache::twice<int>" },
	{ "_ZN5CacheclEi", "Cache::operator()(int)", "Cache::operator()(int)",
	  "Cache::operator()" },
	{ "_ZN5CachelsEi", "Cache::operator<<(int)", "Cache::operator<<(int)",
	  "Cache::operator<<" },
	{ "_Znwm", "operator new(unsigned long)", "operator new(unsigned long)",
	  "operator new" },
	{ "_ZN5CachecvbEv", "Cache::operator bool()", "Cache::operator bool()",
	  "Cache::operator bool" },
	{ "_ZN12_GLOBAL__N_14lockE", "(anonymous namespace)::lock", "lock",
	  "lock" },
	{ "_ZZ7countervE6inside", "counter()::inside", "counter()::inside",
	  "counter()::inside" },
	{ "_ZTV5Cache", "vtable for Cache", "vtable for Cache",
	  "vtable for Cache" },
	{ "_ZN3foo3barB5cxx11Ev", "foo::bar[abi:cxx11]()", "foo::bar()",
	  "foo::bar" },
	{ "_ZN3foo3bar17h0123456789abcdefE", "foo::bar", "foo::bar",
	  "foo::bar" },
	{ "_Znonsense", "_Znonsense", "_Znonsense", "_Znonsense" },
	{ ")(", ")(", ")(", ")(" },
	{ "(((<>>))", "(((<>>))", "(((<>>))", "(" },
};

START_TEST(names_are_taken_apart)
{
	const struct sym_name *n = sym_name(syms, names[_i].raw);

	ck_assert_str_eq(n->full, names[_i].full);
	ck_assert_str_eq(n->plain, names[_i].plain);
	ck_assert_str_eq(n->key, names[_i].key);
	ck_assert_ptr_eq(n, sym_name(syms, names[_i].raw));
	ck_assert(sym_name_match(sym_name(syms, n->full), n));
	ck_assert(sym_name_match(sym_name(syms, n->key), n));
}
END_TEST

START_TEST(globs)
{
	ck_assert(sym_glob("*", ""));
	ck_assert(sym_glob("a*c*e", "abcde"));
	ck_assert(sym_glob("a*ce", "abcece"));
	ck_assert(!sym_glob("a*c", "abcd"));
	ck_assert(!sym_glob("", "a"));
	ck_assert(sym_module_match("libfoo", "libfoo.so.1"));
	ck_assert(sym_module_match("libfoo.so", "libfoo.so.1"));
	ck_assert(sym_module_match("libfoo", "libfoo-2.31.so"));
	ck_assert(!sym_module_match("libfoo", "libfoobar.so"));
	ck_assert(sym_module_match("libfoo*", "libfoobar.so"));
}
END_TEST

/* --- objects -------------------------------------------------------------- */

START_TEST(objects_have_names)
{
	static const char *const same[] = { "sym_global", "sym_lock",
					    "sym_zeroed", "sym_alias" };
	struct seam_symbol symbol;
	struct found f;
	int i;

	start(program("sym_plain"), NULL);
	for (i = 0; i < COUNT(same); i++) {
		uint64_t addr = fact(same[i])->addr;

		ck_assert_int_eq(seam_map_object(map, addr, &symbol), 0);
		ck_assert_str_eq(symbol.name, same[i]);
		ck_assert_str_eq(symbol.module, "sym_plain");
		ck_assert_uint_eq(symbol.addr, addr);
		ck_assert(!symbol.function);
		f = find(same[i]);
		ck_assert_int_eq(f.n, 1);
		ck_assert_uint_eq(f.last.addr, addr);
	}
}
END_TEST

START_TEST(object_covers_its_bytes)
{
	struct seam_symbol symbol;
	uint64_t addr;

	start(program("sym_plain"), NULL);
	addr = fact("sym_zeroed")->addr;
	/* the last is beyond the file's own page: anonymous memory */
	ck_assert_int_eq(seam_map_object(map, addr + 512 * 128 - 1, &symbol),
			 0);
	ck_assert_str_eq(symbol.name, "sym_zeroed");
	ck_assert_uint_eq(symbol.addr, addr);
	ck_assert_uint_eq(symbol.size, 512 * 128);
	addr = fact("stack")->addr;
	ck_assert_int_eq(seam_map_object(map, addr, &symbol), -ENOENT);
	addr = fact("sym_tls")->addr;
	ck_assert_int_eq(seam_map_object(map, addr, &symbol), -ENOENT);
	ck_assert_int_eq(seam_map_object(map, 0, &symbol), -ENOENT);
	ck_assert_int_eq(find("sym_tls").n, 0);
	ck_assert_int_eq(find("no_such_object").n, 0);
}
END_TEST

START_TEST(function_local_object)
{
	struct seam_symbol symbol;
	uint64_t addr;

	start(program("sym_plain"), NULL);
	addr = fact("sym_local")->addr;
	ck_assert_int_eq(seam_map_object(map, addr, &symbol), 0);
	/* gcc says sym_local.0, clang objects.sym_local */
	ck_assert_ptr_nonnull(strstr(symbol.name, "sym_local"));
	ck_assert_uint_eq(find("sym_local").last.addr, addr);
	ck_assert_uint_eq(find(symbol.name).last.addr, addr);
}
END_TEST

START_TEST(loaded_library)
{
	struct seam_site site;
	struct found f;
	uint64_t addr;

	start(program("sym_plain"), NULL);
	ck_assert_int_eq(find("sym_lib_object").n, 0);
	fputs("load\n", victim.in);
	wait_ready();
	addr = fact("lib_function")->addr;
	ck_assert_int_eq(seam_map_site(map, addr + 1, &site), -ENOENT);
	ck_assert_int_eq(seam_map_refresh(map), 0);
	ck_assert_int_eq(seam_map_site(map, addr + 1, &site), 0);
	ck_assert_str_eq(site.function, "sym_lib_function");
	ck_assert_str_eq(site.module, "sym_lib.so");
	f = find("sym_lib_object");
	ck_assert_int_eq(f.n, 1);
	ck_assert_uint_eq(f.last.addr, fact("lib_object")->addr);
	ck_assert_int_eq(find("sym_lock").n, 2);
	ck_assert_int_eq(find("sym_lib.so!sym_lock").n, 1);
	f = find("sym_plain!sym_lock");
	ck_assert_int_eq(f.n, 1);
	ck_assert_uint_eq(f.last.addr, fact("sym_lock")->addr);
	ck_assert_int_eq(find("sym_lib!sym_global").n, 0);
	ck_assert(matches("sym_lib!sym_lib_function", addr + 1));
	ck_assert(!matches("sym_plain!sym_lib_function", addr + 1));
}
END_TEST

START_TEST(versions_are_dropped)
{
	struct seam_symbol symbol;

	struct found f;
	uint64_t addr;

	start(program("sym_plain"), NULL);
	addr = fact("stdout")->addr;
	ck_assert_int_eq(seam_map_object(map, addr, &symbol), 0);
	ck_assert_str_eq(symbol.name, "stdout");
	/* the program may have a copy that took the place of libc's own */
	f = find("stdout");
	ck_assert_int_eq(f.n, 1);
	ck_assert_uint_eq(f.last.addr, addr);
	ck_assert_uint_eq(find("libc.so.6!stdout").last.addr, addr);
}
END_TEST

/* --- sites ---------------------------------------------------------------- */

START_TEST(sites_have_names)
{
	char buf[128], text[128];
	struct seam_site site, again;
	const struct fact *f;

	start(program("sym_plain"), NULL);
	f = fact("direct");
	ck_assert_int_eq(seam_map_site(map, f->addr, &site), 0);
	ck_assert_str_eq(site.function, "sym_direct");
	ck_assert_str_eq(site.file, "sym_plain.c");
	ck_assert_int_eq(site.line, f->line);
	ck_assert_ptr_null(site.outer);
	ck_assert_str_eq(site.module, "sym_plain");
	ck_assert_int_eq(seam_map_site(map, f->addr, &again), 0);
	ck_assert_ptr_eq(site.function, again.function);
	ck_assert_int_eq(site.line, again.line);
	ck_assert_uint_eq(site.offset, again.offset);
	snprintf(text, sizeof(text), "sym_direct sym_plain.c:%d", f->line);
	ck_assert_str_eq(seam_map_describe(map, f->addr, buf, sizeof(buf)),
			 text);
	ck_assert_str_eq(seam_map_describe(map, f->addr, buf, 4), "sym");
}
END_TEST

START_TEST(inlined_sites)
{
	struct seam_site site;
	const struct fact *f;

	start(program("sym_plain"), NULL);
	f = fact("inner1");
	ck_assert_int_eq(seam_map_site(map, f->addr, &site), 0);
	ck_assert_str_eq(site.function, "sym_inner");
	ck_assert_str_eq(site.outer, "sym_outer");
	ck_assert_int_eq(site.line, f->line);
	MATCHES("sym_inner", "inner1");
	MATCHES("sym_inner", "inner2");
	MATCHES("sym_outer", "inner1");
	DIFFERS("sym_outer", "inner2");
	DIFFERS("sym_inner", "direct");
}
END_TEST

START_TEST(no_site)
{
	struct seam_site site;
	char buf[64];

	start(program("sym_plain"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("stack")->addr, &site),
			 -ENOENT);
	ck_assert_int_eq(seam_map_site(map, 0, &site), -ENOENT);
	ck_assert_str_eq(seam_map_describe(map, 0x10, buf, sizeof(buf)),
			 "0x10");
}
END_TEST

START_TEST(patterns)
{
	start(program("sym_plain"), NULL);
	MATCHES("sym_direct", "direct");
	MATCHES("sym_dir*", "direct");
	MATCHES("sym_plain!sym_direct", "direct");
	MATCHES("sym_*!sym_direct", "direct");
	MATCHES("sym_whole", "part");
	MATCHES("sym_whole.part.0", "part");
	DIFFERS("sym_two", "direct");
	DIFFERS("libc.so.6!sym_direct", "direct");
	DIFFERS("sym_dir", "direct");
	DIFFERS("no_such_function", "direct");
	DIFFERS("no_such_module+0x1234", "direct");
	DIFFERS("sym_plain.c:999999", "direct");
	DIFFERS("no_such_file.c:1", "direct");
}
END_TEST

START_TEST(source_lines)
{
	const struct fact *f;
	char text[64];

	start(program("sym_plain"), NULL);
	f = fact("two");
	snprintf(text, sizeof(text), "sym_plain.c:%d", f->line);
	MATCHES(text, "two");
	DIFFERS(text, "direct");
	snprintf(text, sizeof(text), "sym_plain!sym_plain.c:%d", f->line);
	MATCHES(text, "two");
	snprintf(text, sizeof(text), "plain.c:%d", f->line);
	DIFFERS(text, "two");
	snprintf(text, sizeof(text), "other/sym_plain.c:%d", f->line);
	DIFFERS(text, "two");
	snprintf(text, sizeof(text), "sym_plain.c:%d", f->line + 1);
	DIFFERS(text, "two");
	/* both instances of the inlined function */
	snprintf(text, sizeof(text), "sym_plain.c:%d", fact("inner1")->line);
	MATCHES(text, "inner1");
	MATCHES(text, "inner2");
}
END_TEST

START_TEST(next_line_with_code)
{
	struct seam_ranges r = { 0 }, next = { 0 };
	char text[64];
	int line;

	start(program("sym_plain"), NULL);
	line = fact("two")->line;
	snprintf(text, sizeof(text), "sym_plain.c:%d", line + 1);
	ck_assert_int_eq(seam_map_find_site(map, text, &r), 0);
	snprintf(text, sizeof(text), "sym_plain.c:%d", line + 3);
	ck_assert_int_eq(seam_map_find_site(map, text, &next), 0);
	ck_assert_uint_eq(r.n, next.n);
	ck_assert_uint_gt(r.n, 0);
	ck_assert_mem_eq(r.v, next.v, r.n * sizeof(*r.v));
	seam_ranges_free(&r);
	seam_ranges_free(&next);
}
END_TEST

START_TEST(offsets)
{
	struct seam_site site;
	char text[64];

	start(program("sym_plain"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("two")->addr, &site), 0);
	snprintf(text, sizeof(text), "sym_plain+0x%" PRIx64, site.offset);
	MATCHES(text, "two");
	DIFFERS(text, "direct");
#ifdef __x86_64__
	/* call rel32 */
	snprintf(text, sizeof(text), "sym_plain+0x%" PRIx64, site.offset - 5);
#else
	snprintf(text, sizeof(text), "sym_plain+0x%" PRIx64, site.offset - 4);
#endif
	MATCHES(text, "two");
	snprintf(text, sizeof(text), "sym_plain+0x%" PRIx64, site.offset + 1);
	DIFFERS(text, "two");
	DIFFERS("sym_plain+0", "two");
	DIFFERS("sym_plain+0xffffffffffffffff", "two");
}
END_TEST

START_TEST(cplusplus)
{
	struct seam_site site;
	struct found f;

	start(program("sym_cxx"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("put_int")->addr, &site), 0);
	ck_assert_str_eq(site.function, "store::Cache::put(int)");
	ck_assert_int_eq(site.line, fact("put_int")->line);
	MATCHES("store::Cache::put", "put_int");
	MATCHES("store::Cache::put", "put_string");
	MATCHES("store::Cache::put(int)", "put_int");
	DIFFERS("store::Cache::put(int)", "put_string");
	MATCHES("store::Cache::put(char const*)", "put_string");
	MATCHES("_ZN5store5Cache3putEi", "put_int");
	DIFFERS("_ZN5store5Cache3putEi", "put_string");
	MATCHES("store::Cache::touch", "put_string");
	MATCHES("store::Cache::twice<int>", "twice");
	MATCHES("store::Cache::twice<int>(int)", "twice");
	MATCHES("int store::Cache::twice<int>(int)", "twice");
	MATCHES("store::Cache::*", "twice");
	DIFFERS("store::Cache::*", "unnamed");
	MATCHES("unnamed", "unnamed");
	MATCHES("(anonymous namespace)::unnamed()", "unnamed");
	MATCHES("main::*operator()*", "lambda");
	f = find("store::shared_lock");
	ck_assert_int_eq(f.n, 1);
	ck_assert_uint_eq(f.last.addr, fact("shared_lock")->addr);
	ck_assert_str_eq(f.last.name, "store::shared_lock");
	f = find("store::Cache::count");
	ck_assert_uint_eq(f.last.addr, fact("count")->addr);
	f = find("hidden");
	ck_assert_uint_eq(f.last.addr, fact("hidden")->addr);
	ck_assert_str_eq(f.last.name, "(anonymous namespace)::hidden");
	f = find("counter()::inside");
	ck_assert_uint_eq(f.last.addr, fact("inside")->addr);
}
END_TEST

/* --- files ---------------------------------------------------------------- */

START_TEST(without_debug_info)
{
	struct seam_site site;
	char buf[128], text[128];

	if (!run("strip -g -o '%s' '%s'", temporary("bare"),
		 program("sym_plain")))
		return;
	start(temporary("bare"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("inner1")->addr, &site), 0);
	ck_assert_str_eq(site.function, "sym_outer");
	ck_assert_ptr_null(site.file);
	snprintf(text, sizeof(text), "sym_outer bare+0x%" PRIx64, site.offset);
	ck_assert_str_eq(seam_map_describe(map, fact("inner1")->addr, buf,
					   sizeof(buf)),
			 text);
	MATCHES("sym_direct", "direct");
	MATCHES("sym_whole", "part");
	ck_assert_uint_eq(find("sym_lock").last.addr, fact("sym_lock")->addr);
}
END_TEST

START_TEST(stripped)
{
	struct seam_site site;
	char buf[128], text[128];

	if (!run("strip -o '%s' '%s'", temporary("bare"), program("sym_plain")))
		return;
	start(temporary("bare"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("direct")->addr, &site), 0);
	ck_assert_ptr_null(site.function);
	snprintf(text, sizeof(text), "bare+0x%" PRIx64, site.offset);
	ck_assert_str_eq(seam_map_describe(map, fact("direct")->addr, buf,
					   sizeof(buf)),
			 text);
	MATCHES(text, "direct");
	ck_assert_int_eq(find("sym_lock").n, 0);
}
END_TEST

START_TEST(separate_debug_file)
{
	struct seam_site site;
	char link[2 * PATH_MAX];
	const char *bare = temporary("bare");

	snprintf(link, sizeof(link),
		 "objcopy -S --add-gnu-debuglink='%s/bare.debug' "
		 "'%%s' '%%s' 2>/dev/null",
		 scratch);
	if (!run("objcopy --only-keep-debug '%s' '%s'", program("sym_plain"),
		 temporary("bare.debug")) ||
	    !run(link, program("sym_plain"), bare))
		return;
	start(bare, NULL);
	ck_assert_int_eq(seam_map_site(map, fact("inner1")->addr, &site), 0);
	ck_assert_str_eq(site.function, "sym_inner");
	ck_assert_int_eq(site.line, fact("inner1")->line);
	ck_assert_uint_eq(find("sym_lock").last.addr, fact("sym_lock")->addr);
}
END_TEST

START_TEST(deleted_program)
{
	struct seam_site site;

	copy_file(program("sym_plain"), temporary("gone"));
	start(temporary("gone"), NULL);
	ck_assert_int_eq(unlink(temporary("gone")), 0);
	/* another one in its place must not be taken for it */
	copy_file(program("sym_cxx"), temporary("gone"));
	ck_assert_int_eq(seam_map_refresh(map), 0);
	ck_assert_int_eq(seam_map_site(map, fact("direct")->addr, &site), 0);
	ck_assert_str_eq(site.function, "sym_direct");
	ck_assert_str_eq(site.module, "gone");
}
END_TEST

START_TEST(process_is_gone)
{
	struct seam_site site;
	struct seam_map *other;

	start(program("sym_plain"), NULL);
	stop();
	ck_assert_int_eq(seam_map_site(map, fact("direct")->addr, &site), 0);
	ck_assert_str_eq(site.function, "sym_direct");
	ck_assert_int_lt(seam_map_refresh(map), 0);
	ck_assert_int_eq(seam_map_site(map, fact("two")->addr, &site), 0);
	ck_assert_int_lt(seam_map_new(syms, INT_MAX, &other), 0);
}
END_TEST

START_TEST(one_module_for_all)
{
	struct sym_module *m;
	struct seam_map *first;
	struct seam_site site;
	int n = 0;

	start(program("sym_cxx"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("unnamed")->addr, &site), 0);
	stop();
	first = map;
	start(program("sym_cxx"), NULL);
	ck_assert_int_eq(seam_map_site(map, fact("unnamed")->addr, &site), 0);
	for (m = syms->modules; m; m = m->next)
		n++;
	ck_assert_int_eq(n, 1);
	seam_map_free(first);
}
END_TEST

START_TEST(nothing_is_opened_early)
{
	start(program("sym_plain"), NULL);
	ck_assert_ptr_null(syms->modules);
}
END_TEST

START_TEST(modules)
{
	struct seam_ranges r = { 0 };

	start(program("sym_plain"), NULL);
	ck_assert_int_eq(seam_map_find_module(map, "sym_*", &r), 0);
	ck_assert(covers(&r, fact("direct")->addr));
	ck_assert(covers(&r, fact("sym_lock")->addr));
	ck_assert(covers(&r, fact("sym_zeroed")->addr + 512 * 128 - 1));
	ck_assert(!covers(&r, fact("stack")->addr));
	seam_ranges_free(&r);
	ck_assert_int_eq(seam_map_find_module(map, "libnone*", &r), -ENOENT);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(build_id)
{
	char output[256], text[PATH_MAX + 64];
	const char *id;
	FILE *p;
	size_t n;

	start(program("sym_plain"), NULL);
	id = seam_map_build_id(map, fact("direct")->addr);
	ck_assert_ptr_null(seam_map_build_id(map, fact("stack")->addr));
	snprintf(text, sizeof(text),
		 "readelf -n '%s' 2>/dev/null | sed -n 's/.*Build ID: //p'",
		 program("sym_plain"));
	p = popen(text, "r");
	n = fread(output, 1, sizeof(output) - 1, p);
	pclose(p);
	output[n] = '\0';
	output[strcspn(output, "\n")] = '\0';
	if (*output)
		ck_assert_pstr_eq(id, output);
}
END_TEST

START_TEST(shared_memory)
{
	struct seam_backing theirs, ours;
	const char *path = temporary("shared");
	struct seam_map *own;
	uint64_t addr;
	char *p;
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	ck_assert_int_eq(ftruncate(fd, 16384), 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
	ck_assert_ptr_ne(p, MAP_FAILED);
	start(program("sym_plain"), path);
	addr = fact("shared")->addr + 4096 + 64;
	ck_assert_int_eq(seam_map_backing(map, addr, &theirs), 0);
	ck_assert_uint_eq(theirs.offset, 4096 + 64);
	ck_assert_int_eq(seam_map_new(syms, getpid(), &own), 0);
	ck_assert_uint_eq(seam_map_unbacking(own, &theirs), (uintptr_t)p + 64);
	ck_assert_int_eq(seam_map_backing(own, (uintptr_t)p + 64, &ours), 0);
	ck_assert_uint_eq(seam_map_unbacking(map, &ours), addr);
	ck_assert_int_eq(seam_map_backing(map, fact("stack")->addr, &ours),
			 -ENOENT);
	ours = (struct seam_backing){ theirs.dev, theirs.ino, 1 << 20 };
	ck_assert_uint_eq(seam_map_unbacking(map, &ours), 0);
	seam_map_free(own);
	munmap(p, 4096);
	close(fd);
}
END_TEST

/* --- garbage -------------------------------------------------------------- */

static const char *const bad_maps[] = {
	"",
	"\n",
	"x",
	"1000-2000 r-xp 00000000 08:01 12 /bin/x",
	"2000-1000 r-xp 00000000 08:01 12 /bin/x\n",
	"1000-1000 r-xp 00000000 08:01 12 /bin/x\n",
	"1000 r-xp 00000000 08:01 12 /bin/x\n",
	"1000-2000 r-x 00000000 08:01 12 /bin/x\n",
	"1000-2000 r-xp 00000000 08-01 12 /bin/x\n",
	"1000-2000 r-xp 00000000 08:01\n",
	"1000-2000 r-xp -1 08:01 12 /bin/x\n",
	"1000-99999999999999999999 r-xp 00000000 08:01 12 /bin/x\n",
	"2000-3000 r-xp 0 0:0 12 /bin/x\n1000-2000 r-xp 0 0:0 12 /bin/x\n",
};

START_TEST(garbage_in_maps)
{
	struct seam_site site;
	char *text = strdup(bad_maps[_i]);

	ck_assert_int_eq(seam_map_new(syms, getpid(), &map), 0);
	ck_assert_int_lt(sym_maps_parse(map, text), 0);
	free(text);
	/* and the old contents are still there */
	ck_assert_int_eq(seam_map_site(map, (uintptr_t)&setup + 1, &site), 0);
}
END_TEST

static int
ignore_item(const struct sym_item *item, void *data)
{
	(void)item, (void)data;
	return 0;
}

/* Asks everything that can be asked of an ELF file. */
static void
ask_all(const char *path)
{
	struct seam_syms *fresh = seam_syms_new();
	struct seam_ranges r = { 0 };
	struct sym_lines lines = {
		.file = "sym_cxx.cc", .line = 1, .best = INT_MAX, .out = &r
	};
	struct sym_module *m;
	struct seam_site site;
	uint64_t v;

	m = sym_module_open(fresh, open(path, O_RDONLY | O_CLOEXEC), path, "");
	if (m) {
		sym_module_index(m);
		sym_module_lines(m, &lines);
		for (v = 0x1100; v < 0x1500; v += 64)
			sym_module_site(m, v, &site);
		sym_items_each(&m->funcs_by_key, sym_name(fresh, "*"),
			       ignore_item, NULL);
	}
	seam_ranges_free(&r);
	seam_syms_free(fresh);
}

static size_t
slurp(const char *path, unsigned char **data)
{
	FILE *f = fopen(path, "r");
	struct stat st;
	size_t n;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	n = (size_t)st.st_size;
	*data = malloc(n);
	ck_assert_uint_eq(fread(*data, 1, n, f), n);
	fclose(f);
	return n;
}

static void
spill(const char *path, const unsigned char *data, size_t n)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(truncated_programs)
{
	const char *path = temporary("short");
	unsigned char *data;
	size_t n = slurp(program("sym_cxx"), &data), i;

	for (i = 0; i < n; i += i < 1024 ? 61 : n / 61) {
		spill(path, data, i);
		ask_all(path);
	}
	free(data);
}
END_TEST

START_TEST(damaged_programs)
{
	const char *path = temporary("wrong");
	unsigned char *data, *copy;
	size_t n = slurp(program("sym_cxx"), &data), i, k;
	uint32_t seed = 1;

	copy = malloc(n);
	for (i = 0; i < 150; i++) {
		memcpy(copy, data, n);
		for (k = 0; k < 1 + i % 40; k++) {
			seed = seed * 1103515245 + 12345;
			/* some in the headers, most anywhere */
			copy[(seed >> 4) % (i % 3 ? n : 1024)] ^=
			    (unsigned char)(seed >> 24);
		}
		memcpy(copy, data, 4);
		spill(path, copy, n);
		ask_all(path);
	}
	free(copy);
	free(data);
}
END_TEST

/* --- what cannot be preloaded --------------------------------------------- */

/* A victim's copy with its program header of that type made another. */
static const char *
altered(const char *name, uint32_t type, uint32_t to, uint16_t machine)
{
	const char *path = temporary(name);
	unsigned char *data;
	size_t n = slurp(program("sym_plain"), &data);
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)data;
	Elf64_Phdr *ph = (Elf64_Phdr *)(void *)(data + eh->e_phoff);
	int i;

	for (i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == type)
			ph[i].p_type = to;
	if (machine)
		eh->e_machine = machine;
	spill(path, data, n);
	free(data);
	chmod(path, 0755);
	return path;
}

static const char *
text_file(const char *name, const char *text)
{
	const char *path = temporary(name);

	spill(path, (const unsigned char *)text, strlen(text));
	return path;
}

START_TEST(hookable)
{
	ck_assert_pstr_eq(seam_exe_unhookable(program("sym_plain")), NULL);
	ck_assert_pstr_eq(seam_exe_unhookable("/bin/sh"), NULL);
	ck_assert_pstr_eq(seam_exe_unhookable(
			      text_file("s", "#! /bin/sh -e\necho\n")),
			  NULL);
}
END_TEST

START_TEST(unhookable)
{
	char text[PATH_MAX + 8];

	ck_assert_pstr_eq(seam_exe_unhookable(
			      altered("static", PT_INTERP, PT_NULL, 0)),
			  "statically linked");
	snprintf(text, sizeof(text), "#!%s\n", temporary("static"));
	ck_assert_pstr_eq(seam_exe_unhookable(text_file("s", text)),
			  "statically linked");
	ck_assert_pstr_eq(seam_exe_unhookable(altered("s390", 0, 0, EM_S390)),
			  "for another machine (s390x)");
	ck_assert_pstr_eq(seam_exe_unhookable(altered("other", 0, 0, EM_VAX)),
			  "for another machine");
	ck_assert_pstr_eq(seam_exe_unhookable(text_file("t", "echo\n")),
			  "not an ELF program");
	ck_assert_pstr_eq(seam_exe_unhookable(text_file("u", "\177ELF")),
			  "not an ELF program");
	ck_assert_pstr_eq(seam_exe_unhookable(scratch), "not an ELF program");
	ck_assert_pstr_eq(seam_exe_unhookable(temporary("none")), "missing");
	snprintf(text, sizeof(text), "#!%s\n", temporary("loop"));
	ck_assert_pstr_eq(seam_exe_unhookable(text_file("loop", text)),
			  "a script of too many scripts");
}
END_TEST

START_TEST(setuid_program)
{
	const char *path = temporary("setuid");
	struct statvfs vfs;

	copy_file(program("sym_plain"), path);
	if (chown(path, 12345, 12345) || statvfs(path, &vfs) ||
	    (vfs.f_flag & ST_NOSUID))
		return; /* only root can try */
	ck_assert_int_eq(chmod(path, 04755), 0);
	ck_assert_pstr_eq(seam_exe_unhookable(path), "setuid");
	ck_assert_int_eq(chmod(path, 02755), 0);
	ck_assert_pstr_eq(seam_exe_unhookable(path), "setgid");
	ck_assert_int_eq(chmod(path, 0755), 0);
	ck_assert_pstr_eq(seam_exe_unhookable(path), NULL);
}
END_TEST

static TCase *
add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	return tc;
}

static Suite *
make_suite(void)
{
	Suite *s = suite_create("symbols");
	TCase *tc = add_case(s, "names");

	tcase_add_loop_test(tc, names_are_taken_apart, 0, COUNT(names));
	tcase_add_test(tc, globs);
	tc = add_case(s, "objects");
	tcase_add_test(tc, objects_have_names);
	tcase_add_test(tc, object_covers_its_bytes);
	tcase_add_test(tc, function_local_object);
	tcase_add_test(tc, loaded_library);
	tcase_add_test(tc, versions_are_dropped);
	tc = add_case(s, "sites");
	tcase_add_test(tc, sites_have_names);
	tcase_add_test(tc, inlined_sites);
	tcase_add_test(tc, no_site);
	tcase_add_test(tc, patterns);
	tcase_add_test(tc, source_lines);
	tcase_add_test(tc, next_line_with_code);
	tcase_add_test(tc, offsets);
	tcase_add_test(tc, cplusplus);
	tc = add_case(s, "files");
	tcase_add_test(tc, without_debug_info);
	tcase_add_test(tc, stripped);
	tcase_add_test(tc, separate_debug_file);
	tcase_add_test(tc, deleted_program);
	tcase_add_test(tc, process_is_gone);
	tcase_add_test(tc, one_module_for_all);
	tcase_add_test(tc, nothing_is_opened_early);
	tcase_add_test(tc, modules);
	tcase_add_test(tc, build_id);
	tcase_add_test(tc, shared_memory);
	tc = add_case(s, "garbage");
	tcase_add_loop_test(tc, garbage_in_maps, 0, COUNT(bad_maps));
	tcase_add_test(tc, truncated_programs);
	tcase_add_test(tc, damaged_programs);
	tc = add_case(s, "unhookable");
	tcase_add_test(tc, hookable);
	tcase_add_test(tc, unhookable);
	tcase_add_test(tc, setuid_program);
	return s;
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return suite_run(make_suite());
}
