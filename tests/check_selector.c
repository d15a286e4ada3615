/* SPDX-License-Identifier: MIT */
/* Words, selectors, object names, values, globs and names of numbers. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* glibc's own names of errors and signals */
#endif
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selector.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* As a command without keys of its own would do it. */
static enum seam_code
parse_line(const char *line, struct seam_selector *sel, struct seam_error *err)
{
	struct seam_words words;
	enum seam_code code;

	*sel = (struct seam_selector){ 0 };
	*err = (struct seam_error){ 0 };
	code = seam_split(line, &words, err);
	if (!code)
		code = seam_selector_parse(&words, 0, NULL, sel, err);
	seam_words_free(&words);
	return code;
}

/* Well-formed lines and their canonical form; NULL: the line itself. */
static const struct {
	const char *line, *canonical;
} good[] = {
	{ "mutex.lock", NULL },
	{ "  mutex.lock\t", "mutex.lock" },
	{ "mutex.lock # every one", "mutex.lock" },
	{ "\"mutex.lock\"", "mutex.lock" },
	{ "mutex.*", NULL },
	{ "*.unlock", NULL },
	{ "*", NULL },
	{ "mutex.?nlock", NULL },
	{ "filelock.*", NULL },
	{ "fcntl.*", NULL },
	{ "flock.*", NULL },
	{ "lockf.*", NULL },
	{ "file.*", NULL },
	{ "once", NULL },
	{ "once.*", NULL },
	{ "once once", NULL },
	{ "point name=flush", NULL },
	{ "point.*", NULL },
	{ "acquire", NULL },
	{ "any", NULL },
	{ "pthread_mutex_timedlock", NULL },
	{ "sem_clockwait name=/jobs", NULL },
	{ "fcntl64", NULL },
	{ "flock path=/var/lock/x", NULL },
	{ "lockf range=0+0", NULL },
	{ "__cxa_guard_acquire", NULL },
	{ "syscall obj=futex:word", NULL },
	{ "cnd_timedwait obj=mutex:m", NULL },
	{ "thread.exit thread=P1.T0.2", NULL },
	{ "thread.start proc=P1.*", NULL },
	{ "mutex.lock obj=cache_lock", NULL },
	{ "mutex.lock obj=pool+0x40", NULL },
	{ "mutex.lock obj=queue.c:88#2", NULL },
	{ "mutex.lock obj=P1.T0/mutex#3", NULL },
	{ "mutex.lock obj=Cache::lock_", NULL },
	{ "mutex.lock obj=thread::m", NULL },
	{ "mutex.lock obj=mutex::m", NULL },
	{ "mutex.lock obj=mutex:cache_lock", NULL },
	{ "mutex.lock obj=mutex:mutex:x", NULL },
	{ "mutex.lock obj=@0x55d0AB", "mutex.lock obj=@0x55d0ab" },
	{ "mutex.lock obj=@0X0001", "mutex.lock obj=@0x1" },
	{ "mutex.lock obj=@0xffffffffffffffff", NULL },
	{ "mutex.lock obj=none:x", NULL },
	{ "mutex.lock obj=*_lock", NULL },
	{ "mutex.lock obj=a=b", NULL },
	{ "mutex.lock obj=\"std::map<int, std::string>::m\"", NULL },
	{ "mutex.lock obj=std::map<int,\" std::\"string>",
	  "mutex.lock obj=\"std::map<int, std::string>\"" },
	{ "mutex.lock obj=\"plain\"", "mutex.lock obj=plain" },
	{ "mutex.lock obj=a\\b", NULL },
	{ "mutex.lock obj=\"a\\\\b\"", "mutex.lock obj=a\\b" },
	{ "mutex.lock obj=\"a\\\\ \\\"b\\\"\\t\\n\"", NULL },
	{ "sem.wait obj=sem:@0x55d0", NULL },
	{ "sem.wait obj=sem:/jobs", NULL },
	{ "sem.wait obj=\"sem:/two words\"", NULL },
	{ "sem.wait obj=sem:slots", NULL },
	{ "cond.reacquire obj=mutex:m", NULL },
	{ "cond.wait obj=cond:c", NULL },
	{ "fcntl.setlk obj=file:/tmp/t.db", NULL },
	{ "fcntl.setlk obj=file:@0xzz", NULL },
	{ "fcntl.setlk obj=\"file:a b:c\"", NULL },
	{ "any obj=file::x", NULL },
	{ "fcntl.setlk range=0x40000001+1", NULL },
	{ "fcntl.setlk range=1073741825+0x1",
	  "fcntl.setlk range=0x40000001+1" },
	{ "fcntl.setlk range=0x64+0xA", "fcntl.setlk range=100+10" },
	{ "fcntl.setlk range=010+0", "fcntl.setlk range=10+0" },
	{ "fcntl.setlk range=0+9223372036854775808", NULL },
	{ "fcntl.setlk range=9223372036854775807+1",
	  "fcntl.setlk range=0x7fffffffffffffff+1" },
	{ "acquire path=*.db", NULL },
	{ "any mode=rd", NULL },
	{ "rwlock.* mode=wr", NULL },
	{ "pthread_rwlock_clockrdlock mode=rd", NULL },
	{ "mutex.lock at=cache_put in=main", NULL },
	{ "mutex.lock at=libfoo.so!put", NULL },
	{ "mutex.lock at=module+0x1d2f5 in=file.c:42", NULL },
	{ "mutex.lock at=/x/y.c:3", NULL },
	{ "mutex.lock thread=\"a b\"", NULL },
	{ "mutex.lock thread=\xc3\xa9t\xc3\xa9", NULL },
	{ "mutex.lock when=before", "mutex.lock" },
	{ "mutex.lock when=after", NULL },
	{ "mutex.lock result=ok when=after", NULL },
	{ "mutex.lock when=after result=busy",
	  "mutex.lock result=busy when=after" },
	{ "mutex.lock when=after result=timedout",
	  "mutex.lock result=timedout when=after" },
	{ "mutex.lock result=eintr when=after", NULL },
	{ "mutex.lock result=error when=after", NULL },
	{ "mutex.lock hit=1", "mutex.lock once" },
	{ "mutex.lock hit=0x10", "mutex.lock hit=16" },
	{ "mutex.lock hit=2147483647", NULL },
	{ "mutex.lock once at=f", "mutex.lock at=f once" },
	{ "any hit=2 when=after result=busy name=n mode=wr range=1+2 path=p "
	  "proc=P thread=T in=i at=a obj=o",
	  "any obj=o at=a in=i thread=T proc=P path=p range=1+2 mode=wr "
	  "name=n result=busy when=after hit=2" },
};

