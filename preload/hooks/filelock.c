/* SPDX-License-Identifier: MIT */
/*
 * File locks: fcntl's (per process, and OFD), lockf's, flock's; and the
 * calls that close a descriptor, which drops them.
 *
 * On x86-64 struct flock is struct flock64, and fcntl64 and lockf64 are
 * fcntl and lockf under other names: both pass through the same functions
 * here.  The file itself is found by the gate from c->fd.
 */
#include <stdarg.h>
#include <sys/stat.h>

#include "hooks.h"

_Static_assert(sizeof(struct flock) == sizeof(struct flock64), "off_t");

/* EACCES and EAGAIN both say that somebody else has the lock. */
static int
busy_error(int saved, int result)
{
	int error = seam_try_error(saved, result);

	return error == EACCES ? EAGAIN : error;
}

/* Fills in an absolute range; false: the real call will say what is wrong. */
static bool
range(struct seam_call *c, int whence, off64_t start, off64_t len)
{
	off64_t base = 0;
	int saved = errno;

	if (whence == SEEK_CUR) {
		base = lseek64(c->fd, 0, SEEK_CUR);
	} else if (whence == SEEK_END) {
		struct stat64 st;
		base = fstat64(c->fd, &st) == 0 ? st.st_size : -1;
	} else if (whence != SEEK_SET) {
		base = -1;
	}
	errno = saved;
	if (base < 0 || __builtin_add_overflow(base, start, &start))
		return false;
	if (len < 0) {
		if (__builtin_add_overflow(start, len, &start))
			return false;
		len = -len;
	}
	c->off = (uint64_t)start;
	c->len = (uint64_t)len;
	return start >= 0;
}

/* Of an armed family: the gate may still have nothing to do with this. */
static bool
unmatched(const struct seam_call *c)
{
	return seam_unmatched(c->verb, 0, c->site);
}

/* fcntl */

static int
real_fcntl(struct seam_call *c)
{
	return seam_error(
	    seam_real.fcntl64(c->fd, (int)c->arg[0], seam_ptr(c->arg[1])));
}

static int
try_fcntl(struct seam_call *c)
{
	int saved = errno;
	int cmd = c->arg[0] == F_SETLKW ? F_SETLK : F_OFD_SETLK;

	return busy_error(saved,
			  seam_real.fcntl64(c->fd, cmd, seam_ptr(c->arg[1])));
}

/* Describes the command; false: not one about locks, or not a sound one. */
static bool
describe_fcntl(struct seam_call *c, int cmd, const struct flock64 *l)
{
	switch (cmd) {
	case F_SETLK:
	case F_OFD_SETLK:
		c->verb = SEAM_FCNTL_SETLK;
		break;
	case F_SETLKW:
	case F_OFD_SETLKW:
		c->verb = SEAM_FCNTL_SETLKW;
		c->cancel = true;
		c->eintr = true;
		c->try = try_fcntl;
		break;
	case F_GETLK:
	case F_OFD_GETLK:
		c->verb = SEAM_FCNTL_GETLK;
		break;
	default:
		return false;
	}
	if (l == NULL || !range(c, l->l_whence, l->l_start, l->l_len))
		return false;
	if (l->l_type == F_UNLCK && c->verb != SEAM_FCNTL_GETLK) {
		c->verb = SEAM_FILE_UNLOCK;
		c->try = NULL;
		return true;
	}
	c->mode = l->l_type == F_RDLCK ? 'r' : 'w';
	return l->l_type == F_RDLCK || l->l_type == F_WRLCK;
}

static int
armed_fcntl(enum seam_fn fn, int fd, int cmd, void *arg, uint64_t site)
{
	struct seam_call c = {
		.fn = (uint16_t)fn,
		.site = site,
		.fd = fd,
		.busy = EAGAIN,
		.arg = { (uint64_t)cmd, seam_word(arg) },
		.real = real_fcntl,
	};
	if (!describe_fcntl(&c, cmd, arg) || unmatched(&c)) {
		seam_ready();
		return seam_real.fcntl64(fd, cmd, arg);
	}
	if (c.cancel)
		pthread_testcancel();
	return seam_errno(seam_gate_call(&c));
}

/* Whatever the argument is, it travels in one register. */
#define FCNTL_HOOK(function)                                                   \
	SEAM_EXPORT int function(int fd, int cmd, ...)                         \
	{                                                                      \
		va_list ap;                                                    \
		va_start(ap, cmd);                                             \
		void *arg = va_arg(ap, void *);                                \
		va_end(ap);                                                    \
		if (SEAM_PASSIVE(FCNTL_SETLK))                                 \
			return seam_real.function(fd, cmd, arg);               \
		return armed_fcntl(SEAM_FN_##function, fd, cmd, arg,           \
				   SEAM_SITE);                                 \
	}

