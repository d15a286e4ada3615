/* SPDX-License-Identifier: MIT */
/*
 * Holders: anything that enters and leaves, entered while a test body runs.
 *
 * A pair of callbacks runs in a thread of its own.  Its holder is shared
 * between that thread and the driver, who may give up waiting for it: who
 * lets go of it last frees it.  A process that exits with holders entered
 * leaves them first.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "holder_int.h"

#define ENTER_MS 5000
#define LEAVE_MS 1000

enum stage { ENTERING, ENTERED, REFUSED, LEAVING, LEFT };

struct callbacks {
	struct seam_holder base;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	enum stage stage;
	int refusal;	/* what enter returned */
	bool abandoned; /* by the driver: the thread frees it */
	int (*enter)(void *);
	void (*leave)(void *);
	void *data;
};

/* Those entered, for the process's exit. */
static pthread_mutex_t living_lock = PTHREAD_MUTEX_INITIALIZER;
static struct seam_holder *living;

static struct seam_holder *
take_any(void)
{
	struct seam_holder *h;

	pthread_mutex_lock(&living_lock);
	h = living;
	if (h)
		living = h->next;
	pthread_mutex_unlock(&living_lock);
	return h;
}

void
seam_holders_end(void)
{
	struct seam_holder *h;

	while ((h = take_any()))
		if (h->owner == getpid())
			h->end(h, LEAVE_MS);
}

static void
arrange_exit(void)
{
	atexit(seam_holders_end);
}

static void
add_living(struct seam_holder *h)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, arrange_exit);
	h->owner = getpid();
	pthread_mutex_lock(&living_lock);
	h->next = living;
	living = h;
	pthread_mutex_unlock(&living_lock);
}

static void
take_living(struct seam_holder *h)
{
	struct seam_holder **at = &living;

	pthread_mutex_lock(&living_lock);
	while (*at && *at != h)
		at = &(*at)->next;
	if (*at)
		*at = h->next;
	pthread_mutex_unlock(&living_lock);
}

enum seam_code
holder_fail(enum seam_code code, const char *fmt, ...)
{
	struct seam_error err = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	return api_leave(code, &err);
}

const char *
holder_seconds(uint64_t ms, char buf[static 48])
{
	if (ms % 1000)
		snprintf(buf, 48, "%g seconds", (double)ms / 1000);
	else
		snprintf(buf, 48, "%llu second%s",
			 (unsigned long long)ms / 1000, ms == 1000 ? "" : "s");
	return buf;
}

/* Callbacks. */

static void
free_callbacks(struct callbacks *c)
{
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->moved);
	free(c->base.name);
	free(c);
}

static void
move_to(struct callbacks *c, enum stage stage)
{
	c->stage = stage;
	pthread_cond_broadcast(&c->moved);
}

static bool
enter(struct callbacks *c)
{
	int r = c->enter(c->data);

	pthread_mutex_lock(&c->lock);
	c->refusal = r;
	if (r)
		move_to(c, REFUSED);
	else if (c->stage == ENTERING)
		move_to(c, ENTERED);
	while (c->stage == ENTERED)
		pthread_cond_wait(&c->moved, &c->lock);
	pthread_mutex_unlock(&c->lock);
	return !r;
}

static void *
hold(void *holder)
{
	struct callbacks *c = holder;
	bool abandoned;

	if (enter(c) && c->leave)
		c->leave(c->data);
	pthread_mutex_lock(&c->lock);
	if (c->stage != REFUSED)
		move_to(c, LEFT);
	abandoned = c->abandoned;
	pthread_mutex_unlock(&c->lock);
	if (abandoned)
		free_callbacks(c);
	return NULL;
}

