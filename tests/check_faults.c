/* SPDX-License-Identifier: MIT */
/*
 * What may go wrong: controllers, targets and clients that are killed or
 * stopped at the worst moment, and an arena that a target has scribbled over.
 * Nobody is left stuck, nothing is left behind, and no controller crashes.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "controller.h"
#include "suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define GO_ON_MS 500 /* what is promised */
/* What a loaded machine may take; whoever takes longer was not woken, but
 * has looked by himself. */
#define GO_ON_MAX (SEAM_LOOK_MS - 100)

static struct controller controller;
static struct client client;

static void
setup(void)
{
	controller_start(&controller);
	client_open(&client, controller.path);
	ask_ok(&client, "watch on");
}

static void
teardown(void)
{
	if (client.fd > 0)
		client_close(&client);
	controller_finish(&controller);
	ck_assert_int_eq(controllers_failed, 0);
}

/* Controllers that are killed. */

static const struct standing {
	const char *name;
	const char *before; /* said before the target comes */
	const char *args;   /* of the target */
	const char *hold;   /* said when it is ready; it is sent a line then */
	const char *wait;   /* until it stands */
	const char *prints; /* when it goes on */
} standings[] = {
	{ "pause", "pause mutex.lock thread=worker as=p", "acquire mutex lock",
	  NULL, "wait p", "ret=0" },
	{ "pause after", "pause mutex.lock thread=worker when=after as=p",
	  "acquire mutex lock", NULL, "wait p", "ret=0" },
	{ "pause in a cancellation point",
	  "pause sem.wait thread=worker when=after as=p", "acquire sem lock",
	  NULL, "wait p", "ret=0" },
	{ "pause of a file lock, taken",
	  "pause fcntl.setlkw thread=worker when=after as=p",
	  "acquire fcntl lock --file f.lock", NULL, "wait p", "ret=0" },
	{ "hold of a mutex", NULL, "acquire mutex lock --stdin",
	  "hold the_mutex", "wait blocked worker", "ret=0" },
	{ "hold of a mutex, timed", NULL,
	  "acquire mutex timed --timeout 60000 --stdin", "hold the_mutex",
	  "wait blocked worker", "ret=0" },
	{ "hold of a rwlock", NULL, "acquire rwlock-wr lock --stdin",
	  "hold the_rwlock", "wait blocked worker", "ret=0" },
	{ "hold of a spin lock", NULL, "acquire spin lock --stdin",
	  "hold the_spin", "wait blocked worker", "ret=0" },
	{ "hold of a semaphore", NULL, "acquire sem lock --stdin",
	  "hold the_sem", "wait blocked worker", "ret=0" },
	{ "hold of a semaphore, timed", NULL,
	  "acquire sem timed --timeout 60000 --stdin", "hold the_sem",
	  "wait blocked worker", "ret=0" },
	{ "hold of a file, fcntl", NULL,
	  "acquire fcntl lock --file f.lock --stdin", "hold file:f.lock",
	  "wait blocked worker", "ret=0" },
	{ "hold of a file, ofd", NULL, "acquire ofd lock --file f.lock --stdin",
	  "hold file:f.lock", "wait blocked worker", "ret=0" },
	{ "hold of a file, flock", NULL,
	  "acquire flock lock --file f.lock --stdin", "hold file:f.lock",
	  "wait blocked worker", "ret=0" },
	{ "hold of a file, lockf", NULL,
	  "acquire lockf lock --file f.lock --stdin", "hold file:f.lock",
	  "wait blocked worker", "ret=0" },
	{ "step", "pause mutex.lock once as=p", "counter 1 5", NULL, "wait p",
	  "total 20" },
};

/* A target stands at the gate, in one of the ways. */
static void
make_stand(struct joiner *j, const struct standing *how)
{
	if (how->before)
		ask_ok(&client, "%s", how->before);
	joiner_start(j, &controller, how->args);
	if (how->hold) {
		joiner_wait(j, "ready\n");
		ask_ok(&client, "%s", how->hold);
		joiner_send(j, "go");
	}
	ask_ok(&client, "%s", how->wait);
	if (!strcmp(how->name, "step")) {
		ask_ok(&client, "step adder.1");
		ask_ok(&client, "wait step adder.1");
	}
}

