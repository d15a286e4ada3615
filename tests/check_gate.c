/* SPDX-License-Identifier: MIT */
/*
 * Who is let go together: when the first of them is woken, the words of all
 * say go.  This program's syscall() stands before libc's, and so sees each
 * wake on its way to the kernel.
 */
#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <seam_check.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "inner.h"
#include "suite.h"

#define THREADS 6

static struct seam_arena *_Atomic watched;
static atomic_uint wakes, too_early;

/* One whose word still says that it must stand. */
static bool
must_stand(struct seam_thread *t)
{
	return atomic_load(&t->state) == SEAM_THREAD_PARKED &&
	       atomic_load(&t->park);
}

static void
see_wake(struct seam_arena *a, const void *word)
{
	uint32_t n = atomic_load(&a->head.threads);
	bool of_thread = false, any = false;

	for (uint32_t i = 0; i < n; i++) {
		of_thread |= word == &a->thread[i].park;
		any |= must_stand(&a->thread[i]);
	}
	if (!of_thread)
		return;
	atomic_fetch_add(&wakes, 1);
	if (any)
		atomic_fetch_add(&too_early, 1);
}

long
syscall(long number, ...)
{
	long (*real)(long, ...) =
	    (long (*)(long, ...))(uintptr_t)dlsym(RTLD_NEXT, "syscall");
	struct seam_arena *a = atomic_load(&watched);
	long arg[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (a && number == SYS_futex && arg[1] == FUTEX_WAKE)
		see_wake(a, (const void *)(uintptr_t)arg[0]);
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static seam_session *
gather(void)
{
	seam_session *s = seam_check_session();
	char path[PATH_MAX];
	const char *dir = getenv("SEAM_TEST_PROGRAMS");

	ck_assert_ptr_nonnull(dir);
	snprintf(path, sizeof(path), "%s/counter", dir);
	ck_seam(seam_gate(s, "g", THREADS,
			  "mutex.lock obj=counter_lock at=add_directly"));
	ck_seam(seam_startl(s, "C", path, "6", "1", NULL));
	ck_seam(seam_wait(s, "g", NULL, SEAM_DEFAULT));
	atomic_store(&watched, s->arena);
	return s;
}

static void
expect_together(seam_session *s)
{
	atomic_store(&watched, NULL);
	ck_assert_uint_ge(wakes, 1);
	ck_assert_uint_eq(too_early, 0);
	ck_seam(seam_delete(s, "all"));
	ck_seam(seam_expect_exit(s, "C", 0, SEAM_DEFAULT));
}

START_TEST(released)
{
	seam_session *s = gather();

	ck_seam(seam_release(s, "g"));
	expect_together(s);
}
END_TEST

START_TEST(deleted)
{
	seam_session *s = gather();

	ck_seam(seam_delete(s, "g"));
	expect_together(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gate");
	TCase *all = tcase_create("together");

	tcase_add_checked_fixture(all, seam_check_setup, seam_check_teardown);
	tcase_add_test(all, released);
	tcase_add_test(all, deleted);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