START_TEST(well_formed)
{
	const char *line = good[_i].line, *want = good[_i].canonical;
	struct seam_selector sel, again;
	struct seam_error err;
	char text[512], twice[512];

	if (!want)
		want = line;
	ck_assert_msg(!parse_line(line, &sel, &err), "%s: %s", line, err.text);
	ck_assert_ptr_eq(seam_selector_format(&sel, text, sizeof(text)), text);
	ck_assert_str_eq(text, want);
	ck_assert_msg(!parse_line(text, &again, &err), "%s: %s", text,
		      err.text);
	seam_selector_format(&again, twice, sizeof(twice));
	ck_assert_str_eq(twice, text);
	ck_assert_mem_eq(sel.verbs, again.verbs, sizeof(sel.verbs));
	ck_assert_int_eq(sel.fn, again.fn);
	seam_selector_free(&sel);
	seam_selector_free(&again);
}
END_TEST

static const struct {
	const char *line;
	enum seam_code code;
	int column;
	const char *says; /* part of the text; NULL: whatever */
} bad[] = {
	{ "", SEAM_E_SYNTAX, 1, "expected an operation" },
	{ "  # nothing", SEAM_E_SYNTAX, 1, "end of the line" },
	{ "\"\"", SEAM_E_SYNTAX, 1, "begins with an operation" },
	{ "obj=x", SEAM_E_SYNTAX, 1, "met 'obj='" },
	{ " op=mutex.lock", SEAM_E_SYNTAX, 2, "met 'op='" },
	{ "=", SEAM_E_SYNTAX, 1, "met '='" },
	{ "mutex.lokc", SEAM_E_UNKNOWN_OP, 1,
	  "unknown operation 'mutex.lokc'; did you mean 'mutex.lock'?" },
	{ "  mutex_lock", SEAM_E_UNKNOWN_OP, 3, "'mutex.lock'?" },
	{ "mutex", SEAM_E_UNKNOWN_OP, 1, "'mutex.*'?" },
	{ "file", SEAM_E_UNKNOWN_OP, 1, "'file.*'?" },
	{ "mutx.*", SEAM_E_UNKNOWN_OP, 1, "'mutex.*'?" },
	{ "aquire", SEAM_E_UNKNOWN_OP, 1, "'acquire'?" },
	{ "pthread_mutx_lock", SEAM_E_UNKNOWN_OP, 1, "'pthread_mutex_lock'?" },
	{ "pthread_mutex_*", SEAM_E_UNKNOWN_OP, 1, NULL },
	{ "MUTEX.LOCK", SEAM_E_UNKNOWN_OP, 1, "mutex.lock, mutex.*, acquire" },
	{ "none", SEAM_E_UNKNOWN_OP, 1, NULL },
	{ "none.*", SEAM_E_UNKNOWN_OP, 1, NULL },
	{ "xyzzy plugh", SEAM_E_UNKNOWN_OP, 1, "expected one such as" },
	{ "filelock.unlock", SEAM_E_UNKNOWN_OP, 1, NULL },
	{ "mutex.lock obj=", SEAM_E_SYNTAX, 16, "met nothing" },
	{ "mutex.lock obj=\"\"", SEAM_E_SYNTAX, 17, "met nothing" },
	{ "mutex.lock at= in=f", SEAM_E_SYNTAX, 15, "'at=' expects" },
	{ "mutex.lock thread=", SEAM_E_SYNTAX, 19, NULL },
	{ "mutex.lock obj=a obj=b", SEAM_E_SYNTAX, 18, "given twice" },
	{ "mutex.lock at=a in=b at=a", SEAM_E_SYNTAX, 22, "'at' is given" },
	{ "mutex.lock once once", SEAM_E_SYNTAX, 17, "given twice" },
	{ "mutex.lock when=before when=after", SEAM_E_SYNTAX, 24, NULL },
	{ "mutex.lock hit=2 once", SEAM_E_SYNTAX, 18, "both given" },
	{ "mutex.lock once hit=2", SEAM_E_SYNTAX, 17, "both given" },
	{ "mutex.lock path=x", SEAM_E_SYNTAX, 12, "is for file locks" },
	{ "mutex.lock range=0+1", SEAM_E_SYNTAX, 12, "is for file locks" },
	{ "sem.wait mode=rd", SEAM_E_SYNTAX, 10, "read-write locks" },
	{ "mutex.lock mode=rd", SEAM_E_SYNTAX, 12, "with 'mutex.lock'" },
	{ "rwlock.rdlock path=x", SEAM_E_SYNTAX, 15, NULL },
	{ "mutex.* name=x", SEAM_E_SYNTAX, 9, "semaphores and points" },
	{ "fcntl.setlk name=x", SEAM_E_SYNTAX, 13, NULL },
	{ "mutex.lock mode=", SEAM_E_SYNTAX, 12, "does not go with" },
	{ "any mode=read", SEAM_E_SYNTAX, 10, "expects rd or wr, met 'read'" },
	{ "any mode=r", SEAM_E_SYNTAX, 10, NULL },
	{ "any when=then", SEAM_E_SYNTAX, 10, "before or after" },
	{ "any result=fine when=after", SEAM_E_SYNTAX, 12, "timedout" },
	{ "any result=any when=after", SEAM_E_SYNTAX, 12, NULL },
	{ "any result=ok", SEAM_E_SYNTAX, 5, "needs when=after" },
	{ "any at=f result=ok when=before", SEAM_E_SYNTAX, 10, NULL },
	{ "any hit=0", SEAM_E_SYNTAX, 9, "from 1 to 2147483647" },
	{ "any hit=2147483648", SEAM_E_SYNTAX, 9, "from 1 to" },
	{ "any hit=99999999999999999999", SEAM_E_SYNTAX, 9, "from 1 to" },
	{ "any hit=-1", SEAM_E_SYNTAX, 9, "expected a number" },
	{ "any hit=12x", SEAM_E_SYNTAX, 11, "expected a number" },
	{ "any hit=\"12x\"", SEAM_E_SYNTAX, 12, "expected a number" },
	{ "any hit=0x", SEAM_E_SYNTAX, 11, NULL },
	{ "any hit=", SEAM_E_SYNTAX, 9, "met nothing" },
	{ "any range=", SEAM_E_SYNTAX, 11, "expects OFF+LEN" },
	{ "any range=5", SEAM_E_SYNTAX, 12, "'+' and a length" },
	{ "any range=+5", SEAM_E_SYNTAX, 11, "an offset" },
	{ "any range=5+", SEAM_E_SYNTAX, 13, "a length" },
	{ "any range=5-6", SEAM_E_SYNTAX, 12, "'+'" },
	{ "any range=5+6+7", SEAM_E_SYNTAX, 14, "a length" },
	{ "any range=-1+2", SEAM_E_SYNTAX, 11, "an offset" },
	{ "any range=0xg+2", SEAM_E_SYNTAX, 13, NULL },
	{ "any range=9223372036854775808+0", SEAM_E_SYNTAX, 11, "too large" },
	{ "any range=99999999999999999999+0", SEAM_E_SYNTAX, 11, NULL },
	{ "any range=1+9223372036854775808", SEAM_E_SYNTAX, 13, "beyond" },
	{ "any obj=@", SEAM_E_SYNTAX, 10, "@0x" },
	{ "any obj=@zz", SEAM_E_SYNTAX, 10, "an address is written" },
	{ "any obj=@55d0", SEAM_E_SYNTAX, 10, NULL },
	{ "any obj=@0x", SEAM_E_SYNTAX, 12, NULL },
	{ "any obj=@0x12g4", SEAM_E_SYNTAX, 14, NULL },
	{ "any obj=@0x1ffffffffffffffff", SEAM_E_SYNTAX, 10, NULL },
	{ "any obj=sem:@zz", SEAM_E_SYNTAX, 14, NULL },
	{ "any obj=file:", SEAM_E_SYNTAX, 14, "expected a path after 'file:'" },
	{ "any obj=mutex:", SEAM_E_SYNTAX, 15, "a name after 'mutex:'" },
	{ "any obj=sem:/", SEAM_E_SYNTAX, 14, "semaphore's name" },
	{ "any obj=sem:/a/b", SEAM_E_SYNTAX, 15, "one slash" },
	{ "mutex.lock obj=sem:x", SEAM_E_SYNTAX, 16,
	  "'mutex.lock' never has an object of kind 'sem'" },
	{ "fcntl.setlk obj=mutex:x", SEAM_E_SYNTAX, 17, NULL },
	{ "any tread=x", SEAM_E_SYNTAX, 5, "did you mean 'thread='?" },
	{ "any ob=x", SEAM_E_SYNTAX, 5, "did you mean 'obj='?" },
	{ "any Obj=x", SEAM_E_SYNTAX, 5, NULL },
	{ "any op=x", SEAM_E_SYNTAX, 5, "there are: obj= at= in=" },
	{ "any as=x", SEAM_E_SYNTAX, 5, "unknown key 'as='" },
	{ "any onec", SEAM_E_SYNTAX, 5, "did you mean 'once'?" },
	{ "any obj", SEAM_E_SYNTAX, 5, "'obj' takes a value" },
	{ "any once=1", SEAM_E_SYNTAX, 5, "'once' takes no value" },
	{ "any \"obj=x\"", SEAM_E_SYNTAX, 5, "unknown word 'obj=x'" },
	{ "any =x", SEAM_E_SYNTAX, 5, "unknown key '='" },
	{ "any mutex.lock", SEAM_E_SYNTAX, 5, "unknown word" },
	{ "any \"a\\nb\"", SEAM_E_SYNTAX, 5, "'a?b'" },
	{ "any obj=\"a", SEAM_E_SYNTAX, 9, "never closed" },
	{ "any obj=\"a\\", SEAM_E_SYNTAX, 9, "never closed" },
	{ "any obj=\"a\\x\"", SEAM_E_SYNTAX, 11, "unknown escape" },
	{ "any \x01", SEAM_E_SYNTAX, 5, "control character 0x01" },
	{ "any\r", SEAM_E_SYNTAX, 4, "0x0d" },
	{ "any # \x7f", SEAM_E_SYNTAX, 7, "0x7f" },
};