static void
kill_controller(void)
{
	kill(controller.pid, SIGKILL);
	ck_assert_int_eq(waitpid(controller.pid, NULL, 0), controller.pid);
	controller.pid = 0;
}

/* It ends normally, with what it has to say. */
static void
goes_on(struct joiner *j, const struct standing *how, uint64_t since,
	uint64_t limit)
{
	uint64_t took;
	int status;

	joiner_wait(j, how->prints);
	took = now_ms() - since;
	status = joiner_end(j);
	printf("%s: went on after %d ms%s\n", how->name, (int)took,
	       took > GO_ON_MS ? ", LATE" : "");
	ck_assert_msg(status == 0, "%s: wait status %x after '%s'", how->name,
		      (unsigned)status, j->said);
	ck_assert_msg(took < limit, "%s: %d ms", how->name, (int)took);
}

START_TEST(controller_killed)
{
	const struct standing *how = &standings[_i];
	pid_t warden = controller_warden(&controller);
	struct joiner j;
	uint64_t since;

	make_stand(&j, how);
	since = now_ms();
	kill_controller();
	goes_on(&j, how, since, GO_ON_MAX);
	ck_assert(came_true(path_is_gone, controller.path));
	ck_assert(came_true(process_is_gone, &warden));
}
END_TEST

/* Both: the targets notice by themselves, if not as soon. */
START_TEST(warden_killed_too)
{
	const struct standing *how = &standings[4 * _i];
	pid_t warden = controller_warden(&controller);
	struct joiner j;
	uint64_t since;

	make_stand(&j, how);
	since = now_ms();
	kill(controller.pid, SIGSTOP);
	kill(warden, SIGKILL);
	kill_controller();
	goes_on(&j, how, since, 3 * SEAM_LOOK_MS);
	client_close(&client);
	/* What is left does not stop the next one. */
	ck_assert(!path_is_gone(controller.path));
	controller.pid = controller_spawn(&controller, controller.path);
	ck_assert(came_true(path_answers, controller.path));
	kill_controller();
}
END_TEST

/* One whose place is its own: the directory goes, too. */

static bool
is_empty(void *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	while ((entry = readdir(dir)))
		found |= !strncmp(entry->d_name, "seam-", 5);
	closedir(dir);
	return !found;
}

static pid_t
run_in_private(const char *script)
{
	const char *seam = needed_env("SEAM_COMMAND");
	char path[128], program[512];
	pid_t pid;
	FILE *f;

	snprintf(path, sizeof(path), "%s/script", controller.dir);
	f = fopen(path, "we");
	fputs(script, f);
	fclose(f);
	pid = fork();
	if (pid)
		return pid;
	setenv("TMPDIR", controller.dir, 1);
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(program, sizeof(program), "%s/acquire",
		 needed_env("SEAM_TEST_PROGRAMS"));
	execl(seam, seam, "run", "-x", path, "--", program, "mutex", "lock",
	      (char *)NULL);
	_exit(127);
}

static bool
script_is_at(void *mark)
{
	return access(mark, F_OK) == 0;
}

START_TEST(private_directory_goes)
{
	char mark[96], script[512];
	pid_t pid;

	snprintf(mark, sizeof(mark), "%s/there", controller.dir);
	snprintf(script, sizeof(script),
		 "pause mutex.lock thread=worker as=p\nstart main\nwait p\n"
		 "start M -- touch %s\nwait exit main timeout=60000\n",
		 mark);
	pid = run_in_private(script);
	ck_assert(came_true(script_is_at, mark));
	ck_assert(!is_empty(controller.dir));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(came_true(is_empty, controller.dir));
}
END_TEST

/* One that is being started stands in its dynamic linker, which opens a pipe
 * as it does every library to preload. */

struct starting {
	char fifo[80];
	int fd;
	pid_t pid;
};

static bool
is_opened(void *starting)
{
	struct starting *t = starting;

	t->fd = open(t->fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return t->fd >= 0;
}

static bool
awaits_answer(void *starting)
{
	const struct starting *t = starting;
	char path[40], line[32] = "";
	long call = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)t->pid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f))
		call = strtol(line, NULL, 10);
	if (f)
		fclose(f);
	return call == SYS_recvmsg;
}

