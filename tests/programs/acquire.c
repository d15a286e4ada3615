/* SPDX-License-Identifier: MIT */
/*
 * acquire KIND FORM [ATTR] [options]: one acquiring call, in a thread named
 * "worker", then the release.  What the call returned is printed by name.
 * Each call stands in a function of its own, on the line after its mark "at:".
 */
#include "victim.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/file.h>
#include <threads.h>

pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;
pthread_spinlock_t the_spin;
sem_t the_sem;
pthread_barrier_t the_barrier;
pthread_cond_t the_cond = PTHREAD_COND_INITIALIZER;
pthread_once_t the_once = PTHREAD_ONCE_INIT;
once_flag the_flag = ONCE_FLAG_INIT;
mtx_t the_mtx;
cnd_t the_cnd;

/* The conditions' companions, and what the worker tells main. */
pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
mtx_t cnd_mtx;
static sem_t waiting;
static sem_t *named_sem;
static pthread_t helper;
static int helper_pipe[2];
static int file_fd = -1;

static struct {
	const char *kind, *form, *attr, *file, *name;
	long timeout;
	int repeat, signal, restart, cancel, wait, relock, read, no_wake;
} opt = {
	.attr = "normal", .timeout = 200, .repeat = 1, .name = "/seam-acquire"
};

static int
is_attr(const char *name)
{
	return strcmp(opt.attr, name) == 0;
}

/* Mutexes. */
static void
set_up_mutex(void)
{
	pthread_mutexattr_t a;

	if (is_attr("normal"))
		return;
	pthread_mutexattr_init(&a);
	if (is_attr("recursive"))
		pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	else if (is_attr("errorcheck"))
		pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	else if (is_attr("robust"))
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	else if (is_attr("pi"))
		pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	else if (is_attr("pshared"))
		pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	else
		die("acquire: no mutex attribute %s", opt.attr);
	if (pthread_mutex_init(&the_mutex, &a))
		die("acquire: pthread_mutex_init");
	pthread_mutexattr_destroy(&a);
}

CALL_SITE static int
do_mutex_lock(void)
{
	/* at: mutex lock */
	int r = pthread_mutex_lock(&the_mutex);
	HERE();
	return r;
}

CALL_SITE static int
do_mutex_try(void)
{
	/* at: mutex try */
	int r = pthread_mutex_trylock(&the_mutex);
	HERE();
	return r;
}