START_TEST(malformed)
{
	const char *line = bad[_i].line, *says = bad[_i].says;
	struct seam_selector sel;
	struct seam_error err;
	enum seam_code code;

	code = parse_line(line, &sel, &err);
	ck_assert_msg(code == bad[_i].code, "%s: %d", line, code);
	ck_assert_int_eq(err.code, code);
	ck_assert_msg(err.column == bad[_i].column, "%s: column %d: %s", line,
		      err.column, err.text);
	ck_assert_msg(!says || strstr(err.text, says), "%s: %s", line,
		      err.text);
	seam_selector_free(&sel);
	seam_selector_free(&sel);
}
END_TEST

/* The verbs an OP stands for, in the order of ops.def. */
static const struct {
	const char *op;
	int fn;
	const char *verbs;
} meanings[] = {
	{ "mutex.lock", 0, "mutex.lock" },
	{ "*.lock", 0, "mutex.lock spin.lock flock.lock lockf.lock" },
	{ "spin.*", 0,
	  "spin.init spin.lock spin.trylock spin.unlock spin.destroy" },
	{ "cond.re*", 0, "cond.reacquire" },
	{ "filelock.*", 0,
	  "fcntl.setlk fcntl.setlkw fcntl.getlk flock.lock flock.trylock "
	  "lockf.lock lockf.trylock file.unlock file.close" },
	{ "fcntl.*", 0, "fcntl.setlk fcntl.setlkw fcntl.getlk" },
	{ "flock.*", 0, "flock.lock flock.trylock" },
	{ "lockf.*", 0, "lockf.lock lockf.trylock" },
	{ "file.*", 0, "file.unlock file.close" },
	{ "once", 0, "once" },
	{ "once.*", 0, "once" },
	{ "point.*", 0, "point" },
	{ "acquire", 0,
	  "mutex.lock mutex.trylock rwlock.rdlock rwlock.wrlock "
	  "rwlock.tryrdlock rwlock.trywrlock spin.lock spin.trylock "
	  "cond.reacquire sem.wait sem.trywait once fcntl.setlk "
	  "fcntl.setlkw flock.lock flock.trylock lockf.lock lockf.trylock" },
	{ "pthread_mutex_timedlock", SEAM_FN_pthread_mutex_timedlock,
	  "mutex.lock" },
	{ "sem_clockwait", SEAM_FN_sem_clockwait, "sem.wait" },
	{ "__cxa_guard_acquire", SEAM_FN___cxa_guard_acquire, "once" },
	{ "fcntl", SEAM_FN_fcntl,
	  "fcntl.setlk fcntl.setlkw fcntl.getlk file.unlock" },
	{ "fcntl64", SEAM_FN_fcntl64,
	  "fcntl.setlk fcntl.setlkw fcntl.getlk file.unlock" },
	{ "flock", SEAM_FN_flock, "flock.lock flock.trylock file.unlock" },
	{ "lockf", SEAM_FN_lockf, "lockf.lock lockf.trylock file.unlock" },
	{ "lockf64", SEAM_FN_lockf64, "lockf.lock lockf.trylock file.unlock" },
	{ "close", SEAM_FN_close, "file.close" },
	{ "syscall", SEAM_FN_syscall, "futex.wait futex.wake" },
	{ "pthread_cond_wait", SEAM_FN_pthread_cond_wait,
	  "cond.wait cond.reacquire" },
	{ "pthread_cond_timedwait", SEAM_FN_pthread_cond_timedwait,
	  "cond.wait cond.reacquire" },
	{ "pthread_cond_clockwait", SEAM_FN_pthread_cond_clockwait,
	  "cond.wait cond.reacquire" },
	{ "cnd_wait", SEAM_FN_cnd_wait, "cond.wait cond.reacquire" },
	{ "cnd_timedwait", SEAM_FN_cnd_timedwait, "cond.wait cond.reacquire" },
	{ "cnd_signal", SEAM_FN_cnd_signal, "cond.signal" },
};

