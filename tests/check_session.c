/* SPDX-License-Identifier: MIT */
/*
 * A session without commands: its arena, heap, socket, clients, targets and
 * end.  Where SEAM_PRELOAD is not set, targets are played by forks of the
 * test that say hello themselves.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "inner.h"
#include "suite.h"

#define SECOND UINT64_C(1000000000)

static struct seam_session *session;
static struct seam_error err;

static struct seam_session *
open_at(const char *path)
{
	struct seam_options options = { .socket = path };
	struct seam_session *s = NULL;
	enum seam_code code = seam_session_open(&options, &s, &err);

	ck_assert_msg(code == SEAM_OK, "%s", err.text);
	return s;
}

static void
setup(void)
{
	session = open_at(NULL);
}

static void
teardown(void)
{
	seam_session_close(session, false);
	session = NULL;
}

static unsigned
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Heap. */

START_TEST(heap_blocks)
{
	struct seam_heap *h = session->heap;
	uint64_t a, b, c;
	unsigned char *bytes;

	seam_lock(session);
	a = seam_heap_alloc(h, 1);
	b = seam_heap_alloc(h, 4097);
	ck_assert_uint_ne(a, 0);
	ck_assert_uint_ne(b, 0);
	ck_assert_uint_eq(a % 4096, 0);
	ck_assert_uint_ge(a, offsetof(struct seam_arena, heap));
	ck_assert_uint_eq(seam_heap_block_size(h, a), 4096);
	ck_assert_uint_eq(seam_heap_block_size(h, b), 8192);
	bytes = seam_heap_at(h, a);
	memset(bytes + 4, 0x5a, 4092);
	*(uint32_t *)(void *)bytes = 1; /* a reader is late */
	seam_heap_retire(h, a);
	ck_assert_ptr_null(seam_heap_at(h, a));
	c = seam_heap_alloc(h, 100);
	ck_assert_uint_ne(c, a);
	*(uint32_t *)(void *)bytes = 0;
	ck_assert_uint_eq(seam_heap_alloc(h, 100), a);
	for (int i = 4; i < 4096; i++)
		ck_assert_uint_eq(bytes[i], 0);
	seam_unlock(session);
}
END_TEST

START_TEST(heap_limits)
{
	struct seam_heap *h = session->heap;
	uint64_t first;

	seam_lock(session);
	ck_assert_uint_eq(seam_heap_alloc(h, (size_t)SEAM_HEAP_BYTES + 1), 0);
	first = seam_heap_alloc(h, SEAM_HEAP_BYTES / 2);
	ck_assert_uint_ne(first, 0);
	ck_assert_uint_eq(seam_heap_alloc(h, SEAM_HEAP_BYTES / 2), 0);
	seam_heap_retire(h, first);
	seam_heap_retire(h, first); /* twice is nothing */
	seam_heap_retire(h, 0);
	seam_heap_retire(h, first + 1);
	seam_heap_retire(h, UINT64_MAX);
	ck_assert_uint_ne(seam_heap_alloc(h, SEAM_HEAP_BYTES / 4), 0);
	/* Better a block too large than none. */
	ck_assert_uint_eq(seam_heap_alloc(h, SEAM_HEAP_BYTES / 4), first);
	seam_unlock(session);
}
END_TEST

/* Places. */

static char place[64];

static void
place_setup(void)
{
	scratch_make(place, sizeof(place));
}

static void
place_teardown(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/s", place);
	unlink(path);
	ck_assert_int_eq(rmdir(place), 0);
}

START_TEST(own_directory)
{
	unsigned before = count_descriptors();
	struct seam_session *s = open_at(NULL);
	char *path = strdup(seam_session_socket(s)), *slash;
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0600);
	slash = strrchr(path, '/');
	*slash = '\0';
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
	seam_session_close(s, false);
	ck_assert_int_eq(stat(path, &st), -1);
	ck_assert_uint_eq(count_descriptors(), before);
	free(path);
}
END_TEST

static enum seam_code
try_open(const char *path)
{
	struct seam_options options = { .socket = path };
	struct seam_session *s = NULL;
	enum seam_code code = seam_session_open(&options, &s, &err);

	ck_assert((code == SEAM_OK) == (s != NULL));
	seam_session_close(s, false);
	return code;
}

