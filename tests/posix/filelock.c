/* SPDX-License-Identifier: MIT */
/* File locks: fcntl's, those of open files, flock, lockf; what drops them. */
#include "promise.h"

#include <sys/file.h>

static char path[] = "/tmp/seam-posix-XXXXXX";

static struct flock
range(short type, off_t start, off_t len)
{
	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = start,
			       .l_len = len };
}

static int
set(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock f = range(type, start, len);

	return fcntl(fd, cmd, &f);
}

/* In a child, which has none of our locks: errno, or 0. */
struct ask {
	int cmd;
	short type;
	off_t start, len;
};

static int
child_sets(void *arg)
{
	const struct ask *a = arg;
	int fd = open(path, O_RDWR);

	return set(fd, a->cmd, a->type, a->start, a->len) == 0 ? 0 : errno;
}

static int
child(short type, off_t start, off_t len)
{
	struct ask a = { F_SETLK, type, start, len };

	return in_child(child_sets, &a);
}

/* Who is in the way of a child: 0 if nobody, 1 if its parent, with which
 * range. */
static int
child_gets(void *arg)
{
	const struct ask *a = arg;
	struct flock f = range(a->type, a->start, a->len);

	if (fcntl(open(path, O_RDWR), F_GETLK, &f) != 0)
		return 100;
	if (f.l_type == F_UNLCK)
		return f.l_start == a->start && f.l_len == a->len ? 0 : 101;
	return f.l_pid == getppid() && f.l_whence == SEEK_SET ?
		   (f.l_type == F_WRLCK ? 50 : 0) + (int)f.l_start +
		       (int)f.l_len :
		   102;
}

static int
asked(short type, off_t start, off_t len)
{
	struct ask a = { 0, type, start, len };

	return in_child(child_gets, &a);
}