/* Its controller dies before it is one of its targets: it does not begin. */
START_TEST(killed_while_starting)
{
	struct starting t;
	char line[256];

	snprintf(t.fifo, sizeof(t.fifo), "%s/fifo", controller.dir);
	ck_assert_int_eq(mkfifo(t.fifo, 0600), 0);
	snprintf(line, sizeof(line), "start A env LD_PRELOAD=%s -- sleep 100\n",
		 t.fifo);
	client_send(&client, line, strlen(line));
	ck_assert(came_true(is_opened, &t));
	t.pid = child_named(controller.pid, "sleep");
	ck_assert_int_ne(t.pid, 0);
	if (_i > 0) { /* it has said hello, too */
		kill(controller.pid, SIGSTOP);
		ck_assert_int_eq(waitpid(controller.pid, NULL, WUNTRACED),
				 controller.pid);
		close(t.fd);
		ck_assert(came_true(awaits_answer, &t));
	}
	kill_controller();
	if (_i == 0)
		close(t.fd);
	ck_assert(came_true(process_is_gone, &t.pid));
}
END_TEST

START_TEST(controller_stopped)
{
	struct joiner parked, later;
	struct pollfd p = { .fd = client.fd, .events = POLLIN };

	ask_ok(&client, "pause mutex.lock obj=the_mutex thread=worker as=p");
	joiner_start(&parked, &controller, "acquire mutex lock");
	ask_ok(&client, "wait p");
	kill(controller.pid, SIGSTOP);
	ck_assert_int_eq(waitpid(controller.pid, NULL, WUNTRACED),
			 controller.pid);
	/* Who comes now waits for it, and so do we. */
	joiner_start(&later, &controller, "acquire sem lock");
	client_send(&client, "release p\n", 10);
	ck_assert_int_eq(poll(&p, 1, 100), 0);
	p.fd = parked.out;
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	kill(controller.pid, SIGCONT);
	ck_assert_str_eq(client_hear(&client), "ok released=1");
	ck_assert_int_eq(joiner_end(&parked), 0);
	ck_assert_str_eq(parked.said, "ret=0\n");
	ck_assert_int_eq(joiner_end(&later), 0);
	ask_ok(&client, "procs");
	ck_assert_ptr_nonnull(strstr(client.body, "P2 "));
}
END_TEST

/* Targets that are killed. */

START_TEST(target_killed)
{
	struct client second, third;
	struct joiner j;

	client_open(&second, controller.path);
	client_open(&third, controller.path);
	ask_ok(&client, "pause mutex.lock thread=worker as=p");
	ask_ok(&client, "pause sem.wait proc=P1 as=never");
	joiner_start(&j, &controller, "acquire mutex lock");
	ask_ok(&client, "wait p");
	client_send(&second, "wait step worker timeout=60000\n", 31);
	client_send(&third, "wait exit P1 timeout=60000\n", 27);
	client_send(&client, "wait blocked worker timeout=60000\n", 34);
	kill(j.pid, SIGKILL);
	ck_assert(WIFSIGNALED(joiner_end(&j)));
	ck_assert_msg(reply_has_code(client_hear(&client), "gone"), "%s",
		      client.last);
	ck_assert_msg(client_hear(&second) != NULL, "nothing");
	ck_assert_msg(!strncmp(client_hear(&third), "ok", 2), "%s", third.last);
	ask_err(&client, "gone", "wait never timeout=60000");
	ask_err(&client, "gone", "signal P1 TERM");
	ask_ok(&client, "release p");
	ck_assert_str_eq(reply_field(&client, "released"), "0");
	ask_ok(&client, "threads");
	ck_assert_str_eq(reply_field(&client, "rows"), "0");
	ask_ok(&client, "rules");
	client_close(&second);
	client_close(&third);
}
END_TEST

/* What it owned or waited for, another can have. */
START_TEST(target_killed_at_hold)
{
	struct joiner j, other;

	joiner_start(&j, &controller,
		     "acquire fcntl lock --file f.lock --stdin");
	joiner_wait(&j, "ready\n");
	ask_ok(&client, "hold file:f.lock as=h");
	joiner_send(&j, "go");
	ask_ok(&client, "wait blocked worker");
	kill(j.pid, SIGKILL);
	joiner_end(&j);
	ask_ok(&client, "wait exit P1");
	ask_ok(&client, "release h");
	joiner_start(&other, &controller, "acquire fcntl try --file f.lock");
	ck_assert_int_eq(joiner_end(&other), 0);
	ck_assert_str_eq(other.said, "ret=0\n");
}
END_TEST

