/* SPDX-License-Identifier: MIT */
/*
 * Processes: fork and friends, exec, posix_spawn, system, popen.
 *
 * Children join the session by their environment, so every call that takes
 * one gets it completed, in memory of the caller's stack.  A vfork child
 * shares our memory and may only do that, and write to the arena which
 * program it becomes: it does not ask the gate.
 *
 * None of these is frequent, so none has a passive way out: environments are
 * completed and children attached whatever is armed.
 */
#include <alloca.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "hooks.h"

static char *const empty[] = { NULL };

/* fork */

/* The child comes by, too: as another process, with entries of its own. */
static pid_t
fork_by(struct seam_call *c)
{
	c->value = -1;
	seam_ready();
	int error = seam_gate_before(c);
	if (error != 0)
		return seam_errno(error);
	seam_fork_begins();
	error = c->real(c);
	int saved = errno;
	if (c->value == 0) {
		seam_child_attach();
	} else {
		seam_fork_ends(c->value);
		seam_gate_after(c, error);
	}
	errno = saved;
	return c->value;
}

static int
real_fork(struct seam_call *c)
{
	c->value = seam_real.fork();
	return seam_error(c->value);
}

SEAM_EXPORT pid_t
fork(void)
{
	struct seam_call c = SEAM_CALL(fork, PROCESS_FORK, NULL);

	c.real = real_fork;
	return fork_by(&c);
}

static int
real__Fork(struct seam_call *c)
{
	c->value = seam_real._Fork();
	return seam_error(c->value);
}

SEAM_EXPORT pid_t
_Fork(void)
{
	struct seam_call c = SEAM_CALL(_Fork, PROCESS_FORK, NULL);

	c.real = real__Fork;
	return fork_by(&c);
}

static int
real_forkpty(struct seam_call *c)
{
	c->value = seam_real.forkpty(seam_ptr(c->arg[0]), seam_ptr(c->arg[1]),
				     seam_ptr(c->arg[2]), seam_ptr(c->arg[3]));
	return seam_error(c->value);
}

SEAM_EXPORT int
forkpty(int *master, char *name, const struct termios *termp,
	const struct winsize *winp)
{
	struct seam_call c = SEAM_CALL(forkpty, PROCESS_FORK, NULL);

	c.arg[0] = seam_word(master);
	c.arg[1] = seam_word(name);
	c.arg[2] = seam_word(termp);
	c.arg[3] = seam_word(winp);
	c.real = real_forkpty;
	return fork_by(&c);
}

/* Returns in the child only, whatever came of the rest there, except when it
 * could not fork. */
static int
real_daemon(struct seam_call *c)
{
	pid_t before = getpid();
	int result = seam_real.daemon((int)c->arg[0], (int)c->arg[1]);
	int saved = errno;

	c->value = getpid() == before ? -1 : 0;
	c->arg[2] = (uint64_t)result;
	errno = saved;
	return seam_error(result);
}

static bool
is_null_device(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return true;
	errno = ENODEV;
	return false;
}

static int
onto_null_device(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return -1;
	bool right = is_null_device(fd);
	int saved = errno;
	for (int to = 0; right && to < 3; to++)
		dup2(fd, to);
	if (fd > 2 || !right)
		close(fd);
	errno = saved;
	return right ? 0 : -1;
}

/* The C library's leaves by its own _exit, before its child is known: here
 * fork and _exit are steps. */
static int
scheduled_daemon(int nochdir, int noclose)
{
	pid_t pid = fork();

	if (pid > 0)
		_exit(0);
	if (pid < 0 || setsid() < 0)
		return -1;
	int unasked = nochdir ? 0 : chdir("/");
	(void)unasked;
	return noclose ? 0 : onto_null_device();
}

SEAM_EXPORT int
daemon(int nochdir, int noclose)
{
	if (seam_is_scheduled())
		return scheduled_daemon(nochdir, noclose);
	struct seam_call c = SEAM_CALL(daemon, PROCESS_FORK, NULL);

	c.arg[0] = (uint64_t)nochdir;
	c.arg[1] = (uint64_t)noclose;
	c.real = real_daemon;
	return fork_by(&c) < 0 ? -1 : (int)c.arg[2];
}

/* exec: c->fd is the directory, c->arg the arguments, the environment and the
 * flags */

static struct seam_call
exec_of(struct seam_call c, const char *path, char *const argv[],
	int (*real)(struct seam_call *))
{
	c.fd = AT_FDCWD;
	c.name = path;
	c.arg[0] = seam_word(argv);
	c.real = real;
	return c;
}

#define EXEC(function, path, argv, real)                                       \
	exec_of(SEAM_CALL(function, PROCESS_EXEC, NULL), path, argv, real)