static struct timespec
after_ms(uint64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (time_t)(ms / 1000);
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

/* Until it is no longer at that stage; the lock is held. */
static bool
wait_moved(struct callbacks *c, enum stage from, uint64_t timeout)
{
	struct timespec until = after_ms(timeout);
	int r = 0;

	while (c->stage == from && r != ETIMEDOUT)
		r = timeout ? pthread_cond_clockwait(&c->moved, &c->lock,
						     CLOCK_MONOTONIC, &until) :
			      pthread_cond_wait(&c->moved, &c->lock);
	return c->stage != from;
}

/* Its thread, with the lock held, is asked to leave, and left alone. */
static void
abandon(struct callbacks *c)
{
	c->abandoned = true;
	move_to(c, LEAVING);
	pthread_detach(c->base.thread);
	pthread_mutex_unlock(&c->lock);
}

static enum seam_code
await_entry(struct callbacks *c, uint64_t timeout)
{
	char buf[48];

	pthread_mutex_lock(&c->lock);
	if (!wait_moved(c, ENTERING, timeout)) {
		holder_fail(SEAM_E_TIMEOUT, "%s has not entered after %s",
			    c->base.name, holder_seconds(timeout, buf));
		abandon(c);
		return SEAM_E_TIMEOUT;
	}
	pthread_mutex_unlock(&c->lock);
	if (c->stage != REFUSED)
		return SEAM_OK;
	pthread_join(c->base.thread, NULL);
	holder_fail(SEAM_E_FAILED, "%s could not enter: it returned %d",
		    c->base.name, c->refusal);
	free_callbacks(c);
	return SEAM_E_FAILED;
}

static enum seam_code
end_callbacks(struct seam_holder *h, uint64_t timeout)
{
	struct callbacks *c = (struct callbacks *)h;
	enum seam_code code;
	char buf[48];

	pthread_mutex_lock(&c->lock);
	move_to(c, LEAVING);
	if (!wait_moved(c, LEAVING, timeout)) {
		code = holder_fail(SEAM_E_TIMEOUT, "%s has not ended after %s",
				   h->name, holder_seconds(timeout, buf));
		abandon(c);
		return code;
	}
	pthread_mutex_unlock(&c->lock);
	pthread_join(h->thread, NULL);
	free_callbacks(c);
	return SEAM_OK;
}

enum seam_code
seam_holder_begin(seam_holder **h, const char *name, int (*enter_)(void *),
		  void (*leave)(void *), void *data, uint64_t timeout)
{
	struct callbacks *c = calloc(1, sizeof(*c));
	enum seam_code code;

	*h = NULL;
	if (!c || !(c->base.name = strdup(name ? name : "the holder"))) {
		free(c);
		return holder_fail(SEAM_E_UNSUPPORTED, "out of memory");
	}
	c->base.end = end_callbacks;
	c->enter = enter_;
	c->leave = leave;
	c->data = data;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->moved, NULL);
	if (pthread_create(&c->base.thread, NULL, hold, c)) {
		free_callbacks(c);
		return holder_fail(SEAM_E_UNSUPPORTED, "cannot start a thread");
	}
	code = await_entry(c, timeout == SEAM_DEFAULT ? ENTER_MS : timeout);
	if (code)
		return code;
	*h = &c->base;
	add_living(*h);
	return SEAM_OK;
}

/* Of any kind. */

enum seam_code
seam_holder_command(seam_holder **h, char *const *argv, uint64_t timeout)
{
	enum seam_code code =
	    holder_command(h, argv,
			   timeout == SEAM_DEFAULT ? ENTER_MS : timeout);

	if (!code)
		add_living(*h);
	return code;
}

enum seam_code
seam_holder_end(seam_holder *h, uint64_t timeout)
{
	if (!h)
		return SEAM_OK;
	take_living(h);
	/* In a fork's child it is the parent's. */
	if (h->owner != getpid())
		return holder_fail(SEAM_E_GONE, "%s belongs to another process",
				   h->name);
	return h->end(h, timeout == SEAM_DEFAULT ? LEAVE_MS : timeout);
}