/* Clients. */

START_TEST(client_vanishes)
{
	struct client other;

	client_open(&other, controller.path);
	client_send(&other, "pause mutex.lo", 14);
	client_close(&other);
	ask_ok(&client, "pause mutex.lock as=p");
	for (int i = 0; i < 20; i++) {
		client_open(&other, controller.path);
		client_send(&other, "wait p timeout=600000\nkill A\n", 29);
		client_close(&other);
	}
	/* Half a line is no line, and rules outlive who made them. */
	ask_ok(&client, "rules");
	ck_assert_str_eq(reply_field(&client, "rows"), "1");
}
END_TEST

START_TEST(three_clients)
{
	struct client c[3];
	struct joiner j;

	for (int i = 0; i < 3; i++)
		client_open(&c[i], controller.path);
	ask_ok(&c[0], "pause mutex.lock thread=worker as=p");
	ask_ok(&c[1], "pause mutex.unlock thread=worker as=q");
	client_send(&c[1], "wait p\n", 7);
	client_send(&c[2], "wait q\n", 7);
	joiner_start(&j, &controller, "acquire mutex lock");
	ck_assert_int_eq(strncmp(client_hear(&c[1]), "ok id=p ", 8), 0);
	ask_ok(&c[0], "release p");
	ck_assert_int_eq(strncmp(client_hear(&c[2]), "ok id=q ", 8), 0);
	/* One of them goes; what it armed stays. */
	client_close(&c[1]);
	ask_ok(&c[2], "release q");
	ck_assert_int_eq(joiner_end(&j), 0);
	ask_ok(&c[0], "rules");
	ck_assert_str_eq(reply_field(&c[0], "rows"), "2");
	client_close(&c[0]);
	client_close(&c[2]);
}
END_TEST

START_TEST(pipelined)
{
	enum { LINES = 3000 };
	char line[64];

	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "pause mutex.lock as=x%d\n", i);
		client_send(&client, line, strlen(line));
		snprintf(line, sizeof(line), "delete x%d\n", i);
		client_send(&client, line, strlen(line));
	}
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "ok id=x%d", i);
		ck_assert_str_eq(client_hear(&client), line);
		ck_assert_int_eq(strncmp(client_hear(&client), "ok", 2), 0);
	}
}
END_TEST

/* Too long for a line, but all of it there when it is looked at. */
static void
send_at_once(const char *line, size_t n)
{
	kill(controller.pid, SIGSTOP);
	waitpid(controller.pid, NULL, WUNTRACED);
	client_send(&client, line, n);
	kill(controller.pid, SIGCONT);
}

START_TEST(long_lines)
{
	const size_t sizes[] = { 65000, 70000, 131072, 200000, 1 << 20 };
	char *line = malloc(1 << 20);
	const char *wanted;

	memset(line, 'x', 1 << 20);
	for (int i = 0; i < COUNT(sizes); i++) {
		wanted = sizes[i] > 65536 ? "too long" : "unknown command";
		line[sizes[i] - 1] = '\n';
		if (sizes[i] < 150000)
			send_at_once(line, sizes[i]);
		else
			client_send(&client, line, sizes[i]);
		line[sizes[i] - 1] = 'x';
		ck_assert_msg(reply_has_code(client_hear(&client), "syntax") &&
				  strstr(client.last, wanted) != NULL,
			      "%s", client.last);
		ask_ok(&client, "procs");
	}
	/* One that never ends, and a client that goes away in it. */
	client_send(&client, line, 1 << 20);
	client_close(&client);
	client_open(&client, controller.path);
	ask_ok(&client, "procs");
	free(line);
}
END_TEST

/* Two at one place. */

START_TEST(second_controller)
{
	pid_t second = controller_spawn(&controller, controller.path);
	char *log;
	int status;

	ck_assert_int_eq(waitpid(second, &status, 0), second);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 3, "%x",
		      (unsigned)status);
	log = controller_log(&controller);
	ck_assert_msg(strstr(log, "another controller serves") != NULL, "%s",
		      log);
	free(log);
	ask_ok(&client, "procs");
	ck_assert(path_answers(controller.path));
}
END_TEST

/* Who gets through to it is served, or waits for that: no line is refused
 * because it came too soon. */