FCNTL_HOOK(fcntl)
FCNTL_HOOK(fcntl64)

/* lockf */

static int
real_lockf(struct seam_call *c)
{
	return seam_error(
	    seam_real.lockf64(c->fd, (int)c->arg[0], (off64_t)c->arg[1]));
}

static int
try_lockf(struct seam_call *c)
{
	int saved = errno;

	return busy_error(saved, seam_real.lockf64(c->fd, F_TLOCK,
						   (off64_t)c->arg[1]));
}

static bool
describe_lockf(struct seam_call *c, int cmd, off64_t len)
{
	c->mode = 'w';
	switch (cmd) {
	case F_LOCK:
		c->verb = SEAM_LOCKF_LOCK;
		c->cancel = true;
		c->eintr = true;
		c->try = try_lockf;
		break;
	case F_TEST:
		c->busy = EACCES;
		/* fallthrough */
	case F_TLOCK:
		c->verb = SEAM_LOCKF_TRYLOCK;
		break;
	case F_ULOCK:
		c->verb = SEAM_FILE_UNLOCK;
		c->mode = 0;
		break;
	default:
		return false;
	}
	return range(c, SEEK_CUR, 0, len);
}

static int
armed_lockf(enum seam_fn fn, int fd, int cmd, off64_t len, uint64_t site)
{
	struct seam_call c = {
		.fn = (uint16_t)fn,
		.site = site,
		.fd = fd,
		.busy = EAGAIN,
		.arg = { (uint64_t)cmd, (uint64_t)len },
		.real = real_lockf,
	};
	if (!describe_lockf(&c, cmd, len) || unmatched(&c)) {
		seam_ready();
		return seam_real.lockf64(fd, cmd, len);
	}
	if (c.cancel)
		pthread_testcancel();
	return seam_errno(seam_gate_call(&c));
}

SEAM_EXPORT int
lockf(int fd, int cmd, off_t len)
{
	if (SEAM_PASSIVE(LOCKF_LOCK))
		return seam_real.lockf(fd, cmd, len);
	return armed_lockf(SEAM_FN_lockf, fd, cmd, len, SEAM_SITE);
}

SEAM_EXPORT int
lockf64(int fd, int cmd, off64_t len)
{
	if (SEAM_PASSIVE(LOCKF_LOCK))
		return seam_real.lockf64(fd, cmd, len);
	return armed_lockf(SEAM_FN_lockf64, fd, cmd, len, SEAM_SITE);
}

/* flock: no cancellation point */

static int
real_flock(struct seam_call *c)
{
	return seam_error(seam_real.flock(c->fd, (int)c->arg[0]));
}

static int
try_flock(struct seam_call *c)
{
	int saved = errno;

	return seam_try_error(saved,
			      seam_real.flock(c->fd, (int)c->arg[0] | LOCK_NB));
}

SEAM_EXPORT int
flock(int fd, int operation)
{
	if (SEAM_PASSIVE(FLOCK_LOCK))
		return seam_real.flock(fd, operation);
	struct seam_call c = SEAM_CALL(flock, FLOCK_LOCK, NULL);
	c.fd = fd;
	c.busy = EAGAIN;
	c.eintr = true;
	c.arg[0] = (uint64_t)operation;
	c.real = real_flock;
	if (operation & LOCK_UN)
		c.verb = SEAM_FILE_UNLOCK;
	else
		c.mode = operation & LOCK_EX ? 'w' : 'r';
	if (c.mode != 0 && operation & LOCK_NB)
		c.verb = SEAM_FLOCK_TRYLOCK;
	if (c.verb == SEAM_FLOCK_LOCK)
		c.try = try_flock;
	return seam_errno(seam_gate_call(&c));
}

/*
 * Closing any descriptor of a file drops the process's fcntl locks on it.
 * These are frequent, async-signal-safe, and called by vfork children, which
 * are none of the gate's business.
 */
static int
drop(struct seam_call *c)
{
	seam_ready();
	int error = seam_in_vfork() ? c->real(c) : seam_gate_call(c);
	return error != 0 ? seam_errno(error) : c->value;
}

static int
real_close(struct seam_call *c)
{
	return seam_error(seam_real.close(c->fd));
}

SEAM_EXPORT int
close(int fd)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.close(fd);
	struct seam_call c = SEAM_CALL(close, FILE_CLOSE, NULL);
	c.fd = fd;
	c.cancel = true;
	c.real = real_close;
	return drop(&c);
}

/* dup2 and dup3 close `fd`, if that is open and not the one duplicated. */
static bool
is_dropped(int old, int fd)
{
	int saved = errno;
	bool is_open = seam_real.fcntl64(fd, F_GETFD) >= 0;

	errno = saved;
	return is_open && fd != old;
}