static void
list_verbs(const struct seam_selector *sel, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		if (seam_verbs_has(sel->verbs, v))
			n += (size_t)snprintf(buf + n, size - n, "%s%s",
					      n ? " " : "", seam_verbs[v].name);
}

START_TEST(operations)
{
	struct seam_selector sel;
	struct seam_error err;
	char verbs[1024];

	ck_assert(!parse_line(meanings[_i].op, &sel, &err));
	ck_assert_int_eq(sel.fn, meanings[_i].fn);
	ck_assert_str_eq(sel.op, meanings[_i].op);
	list_verbs(&sel, verbs, sizeof(verbs));
	ck_assert_str_eq(verbs, meanings[_i].verbs);
	seam_selector_free(&sel);
}
END_TEST

/* Whatever ops.def names is an operation. */
START_TEST(every_name)
{
	struct seam_selector sel;
	struct seam_error err;
	char op[64];

	for (unsigned v = 1; v < SEAM_VERBS; v++) {
		ck_assert(!parse_line(seam_verbs[v].name, &sel, &err));
		ck_assert(seam_verbs_has(sel.verbs, v) && !sel.fn);
		seam_selector_free(&sel);
	}
	for (unsigned f = 1; f < SEAM_FNS; f++) {
		ck_assert(!parse_line(seam_fns[f].name, &sel, &err));
		ck_assert(seam_verbs_has(sel.verbs, seam_fns[f].verb));
		ck_assert_int_eq(sel.fn, (int)f);
		seam_selector_free(&sel);
	}
	for (unsigned f = 1; f < SEAM_FAMILIES; f++) {
		snprintf(op, sizeof(op), "%s.*", seam_families[f]);
		ck_assert(!parse_line(op, &sel, &err));
		for (unsigned v = 1; v < SEAM_VERBS; v++)
			ck_assert_int_eq(seam_verbs_has(sel.verbs, v),
					 seam_verbs[v].family == f);
		seam_selector_free(&sel);
	}
	ck_assert(!parse_line("any", &sel, &err));
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		ck_assert(seam_verbs_has(sel.verbs, v));
	ck_assert(!seam_verbs_has(sel.verbs, SEAM_VERB_NONE));
	seam_selector_free(&sel);
}
END_TEST