static int
exec_by(struct seam_call *c, char *const env[])
{
	seam_ready();
	env = env != NULL ? env : empty;
	struct seam_env_need need = seam_env_need(env);
	char *space[need.pointers + 1], text[need.bytes + 1];
	c->arg[1] = seam_word(seam_env_complete(env, space, text));
	bool outside = seam_in_vfork();
	int error = outside ? 0 : seam_gate_before(c);
	if (error != 0)
		return seam_errno(error);
	uint32_t note = seam_exec_begins(c->fd, c->name);
	error = c->real(c);
	seam_exec_failed(note);
	if (!outside)
		seam_gate_after(c, error);
	return seam_errno(error);
}

static int
real_execve(struct seam_call *c)
{
	return seam_error(seam_real.execve(c->name, seam_ptr(c->arg[0]),
					   seam_ptr(c->arg[1])));
}

static int
real_execvpe(struct seam_call *c)
{
	return seam_error(seam_real.execvpe(c->name, seam_ptr(c->arg[0]),
					    seam_ptr(c->arg[1])));
}

static int
real_fexecve(struct seam_call *c)
{
	return seam_error(
	    seam_real.fexecve(c->fd, seam_ptr(c->arg[0]), seam_ptr(c->arg[1])));
}

static int
real_execveat(struct seam_call *c)
{
	return seam_error(
	    seam_real.execveat(c->fd, c->name, seam_ptr(c->arg[0]),
			       seam_ptr(c->arg[1]), (int)c->arg[2]));
}

SEAM_EXPORT int
execve(const char *path, char *const argv[], char *const env[])
{
	struct seam_call c = EXEC(execve, path, argv, real_execve);

	return exec_by(&c, env);
}

SEAM_EXPORT int
execv(const char *path, char *const argv[])
{
	struct seam_call c = EXEC(execv, path, argv, real_execve);

	return exec_by(&c, environ);
}

SEAM_EXPORT int
execvpe(const char *file, char *const argv[], char *const env[])
{
	struct seam_call c = EXEC(execvpe, file, argv, real_execvpe);

	return exec_by(&c, env);
}

SEAM_EXPORT int
execvp(const char *file, char *const argv[])
{
	struct seam_call c = EXEC(execvp, file, argv, real_execvpe);

	return exec_by(&c, environ);
}

SEAM_EXPORT int
fexecve(int fd, char *const argv[], char *const env[])
{
	struct seam_call c = EXEC(fexecve, NULL, argv, real_fexecve);

	/* Unlike the others it wants one. */
	if (env == NULL)
		return seam_errno(EINVAL);
	c.fd = fd;
	return exec_by(&c, env);
}

SEAM_EXPORT int
execveat(int fd, const char *path, char *const argv[], char *const env[],
	 int flags)
{
	struct seam_call c = EXEC(execveat, path, argv, real_execveat);

	c.fd = fd;
	c.arg[2] = (uint64_t)flags;
	return exec_by(&c, env);
}

/* How long a vector the list needs, its NULL included. */
static size_t
list_length(const char *first, va_list *ap)
{
	size_t n = 1;

	for (const char *arg = first; arg != NULL; n++)
		arg = va_arg(*ap, const char *);
	return n;
}

/* Leaves ap behind the list's NULL, where execle has its environment. */
static void
list_copy(char **argv, const char *first, va_list *ap)
{
	const char *arg = first;

	while ((*argv++ = seam_ptr(seam_word(arg))) != NULL)
		arg = va_arg(*ap, const char *);
}

/* Makes `argv`, on the stack, of a list which begins with `first`. */
#define ARGV_OF_LIST(argv, first, ap)                                          \
	va_start(ap, first);                                                   \
	char *argv[list_length(first, &ap)];                                   \
	va_end(ap);                                                            \
	va_start(ap, first);                                                   \
	list_copy(argv, first, &ap)

SEAM_EXPORT int
execl(const char *path, const char *first, ...)
{
	va_list ap;

	ARGV_OF_LIST(argv, first, ap);
	va_end(ap);
	struct seam_call c = EXEC(execl, path, argv, real_execve);
	return exec_by(&c, environ);
}

SEAM_EXPORT int
execlp(const char *file, const char *first, ...)
{
	va_list ap;

	ARGV_OF_LIST(argv, first, ap);
	va_end(ap);
	struct seam_call c = EXEC(execlp, file, argv, real_execvpe);
	return exec_by(&c, environ);
}

SEAM_EXPORT int
execle(const char *path, const char *first, ...)
{
	va_list ap;

	ARGV_OF_LIST(argv, first, ap);
	char *const *env = va_arg(ap, char *const *);
	va_end(ap);
	struct seam_call c = EXEC(execle, path, argv, real_execve);
	return exec_by(&c, env);
}

/* posix_spawn */

struct spawn {
	__typeof__(&posix_spawn) real;
	pid_t *pid;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attr;
	char *const *argv;
};

