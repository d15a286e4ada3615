/* SPDX-License-Identifier: MIT */
/*
 * Logs: events given to the caller's function.
 *
 * Events lie in rings until somebody drains them.  The porter does when a
 * ring fills up; while there are logs, the logger does every few
 * milliseconds, and every wait before it returns, so that what happened
 * before is seen before.  A drain holds the session's lock: the function is
 * never called by two threads at once, and cannot use the session.
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "inner.h"
#include "rules_int.h"

#define DRAIN_NS UINT64_C(10000000)

struct api_log {
	struct api_log *next;
	void (*each)(const struct seam_seen *event, void *data);
	void *data;
};

static void
give(const struct seam_event *e, void *data)
{
	const struct api_log *log = data;
	struct seam_seen seen = { .time = e->time,
				  .waited = e->waited,
				  .thread = e->thread,
				  .op = e->verb,
				  .object = e->object,
				  .at = e->site,
				  .result = e->result };

	api_in_callback(true);
	log->each(&seen, log->data);
	api_in_callback(false);
}

static void *
logger(void *data)
{
	struct seam_session *s = data;
	struct api *api = api_of(s);
	uint32_t bell;

	pthread_setname_np(pthread_self(), "seam-logger");
	seam_lock(s);
	while (api->have_logger) {
		bell = atomic_load(&s->arena->head.bell);
		seam_drain_locked(s);
		seam_bell_wait(s, bell, seam_now() + DRAIN_NS);
	}
	seam_unlock(s);
	return NULL;
}

/* The lock is held. */
static bool
start_logger(struct seam_session *s, struct api *api)
{
	if (api->have_logger)
		return true;
	api->have_logger = true;
	if (!seam_thread_start(&api->logger, logger, s))
		return true;
	api->have_logger = false;
	return false;
}

void
api_logs_stop(struct seam_session *s)
{
	struct api *api = api_of(s);
	bool had;

	seam_lock(s);
	if (api->logs)
		seam_drain_locked(s);
	had = api->have_logger;
	api->have_logger = false;
	seam_bell_ring(s);
	seam_unlock(s);
	if (had)
		pthread_join(api->logger, NULL);
}

void
api_logs_free(struct api *api)
{
	struct api_log *next;

	for (; api->logs; api->logs = next) {
		next = api->logs->next;
		free(api->logs);
	}
}

void
api_logs_deliver(struct seam_session *s)
{
	if (api_of(s) && api_of(s)->have_logger)
		seam_drain(s);
}

/* The lock is held. */
static enum seam_code
begin(struct seam_session *s, const char *id, const struct seam_selector *sel,
      const struct api_log *how, struct seam_error *err)
{
	struct api *api = api_of(s);
	struct api_log *log;
	enum seam_code code;

	if (!api)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "the session was not opened by seam_open");
	if (!start_logger(s, api))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start a thread");
	log = malloc(sizeof(*log));
	if (!log)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	*log = *how;
	log->next = api->logs;
	api->logs = log;
	code = seam_log_arm(s, sel, id, give, log, NULL, err);
	if (code) {
		api->logs = log->next;
		free(log);
	}
	return code;
}

enum seam_code
seam_log(seam_session *s, const char *id, const char *selector,
	 void (*each)(const struct seam_seen *event, void *data), void *data)
{
	const struct api_log how = { .each = each, .data = data };
	struct seam_selector sel = { 0 };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(each ? s : NULL, "function", &err);
	if (!code)
		code = api_selector(selector, &sel, &err);
	if (!code) {
		seam_lock(s);
		code = begin(s, id, &sel, &how, &err);
		seam_unlock(s);
	}
	seam_selector_free(&sel);
	return api_leave_at(code, &err, selector);
}