START_TEST(bad_places)
{
	unsigned before = count_descriptors();
	char path[256], longer[300];
	int fd;

	snprintf(path, sizeof(path), "%s/s", place);
	chmod(place, 0777);
	ck_assert_int_eq(try_open(path), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "writable by others"));
	chmod(place, 01777);
	ck_assert_int_eq(try_open(path), SEAM_OK);
	chmod(place, 0700);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(place, 12345, 0), 0);
		ck_assert_int_eq(try_open(path), SEAM_E_UNSUPPORTED);
		ck_assert_ptr_nonnull(strstr(err.text, "another user"));
		ck_assert_int_eq(chown(place, 0, 0), 0);
	}
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	ck_assert_int_eq(try_open(path), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "no socket"));
	ck_assert_int_eq(unlink(path), 0);
	snprintf(longer, sizeof(longer), "%s/%0120d", place, 0);
	ck_assert_int_eq(try_open(longer), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "at most 107"));
	ck_assert_int_eq(try_open("/nowhere/at/all"), SEAM_E_UNSUPPORTED);
	ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

START_TEST(occupied_places)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct seam_session *s;
	int fd;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", place);
	s = open_at(sa.sun_path);
	ck_assert_int_eq(try_open(sa.sun_path), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "another controller"));
	ck_assert_int_eq(access(sa.sun_path, F_OK), 0);
	seam_session_close(s, false);
	ck_assert_int_ne(access(sa.sun_path, F_OK), 0);
	/* What a killed controller left. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	ck_assert_int_eq(try_open(sa.sun_path), SEAM_OK);
}
END_TEST

/* Clients: any text is echoed; "exit PROC" waits for an end, "soon PROC" not
 * for long; "run PROGRAM" starts a target; "bye". */

static _Atomic int n_closed;

static void
begin_wait(struct seam_client *c, const char *what, uint64_t timeout_ms)
{
	struct sess_wait *w = calloc(1, sizeof(*w));

	w->kind = SEAM_WAIT_EXIT;
	w->what = strdup(what);
	w->timeout_ms = timeout_ms;
	seam_client_set_data(c, w);
	seam_client_wait(c, w);
}

static void
run_program(struct seam_client *c, const char *program)
{
	const char *argv[] = { program, NULL };
	struct sess_start how = { .argv = (char *const *)(uintptr_t)argv };
	struct seam_error e = { .code = SEAM_OK };
	enum seam_code code;

	code = sess_start(seam_client_session(c), &how, NULL, &e);
	if (code == SEAM_OK)
		seam_client_write(c, "ok\n", 3);
	else
		seam_client_write(c, e.text, strlen(e.text));
}

static void
on_line(struct seam_client *c, char *line, void *data)
{
	(void)data;
	if (!strncmp(line, "exit ", 5)) {
		begin_wait(c, line + 5, 10000);
		return;
	}
	if (!strncmp(line, "soon ", 5)) {
		begin_wait(c, line + 5, 50);
		return;
	}
	if (!strncmp(line, "run ", 4)) {
		run_program(c, line + 4);
		return;
	}
	seam_client_write(c, line, strlen(line));
	seam_client_write(c, "\n", 1);
	if (!strcmp(line, "bye"))
		seam_client_close(c);
}

static void
drop_wait(struct seam_client *c)
{
	struct sess_wait *w = seam_client_data(c);

	seam_client_set_data(c, NULL);
	if (w)
		free((void *)(uintptr_t)w->what);
	free(w);
}

static void
on_waited(struct seam_client *c, struct sess_wait *w, enum seam_code code,
	  json_t *reply, struct seam_error *e, void *data)
{
	char line[200];

	(void)reply;
	(void)data;
	snprintf(line, sizeof(line), "%s %s %.100s\n", seam_code_name(code),
		 w->what, code == SEAM_OK ? "" : e->text);
	seam_client_write(c, line, strlen(line));
	drop_wait(c);
}

static void
on_closed(struct seam_client *c, void *data)
{
	(void)data;
	drop_wait(c);
	n_closed++;
}

static const struct seam_client_ops ops = { .line = on_line,
					    .waited = on_waited,
					    .closed = on_closed };

static void
serving_setup(void)
{
	setup();
	n_closed = 0;
	seam_serve_clients(session, &ops, NULL);
}