START_TEST(fields)
{
	struct seam_selector s;
	struct seam_error err;

	ck_assert(!parse_line("any obj=sem:/j at=\"f\" in=g thread=t proc=p "
			      "path=q range=0x10+2 mode=wr name=n result=eintr "
			      "when=after hit=7",
			      &s, &err));
	ck_assert(s.has_obj && s.obj.is_sem && !s.obj.is_file &&
		  !s.obj.is_addr);
	ck_assert_int_eq(s.obj.kind, SEAM_KIND_SEM);
	ck_assert_str_eq(s.obj.name, "/j");
	ck_assert_int_eq(s.obj.column, 9);
	ck_assert_int_eq(s.obj_column, 9);
	ck_assert_str_eq(s.at, "f");
	ck_assert_int_eq(s.at_column, 20);
	ck_assert_str_eq(s.in, "g");
	ck_assert_int_eq(s.in_column, 26);
	ck_assert_str_eq(s.thread, "t");
	ck_assert_int_eq(s.thread_column, 35);
	ck_assert_str_eq(s.proc, "p");
	ck_assert_int_eq(s.proc_column, 42);
	ck_assert_str_eq(s.path, "q");
	ck_assert(s.range.given && s.range.off == 16 && s.range.len == 2);
	ck_assert_int_eq(s.mode, 'w');
	ck_assert_str_eq(s.name, "n");
	ck_assert_int_eq(s.result, SEAM_RESULT_EINTR);
	ck_assert(s.after);
	ck_assert_uint_eq(s.hit, 7);
	seam_selector_free(&s);
}
END_TEST

static const struct {
	const char *text;
	int kind;
	char what; /* 'a'ddress, 'f'ile, 's'emaphore, or a name */
	const char *name;
	uint64_t addr;
} objects[] = {
	{ "cache_lock", 0, 'n', "cache_lock", 0 },
	{ "queue.c:88#2", 0, 'n', "queue.c:88#2", 0 },
	{ "mutex:cache_lock", SEAM_KIND_MUTEX, 'n', "cache_lock", 0 },
	{ "thread::m", 0, 'n', "thread::m", 0 },
	{ "Cache::lock", 0, 'n', "Cache::lock", 0 },
	{ "mutexes:x", 0, 'n', "mutexes:x", 0 },
	{ "mute:x", 0, 'n', "mute:x", 0 },
	{ ":x", 0, 'n', ":x", 0 },
	{ "none:x", 0, 'n', "none:x", 0 },
	{ "a@0x1", 0, 'n', "a@0x1", 0 },
	{ "@0x55d0", 0, 'a', NULL, 0x55d0 },
	{ "mutex:@0x1", SEAM_KIND_MUTEX, 'a', NULL, 1 },
	{ "sem:@0x55", SEAM_KIND_SEM, 'a', NULL, 0x55 },
	{ "sem:/jobs", SEAM_KIND_SEM, 's', "/jobs", 0 },
	{ "sem:jobs", SEAM_KIND_SEM, 'n', "jobs", 0 },
	{ "/jobs", 0, 'n', "/jobs", 0 },
	{ "file:t.db", SEAM_KIND_FILE, 'f', "t.db", 0 },
	{ "file:@0x1", SEAM_KIND_FILE, 'f', "@0x1", 0 },
	{ "file:a:b c", SEAM_KIND_FILE, 'f', "a:b c", 0 },
	{ "point:flush", SEAM_KIND_POINT, 'n', "flush", 0 },
};

START_TEST(object_names)
{
	struct seam_object_name o;
	char what = objects[_i].what;

	ck_assert(!seam_object_parse(objects[_i].text, 5, &o, NULL));
	ck_assert_int_eq(o.kind, objects[_i].kind);
	ck_assert_int_eq(o.is_addr, what == 'a');
	ck_assert_int_eq(o.is_file, what == 'f');
	ck_assert_int_eq(o.is_sem, what == 's');
	ck_assert_pstr_eq(o.name, objects[_i].name);
	ck_assert_uint_eq(o.addr, objects[_i].addr);
	ck_assert_int_eq(o.column, 5);
	seam_object_name_free(&o);
}
END_TEST