START_TEST(early_line)
{
	struct client early;
	char path[96];
	pid_t pid;

	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%s%d", controller.path, i);
		pid = controller_spawn(&controller, path);
		while (!client_try(&early, path))
			;
		ask_ok(&early, "procs");
		client_close(&early);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}
END_TEST

/* To be ended at any moment is to end in order. */
START_TEST(early_end)
{
	int status;

	for (int i = 0; i < 30; i++) {
		status = controller_end(&controller);
		ck_assert_msg(status == 0, "round %d: wait status %x", i,
			      (unsigned)status);
		controller.pid = controller_spawn(&controller, controller.path);
		while (!path_answers(controller.path))
			;
	}
}
END_TEST

/* Damage. */

/* As a target would: says hello, and gets the arena. */
static struct seam_arena *
get_arena(void)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char line[256];
	struct iovec iov = { line, sizeof(line) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct seam_arena *a;
	struct client c;
	int fd;

	client_open(&c, controller.path);
	snprintf(line, sizeof(line), "attach %d pid=%d tid=%d\n",
		 SEAM_ARENA_VERSION, (int)getpid(), (int)getpid());
	client_send(&c, line, strlen(line));
	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	ck_assert_int_gt(recvmsg(c.fd, &msg, MSG_CMSG_CLOEXEC), 0);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(a, MAP_FAILED);
	close(fd);
	client_close(&c);
	return a;
}

/* Where the controller reads, and how far there is something to read. */
#define AREA(from, to)                                                         \
	{                                                                      \
#from, offsetof(struct seam_arena, from),                      \
		    offsetof(struct seam_arena, to)                            \
	}
static const struct area {
	const char *name;
	size_t from, to;
} areas[] = {
	AREA(head, head.life),
	AREA(head.life, proc),
	AREA(head.procs, proc),
	AREA(proc[0].gate, proc[0].state),
	AREA(proc[0].state, proc[0].buckets),
	AREA(proc[0].buckets, proc[1]),
	AREA(proc[1].state, proc[1].buckets),
	AREA(thread[0], thread[4]),
	AREA(thread[0].doing, thread[0].proc),
	AREA(thread[1].proc, thread[2]),
	AREA(thread[2], thread[40]),
	AREA(rule[0], rule[4]),
	AREA(object[0], object[8]),
	AREA(object[0].next, object[1]),
	AREA(ring[0].thread, ring[0].record),
	AREA(ring[0], ring[2]),
	AREA(string[0], string[4096]),
	AREA(heap[0], heap[16384]),
};

static uint64_t seed;

static uint32_t
random32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* Values that are likely to hurt. */
static uint32_t
bad_value(void)
{
	static const uint32_t values[] = { 0,
					   1,
					   2,
					   0xff,
					   0x7fffffff,
					   0x80000000,
					   UINT32_MAX,
					   SEAM_MAX_THREADS,
					   SEAM_MAX_PROCS + 1,
					   SEAM_MAX_OBJECTS + 1 };
	uint32_t r = random32() % (2 * COUNT(values));

	return r < COUNT(values) ? values[r] : random32();
}