static int
dial_at(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
dial(void)
{
	int fd = dial_at(seam_session_socket(session));

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	size_t n = strlen(text);

	ck_assert_int_eq(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void
say_attach(int fd)
{
	char line[64];

	snprintf(line, sizeof(line), "attach %d pid=1 tid=1\n",
		 SEAM_ARENA_VERSION);
	say(fd, line);
}

/* One line without its newline; "" at the end. */
static const char *
hear(int fd)
{
	static char line[1024];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(fd, line + n, 1) == 1 &&
	       line[n] != '\n')
		n++;
	line[n] = '\0';
	return line;
}

START_TEST(lines)
{
	int fd = dial();

	say(fd, "one\ntwo\r\nthr");
	ck_assert_str_eq(hear(fd), "one");
	ck_assert_str_eq(hear(fd), "two");
	say(fd, "ee\n\npartial");
	ck_assert_str_eq(hear(fd), "three");
	ck_assert_str_eq(hear(fd), "");
	shutdown(fd, SHUT_WR);
	ck_assert_str_eq(hear(fd), "");
	ck_assert_int_eq(read(fd, &(char){ 0 }, 1), 0);
	close(fd);
}
END_TEST

START_TEST(line_limits)
{
	static char big[70000];
	int fd = dial();

	memset(big, 'x', sizeof(big) - 1);
	say(fd, big);
	say(fd, "\nnext\n");
	ck_assert_int_eq(strncmp(hear(fd), "err syntax line too long", 24), 0);
	ck_assert_str_eq(hear(fd), "next");
	ck_assert_int_eq(send(fd, "a\0b\nc\n", 6, 0), 6);
	ck_assert_int_eq(strncmp(hear(fd), "err syntax NUL", 14), 0);
	ck_assert_str_eq(hear(fd), "c");
	big[65535] = '\0'; /* the longest that is not too long */
	say(fd, big);
	say(fd, "\nbye\n");
	for (int i = 0; i < 65535; i++) {
		char ch = 0;

		ck_assert_int_eq(read(fd, &ch, 1), 1);
		ck_assert_int_eq(ch, 'x');
	}
	ck_assert_str_eq(hear(fd), "");
	ck_assert_str_eq(hear(fd), "bye");
	ck_assert_int_eq(read(fd, big, 1), 0);
	close(fd);
}
END_TEST

START_TEST(many_lines_many_clients)
{
	enum { CLIENTS = 20, LINES = 2000 };
	int fd[CLIENTS];
	char text[32];

	for (int i = 0; i < CLIENTS; i++)
		fd[i] = dial();
	for (int l = 0; l < LINES; l++)
		for (int i = 0; i < CLIENTS; i++) {
			snprintf(text, sizeof(text), "%d.%d\n", i, l);
			say(fd[i], text);
		}
	for (int i = 0; i < CLIENTS; i++)
		shutdown(fd[i], SHUT_WR);
	for (int i = 0; i < CLIENTS; i++) {
		for (int l = 0; l < LINES; l++) {
			snprintf(text, sizeof(text), "%d.%d", i, l);
			ck_assert_str_eq(hear(fd[i]), text);
		}
		ck_assert_int_eq(read(fd[i], text, 1), 0);
		close(fd[i]);
	}
}
END_TEST

START_TEST(deaf_client)
{
	static char line[60001];
	int fd = dial(), other, sent = 0;

	memset(line, 'x', sizeof(line) - 1);
	line[60000] = '\n';
	while (sent < 100 && send(fd, line, 60001, MSG_NOSIGNAL) > 0)
		sent++;
	ck_assert_int_lt(sent, 100); /* it was dropped */
	other = dial();
	say(other, "still there\n");
	ck_assert_str_eq(hear(other), "still there");
	close(other);
	close(fd);
}
END_TEST

/* A target played by a fork. */

struct player {
	pid_t pid;
	int go; /* a byte ends the player */
	char reply[256];
	int arena;
};

static int
receive(int fd, char *line, size_t size)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { line, size - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	ssize_t n;
	int arena = -1;

	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	line[n > 0 ? n : 0] = '\0';
	cm = CMSG_FIRSTHDR(&msg);
	if (n > 0 && cm)
		memcpy(&arena, CMSG_DATA(cm), sizeof(arena));
	return arena;
}

static struct seam_arena *
map_arena(int fd)
{
	struct seam_arena *a =
	    mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(a, MAP_FAILED);
	return a;
}

static void
play(const char *path, int go, int back)
{
	char line[256], byte;
	int fd = dial_at(path), arena;

	snprintf(line, sizeof(line), "attach %d pid=%d tid=%d\n",
		 SEAM_ARENA_VERSION, getpid(), getpid());
	if (write(fd, line, strlen(line)) < 0)
		_exit(1);
	arena = receive(fd, line, sizeof(line));
	if (arena >= 0)
		map_arena(arena);
	if (write(back, line, strlen(line) + 1) < 0 || read(go, &byte, 1) < 0)
		_exit(1);
	_exit(7);
}

static void
start_player(struct player *p, const char *path)
{
	int go[2], back[2];

	ck_assert_int_eq(pipe2(go, O_CLOEXEC) | pipe2(back, O_CLOEXEC), 0);
	p->pid = fork();
	if (p->pid == 0) {
		close(go[1]);
		play(path, go[0], back[1]);
	}
	close(go[0]);
	close(back[1]);
	ck_assert_int_gt(read(back[0], p->reply, sizeof(p->reply)), 0);
	close(back[0]);
	p->go = go[1];
}

static void
end_player(struct player *p)
{
	ck_assert_int_eq(write(p->go, "x", 1), 1);
	close(p->go);
	waitpid(p->pid, NULL, 0);
}

START_TEST(attaching)
{
	struct player a, b;
	unsigned index;
	size_t size;
	struct seam_process *p;

	start_player(&a, seam_session_socket(session));
	ck_assert_int_eq(sscanf(a.reply, "ok proc=%u size=%zu\n", &index,
				&size),
			 2);
	ck_assert_uint_eq(size, sizeof(struct seam_arena));
	start_player(&b, seam_session_socket(session));
	seam_lock(session);
	p = seam_process_find(session, "P1", 0, &err);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->pid, a.pid);
	ck_assert_uint_eq(p->index, index);
	ck_assert_ptr_nonnull(p->map);
	ck_assert_uint_eq(session->arena->proc[index].state, SEAM_PROC_LIVE);
	p = seam_process_find(session, "P2", 0, &err);
	ck_assert_int_eq(p->pid, b.pid);
	ck_assert_ptr_null(seam_process_find(session, "P3", 3, &err));
	ck_assert_int_eq(err.code, SEAM_E_NO_SUCH_THREAD);
	ck_assert_int_eq(err.column, 3);
	ck_assert_ptr_null(seam_process_find(session, "P*", 1, &err));
	ck_assert_int_eq(err.code, SEAM_E_AMBIGUOUS);
	seam_unlock(session);
	end_player(&a);
	end_player(&b);
}
END_TEST

START_TEST(attaching_refused)
{
	static const struct {
		const char *line, *reply;
	} cases[] = {
		{ "attach 1 pid=1 tid=1\n", "err unsupported version 1" },
		{ "attach one\n", "err syntax " },
		{ "attach \n", "err syntax " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = dial();

		say(fd, cases[i].line);
		ck_assert_int_eq(strncmp(hear(fd), cases[i].reply,
					 strlen(cases[i].reply)),
				 0);
		ck_assert_int_eq(read(fd, &(char){ 0 }, 1), 0);
		close(fd);
	}
}
END_TEST

START_TEST(waiting)
{
	struct player p;
	int fd = dial(), other = dial();

	start_player(&p, seam_session_socket(session));
	say(fd, "exit P1\nafterwards\n");
	shutdown(fd, SHUT_WR); /* as socat does */
	say(other, "meanwhile\n");
	ck_assert_str_eq(hear(other), "meanwhile");
	end_player(&p);
	ck_assert_int_eq(strncmp(hear(fd), "ok P1", 5), 0);
	ck_assert_str_eq(hear(fd), "afterwards");
	ck_assert_int_eq(read(fd, &(char){ 0 }, 1), 0);
	close(fd);
	/* An end that has come is still known. */
	say(other, "exit P1\n");
	ck_assert_int_eq(strncmp(hear(other), "ok P1", 5), 0);
	close(other);
}
END_TEST

START_TEST(timeouts)
{
	struct player p;
	int fd = dial();

	start_player(&p, seam_session_socket(session));
	/* The server's own, then one that the ringer may have begun. */
	say(fd, "soon P1\nsoon P1\nsoon P1\nexit P1\nsoon P1\n");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(strncmp(hear(fd), "timeout P1", 10), 0);
	end_player(&p);
	ck_assert_int_eq(strncmp(hear(fd), "ok P1", 5), 0);
	ck_assert_int_eq(strncmp(hear(fd), "ok P1", 5), 0);
	close(fd);
}
END_TEST

START_TEST(vanishing)
{
	struct player p;
	int fd = dial(), other;

	start_player(&p, seam_session_socket(session));
	say(fd, "exit P1\nnever\n");
	close(fd);
	fd = dial();
	say(fd, "in mid-li");
	close(fd);
	other = dial();
	say(other, "exit P1\n");
	end_player(&p);
	ck_assert_int_eq(strncmp(hear(other), "ok P1", 5), 0);
	close(other);
	teardown();
	ck_assert_int_eq(n_closed, 4); /* the player's connection too */
	setup();
}
END_TEST

START_TEST(closing_ends_waits)
{
	struct player p;
	int fd = dial();

	start_player(&p, seam_session_socket(session));
	say(fd, "hello\nexit P1\n");
	ck_assert_str_eq(hear(fd), "hello");
	teardown();
	/* Either it was read in time and told, or it was not read. */
	ck_assert_int_ne(strncmp(hear(fd), "ok", 2), 0);
	close(fd);
	end_player(&p);
	setup();
}
END_TEST

/* Damage. */

static void
attach_self(struct player *p, struct seam_arena **a)
{
	int fd = dial();
	char line[256];

	start_player(p, seam_session_socket(session));
	say_attach(fd);
	*a = map_arena(receive(fd, line, sizeof(line)));
	close(fd);
}

static void
damage(struct seam_arena *a, int how)
{
	switch (how) {
	case 0:
		a->head.magic = 1;
		break;
	case 1:
		a->head.version = 77;
		break;
	case 2:
		a->head.controller = 1;
		break;
	case 3:
		atomic_store(&a->head.threads, UINT32_MAX);
		break;
	case 4:
		a->head.size = 4096;
		break;
	default:
		atomic_store(&a->head.procs, SEAM_MAX_PROCS + 1);
	}
}

START_TEST(damaged)
{
	struct seam_arena *a;
	struct player p;
	int fd = dial();

	say(fd, "hello\n");
	ck_assert_str_eq(hear(fd), "hello");
	attach_self(&p, &a);
	damage(a, _i);
	seam_door_ring(session);
	seam_session_run(session);
	ck_assert_ptr_nonnull(seam_session_broken(session));
	ck_assert_uint_eq(a->head.life, SEAM_LIFE_FREE);
	ck_assert_int_eq(strncmp(hear(fd), "err gone arena damaged", 22), 0);
	ck_assert_int_eq(read(fd, &(char){ 0 }, 1), 0);
	close(fd);
	munmap(a, sizeof(*a));
	end_player(&p);
}
END_TEST

/* Controllers that are killed. */

static pid_t
controller_at(const char *path, bool kill_on_death, bool with_fork)
{
	struct seam_options options = { .socket = path,
					.kill_on_death = kill_on_death };
	struct seam_session *s;
	int ready[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (seam_session_open(&options, &s, &err) != SEAM_OK)
			_exit(1);
		/* Keeps all descriptors of its parent. */
		if (with_fork && fork() == 0) {
			close(ready[1]);
			alarm(20);
			pause();
		}
		if (write(ready[1], "r", 1) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &(char){ 0 }, 1), 1);
	close(ready[0]);
	return pid;
}

START_TEST(controller_killed)
{
	const bool kill_on_death = _i & 1, with_fork = _i & 2;
	struct seam_arena *a;
	struct player p;
	char path[128], line[256];
	pid_t pid;
	int fd, status;
	uint64_t begun;

	snprintf(path, sizeof(path), "%s/s", place);
	pid = controller_at(path, kill_on_death, with_fork);
	start_player(&p, path);
	fd = dial_at(path);
	say_attach(fd);
	a = map_arena(receive(fd, line, sizeof(line)));
	close(fd);
	begun = seam_now();
	/* As the test has its arena mapped, it would be killed too. */
	atomic_store(&a->proc[1].state, SEAM_PROC_GONE);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	seam_futex_wait(&a->head.life, SEAM_LIFE_LIVE, begun + 5 * SECOND);
	ck_assert_uint_eq(a->head.life, SEAM_LIFE_FREE);
	ck_assert_uint_lt(seam_now() - begun, SECOND / 2);
	while (access(path, F_OK) == 0 && seam_now() < begun + SECOND)
		;
	ck_assert_int_ne(access(path, F_OK), 0);
	if (!kill_on_death)
		ck_assert_int_eq(write(p.go, "x", 1), 1);
	waitpid(p.pid, &status, 0);
	close(p.go);
	ck_assert_int_eq(WIFSIGNALED(status), kill_on_death);
	munmap(a, sizeof(*a));
}
END_TEST

START_TEST(forked_child_closes_nothing)
{
	pid_t pid = fork();
	int status, fd;

	if (pid == 0) {
		seam_session_close(session, false);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	fd = dial();
	say(fd, "hello\n");
	ck_assert_str_eq(hear(fd), "hello");
	close(fd);
}
END_TEST

START_TEST(nobody_else_sees_the_warden)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(running)
{
	/* Stopped before it runs: returns at once. */
	seam_session_stop(session);
	seam_session_run(session);
}
END_TEST

START_TEST(run_ends_with_last)
{
	struct player p;

	session->options.end_with_last = true;
	start_player(&p, seam_session_socket(session));
	ck_assert_int_eq(write(p.go, "x", 1), 1);
	close(p.go);
	seam_session_run(session);
	waitpid(p.pid, NULL, 0);
}
END_TEST

START_TEST(many_processes)
{
	/* More than there are entries: those that ended are used again. */
	for (int i = 0; i < 300; i++) {
		struct player p;

		start_player(&p, seam_session_socket(session));
		ck_assert_int_eq(strncmp(p.reply, "ok ", 3), 0);
		end_player(&p);
	}
	seam_lock(session);
	ck_assert_ptr_nonnull(seam_process_find(session, "P300", 0, &err));
	ck_assert_ptr_null(seam_process_find(session, "P1", 0, &err));
	seam_unlock(session);
}
END_TEST

/* Real targets. */

static enum seam_code
start(const char *alias, const char *const argv[], unsigned *index)
{
	struct sess_start how = { .alias = alias,
				  .argv = (char *const *)(uintptr_t)argv };

	return sess_start(session, &how, index, &err);
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int
status_of(const char *alias)
{
	struct seam_process *p;
	uint64_t until = seam_now() + 10 * SECOND;
	uint32_t seen;
	int status;

	seam_lock(session);
	p = seam_process_find(session, alias, 0, &err);
	ck_assert_msg(p, "%s", err.text);
	for (;;) {
		seen = atomic_load(&session->arena->head.bell);
		if (p->ended || seam_now() > until)
			break;
		seam_bell_wait(session, seen, until);
	}
	ck_assert(p->ended && p->status_known);
	status = p->status;
	seam_unlock(session);
	return status;
}

START_TEST(start_true)
{
	unsigned index = 99;

	ck_assert_msg(start("A", ARGV("true"), &index) == SEAM_OK, "%s",
		      err.text);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_eq(status_of("A"), 0);
	ck_assert_msg(start("A", ARGV("false"), &index) == SEAM_OK, "%s",
		      err.text);
	ck_assert_int_eq(WEXITSTATUS(status_of("A")), 1);
}
END_TEST

START_TEST(start_output)
{
	const char *script = "read x; echo \"got $x\"; echo oops >&2; pwd;"
			     "exit 3";
	const char *env[] = { "MARK=here", NULL };
	const char *argv[] = { "sh", "-c", script, NULL };
	struct sess_start how = { .alias = "A",
				  .argv = (char *const *)(uintptr_t)argv,
				  .env = (char *const *)(uintptr_t)env,
				  .dir = "/usr" };
	char *text;
	size_t len;

	ck_assert_int_eq(sess_start(session, &how, NULL, &err), SEAM_OK);
	ck_assert_int_eq(start("A", ARGV("true"), NULL), SEAM_E_AMBIGUOUS);
	ck_assert_int_eq(sess_send(session, "A", "wo", false, &err), SEAM_OK);
	ck_assert_int_eq(sess_send(session, "A", "rd\n", true, &err), SEAM_OK);
	ck_assert_int_eq(WEXITSTATUS(status_of("A")), 3);
	ck_assert_int_eq(sess_output(session, "A", &text, &len, &err), SEAM_OK);
	ck_assert_str_eq(text, "got word\noops\n/usr\n");
	ck_assert_uint_eq(len, strlen(text));
	free(text);
	ck_assert_int_eq(sess_send(session, "A", "x", true, &err), SEAM_E_GONE);
	ck_assert_int_eq(seam_signal(session, "A", SIGTERM, &err), SEAM_E_GONE);
}
END_TEST

START_TEST(start_refused)
{
	unsigned before;

	ck_assert_int_eq(start("A", ARGV("true"), NULL), SEAM_OK);
	status_of("A");
	before = count_descriptors();
	ck_assert_int_eq(start(NULL, ARGV("no-such-program"), NULL),
			 SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "not found"));
	ck_assert_int_eq(start(NULL, ARGV("/etc/passwd"), NULL),
			 SEAM_E_UNSUPPORTED);
	ck_assert_int_eq(start("P1", ARGV("true"), NULL), SEAM_E_SYNTAX);
	ck_assert_int_eq(start("a b", ARGV("true"), NULL), SEAM_E_SYNTAX);
	ck_assert_uint_eq(count_descriptors(), before);
	free(session->preload);
	session->preload = strdup("/nowhere/libseam.so");
	ck_assert_int_eq(start(NULL, ARGV("true"), NULL), SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "SEAM_PRELOAD"));
}
END_TEST

/* A line that sleeps in the server's thread, and another of the same client
 * that does in the ringer's, stop nobody. */
START_TEST(start_from_a_client)
{
	int fd[4];

	seam_serve_clients(session, &ops, NULL);
	for (int i = 0; i < 4; i++) {
		fd[i] = dial();
		say(fd[i], "run cat\nhere\nrun true\nbye\n");
	}
	for (int i = 0; i < 4; i++) {
		ck_assert_str_eq(hear(fd[i]), "ok");
		ck_assert_str_eq(hear(fd[i]), "here");
		ck_assert_str_eq(hear(fd[i]), "ok");
		ck_assert_str_eq(hear(fd[i]), "bye");
		close(fd[i]);
	}
	fd[0] = dial();
	fd[1] = dial();
	say(fd[0], "exit P1\nrun true\nexit P1\nlast\n");
	say(fd[1], "soon P1\n");
	hear(fd[1]);
	ck_assert_int_eq(seam_signal(session, "P1", SIGKILL, &err), SEAM_OK);
	ck_assert_int_eq(strncmp(hear(fd[0]), "ok P1", 5), 0);
	ck_assert_str_eq(hear(fd[0]), "ok");
	ck_assert_int_eq(strncmp(hear(fd[0]), "ok P1", 5), 0);
	ck_assert_str_eq(hear(fd[0]), "last");
	close(fd[0]);
	close(fd[1]);
}
END_TEST

START_TEST(start_many)
{
	for (int i = 0; i < 40; i++)
		ck_assert_msg(start(NULL, ARGV("true"), NULL) == SEAM_OK, "%s",
			      err.text);
	for (int i = 1; i <= 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "P%d", i);
		ck_assert_int_eq(status_of(name), 0);
	}
}
END_TEST

START_TEST(children_are_named)
{
	struct seam_process *p;
	char *text;

	ck_assert_int_eq(
	    start("A", ARGV("sh", "-c", "(exit 0) & wait; /bin/true; exec cat"),
		  NULL),
	    SEAM_OK);
	ck_assert_int_eq(sess_send(session, "A", "end\n", true, &err), SEAM_OK);
	ck_assert_int_eq(status_of("A"), 0);
	ck_assert_int_eq(sess_output(session, "A", &text, NULL, &err), SEAM_OK);
	ck_assert_str_eq(text, "end\n");
	free(text);
	seam_lock(session);
	p = seam_process_find(session, "P1.1", 0, &err);
	ck_assert_msg(p, "%s", err.text);
	p = seam_process_find(session, "A", 0, &err);
	ck_assert_msg(p, "%s", err.text);
	ck_assert_ptr_nonnull(strstr(p->exe, "cat"));
	seam_unlock(session);
}
END_TEST

/* What became of it is told, though it ends before anybody can look. */
START_TEST(exec_into_the_unknown)
{
	char script[512];
	struct seam_process *p;
	unsigned i;

	snprintf(script, sizeof(script), "exec %s/static_prog",
		 getenv("SEAM_TEST_PROGRAMS"));
	ck_assert_int_eq(start("A", ARGV("sh", "-c", script), &i), SEAM_OK);
	ck_assert_int_eq(status_of("A"), 0);
	p = &session->process[i];
	ck_assert_ptr_nonnull(p->unhooked);
	ck_assert_int_eq(start("B", ARGV(script + strlen("exec ")), NULL),
			 SEAM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.text, "static"));
}
END_TEST