static void
records(int fd)
{
	gives("fcntl F_SETLK write", set(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	gives("fcntl F_SETLK own again", set(fd, F_SETLK, F_WRLCK, 5, 10), 0);
	is_error("fcntl F_SETLK of another's", child(F_WRLCK, 14, 1), EAGAIN);
	is_error("fcntl F_SETLK read of another's write", child(F_RDLCK, 0, 1),
		 EAGAIN);
	is_error("fcntl F_SETLK beside another's", child(F_WRLCK, 15, 1), 0);
	is("fcntl F_GETLK: type, start, length, owner", asked(F_WRLCK, 3, 1),
	   50 + 0 + 15);
	is("fcntl F_GETLK: nobody", asked(F_WRLCK, 20, 5), 0);
	gives("fcntl F_SETLK down to read", set(fd, F_SETLK, F_RDLCK, 0, 15),
	      0);
	is_error("fcntl F_SETLK read beside a read", child(F_RDLCK, 0, 1), 0);
	is_error("fcntl F_SETLK write of a read", child(F_WRLCK, 0, 1), EAGAIN);
	is("fcntl F_GETLK: a read lock", asked(F_WRLCK, 0, 0), 15);
	gives("fcntl F_SETLK unlock a part", set(fd, F_SETLK, F_UNLCK, 5, 5),
	      0);
	is_error("fcntl F_SETLK in the hole", child(F_WRLCK, 5, 5), 0);
	is_error("fcntl F_SETLK past the hole", child(F_WRLCK, 5, 6), EAGAIN);
	gives("fcntl F_SETLK unlock all", set(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	gives("fcntl F_SETLK unlock nothing", set(fd, F_SETLK, F_UNLCK, 0, 0),
	      0);
	gives("fcntl F_SETLKW free", set(fd, F_SETLKW, F_WRLCK, 0, 0), 0);
	is_error("fcntl F_SETLK, up to the end", child(F_RDLCK, 1000000, 1),
		 EAGAIN);
	gives("fcntl64 F_SETLKW unlock", set(fd, F_SETLKW, F_UNLCK, 0, 0), 0);
}

static void
refused(int fd)
{
	int ro = open(path, O_RDONLY), wo = open(path, O_WRONLY);
	struct flock f = range(F_WRLCK, 0, 1);

	fails("fcntl F_SETLK, no descriptor", set(-1, F_SETLK, F_WRLCK, 0, 1),
	      EBADF);
	fails("fcntl F_SETLK write, open for reading",
	      set(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
	fails("fcntl F_SETLK read, open for writing",
	      set(wo, F_SETLK, F_RDLCK, 0, 1), EBADF);
	fails("fcntl F_SETLK, bad type", set(fd, F_SETLK, 77, 0, 1), EINVAL);
	fails("fcntl F_SETLK, before the beginning",
	      set(fd, F_SETLK, F_WRLCK, -5, 1), EINVAL);
	f.l_whence = 9;
	fails("fcntl F_SETLK, bad whence", fcntl(fd, F_SETLK, &f), EINVAL);
	fails("fcntl F_SETLK, no struct", fcntl(fd, F_SETLK, NULL), EFAULT);
	fails("fcntl, no such command", fcntl(fd, 7777, 0), EINVAL);
	gives("fcntl F_GETFD", fcntl(fd, F_GETFD), 0);
	gives("fcntl F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	gives("fcntl F_GETFD again", fcntl(fd, F_GETFD), FD_CLOEXEC);
	is("fcntl F_DUPFD", fcntl(fd, F_DUPFD, 200), 200);
	gives("close a duplicate", close(200), 0);
	f = range(F_WRLCK, 0, 1);
	f.l_pid = 1;
	fails("fcntl F_OFD_SETLK, l_pid not 0", fcntl(fd, F_OFD_SETLK, &f),
	      EINVAL);
	close(ro);
	close(wo);
}

/* Locks of open files: between two opens of one process. */
static void
open_files(int fd)
{
	int other = open(path, O_RDWR);
	int same = dup(fd);
	struct flock f = range(F_WRLCK, 0, 5);

	gives("OFD write", set(fd, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	fails("OFD write of another open's",
	      set(other, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	gives("OFD write by a duplicate",
	      set(same, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	is("OFD F_OFD_GETLK", fcntl(other, F_OFD_GETLK, &f), 0);
	is("OFD F_OFD_GETLK: owner, type and range",
	   f.l_pid * 1000 + (f.l_type == F_WRLCK) * 100 + f.l_len, -890);
	is_error("OFD against a process's", child(F_WRLCK, 0, 1), EAGAIN);
	gives("OFD close a duplicate", close(same), 0);
	fails("OFD stays after that", set(other, F_OFD_SETLK, F_WRLCK, 5, 10),
	      EAGAIN);
	gives("OFD unlock", set(fd, F_OFD_SETLKW, F_UNLCK, 0, 0), 0);
	gives("OFD F_OFD_SETLKW free", set(other, F_OFD_SETLKW, F_WRLCK, 5, 10),
	      0);
	gives("OFD close drops it", close(other), 0);
	gives("OFD write again", set(fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
	gives("OFD unlock again", set(fd, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
}

static void
flocks(int fd)
{
	int other = open(path, O_RDWR), same = dup(fd);

	gives("flock exclusive", flock(fd, LOCK_EX), 0);
	fails("flock exclusive by another open",
	      flock(other, LOCK_EX | LOCK_NB), EAGAIN);
	fails("flock shared by another open", flock(other, LOCK_SH | LOCK_NB),
	      EAGAIN);
	gives("flock by a duplicate", flock(same, LOCK_EX | LOCK_NB), 0);
	gives("flock down to shared", flock(fd, LOCK_SH), 0);
	gives("flock shared by two", flock(other, LOCK_SH | LOCK_NB), 0);
	fails("flock up, two share", flock(fd, LOCK_EX | LOCK_NB), EAGAIN);
	/* A failed conversion has let the old lock go. */
	gives("flock unlock by a duplicate", flock(same, LOCK_UN), 0);
	gives("flock up, alone", flock(other, LOCK_EX | LOCK_NB), 0);
	gives("flock close drops it", close(other), 0);
	gives("flock after the close", flock(fd, LOCK_EX | LOCK_NB), 0);
	gives("flock unlock", flock(fd, LOCK_UN), 0);
	gives("flock unlock, not locked", flock(fd, LOCK_UN), 0);
	fails("flock, no descriptor", flock(-1, LOCK_EX), EBADF);
	fails("flock, no operation", flock(fd, 0), EINVAL);
	fails("flock, two operations", flock(fd, LOCK_SH | LOCK_EX), EINVAL);
	close(same);
}

static int
child_locks(void *arg)
{
	const struct ask *a = arg;
	int fd = open(path, O_RDWR);

	lseek(fd, a->start, SEEK_SET);
	return lockf(fd, a->cmd, a->len) == 0 ? 0 : errno;
}

static int
child_lockf(int cmd, off_t start, off_t len)
{
	struct ask a = { cmd, 0, start, len };

	return in_child(child_locks, &a);
}

static void
lockfs(int fd)
{
	lseek(fd, 10, SEEK_SET);
	gives("lockf F_LOCK", lockf(fd, F_LOCK, 5), 0);
	gives("lockf F_TEST own", lockf(fd, F_TEST, 5), 0);
	is_error("lockf F_TEST of another's", child_lockf(F_TEST, 12, 1),
		 EACCES);
	is_error("lockf F_TLOCK of another's", child_lockf(F_TLOCK, 12, 1),
		 EAGAIN);
	is_error("lockf F_TEST beside another's", child_lockf(F_TEST, 15, 5),
		 0);
	is_error("lockf F_TLOCK, backwards", child_lockf(F_TLOCK, 12, -5),
		 EAGAIN);
	is_error("lockf F_TLOCK beside another's", child_lockf(F_TLOCK, 0, 10),
		 0);
	gives("lockf F_ULOCK", lockf(fd, F_ULOCK, 5), 0);
	gives("lockf64 F_TLOCK to the end", lockf64(fd, F_TLOCK, 0), 0);
	is_error("lockf64 F_TLOCK of another's", child_lockf(F_TLOCK, 99, 1),
		 EAGAIN);
	gives("lockf64 F_ULOCK", lockf64(fd, F_ULOCK, 0), 0);
	fails("lockf, no descriptor", lockf(-1, F_LOCK, 1), EBADF);
	fails("lockf, no such command", lockf(fd, 99, 1), EINVAL);
	lseek(fd, 0, SEEK_SET);
}

/* Two processes and two bytes: the one that comes last is refused.  Pipes
 * tell who has what. */
static int
takes_both(int go, int done, off_t first, off_t second)
{
	int fd = open(path, O_RDWR);
	char c = 0;

	must(set(fd, F_SETLK, F_WRLCK, first, 1) != 0);
	must(write(done, &c, 1) != 1);
	must(read(go, &c, 1) != 1);
	int error = set(fd, F_SETLKW, F_WRLCK, second, 1) == 0 ? 0 : errno;
	set(fd, F_SETLK, F_UNLCK, 0, 0);
	return error;
}

static void
deadlock(int fd)
{
	int go[2], done[2], status;
	char c = 0;

	must(pipe(go) != 0 || pipe(done) != 0);
	must(set(fd, F_SETLK, F_WRLCK, 0, 1) != 0);
	pid_t pid = fork();
	must(pid < 0);
	if (pid == 0)
		_exit(takes_both(go[0], done[1], 1, 0));
	must(read(done[0], &c, 1) != 1);
	must(write(go[1], &c, 1) != 1);
	errno = 0;
	/* Whoever of the two comes last, one of them is told. */
	int mine = set(fd, F_SETLKW, F_WRLCK, 1, 1) == 0 ? 0 : errno;
	set(fd, F_SETLK, F_UNLCK, 0, 0);
	waitpid(pid, &status, 0);
	int theirs = WEXITSTATUS(status);
	is_error("fcntl F_SETLKW: of two that want each other's, one",
		 mine ? mine : theirs, EDEADLK);
	is("and not both", mine && theirs, 0);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(done[i]);
	}
}

static int
has_none(void *fd)
{
	return set((int)(long)fd, F_SETLK, F_WRLCK, 0, 1) == 0 ? 0 : errno;
}

static int
shares(void *fd)
{
	return flock((int)(long)fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

static void
forks(int fd)
{
	set(fd, F_SETLK, F_WRLCK, 0, 1);
	is_error("fcntl: a child has not its parent's",
		 in_child(has_none, RESULT(fd)), EAGAIN);
	set(fd, F_SETLK, F_UNLCK, 0, 1);
	flock(fd, LOCK_EX);
	is_error("flock: a child has its parent's",
		 in_child(shares, RESULT(fd)), 0);
	flock(fd, LOCK_UN);
}

/* Every way to close any descriptor of the file lets fcntl's locks go. */
static void
dropped(const char *name, int error)
{
	is_error(name, child(F_WRLCK, 0, 1), error);
}

static void
closing(int fd)
{
	int other = open(path, O_RDWR), null = open("/dev/null", O_RDWR);

	set(fd, F_SETLK, F_WRLCK, 0, 0);
	dropped("before the close", EAGAIN);
	gives("close of another descriptor", close(other), 0);
	dropped("close drops them", 0);

	other = open(path, O_RDWR);
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	gives("dup2", dup2(null, other), other);
	dropped("dup2 drops them", 0);
	gives("dup2 of itself", dup2(other, other), other);
	fails("dup2, no descriptor", dup2(-1, other), EBADF);
	fails("dup3 of itself", dup3(other, other, 0), EINVAL);
	close(other);

	other = open(path, O_RDWR);
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	fails("dup2 from none closes nothing", dup2(-1, other), EBADF);
	dropped("dup2 from none drops nothing", EAGAIN);
	gives("dup3", dup3(null, other, O_CLOEXEC), other);
	dropped("dup3 drops them", 0);
	close(other);
	close(null);
	fails("close, no descriptor", close(-1), EBADF);
	fails("close twice", close(other), EBADF);
}

static int
closed_high(void *arg)
{
	(void)arg;
	return set(100, F_SETLK, F_WRLCK, 0, 1) == 0 ? 0 : errno;
}

static void
closing_more(int fd)
{
	must(dup2(fd, 100) != 100);
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	gives("close_range", close_range(100, 200, 0), 0);
	dropped("close_range drops them", 0);
	is_error("close_range has closed it", closed_high(NULL), EBADF);
	fails("close_range, backwards", close_range(200, 100, 0), EINVAL);
	must(dup2(fd, 100) != 100);
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	gives("close_range, for exec only",
	      close_range(100, 200, CLOSE_RANGE_CLOEXEC), 0);
	dropped("which drops nothing", EAGAIN);
	closefrom(100);
	dropped("closefrom drops them", 0);

	FILE *f = fopen(path, "r+");
	must(f == NULL);
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	gives("fclose", fclose(f), 0);
	dropped("fclose drops them", 0);
	f = fopen(path, "r+");
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	is("freopen", freopen("/dev/null", "r", f) == f, 1);
	dropped("freopen drops them", 0);
	fclose(f);
	f = fopen(path, "r+");
	set(fd, F_SETLK, F_WRLCK, 0, 0);
	is("freopen64", freopen64("/dev/null", "r", f) == f, 1);
	dropped("freopen64 drops them", 0);
	is("freopen, no such file", freopen("/no/where", "r", f) == NULL, 1);
}

static int
ends_locked(void *arg)
{
	(void)arg;
	return set(open(path, O_RDWR), F_SETLK, F_WRLCK, 0, 0);
}

int
main(void)
{
	int fd = mkstemp(path);

	must(fd < 0);
	records(fd);
	refused(fd);
	open_files(fd);
	flocks(fd);
	lockfs(fd);
	deadlock(fd);
	forks(fd);
	closing(fd);
	closing_more(fd);
	is("a process's end", in_child(ends_locked, NULL), 0);
	dropped("drops them", 0);
	unlink(path);
	return broken;
}