static int
real_dup2(struct seam_call *c)
{
	c->value = seam_real.dup2((int)c->arg[0], c->fd);
	return seam_error(c->value);
}

SEAM_EXPORT int
dup2(int old, int fd)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.dup2(old, fd);
	struct seam_call c = SEAM_CALL(dup2, FILE_CLOSE, NULL);
	c.fd = fd;
	c.arg[0] = (uint64_t)old;
	c.real = real_dup2;
	seam_ready();
	if (!is_dropped(old, fd))
		return seam_real.dup2(old, fd);
	return drop(&c);
}

static int
real_dup3(struct seam_call *c)
{
	c->value = seam_real.dup3((int)c->arg[0], c->fd, (int)c->arg[1]);
	return seam_error(c->value);
}

SEAM_EXPORT int
dup3(int old, int fd, int flags)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.dup3(old, fd, flags);
	struct seam_call c = SEAM_CALL(dup3, FILE_CLOSE, NULL);
	c.fd = fd;
	c.arg[0] = (uint64_t)old;
	c.arg[1] = (uint64_t)flags;
	c.real = real_dup3;
	seam_ready();
	if (!is_dropped(old, fd))
		return seam_real.dup3(old, fd, flags);
	return drop(&c);
}

static int
real_close_range(struct seam_call *c)
{
	return seam_error(seam_real.close_range((unsigned)c->arg[0],
						(unsigned)c->arg[1],
						(int)c->arg[2]));
}

SEAM_EXPORT int
close_range(unsigned first, unsigned last, int flags)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.close_range(first, last, flags);
	struct seam_call c = SEAM_CALL(close_range, FILE_CLOSE, NULL);
	c.fd = -1;
	c.arg[0] = first;
	c.arg[1] = last;
	c.arg[2] = (uint64_t)flags;
	c.real = real_close_range;
	seam_ready();
	if ((unsigned)flags & CLOSE_RANGE_CLOEXEC)
		return seam_real.close_range(first, last, flags);
	return drop(&c);
}

static int
real_closefrom(struct seam_call *c)
{
	seam_real.closefrom((int)c->arg[0]);
	return 0;
}

SEAM_EXPORT void
closefrom(int first)
{
	if (SEAM_PASS(FILE_CLOSE, NULL)) {
		seam_real.closefrom(first);
		return;
	}
	struct seam_call c = SEAM_CALL(closefrom, FILE_CLOSE, NULL);
	c.fd = -1;
	c.arg[0] = (uint64_t)first;
	c.arg[1] = ~0u;
	c.real = real_closefrom;
	drop(&c);
}

static int
real_fclose(struct seam_call *c)
{
	return seam_error(seam_real.fclose(seam_ptr(c->arg[0])));
}

/* A stream without a descriptor (fmemopen) closes nothing. */
SEAM_EXPORT int
fclose(FILE *f)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.fclose(f);
	struct seam_call c = SEAM_CALL(fclose, FILE_CLOSE, NULL);
	int saved = errno;
	c.fd = fileno(f);
	errno = saved;
	c.cancel = true;
	c.arg[0] = seam_word(f);
	c.real = real_fclose;
	seam_ready();
	return c.fd >= 0 ? drop(&c) : seam_real.fclose(f);
}

/* What it had is closed, even if nothing new can be opened. */
static int
real_freopen(struct seam_call *c)
{
	__typeof__(&freopen) real = c->fn == SEAM_FN_freopen64 ?
					seam_real.freopen64 :
					seam_real.freopen;

	c->arg[0] = seam_word(real(seam_ptr(c->arg[0]), seam_ptr(c->arg[1]),
				   seam_ptr(c->arg[2])));
	return 0;
}

static FILE *
reopen(struct seam_call *c, const char *path, const char *mode, FILE *f)
{
	int saved = errno;

	c->fd = fileno(f);
	errno = saved;
	c->arg[0] = seam_word(path);
	c->arg[1] = seam_word(mode);
	c->arg[2] = seam_word(f);
	c->cancel = true;
	c->real = real_freopen;
	seam_ready();
	if (c->fd >= 0)
		drop(c);
	else
		real_freopen(c);
	return seam_ptr(c->arg[0]);
}

SEAM_EXPORT FILE *
freopen(const char *path, const char *mode, FILE *f)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.freopen(path, mode, f);
	struct seam_call c = SEAM_CALL(freopen, FILE_CLOSE, NULL);
	return reopen(&c, path, mode, f);
}

SEAM_EXPORT FILE *
freopen64(const char *path, const char *mode, FILE *f)
{
	if (SEAM_PASS(FILE_CLOSE, NULL))
		return seam_real.freopen64(path, mode, f);
	struct seam_call c = SEAM_CALL(freopen64, FILE_CLOSE, NULL);
	return reopen(&c, path, mode, f);
}
