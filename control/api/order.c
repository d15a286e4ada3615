/* SPDX-License-Identifier: MIT */
/* Orders.  A handle outlives its order: it was given up, or is over. */
#include <stdlib.h>
#include <string.h>

#include "api.h"

struct seam_order {
	seam_session *session;
	uint32_t number;
};

static enum seam_code
need_all(const char *const *checkpoints, size_t n, struct seam_error *err)
{
	enum seam_code code = api_need(checkpoints, "checkpoint", err);

	for (size_t i = 0; i < n && !code; i++)
		code = api_need(checkpoints[i], "id of a checkpoint", err);
	return code;
}

enum seam_code
seam_order_new(seam_session *s, seam_order **order,
	       const char *const *checkpoints, size_t n)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);
	struct seam_order *o;

	*order = NULL;
	if (!code)
		code = need_all(checkpoints, n, &err);
	if (code)
		return api_leave(code, &err);
	o = calloc(1, sizeof(*o));
	if (!o)
		return api_fail(SEAM_E_UNSUPPORTED, "out of memory");
	o->session = s;
	code = sess_order(s, checkpoints, n, &o->number, &err);
	if (code)
		free(o);
	else
		*order = o;
	return api_leave(code, &err);
}

/* Runs, and says what it has come to; *done: its end. */
static enum seam_code
run(seam_order *o, struct sess_wait *w, struct seam_stop *stop,
    uint64_t timeout, bool *done)
{
	struct seam_stop own;
	struct seam_error err;
	enum seam_code code;

	*done = false;
	stop = stop ? stop : &own;
	memset(stop, 0, sizeof(*stop));
	if (!o)
		return api_fail(SEAM_E_GONE, "no order is given");
	code = api_enter(o->session, &err);
	if (code)
		return api_leave(code, &err);
	w->kind = SEAM_WAIT_ORDER;
	w->order = o->number;
	w->timeout_ms = api_timeout(o->session, timeout);
	code = api_wait(o->session, w, stop, &err);
	*done = !code && !stop->id[0];
	return api_leave_state(o->session, code, &err);
}

static enum seam_code
run_on(seam_order *o, const char *to, struct seam_stop *stop, uint64_t timeout)
{
	struct sess_wait w = { .what = to };
	enum seam_code code;
	bool done;

	code = run(o, &w, stop, timeout, &done);
	return done ? api_fail(SEAM_E_GONE, "the order is over") : code;
}

enum seam_code
seam_next(seam_order *order, struct seam_stop *stop, uint64_t timeout)
{
	return run_on(order, NULL, stop, timeout);
}

enum seam_code
seam_next_to(seam_order *order, const char *checkpoint, struct seam_stop *stop,
	     uint64_t timeout)
{
	if (!checkpoint)
		return api_fail(SEAM_E_SYNTAX, "no checkpoint is given");
	return run_on(order, checkpoint, stop, timeout);
}

enum seam_code
seam_finish(seam_order *order, uint64_t timeout)
{
	struct sess_wait w = { .to_end = true };
	bool done;

	return run(order, &w, NULL, timeout, &done);
}

void
seam_order_free(seam_order *order)
{
	struct seam_error err;

	if (!order)
		return;
	if (!api_enter(order->session, &err))
		sess_order_end(order->session, order->number);
	free(order);
}