CALL_SITE static int
do_mutex_timed(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	/* at: mutex timed */
	int r = pthread_mutex_timedlock(&the_mutex, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_mutex_clock(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC, opt.timeout);
	/* at: mutex clock */
	int r = pthread_mutex_clocklock(&the_mutex, CLOCK_MONOTONIC, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_mutex_unlock(void)
{
	/* at: mutex unlock */
	int r = pthread_mutex_unlock(&the_mutex);
	HERE();
	return r;
}

/* Read-write locks. */
static void
set_up_rwlock(void)
{
	pthread_rwlockattr_t a;

	if (is_attr("normal"))
		return;
	pthread_rwlockattr_init(&a);
	if (is_attr("pshared"))
		pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	else if (is_attr("writer"))
		pthread_rwlockattr_setkind_np(
		    &a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	else
		die("acquire: no rwlock attribute %s", opt.attr);
	if (pthread_rwlock_init(&the_rwlock, &a))
		die("acquire: pthread_rwlock_init");
	pthread_rwlockattr_destroy(&a);
}

CALL_SITE static int
do_rwlock_rdlock(void)
{
	/* at: rwlock-rd lock */
	int r = pthread_rwlock_rdlock(&the_rwlock);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_tryrd(void)
{
	/* at: rwlock-rd try */
	int r = pthread_rwlock_tryrdlock(&the_rwlock);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_timedrd(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	/* at: rwlock-rd timed */
	int r = pthread_rwlock_timedrdlock(&the_rwlock, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_clockrd(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC, opt.timeout);
	/* at: rwlock-rd clock */
	int r = pthread_rwlock_clockrdlock(&the_rwlock, CLOCK_MONOTONIC, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_wrlock(void)
{
	/* at: rwlock-wr lock */
	int r = pthread_rwlock_wrlock(&the_rwlock);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_trywr(void)
{
	/* at: rwlock-wr try */
	int r = pthread_rwlock_trywrlock(&the_rwlock);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_timedwr(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	/* at: rwlock-wr timed */
	int r = pthread_rwlock_timedwrlock(&the_rwlock, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_clockwr(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC, opt.timeout);
	/* at: rwlock-wr clock */
	int r = pthread_rwlock_clockwrlock(&the_rwlock, CLOCK_MONOTONIC, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_rwlock_unlock(void)
{
	/* at: rwlock unlock */
	int r = pthread_rwlock_unlock(&the_rwlock);
	HERE();
	return r;
}

/* Spin locks. */
static void
set_up_spin(void)
{
	pthread_spin_init(&the_spin, PTHREAD_PROCESS_PRIVATE);
}

CALL_SITE static int
do_spin_lock(void)
{
	/* at: spin lock */
	int r = pthread_spin_lock(&the_spin);
	HERE();
	return r;
}

CALL_SITE static int
do_spin_try(void)
{
	/* at: spin try */
	int r = pthread_spin_trylock(&the_spin);
	HERE();
	return r;
}

CALL_SITE static int
do_spin_unlock(void)
{
	/* at: spin unlock */
	int r = pthread_spin_unlock(&the_spin);
	HERE();
	return r;
}

/* Semaphores: one unit, so that taking it is owning it. */
static void
set_up_sem(void)
{
	if (sem_init(&the_sem, is_attr("pshared"), 1))
		die("acquire: sem_init");
	named_sem = &the_sem;
}

static void
set_up_named_sem(void)
{
	sem_unlink(opt.name);
	named_sem = sem_open(opt.name, O_CREAT | O_EXCL, 0600, 1);
	if (named_sem == SEM_FAILED)
		die("acquire: sem_open %s: %s", opt.name, strerror(errno));
}

static void
tear_down_named_sem(void)
{
	sem_close(named_sem);
	sem_unlink(opt.name);
}

CALL_SITE static int
do_sem_wait(void)
{
	/* at: sem lock */
	int r = sem_wait(named_sem);
	HERE();
	return r;
}

CALL_SITE static int
do_sem_try(void)
{
	/* at: sem try */
	int r = sem_trywait(named_sem);
	HERE();
	return r;
}

CALL_SITE static int
do_sem_timed(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	/* at: sem timed */
	int r = sem_timedwait(named_sem, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_sem_clock(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC, opt.timeout);
	/* at: sem clock */
	int r = sem_clockwait(named_sem, CLOCK_MONOTONIC, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_sem_post(void)
{
	/* at: sem unlock */
	int r = sem_post(named_sem);
	HERE();
	return r;
}

/* A barrier of one: its only waiter is the serial thread. */
static void
set_up_barrier(void)
{
	pthread_barrier_init(&the_barrier, NULL, 1);
}

CALL_SITE static int
do_barrier_wait(void)
{
	/* at: barrier lock */
	int r = pthread_barrier_wait(&the_barrier);
	HERE();
	return r;
}

/*
 * Conditions.  The worker says that it is about to wait with the mutex held,
 * so that main, which wants the mutex, can only signal a waiting worker.
 */
static void
set_up_cond(void)
{
	sem_init(&waiting, 0, 0);
}

static void
about_to_wait(void)
{
	sem_post(&waiting);
}

static void
wake_cond(void)
{
	while (sem_wait(&waiting) && errno == EINTR)
		;
	if (opt.no_wake)
		return;
	pthread_mutex_lock(&cond_mutex);
	pthread_cond_signal(&the_cond);
	pthread_mutex_unlock(&cond_mutex);
}

static void
unlock_cond_mutex(void *unused)
{
	(void)unused;
	pthread_mutex_unlock(&cond_mutex);
}

CALL_SITE static int
do_cond_wait(void)
{
	int r;

	pthread_mutex_lock(&cond_mutex);
	pthread_cleanup_push(unlock_cond_mutex, NULL);
	about_to_wait();
	/* at: cond lock */
	r = pthread_cond_wait(&the_cond, &cond_mutex);
	pthread_cleanup_pop(1);
	return r;
}

CALL_SITE static int
do_cond_timed(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	int r;

	pthread_mutex_lock(&cond_mutex);
	pthread_cleanup_push(unlock_cond_mutex, NULL);
	about_to_wait();
	/* at: cond timed */
	r = pthread_cond_timedwait(&the_cond, &cond_mutex, &ts);
	pthread_cleanup_pop(1);
	return r;
}

CALL_SITE static int
do_cond_clock(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC, opt.timeout);
	int r;

	pthread_mutex_lock(&cond_mutex);
	pthread_cleanup_push(unlock_cond_mutex, NULL);
	about_to_wait();
	/* at: cond clock */
	r = pthread_cond_clockwait(&the_cond, &cond_mutex, CLOCK_MONOTONIC,
				   &ts);
	pthread_cleanup_pop(1);
	return r;
}

/* Once. */
CALL_SITE static void
once_init(void)
{
	say("init");
}

CALL_SITE static int
do_once(void)
{
	/* at: once lock */
	int r = pthread_once(&the_once, once_init);
	HERE();
	return r;
}

CALL_SITE static int
do_call_once(void)
{
	/* at: call-once lock */
	call_once(&the_flag, once_init);
	HERE();
	return 0;
}

/* C11. */
static void
set_up_mtx(void)
{
	int type = mtx_timed;

	if (is_attr("recursive"))
		type |= mtx_recursive;
	if (mtx_init(&the_mtx, type) != thrd_success)
		die("acquire: mtx_init");
}

CALL_SITE static int
do_mtx_lock(void)
{
	/* at: mtx lock */
	int r = mtx_lock(&the_mtx);
	HERE();
	return r;
}

CALL_SITE static int
do_mtx_try(void)
{
	/* at: mtx try */
	int r = mtx_trylock(&the_mtx);
	HERE();
	return r;
}

CALL_SITE static int
do_mtx_timed(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	/* at: mtx timed */
	int r = mtx_timedlock(&the_mtx, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_mtx_unlock(void)
{
	/* at: mtx unlock */
	int r = mtx_unlock(&the_mtx);
	HERE();
	return r;
}

static void
set_up_cnd(void)
{
	sem_init(&waiting, 0, 0);
	if (cnd_init(&the_cnd) != thrd_success ||
	    mtx_init(&cnd_mtx, mtx_plain) != thrd_success)
		die("acquire: cnd_init");
}

static void
wake_cnd(void)
{
	while (sem_wait(&waiting) && errno == EINTR)
		;
	if (opt.no_wake)
		return;
	mtx_lock(&cnd_mtx);
	cnd_signal(&the_cnd);
	mtx_unlock(&cnd_mtx);
}

static void
unlock_cnd_mtx(void *unused)
{
	(void)unused;
	mtx_unlock(&cnd_mtx);
}

CALL_SITE static int
do_cnd_wait(void)
{
	int r;

	mtx_lock(&cnd_mtx);
	pthread_cleanup_push(unlock_cnd_mtx, NULL);
	about_to_wait();
	/* at: cnd lock */
	r = cnd_wait(&the_cnd, &cnd_mtx);
	pthread_cleanup_pop(1);
	return r;
}

CALL_SITE static int
do_cnd_timed(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	int r;

	mtx_lock(&cnd_mtx);
	pthread_cleanup_push(unlock_cnd_mtx, NULL);
	about_to_wait();
	/* at: cnd timed */
	r = cnd_timedwait(&the_cnd, &cnd_mtx, &ts);
	pthread_cleanup_pop(1);
	return r;
}

/* File locks: bytes 100 to 109, or the whole file (flock). */
enum { LOCK_OFFSET = 100, LOCK_LENGTH = 10 };

static void
set_up_file(void)
{
	file_fd = open(opt.file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file_fd < 0)
		die("acquire: %s: %s", opt.file, strerror(errno));
	if (lseek(file_fd, LOCK_OFFSET, SEEK_SET) < 0)
		die("acquire: lseek");
}

static void
tear_down_file(void)
{
	close(file_fd);
}

static struct flock
range(int type)
{
	return (struct flock){ .l_type = (short)type,
			       .l_whence = SEEK_SET,
			       .l_start = LOCK_OFFSET,
			       .l_len = LOCK_LENGTH };
}

static int
lock_type(void)
{
	return opt.read ? F_RDLCK : F_WRLCK;
}

CALL_SITE static int
do_fcntl_setlkw(void)
{
	struct flock fl = range(lock_type());
	/* at: fcntl lock */
	int r = fcntl(file_fd, F_SETLKW, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_fcntl_setlk(void)
{
	struct flock fl = range(lock_type());
	/* at: fcntl try */
	int r = fcntl(file_fd, F_SETLK, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_fcntl_unlock(void)
{
	struct flock fl = range(F_UNLCK);
	/* at: fcntl unlock */
	int r = fcntl(file_fd, F_SETLK, &fl);
	HERE();
	return r;
}

/* What -D_FILE_OFFSET_BITS=64 binds to. */
CALL_SITE static int
do_fcntl64_setlkw(void)
{
	struct flock fl = range(lock_type());
	/* at: fcntl64 lock */
	int r = fcntl64(file_fd, F_SETLKW, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_fcntl64_setlk(void)
{
	struct flock fl = range(lock_type());
	/* at: fcntl64 try */
	int r = fcntl64(file_fd, F_SETLK, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_ofd_setlkw(void)
{
	struct flock fl = range(lock_type());
	/* at: ofd lock */
	int r = fcntl(file_fd, F_OFD_SETLKW, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_ofd_setlk(void)
{
	struct flock fl = range(lock_type());
	/* at: ofd try */
	int r = fcntl(file_fd, F_OFD_SETLK, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_ofd_unlock(void)
{
	struct flock fl = range(F_UNLCK);
	/* at: ofd unlock */
	int r = fcntl(file_fd, F_OFD_SETLK, &fl);
	HERE();
	return r;
}

CALL_SITE static int
do_flock(void)
{
	/* at: flock lock */
	int r = flock(file_fd, opt.read ? LOCK_SH : LOCK_EX);
	HERE();
	return r;
}

CALL_SITE static int
do_flock_try(void)
{
	int how = (opt.read ? LOCK_SH : LOCK_EX) | LOCK_NB;
	/* at: flock try */
	int r = flock(file_fd, how);
	HERE();
	return r;
}

CALL_SITE static int
do_flock_unlock(void)
{
	/* at: flock unlock */
	int r = flock(file_fd, LOCK_UN);
	HERE();
	return r;
}

CALL_SITE static int
do_lockf(void)
{
	/* at: lockf lock */
	int r = lockf(file_fd, F_LOCK, LOCK_LENGTH);
	HERE();
	return r;
}

CALL_SITE static int
do_lockf_try(void)
{
	/* at: lockf try */
	int r = lockf(file_fd, F_TLOCK, LOCK_LENGTH);
	HERE();
	return r;
}

CALL_SITE static int
do_lockf_test(void)
{
	/* at: lockf test */
	int r = lockf(file_fd, F_TEST, LOCK_LENGTH);
	HERE();
	return r;
}

CALL_SITE static int
do_lockf_unlock(void)
{
	/* at: lockf unlock */
	int r = lockf(file_fd, F_ULOCK, LOCK_LENGTH);
	HERE();
	return r;
}

CALL_SITE static int
do_lockf64(void)
{
	/* at: lockf64 lock */
	int r = lockf64(file_fd, F_LOCK, LOCK_LENGTH);
	HERE();
	return r;
}

CALL_SITE static int
do_lockf64_try(void)
{
	/* at: lockf64 try */
	int r = lockf64(file_fd, F_TLOCK, LOCK_LENGTH);
	HERE();
	return r;
}

/* Joining: the helper ends by itself, or after the call (try, timed). */
static void *
helper_main(void *unused)
{
	char c;

	(void)unused;
	pthread_setname_np(pthread_self(), "helper");
	if (strcmp(opt.form, "lock") != 0 && read(helper_pipe[0], &c, 1) < 0)
		die("acquire: read");
	return NULL;
}

static void
set_up_join(void)
{
	if (pipe(helper_pipe) ||
	    pthread_create(&helper, NULL, helper_main, NULL))
		die("acquire: helper");
}

static void
tear_down_join(void)
{
	close(helper_pipe[1]);
	if (strcmp(opt.form, "lock") != 0)
		pthread_join(helper, NULL);
}

CALL_SITE static int
do_join(void)
{
	/* at: join lock */
	int r = pthread_join(helper, NULL);
	HERE();
	return r;
}

CALL_SITE static int
do_join_try(void)
{
	/* at: join try */
	int r = pthread_tryjoin_np(helper, NULL);
	HERE();
	return r;
}

CALL_SITE static int
do_join_timed(void)
{
	struct timespec ts = deadline(CLOCK_REALTIME, opt.timeout);
	/* at: join timed */
	int r = pthread_timedjoin_np(helper, NULL, &ts);
	HERE();
	return r;
}

CALL_SITE static int
do_join_clock(void)
{
	struct timespec ts = deadline(CLOCK_MONOTONIC, opt.timeout);
	/* at: join clock */
	int r = pthread_clockjoin_np(helper, NULL, CLOCK_MONOTONIC, &ts);
	HERE();
	return r;
}

/* How a kind tells success and failure. */
enum style { NUMBER, ERRNO, THRD, BARRIER };

/* clang-format off */
static const struct {
	const char *kind, *form;
	enum style style;
	int (*acquire)(void), (*release)(void);
	void (*set_up)(void), (*wake)(void), (*tear_down)(void);
} table[] = {
	{ "mutex", "lock", NUMBER, do_mutex_lock, .release = do_mutex_unlock,
	  .set_up = set_up_mutex },
	{ "mutex", "try", NUMBER, do_mutex_try, .release = do_mutex_unlock,
	  .set_up = set_up_mutex },
	{ "mutex", "timed", NUMBER, do_mutex_timed, .release = do_mutex_unlock,
	  .set_up = set_up_mutex },
	{ "mutex", "clock", NUMBER, do_mutex_clock, .release = do_mutex_unlock,
	  .set_up = set_up_mutex },
	{ "rwlock-rd", "lock", NUMBER, do_rwlock_rdlock,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-rd", "try", NUMBER, do_rwlock_tryrd,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-rd", "timed", NUMBER, do_rwlock_timedrd,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-rd", "clock", NUMBER, do_rwlock_clockrd,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-wr", "lock", NUMBER, do_rwlock_wrlock,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-wr", "try", NUMBER, do_rwlock_trywr,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-wr", "timed", NUMBER, do_rwlock_timedwr,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "rwlock-wr", "clock", NUMBER, do_rwlock_clockwr,
	  .release = do_rwlock_unlock, .set_up = set_up_rwlock },
	{ "spin", "lock", NUMBER, do_spin_lock, .release = do_spin_unlock,
	  .set_up = set_up_spin },
	{ "spin", "try", NUMBER, do_spin_try, .release = do_spin_unlock,
	  .set_up = set_up_spin },
	{ "sem", "lock", ERRNO, do_sem_wait, .release = do_sem_post,
	  .set_up = set_up_sem },
	{ "sem", "try", ERRNO, do_sem_try, .release = do_sem_post,
	  .set_up = set_up_sem },
	{ "sem", "timed", ERRNO, do_sem_timed, .release = do_sem_post,
	  .set_up = set_up_sem },
	{ "sem", "clock", ERRNO, do_sem_clock, .release = do_sem_post,
	  .set_up = set_up_sem },
	{ "named-sem", "lock", ERRNO, do_sem_wait, .release = do_sem_post,
	  .set_up = set_up_named_sem, .tear_down = tear_down_named_sem },
	{ "named-sem", "try", ERRNO, do_sem_try, .release = do_sem_post,
	  .set_up = set_up_named_sem, .tear_down = tear_down_named_sem },
	{ "named-sem", "timed", ERRNO, do_sem_timed, .release = do_sem_post,
	  .set_up = set_up_named_sem, .tear_down = tear_down_named_sem },
	{ "named-sem", "clock", ERRNO, do_sem_clock, .release = do_sem_post,
	  .set_up = set_up_named_sem, .tear_down = tear_down_named_sem },
	{ "barrier", "lock", BARRIER, do_barrier_wait,
	  .set_up = set_up_barrier },
	{ "cond", "lock", NUMBER, do_cond_wait, .set_up = set_up_cond,
	  .wake = wake_cond },
	{ "cond", "timed", NUMBER, do_cond_timed, .set_up = set_up_cond,
	  .wake = wake_cond },
	{ "cond", "clock", NUMBER, do_cond_clock, .set_up = set_up_cond,
	  .wake = wake_cond },
	{ "once", "lock", NUMBER, do_once, .release = NULL },
	{ "call-once", "lock", NUMBER, do_call_once, .release = NULL },
	{ "mtx", "lock", THRD, do_mtx_lock, .release = do_mtx_unlock,
	  .set_up = set_up_mtx },
	{ "mtx", "try", THRD, do_mtx_try, .release = do_mtx_unlock,
	  .set_up = set_up_mtx },
	{ "mtx", "timed", THRD, do_mtx_timed, .release = do_mtx_unlock,
	  .set_up = set_up_mtx },
	{ "cnd", "lock", THRD, do_cnd_wait, .set_up = set_up_cnd,
	  .wake = wake_cnd },
	{ "cnd", "timed", THRD, do_cnd_timed, .set_up = set_up_cnd,
	  .wake = wake_cnd },
	{ "fcntl", "lock", ERRNO, do_fcntl_setlkw, .release = do_fcntl_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "fcntl", "try", ERRNO, do_fcntl_setlk, .release = do_fcntl_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "fcntl64", "lock", ERRNO, do_fcntl64_setlkw,
	  .release = do_fcntl_unlock, .set_up = set_up_file,
	  .tear_down = tear_down_file },
	{ "fcntl64", "try", ERRNO, do_fcntl64_setlk,
	  .release = do_fcntl_unlock, .set_up = set_up_file,
	  .tear_down = tear_down_file },
	{ "ofd", "lock", ERRNO, do_ofd_setlkw, .release = do_ofd_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "ofd", "try", ERRNO, do_ofd_setlk, .release = do_ofd_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "flock", "lock", ERRNO, do_flock, .release = do_flock_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "flock", "try", ERRNO, do_flock_try, .release = do_flock_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "lockf", "lock", ERRNO, do_lockf, .release = do_lockf_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "lockf", "try", ERRNO, do_lockf_try, .release = do_lockf_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "lockf", "test", ERRNO, do_lockf_test, .set_up = set_up_file,
	  .tear_down = tear_down_file },
	{ "lockf64", "lock", ERRNO, do_lockf64, .release = do_lockf_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "lockf64", "try", ERRNO, do_lockf64_try, .release = do_lockf_unlock,
	  .set_up = set_up_file, .tear_down = tear_down_file },
	{ "join", "lock", NUMBER, do_join, .set_up = set_up_join,
	  .tear_down = tear_down_join },
	{ "join", "try", NUMBER, do_join_try, .set_up = set_up_join,
	  .tear_down = tear_down_join },
	{ "join", "timed", NUMBER, do_join_timed, .set_up = set_up_join,
	  .tear_down = tear_down_join },
	{ "join", "clock", NUMBER, do_join_clock, .set_up = set_up_join,
	  .tear_down = tear_down_join },
};
/* clang-format on */

static size_t row;

/* Prints a result; 1 if the call succeeded. */
static int
tell(const char *what, int r)
{
	static const struct {
		int value;
		const char *name;
	} thrd[] = {
		{ thrd_success, "0" },
		{ thrd_busy, "thrd_busy" },
		{ thrd_timedout, "thrd_timedout" },
		{ thrd_nomem, "thrd_nomem" },
		{ thrd_error, "thrd_error" },
	};
	int saved = errno;

	switch (table[row].style) {
	case NUMBER:
		say("%s=%s", what, errno_symbol(r));
		return r == 0 || r == EOWNERDEAD;
	case ERRNO:
		if (r == -1)
			say("%s=-1 errno=%s", what, errno_symbol(saved));
		else
			say("%s=%d", what, r);
		return r == 0;
	case THRD:
		for (size_t i = 0; i < sizeof(thrd) / sizeof(thrd[0]); i++)
			if (thrd[i].value == r)
				say("%s=%s", what, thrd[i].name);
		return r == thrd_success;
	case BARRIER:
		if (r == PTHREAD_BARRIER_SERIAL_THREAD)
			say("%s=SERIAL", what);
		else
			say("%s=%s", what, errno_symbol(r));
		return r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD;
	}
	return 0;
}

static void
clean_up(void *unused)
{
	(void)unused;
	say("cleanup");
}

static void
handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (write(STDOUT_FILENO, "handler\n", 8) != 8)
		_exit(3);
	errno = saved;
}

/* Only the worker takes the signal. */
static void
mask_usr1(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void
install_handler(int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
	mask_usr1(SIG_BLOCK);
}

static void *
worker_main(void *unused)
{
	int state, r, saved, again, got;

	(void)unused;
	pthread_setname_np(pthread_self(), "worker");
	if (opt.signal || opt.restart)
		mask_usr1(SIG_UNBLOCK);
	pthread_cleanup_push(clean_up, NULL);
	for (int i = 0; i < opt.repeat; i++) {
		r = table[row].acquire();
		saved = errno;
		/* What has come back is told, cancelled or not. */
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		errno = saved;
		got = tell("ret", r);
		again = 0;
		if (got && opt.relock)
			again = tell("again", table[row].acquire());
		if (again && table[row].release)
			table[row].release();
		if (got && table[row].release)
			table[row].release();
		if (i + 1 < opt.repeat)
			pthread_setcancelstate(state, NULL);
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void
usage(void)
{
	fprintf(stderr,
		"usage: acquire KIND FORM [ATTR] [--timeout MS] [--file PATH] "
		"[--name /NAME]\n"
		"               [--repeat N] [--signal] [--restart] [--cancel] "
		"[--stdin]\n"
		"               [--relock] [--read] [--no-wake]\n");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		fprintf(stderr, "       %s %s\n", table[i].kind, table[i].form);
	exit(2);
}

static const char *
argument(char ***argv)
{
	if (!*++*argv)
		usage();
	return **argv;
}

static void
parse(char **argv)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, "--timeout") == 0)
			opt.timeout = atol(argument(&argv));
		else if (strcmp(*argv, "--file") == 0)
			opt.file = argument(&argv);
		else if (strcmp(*argv, "--name") == 0)
			opt.name = argument(&argv);
		else if (strcmp(*argv, "--repeat") == 0)
			opt.repeat = atoi(argument(&argv));
		else if (strcmp(*argv, "--signal") == 0)
			opt.signal = 1;
		else if (strcmp(*argv, "--restart") == 0)
			opt.restart = 1;
		else if (strcmp(*argv, "--cancel") == 0)
			opt.cancel = 1;
		else if (strcmp(*argv, "--stdin") == 0)
			opt.wait = 1;
		else if (strcmp(*argv, "--relock") == 0)
			opt.relock = 1;
		else if (strcmp(*argv, "--read") == 0)
			opt.read = 1;
		else if (strcmp(*argv, "--no-wake") == 0)
			opt.no_wake = 1;
		else if (**argv == '-')
			usage();
		else if (!opt.kind)
			opt.kind = *argv;
		else if (!opt.form)
			opt.form = *argv;
		else
			opt.attr = *argv;
	}
}

int
main(int argc, char **argv)
{
	pthread_t worker;
	void *result;

	(void)argc;
	parse(argv + 1);
	if (!opt.kind || !opt.form)
		usage();
	while (strcmp(table[row].kind, opt.kind) != 0 ||
	       strcmp(table[row].form, opt.form) != 0)
		if (++row == sizeof(table) / sizeof(table[0]))
			usage();
	if (!opt.file)
		opt.file = "acquire.lock";
	if (opt.signal || opt.restart)
		install_handler(opt.restart ? SA_RESTART : 0);
	if (table[row].set_up)
		table[row].set_up();
	if (opt.wait) {
		say("ready");
		wait_line(NULL, 0);
	}
	if (pthread_create(&worker, NULL, worker_main, NULL))
		die("acquire: pthread_create");
	if (opt.cancel) {
		wait_line(NULL, 0);
		pthread_cancel(worker);
	} else if (table[row].wake) {
		for (int i = 0; i < opt.repeat; i++)
			table[row].wake();
	}
	pthread_join(worker, &result);
	if (result == PTHREAD_CANCELED)
		say("cancelled");
	if (table[row].tear_down)
		table[row].tear_down();
	return 0;
}