START_TEST(closing_ends_targets)
{
	static const char script[] =
	    "trap '' TERM; tail -f /dev/null & wait; wait";
	struct seam_process *p;
	pid_t stubborn, plain;
	uint64_t begun;
	unsigned i, j;

	ck_assert_int_eq(start("A", ARGV("sh", "-c", script), &i), SEAM_OK);
	ck_assert_int_eq(start("B", ARGV("tail", "-f", "/dev/null"), &j),
			 SEAM_OK);
	p = &session->process[i];
	stubborn = p->pid;
	plain = session->process[j].pid;
	begun = seam_now();
	teardown();
	ck_assert_uint_lt(seam_now() - begun, 3 * SECOND);
	ck_assert_int_eq(kill(stubborn, 0), -1);
	ck_assert_int_eq(kill(plain, 0), -1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	setup();
}
END_TEST

START_TEST(leaving_targets)
{
	unsigned i;
	pid_t pid;

	ck_assert_int_eq(start("A", ARGV("tail", "-f", "/dev/null"), &i),
			 SEAM_OK);
	pid = session->process[i].pid;
	seam_session_close(session, true);
	ck_assert_int_eq(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	setup();
}
END_TEST

static Suite *
session_suite(void)
{
	Suite *suite = suite_create("session");
	TCase *tc;

	tc = tcase_create("heap");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, heap_blocks);
	tcase_add_test(tc, heap_limits);
	suite_add_tcase(suite, tc);

	tc = tcase_create("places");
	tcase_add_checked_fixture(tc, place_setup, place_teardown);
	tcase_add_test(tc, own_directory);
	tcase_add_test(tc, bad_places);
	tcase_add_test(tc, occupied_places);
	tcase_add_loop_test(tc, controller_killed, 0, 4);
	suite_add_tcase(suite, tc);

	tc = tcase_create("clients");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, serving_setup, teardown);
	tcase_add_test(tc, lines);
	tcase_add_test(tc, line_limits);
	tcase_add_test(tc, many_lines_many_clients);
	tcase_add_test(tc, deaf_client);
	tcase_add_test(tc, attaching);
	tcase_add_test(tc, attaching_refused);
	tcase_add_test(tc, waiting);
	tcase_add_test(tc, timeouts);
	tcase_add_test(tc, vanishing);
	tcase_add_test(tc, closing_ends_waits);
	tcase_add_loop_test(tc, damaged, 0, 6);
	tcase_add_test(tc, forked_child_closes_nothing);
	tcase_add_test(tc, nobody_else_sees_the_warden);
	tcase_add_test(tc, running);
	tcase_add_test(tc, run_ends_with_last);
	tcase_add_test(tc, many_processes);
	suite_add_tcase(suite, tc);

	if (!getenv("SEAM_PRELOAD"))
		return suite;
	tc = tcase_create("targets");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, start_true);
	tcase_add_test(tc, start_output);
	tcase_add_test(tc, start_refused);
	tcase_add_test(tc, start_from_a_client);
	tcase_add_test(tc, start_many);
	tcase_add_test(tc, children_are_named);
	if (getenv("SEAM_TEST_PROGRAMS"))
		tcase_add_test(tc, exec_into_the_unknown);
	tcase_add_test(tc, closing_ends_targets);
	tcase_add_test(tc, leaving_targets);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_run(session_suite());
}