START_TEST(no_object)
{
	struct seam_object_name o;
	struct seam_error err;

	ck_assert_int_eq(seam_object_parse("", 6, &o, &err), SEAM_E_SYNTAX);
	ck_assert_int_eq(err.column, 6);
	ck_assert_int_eq(seam_object_parse("sem:@x", 6, &o, &err),
			 SEAM_E_SYNTAX);
	ck_assert_int_eq(err.column, 11);
	ck_assert(!o.name && !o.is_addr && !o.kind);
	ck_assert(seam_object_parse("@0x1z", 0, &o, &err));
	ck_assert_int_eq(err.column, 0);
	seam_object_name_free(&o);
}
END_TEST

/* Words as [text], [key|value], and a ' before one whose start was quoted. */
static const struct {
	const char *line, *words;
} splits[] = {
	{ "", "" },
	{ " \t ", "" },
	{ "a b\tc", "[a][b][c]" },
	{ "  a  ", "[a]" },
	{ "a=b", "[a|b]" },
	{ "a=", "[a|]" },
	{ "=b", "[|b]" },
	{ "a=b=c", "[a|b=c]" },
	{ "a \"=\" b", "[a]'[=][b]" },
	{ "\"a=b\"", "'[a=b]" },
	{ "\"a\"=b", "'[a=b]" },
	{ "a\"=\"b", "[a=b]" },
	{ "a\"=\"b=c", "[a=b|c]" },
	{ "thread=\"a b\"", "[thread|a b]" },
	{ "a=\"b\"\"c d\"e", "[a|bc de]" },
	{ "\"\"", "'[]" },
	{ "x\"\"", "[x]" },
	{ "\"a\\\"b\\\\c\"", "'[a\"b\\c]" },
	{ "\"\\n\\t\"", "'[\n\t]" },
	{ "a\\ b", "[a\\][b]" },
	{ "a # b", "[a]" },
	{ "#a", "" },
	{ "a#b", "[a#b]" },
	{ "a=#b", "[a|#b]" },
	{ "\"#a\"", "'[#a]" },
	{ "/a b/", "[/a b/]" },
	{ "/a b/ c", "[/a b/][c]" },
	{ "/a=b \"c/", "[/a=b \"c/]" },
	{ "/a\\/b c/", "[/a/b c/]" },
	{ "/a\\.b\\\\/ c", "[/a\\.b\\\\/][c]" },
	{ "/a/b c/ d", "[/a/b c/][d]" },
	{ "/a #b/", "[/a #b/]" },
	{ "//", "[//]" },
	{ "/", "[/]" },
	{ "/ /", "[/ /]" },
	{ "/a b", "[/a][b]" },
	{ "/a\\/ b", "[/a\\/][b]" },
	{ "/bin/x=1 b", "[/bin/x|1][b]" },
	{ "x /a b/", "[x][/a b/]" },
	{ "at=/a b/", "[at|/a][b/]" },
	{ "-- sh -c \"exit 5\"", "[--][sh][-c]'[exit 5]" },
	{ "\xff\x80", "[\xff\x80]" },
};

START_TEST(splitting)
{
	struct seam_words w;
	char got[256] = "";
	size_t n = 0;

	ck_assert(!seam_split(splits[_i].line, &w, NULL));
	for (size_t i = 0; i < w.n; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s[%s%s%s]",
				      w.v[i].quoted ? "'" : "", w.v[i].text,
				      w.v[i].value ? "|" : "",
				      w.v[i].value ? w.v[i].value : "");
	ck_assert_str_eq(got, splits[_i].words);
	seam_words_free(&w);
	seam_words_free(&w);
}
END_TEST

START_TEST(columns)
{
	struct seam_words w;

	ck_assert(
	    !seam_split("  ab c=d  \"e f\"\te=\"g\" /x y/ # z", &w, NULL));
	ck_assert_uint_eq(w.n, 5);
	ck_assert_int_eq(w.v[0].column, 3);
	ck_assert_int_eq(w.v[1].column, 6);
	ck_assert_int_eq(w.v[1].value_column, 8);
	ck_assert_int_eq(w.v[2].column, 11);
	ck_assert_int_eq(w.v[3].column, 17);
	ck_assert_int_eq(w.v[3].value_column, 20);
	ck_assert_int_eq(w.v[4].column, 23);
	ck_assert_int_eq(w.end, 28);
	/* A word of a command line to run is put together again. */
	w.v[1].value[-1] = '=';
	ck_assert_str_eq(w.v[1].text, "c=d");
	seam_words_free(&w);
	ck_assert_int_eq(w.end, 1);
}
END_TEST

START_TEST(long_lines)
{
	size_t n = SEAM_LINE_MAX;
	char *line = malloc(n + 2);
	struct seam_selector sel;
	struct seam_words w;
	struct seam_error err;

	memset(line, 'a', n);
	line[n] = '\0';
	ck_assert_int_eq(parse_line(line, &sel, &err), SEAM_E_UNKNOWN_OP);
	ck_assert_uint_lt(strlen(err.text), 300);
	memcpy(line, "any obj=", 8);
	ck_assert(!parse_line(line, &sel, &err));
	ck_assert_uint_eq(strlen(sel.obj.name), n - 8);
	seam_selector_free(&sel);
	for (size_t i = 0; i < n; i++)
		line[i] = "/a "[i % 3];
	line[n - 1] = 'x';
	ck_assert(!seam_split(line, &w, &err));
	ck_assert_uint_eq(w.n, (n + 2) / 3);
	seam_words_free(&w);
	line[n] = 'a';
	line[n + 1] = '\0';
	ck_assert_int_eq(seam_split(line, &w, &err), SEAM_E_SYNTAX);
	ck_assert(!w.v && !w.store && !w.n);
	free(line);
}
END_TEST

