/* SPDX-License-Identifier: MIT */
/*
 * Joining a session: before main, and again in a child after fork.
 *
 * With SEAM_SOCKET in the environment the constructor connects, says who it
 * is, and gets the arena as a descriptor; when the reply is there, the rules
 * are.  Nothing is kept open.
 *
 * A session that ends just then is one that is not there: a server that came
 * by itself is followed by another, and what was started by a controller
 * that died has not begun, and does not.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "env.h"

struct seam_arena *seam_arena;
struct seam_proc *seam_proc;

static int32_t own_pid;

void
seam_say(const char *fmt, ...)
{
	char buf[512];
	int n = snprintf(buf, sizeof(buf), "seam: "), m;
	va_list ap;

	va_start(ap, fmt);
	m = vsnprintf(buf + n, sizeof(buf) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	n += m < (int)sizeof(buf) - n - 1 ? m : (int)sizeof(buf) - n - 2;
	buf[n++] = '\n';
	seam_raw3(SYS_write, 2, buf, n);
}

static void
pass_everything(void)
{
	atomic_store(&seam_gate.armed, 0);
}

void
seam_ready(void)
{
	seam_resolve();
}

#define RETRY_MS 5000
#define NOT_STARTED 127
#define NOT_CONTROLLED (-EPROTO) /* and has said why */

struct place {
	unsigned index;
	size_t size;
	void *room;
};

/*
 * What it takes to be a target is tried before saying hello: the controller
 * then counts on it.  A number for the arena's descriptor, and addresses for
 * the arena, which stay taken (*room).  NULL, or what is missing.
 */
static const char *
make_room(int fd, void **room)
{
	long spare = seam_raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);

	*room = MAP_FAILED;
	if (spare < 0)
		return "it has no descriptor to spare";
	seam_raw1(SYS_close, spare);
	*room = mmap(NULL, sizeof(struct seam_arena), PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return *room == MAP_FAILED ? "it has no memory for the arena" : NULL;
}

/* Says hello, or why it does not; returns the arena's descriptor and our place
 * in it, or -ECONNRESET: the session ends. */
static int
introduce(int fd, const char *why, struct place *place)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char line[512] = "";
	struct iovec iov = { line, 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	int arena = -1, n;
	long r;

	if (why)
		n = snprintf(line, sizeof(line), "unable pid=%d %s\n", own_pid,
			     why);
	else
		n = snprintf(line, sizeof(line), "attach %d pid=%d tid=%d\n",
			     SEAM_ARENA_VERSION, own_pid,
			     (int)seam_raw0(SYS_gettid));
	/* Whoever does not hear this may still have something to say. */
	seam_raw6(SYS_sendto, fd, line, n, MSG_NOSIGNAL, NULL, 0);
	iov.iov_len = sizeof(line) - 1;
	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	do
		r = seam_raw3(SYS_recvmsg, fd, &msg, MSG_CMSG_CLOEXEC);
	while (r == -EINTR);
	line[r > 0 ? r : 0] = '\0';
	if (r <= 0 || !strncmp(line, "err gone ", 9))
		return -ECONNRESET;
	cm = CMSG_FIRSTHDR(&msg);
	if (cm && cm->cmsg_type == SCM_RIGHTS)
		memcpy(&arena, CMSG_DATA(cm), sizeof(arena));
	if (arena < 0 || sscanf(line, "ok proc=%u size=%zu", &place->index,
				&place->size) != 2) {
		seam_say("not controlled: %.*s", (int)strcspn(line, "\n"),
			 line);
		return NOT_CONTROLLED;
	}
	return arena;
}

/* Its server closes it when it goes. */
static void
wait_for_end(int fd)
{
	const struct timespec most = { .tv_sec = 1 };
	struct pollfd end = { .fd = fd, .events = POLLIN };

	seam_raw5(SYS_ppoll, &end, 1, &most, NULL, 0);
}

/* Dials and says hello: to the next server, if one that came by itself is
 * about to go. */
static int
enter(char *const env[], const char *path, struct place *place)
{
	uint64_t until = seam_nanoseconds() + (uint64_t)RETRY_MS * 1000000;
	bool again = !seam_env_get(env, "SEAM_JOIN");
	const char *why;
	int fd, arena;

	do {
		fd = seam_dial(env, path);
		if (fd < 0)
			return fd;
		why = make_room(fd, &place->room);
		arena = introduce(fd, why, place);
		if (arena < 0 && place->room != MAP_FAILED)
			munmap(place->room, sizeof(struct seam_arena));
		if (arena == -ECONNRESET && again)
			wait_for_end(fd);
		seam_raw1(SYS_close, fd);
	} while (arena == -ECONNRESET && again && seam_nanoseconds() < until);
	if (arena == -ECONNRESET && again)
		seam_say("not controlled: the session at %s ends", path);
	return arena;
}