static void
ring(_Atomic uint32_t *bell)
{
	atomic_fetch_add(bell, 1);
	syscall(SYS_futex, bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void
scribble(struct seam_arena *a, const struct area *area, int words)
{
	for (int i = 0; i < words; i++) {
		size_t at = area->from + random32() % (area->to - area->from);
		uint32_t value = bad_value();

		memcpy((char *)a + (at & ~(size_t)3), &value, sizeof(value));
	}
	ring(&a->head.bell);
	ring(&a->head.door);
}

static const char *const questions[] = {
	"procs",
	"threads",
	"locks",
	"rules",
	"stats",
	"state",
	"wait blocked worker timeout=20",
	"wait quiescent timeout=20",
	"wait p timeout=20",
	"wait again timeout=20",
	"wait step worker timeout=20",
	"hold the_mutex timeout=20",
	"hold * timeout=20",
	"pause mutex.lock obj=the_mutex at=main",
	"pause any thread=worker when=after",
	"step worker",
	"output A",
	"log any",
	"release all",
	"signal A USR2",
	"delete all",
	"kill A",
	"wait exit A timeout=2000",
	"procs",
};

/* Whatever is asked: there is an answer, or an orderly end. */
static void
ask_everything(struct client *c)
{
	for (int i = 0; i < COUNT(questions); i++)
		if (send(c->fd, questions[i], strlen(questions[i]),
			 MSG_NOSIGNAL) < 0 ||
		    send(c->fd, "\n", 1, MSG_NOSIGNAL) < 0 || !client_hear(c))
			return;
}

struct end {
	pid_t pid;
	int status;
};

static bool
has_exited(void *data)
{
	struct end *end = data;

	return waitpid(end->pid, &end->status, WNOHANG) == end->pid;
}

/* Either it has ended the session and said why, or it still serves. */
static void
must_have_survived(const char *what)
{
	struct end end = { .pid = controller.pid };
	bool serves = send(client.fd, "procs\n", 6, MSG_NOSIGNAL) == 6 &&
		      client_hear(&client) && !strncmp(client.last, "ok", 2);
	char *log;

	if (serves)
		kill(controller.pid, SIGTERM);
	controller.pid = 0;
	ck_assert_msg(came_true(has_exited, &end), "%s: it hangs", what);
	log = controller_log(&controller);
	ck_assert_msg(WIFEXITED(end.status), "%s: wait status %x\n%.3000s",
		      what, (unsigned)end.status, log);
	ck_assert_msg(WEXITSTATUS(end.status) == (serves ? 0 : 3) &&
			  (serves || strstr(log, "the session has ended: ")),
		      "%s: exit status %d\n%.3000s", what,
		      WEXITSTATUS(end.status), log);
	free(log);
}

START_TEST(damaged)
{
	const struct area *area = &areas[_i % COUNT(areas)];
	struct seam_arena *a;
	struct joiner j;

	seed = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(_i + 1);
	ask_ok(&client, "pause mutex.lock thread=worker as=p");
	ask_ok(&client, "start A -- %s/many_threads",
	       needed_env("SEAM_TEST_PROGRAMS"));
	joiner_start(&j, &controller, "acquire mutex lock");
	ask_ok(&client, "wait p");
	ask_ok(&client, "pause any proc=A as=again");
	a = get_arena();
	for (int round = 0; round < 4; round++) {
		scribble(a, area, 1 + (int)(random32() % 64));
		ask_everything(&client);
	}
	munmap(a, sizeof(*a));
	kill(j.pid, SIGKILL);
	joiner_end(&j);
	must_have_survived(area->name);
}
END_TEST

/* What must be noticed, is: the session ends, with a message to clients. */
START_TEST(damage_is_told)
{
	struct seam_arena *a = get_arena();
	int status;
	char *log;

	ask_ok(&client, "procs");
	if (_i == 0)
		a->head.magic++;
	else if (_i == 1)
		a->head.version++;
	else
		atomic_store(&a->head.threads, UINT32_MAX);
	ring(&a->head.door);
	ck_assert_ptr_nonnull(client_hear(&client));
	ck_assert_msg(!strncmp(client.last, "err gone arena damaged: ", 24),
		      "%s", client.last);
	ck_assert_int_eq(waitpid(controller.pid, &status, 0), controller.pid);
	controller.pid = 0;
	log = controller_log(&controller);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 3,
		      "wait status %x\n%s", (unsigned)status, log);
	ck_assert_ptr_nonnull(strstr(log, "the session has ended: "));
	free(log);
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *test, int rows)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test, 0, rows);
	suite_add_tcase(suite, tc);
}

int
main(void)
{
	Suite *suite = suite_create("faults");

	add(suite, "controller_killed", controller_killed, COUNT(standings));
	add(suite, "warden_killed_too", warden_killed_too,
	    COUNT(standings) / 4);
	add(suite, "private_directory_goes", private_directory_goes, 1);
	add(suite, "killed_while_starting", killed_while_starting, 2);
	add(suite, "controller_stopped", controller_stopped, 1);
	add(suite, "target_killed", target_killed, 1);
	add(suite, "target_killed_at_hold", target_killed_at_hold, 1);
	add(suite, "client_vanishes", client_vanishes, 1);
	add(suite, "three_clients", three_clients, 1);
	add(suite, "pipelined", pipelined, 1);
	add(suite, "long_lines", long_lines, 1);
	add(suite, "second_controller", second_controller, 1);
	add(suite, "early_line", early_line, 1);
	add(suite, "early_end", early_end, 1);
	add(suite, "damaged", damaged, 4 * COUNT(areas));
	add(suite, "damage_is_told", damage_is_told, 3);
	return suite_run(suite);
}