START_TEST(stops_at_others)
{
	static const char *const known[] = { SEAM_SELECTOR_KEYS, "as=", NULL };
	static const char *const none[] = { NULL };
	struct seam_selector sel;
	struct seam_words w;
	struct seam_error err;
	size_t next;

	ck_assert(!seam_split("pause any at=f as=x when=after tmeout=3 once",
			      &w, &err));
	ck_assert(!seam_selector_parse(&w, 1, &next, &sel, &err));
	ck_assert_uint_eq(next, 3);
	ck_assert(!sel.after);
	seam_selector_free(&sel);
	ck_assert_int_eq(seam_unknown_word(&w.v[4], known, &err),
			 SEAM_E_SYNTAX);
	ck_assert_str_eq(err.text, "'when=' does not belong here");
	seam_selector_gather(&w, 1);
	ck_assert(!seam_selector_parse(&w, 1, &next, &sel, &err));
	ck_assert_uint_eq(next, 5);
	ck_assert(sel.after && sel.hit == 1);
	ck_assert_str_eq(w.v[5].text, "as");
	ck_assert_str_eq(w.v[6].text, "tmeout");
	ck_assert_int_eq(w.v[6].column, 32);
	seam_selector_free(&sel);
	seam_unknown_word(&w.v[6], none, &err);
	ck_assert_str_eq(err.text, "unexpected 'tmeout='; "
				   "nothing more was expected");
	ck_assert_int_eq(err.column, 32);
	ck_assert_int_eq(seam_selector_parse(&w, 7, &next, &sel, &err),
			 SEAM_E_SYNTAX);
	ck_assert_int_eq(err.column, w.end);
	seam_words_free(&w);
}
END_TEST

START_TEST(cut_off)
{
	struct seam_selector sel;
	struct seam_error err;
	char buf[8];

	ck_assert(!parse_line("mutex.lock obj=\"a b\"", &sel, &err));
	seam_selector_format(&sel, buf, sizeof(buf));
	ck_assert_str_eq(buf, "mutex.l");
	seam_selector_format(&sel, buf, 1);
	ck_assert_str_eq(buf, "");
	ck_assert_ptr_eq(seam_selector_format(&sel, NULL, 0), NULL);
	seam_selector_free(&sel);
}
END_TEST

START_TEST(shown_words)
{
	char text[200];

	ck_assert_str_eq(seam_show("a\nb").s, "a?b");
	memset(text, 'x', sizeof(text));
	text[199] = '\0';
	ck_assert_uint_eq(strlen(seam_show(text).s), 71);
	memcpy(text + 66, "\xe2\x82\xac", 3);
	ck_assert_uint_eq(strlen(seam_show(text).s), 69);
	ck_assert_str_eq(seam_show(text).s + 64, "xx...");
	text[68] = '\0';
	ck_assert_uint_eq(strlen(seam_show(text).s), 68);
}
END_TEST