static const char *
map_gate(int fd, size_t at)
{
	void *p = mmap(&seam_gate, sizeof(seam_gate), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd, (off_t)at);

	return p == MAP_FAILED ? "cannot map the gate" : NULL;
}

static const char *
map_arena(int fd, const struct place *place)
{
	struct seam_arena *a;

	if (place->size != sizeof(*a) || place->index >= SEAM_MAX_PROCS)
		return "the controller is of another version";
	a = mmap(place->room, sizeof(*a), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
	if (a == MAP_FAILED)
		return "no memory for the arena";
	if (a->head.magic != SEAM_ARENA_MAGIC ||
	    a->head.version != SEAM_ARENA_VERSION ||
	    a->head.size != sizeof(*a)) {
		munmap(a, sizeof(*a));
		return "the arena is not of this version";
	}
	seam_arena = a;
	seam_proc = &a->proc[place->index];
	return map_gate(fd, (size_t)((char *)&seam_proc->gate - (char *)a));
}

static void
look_for_controller(void)
{
	seam_proc->blind_to_controller =
	    seam_raw2(SYS_kill, seam_arena->head.controller, 0) == -ESRCH;
}

/* 0, or why not, as a negative error. */
static int
attach(char *const env[], const char *socket_path)
{
	struct place place = { .room = MAP_FAILED };
	int arena = enter(env, socket_path, &place);
	const char *why;

	if (arena < 0)
		return arena;
	why = map_arena(arena, &place);
	seam_raw1(SYS_close, arena);
	if (why) {
		seam_say("not controlled: %s", why);
		seam_arena = NULL;
		return NOT_CONTROLLED;
	}
	seam_proc->pid = own_pid;
	look_for_controller();
	seam_thread_adopt_main();
	return 0;
}

/* Its controller died while this was starting. */
static bool
is_unwanted(bool must)
{
	if (!seam_arena)
		return must;
	return !seam_alive_hint() && (seam_arena->head.flags & SEAM_HEAD_KILL);
}

/* Its controller was killed while this was being forked, and the warden may
 * have looked before it was there. */
static void
end_if_unwanted(void)
{
	if (seam_alive_hint() || !(seam_arena->head.flags & SEAM_HEAD_KILL))
		return;
	seam_raw2(SYS_kill, own_pid, SIGKILL);
	/* To a pid namespace's first process its own signal does nothing. */
	seam_raw1(SYS_exit_group, 128 + SIGKILL);
}

static void
end_unbegun(int why)
{
	if (why != NOT_CONTROLLED)
		seam_say("not started: the session has ended");
	seam_raw1(SYS_exit_group, NOT_STARTED);
}

static void
fork_child(void)
{
	seam_child_attach();
}

static const char *
own_path(void)
{
	static char path[PATH_MAX];
	Dl_info info;

	if (dladdr(&seam_gate, &info) && info.dli_fname)
		snprintf(path, sizeof(path), "%s", info.dli_fname);
	return path;
}

__attribute__((constructor)) static void
begin(int argc, char *argv[], char *env[])
{
	bool must = seam_env_join_must(env);
	const char *path;
	int why;

	(void)argc;
	(void)argv;
	own_pid = (int32_t)seam_raw0(SYS_getpid);
	seam_ready();
	/* Whoever runs a program that has more rights than they does not say
	 * who steers it, nor what it starts. */
	path = getauxval(AT_SECURE) ? NULL : seam_env_get(env, "SEAM_SOCKET");
	if (path && *path) {
		seam_threads_init();
		why = attach(env, path);
		if (is_unwanted(must))
			end_unbegun(why);
	}
	if (!seam_arena) {
		pass_everything();
		return;
	}
	seam_env_remember(env, own_path());
	pthread_atfork(NULL, NULL, fork_child);
	if (seam_scheduled()) {
		seam_sched_note_descriptors();
		seam_sched_attached();
		seam_sched_serve(SEAM_SERVER_EARLY);
	} else {
		seam_thread_main_begins();
	}
}

/* The end of the process, whatever comes of it; not its other threads'. */
void
seam_process_ending(void)
{
	if (seam_scheduled() && own_pid == (int32_t)seam_raw0(SYS_getpid))
		seam_sched_process_ends();
}

/* exit() comes by here, _exit() and signals do not: that tells an end from a
 * crash.  Other threads may still run. */
__attribute__((destructor)) static void
end(void)
{
	const struct seam_thread *t = seam_self.thread;

	if (seam_arena && own_pid == (int32_t)seam_raw0(SYS_getpid))
		atomic_store(&seam_proc->exiting,
			     t ? seam_thread_index(t) + 1 : UINT32_MAX);
	seam_process_ending();
}

static struct seam_proc *
claim_proc(void)
{
	uint32_t i, n;

	for (i = 0; i < SEAM_MAX_PROCS; i++) {
		struct seam_proc *p = &seam_arena->proc[i];
		uint32_t none = SEAM_PROC_NONE;

		if (!atomic_compare_exchange_strong(&p->state, &none,
						    SEAM_PROC_CLAIMED))
			continue;
		n = atomic_load(&seam_arena->head.procs);
		while (n < i + 1 &&
		       !atomic_compare_exchange_weak(&seam_arena->head.procs,
						     &n, i + 1))
			;
		return p;
	}
	atomic_fetch_add(&seam_arena->head.procs_lost, 1);
	return NULL;
}

/* The session has no room for this process: it runs on alone. */
static void
detach(void)
{
	(void)mmap(&seam_gate, sizeof(seam_gate), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	seam_arena = NULL;
	seam_self = (struct seam_self){ 0 };
}

static void
wait_for_ack(uint32_t wanted)
{
	uint64_t until = seam_nanoseconds() + (uint64_t)SEAM_ACK_MS * 1000000;
	uint32_t ack;

	seam_door();
	while ((int32_t)((ack = atomic_load(&seam_proc->ack)) - wanted) < 0 &&
	       seam_alive()) {
		if (seam_nanoseconds() > until) {
			seam_say("the controller does not answer: going on");
			return;
		}
		seam_futex_wait_ms(&seam_proc->ack, ack, 200);
	}
}

void
seam_fork_begins(void)
{
	if (seam_scheduled())
		seam_sched_forks();
}

void
seam_fork_ends(int32_t pid)
{
	if (seam_scheduled())
		seam_sched_forked(pid);
}

/* From then on the controller follows it, or does not want it. */
static void
join(struct seam_proc *p)
{
	atomic_store(&p->wants, 1);
	atomic_store(&p->state, SEAM_PROC_JOINING);
	wait_for_ack(1);
	end_if_unwanted();
}

void
seam_child_attach(void)
{
	struct seam_proc *parent = seam_proc, *p;
	int32_t pid = (int32_t)seam_raw0(SYS_getpid);
	int saved = errno;

	if (!seam_arena || pid == own_pid)
		return;
	own_pid = pid;
	end_if_unwanted();
	if (!seam_alive_hint() || !(p = claim_proc())) {
		detach();
		return;
	}
	p->pid = pid;
	p->parent = (uint32_t)(parent - seam_arena->proc) + 1;
	p->ordinal = atomic_fetch_add(&parent->children, 1) + 1;
	snprintf(p->path, sizeof(p->path), "%.50s.%u", parent->path,
		 p->ordinal);
	seam_proc = p;
	/* The parent's gate page is mapped here: take our own.  An old size
	 * of 0 makes a second mapping of shared pages, without a descriptor. */
	if (mremap(&p->gate, 0, sizeof(seam_gate),
		   MREMAP_MAYMOVE | MREMAP_FIXED, &seam_gate) == MAP_FAILED) {
		p->gateless = 1;
		join(p);
		detach();
		errno = saved;
		return;
	}
	look_for_controller();
	seam_thread_adopt_main();
	seam_self.busy++;
	seam_objects_inherit(parent);
	join(p);
	seam_self.busy--;
	if (seam_scheduled() && !seam_raw0(SYS_getppid)) {
		seam_sched_child_leaves();
		detach();
	} else if (seam_scheduled()) {
		seam_sched_child_attached();
	} else {
		seam_thread_main_begins();
	}
	errno = saved;
}

void
seam_process_again(void)
{
	own_pid = (int32_t)seam_raw0(SYS_getpid);
	seam_proc->pid = own_pid;
	if (seam_self.thread)
		seam_self.thread->tid = (int32_t)seam_raw0(SYS_gettid);
}

bool
seam_in_vfork(void)
{
	return own_pid && (int32_t)seam_raw0(SYS_getpid) != own_pid;
}

void
seam_modules_changed(void)
{
	int saved = errno;
	uint32_t wanted;

	if (!seam_arena || !seam_alive_hint())
		return;
	atomic_fetch_add(&seam_proc->maps, 1);
	if (seam_scheduled())
		seam_sobjects_modules();
	wanted = atomic_fetch_add(&seam_proc->wants, 1) + 1;
	wait_for_ack(wanted);
	errno = saved;
}

void
seam_count_raw_futex(void)
{
	if (seam_arena)
		atomic_fetch_add(&seam_proc->raw_futex, 1);
}