static int
spawn_by(struct seam_call *c, const struct spawn *s, char *const env[])
{
	env = env != NULL ? env : empty;
	struct seam_env_need need = seam_env_need(env);
	char *space[need.pointers + 1], text[need.bytes + 1];
	char **full = seam_env_complete(env, space, text);
	bool outside = seam_in_vfork();
	int error = outside ? 0 : seam_gate_before(c);
	if (error != 0)
		return error;
	pid_t pid = 0;
	error = s->real(&pid, c->name, s->actions, s->attr, s->argv, full);
	int saved = errno;
	if (error == 0) {
		if (s->pid != NULL)
			*s->pid = pid;
		seam_exec_spawned(pid, c->name);
	}
	if (!outside)
		seam_gate_after(c, error);
	errno = saved;
	return error;
}

#define SPAWN_HOOK(function)                                                   \
	SEAM_EXPORT int function(                                              \
	    pid_t *restrict pid, const char *restrict path,                    \
	    const posix_spawn_file_actions_t *restrict actions,                \
	    const posix_spawnattr_t *restrict attr,                            \
	    char *const argv[restrict], char *const env[restrict])             \
	{                                                                      \
		struct seam_call c = SEAM_CALL(function, PROCESS_SPAWN, NULL); \
		seam_ready();                                                  \
		struct spawn s = { seam_real.function, pid, actions, attr,     \
				   argv };                                     \
		c.name = path;                                                 \
		return spawn_by(&c, &s, env);                                  \
	}

SPAWN_HOOK(posix_spawn)
SPAWN_HOOK(posix_spawnp)

/*
 * system and popen take the environment from `environ`.  It lacks something
 * only when the program has removed it; then a completed copy is put there
 * for the time of the call.  Another thread's getenv may see it; one that
 * calls setenv or putenv meanwhile copies our vector to one of its own, and
 * wins: what is no longer ours is not taken back.  The copy is mapped, not
 * on the stack, because system may be cancelled and never come back here:
 * then it stays in place.
 */
struct lent_environ {
	char **own, **full;
	size_t size;
};

static void
lend_environ(struct lent_environ *e)
{
	char *const *env = environ != NULL ? environ : empty;
	struct seam_env_need need = seam_env_need(env);

	e->own = environ;
	e->size = need.pointers * sizeof(char *) + need.bytes;
	if (e->size == 0)
		return;
	void *space = mmap(NULL, e->size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (space == MAP_FAILED) {
		e->size = 0;
		return;
	}
	char **vector = space;
	e->full =
	    seam_env_complete(env, vector, (char *)(vector + need.pointers));
	environ = e->full;
}

static void
return_environ(const struct lent_environ *e)
{
	if (e->size == 0 || environ != e->full)
		return;
	environ = e->own;
	munmap(e->full, e->size);
}

static int
real_system(struct seam_call *c)
{
	c->value = seam_real.system(c->name);
	return seam_error(c->value);
}

static int
real_popen(struct seam_call *c)
{
	FILE *f = seam_real.popen(c->name, seam_ptr(c->arg[0]));

	c->arg[1] = seam_word(f);
	return f != NULL ? 0 : errno;
}

/* Returns the error number of a call that was not made or failed. */
static int
run_by(struct seam_call *c)
{
	struct lent_environ e = { 0 };

	seam_ready();
	int error = seam_gate_before(c);
	if (error != 0)
		return error;
	int saved = errno;
	lend_environ(&e);
	errno = saved;
	error = c->real(c);
	saved = errno;
	return_environ(&e);
	seam_gate_after(c, error);
	errno = saved;
	return error;
}

SEAM_EXPORT int
system(const char *command)
{
	struct seam_call c = SEAM_CALL(system, PROCESS_SPAWN, NULL);

	c.name = command;
	c.cancel = true;
	c.real = real_system;
	int error = run_by(&c);
	return error != 0 ? seam_errno(error) : c.value;
}

SEAM_EXPORT FILE *
popen(const char *command, const char *type)
{
	struct seam_call c = SEAM_CALL(popen, PROCESS_SPAWN, NULL);

	c.name = command;
	c.arg[0] = seam_word(type);
	c.real = real_popen;
	return seam_errno(run_by(&c)) == 0 ? seam_ptr(c.arg[1]) : NULL;
}

/* By waitpid, which the C library calls without passing us. */
static int
real_pclose(struct seam_call *c)
{
	c->value = seam_real.pclose(seam_ptr(c->arg[0]));
	return seam_error(c->value);
}

SEAM_EXPORT int
pclose(FILE *f)
{
	struct seam_call c = SEAM_CALL(pclose, PROCESS_WAIT, NULL);

	if (SEAM_PASSIVE(PROCESS_WAIT)) {
		seam_ready();
		return seam_real.pclose(f);
	}
	c.arg[0] = seam_word(f);
	c.cancel = true;
	c.real = real_pclose;
	int error = run_by(&c);
	return error != 0 ? seam_errno(error) : c.value;
}