static const struct {
	const char *pattern, *text;
	bool matches;
} globs[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "a", true },
	{ "a", "ab", false },
	{ "ab", "a", false },
	{ "?", "", false },
	{ "?", "a", true },
	{ "a?c", "abc", true },
	{ "*", "", true },
	{ "*", "anything", true },
	{ "**", "x", true },
	{ "a*", "a", true },
	{ "*a", "bba", true },
	{ "*a", "bab", false },
	{ "a*b*c", "aXbYc", true },
	{ "a*b*c", "aXcYb", false },
	{ "*ab*", "aab", true },
	{ "*aab", "aaab", true },
	{ "*?", "", false },
	{ "?*", "x", true },
	{ "[a]", "[a]", true },
	{ "[a]", "a", false },
	{ "\\*", "\\xyz", true },
	{ "worker.?", "worker.12", false },
	{ "*/t.db", "/tmp/t.db", true },
	{ "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

START_TEST(globbing)
{
	ck_assert_int_eq(seam_glob(globs[_i].pattern, globs[_i].text),
			 globs[_i].matches);
}
END_TEST

START_TEST(errno_names)
{
	int n = 0;

	for (int e = 1; e < 200; e++) {
		const char *name = seam_errno_name(e);

		/* glibc's own table; both or neither. */
		ck_assert_pstr_eq(name, strerrorname_np(e));
		if (name)
			ck_assert_int_eq(seam_errno_number(name), e);
		n += name != NULL;
	}
	ck_assert_int_ge(n, 131);
	ck_assert_int_eq(seam_errno_number("E2BIG"), E2BIG);
	ck_assert_int_eq(seam_errno_number("EXDEV"), EXDEV);
	ck_assert_int_eq(seam_errno_number("EWOULDBLOCK"), EAGAIN);
	ck_assert_int_eq(seam_errno_number("ENOTSUP"), ENOTSUP);
	ck_assert_int_eq(seam_errno_number("EDEADLOCK"), EDEADLOCK);
	ck_assert_str_eq(seam_errno_name(EAGAIN), "EAGAIN");
	ck_assert_int_eq(seam_errno_number("EWHAT"), 0);
	ck_assert_int_eq(seam_errno_number(""), 0);
	ck_assert_int_eq(seam_errno_number("eagain"), 0);
	ck_assert_ptr_null(seam_errno_name(0));
	ck_assert_ptr_null(seam_errno_name(-1));
}
END_TEST

START_TEST(signal_names)
{
	char name[32];

	for (int s = 1; s < 32; s++) {
		const char *abbrev = sigabbrev_np(s);

		snprintf(name, sizeof(name), "SIG%s", abbrev);
		ck_assert_int_eq(seam_signal_number(abbrev), s);
		ck_assert_int_eq(seam_signal_number(name), s);
		snprintf(name, sizeof(name), "%d", s);
		ck_assert_int_eq(seam_signal_number(name), s);
		ck_assert_str_eq(seam_signal_name(s).s, abbrev);
	}
	for (int s = 1; s <= SIGRTMAX; s++)
		ck_assert_int_eq(seam_signal_number(seam_signal_name(s).s), s);
	ck_assert_str_eq(seam_signal_name(SIGRTMIN).s, "RTMIN");
	ck_assert_str_eq(seam_signal_name(SIGRTMIN + 3).s, "RTMIN+3");
	ck_assert_int_eq(seam_signal_number("SIGIOT"), SIGABRT);
	ck_assert_int_eq(seam_signal_number("CLD"), SIGCHLD);
	ck_assert_int_eq(seam_signal_number("IO"), SIGPOLL);
	ck_assert_int_eq(seam_signal_number("RTMIN"), SIGRTMIN);
	ck_assert_int_eq(seam_signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(seam_signal_number("RTMAX"), SIGRTMAX);
	ck_assert_int_eq(seam_signal_number("SIGRTMAX-1"), SIGRTMAX - 1);
	ck_assert_int_eq(seam_signal_number("64"), 64);
}
END_TEST

START_TEST(no_signals)
{
	static const char *const names[] = {
		"",
		"SIG",
		"0",
		"-1",
		"65",
		"term",
		"SIGSIGTERM",
		"SIG15",
		"TERM ",
		"RTMIN+",
		"RTMIN+x",
		"RTMIN-1",
		"RTMAX+1",
		"RTMIN+99",
		"RTMIN+1x",
		"RTMINx",
		"99999999999999999999999",
	};

	for (int i = 0; i < COUNT(names); i++)
		ck_assert_msg(seam_signal_number(names[i]) == -1, "%s",
			      names[i]);
}
END_TEST

START_TEST(numbers)
{
	struct seam_error err;
	uint64_t n = 0;

	ck_assert(!seam_number_parse("0", 1, 0, 0, &n, &err) && n == 0);
	ck_assert(!seam_number_parse("007", 1, 0, 9, &n, &err) && n == 7);
	ck_assert(!seam_number_parse("0xfF", 1, 0, 255, &n, &err) && n == 255);
	ck_assert(!seam_number_parse("18446744073709551615", 1, 0, UINT64_MAX,
				     &n, &err) &&
		  n == UINT64_MAX);
	ck_assert(seam_number_parse("18446744073709551616", 4, 0, UINT64_MAX,
				    &n, &err));
	ck_assert_int_eq(err.column, 4);
	ck_assert(seam_number_parse("", 4, 0, 9, &n, &err));
	ck_assert_int_eq(err.column, 4);
	ck_assert(seam_number_parse("1 ", 4, 0, 9, &n, &err));
	ck_assert_int_eq(err.column, 5);
	ck_assert(seam_number_parse("x", 0, 0, 9, &n, &err));
	ck_assert_int_eq(err.column, 0);
	ck_assert(seam_number_parse("1f", 1, 0, 99, &n, NULL));
}
END_TEST

START_TEST(code_names)
{
	ck_assert_str_eq(seam_code_name(SEAM_E_NO_SUCH_OBJECT),
			 "no-such-object");
	ck_assert_str_eq(seam_code_name(SEAM_E_UNKNOWN_OP), "unknown-op");
	for (int c = SEAM_OK; c <= SEAM_E_FAILED; c++)
		ck_assert_ptr_nonnull(seam_code_name((enum seam_code)c));
	ck_assert_str_eq(seam_code_name((enum seam_code)99), "unknown");
}
END_TEST

static TCase *
selector_case(void)
{
	TCase *tc = tcase_create("selector");

	tcase_add_loop_test(tc, well_formed, 0, COUNT(good));
	tcase_add_loop_test(tc, malformed, 0, COUNT(bad));
	tcase_add_loop_test(tc, operations, 0, COUNT(meanings));
	tcase_add_loop_test(tc, object_names, 0, COUNT(objects));
	tcase_add_test(tc, no_object);
	tcase_add_test(tc, every_name);
	tcase_add_test(tc, fields);
	tcase_add_test(tc, stops_at_others);
	tcase_add_test(tc, cut_off);
	return tc;
}

static TCase *
words_case(void)
{
	TCase *tc = tcase_create("words");

	/* A line of the greatest length takes its time under a sanitizer. */
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, splitting, 0, COUNT(splits));
	tcase_add_loop_test(tc, globbing, 0, COUNT(globs));
	tcase_add_test(tc, columns);
	tcase_add_test(tc, long_lines);
	tcase_add_test(tc, shown_words);
	tcase_add_test(tc, errno_names);
	tcase_add_test(tc, signal_names);
	tcase_add_test(tc, no_signals);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, code_names);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("selector");

	suite_add_tcase(s, words_case());
	suite_add_tcase(s, selector_case());
	return suite_run(s);
}
