/* SPDX-License-Identifier: MIT */
/* Concurrent calls. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "call_int.h"
#include "inner.h"

#define NS_PER_MS UINT64_C(1000000)
#define TIMEOUT_MS 30000
#define OUTPUT_MAX ((size_t)1 << 20)
#define AT_ONCE (SEAM_MAX_PROCS / 2) /* they may have children */

struct calls {
	struct seam_session *s;
	struct call_member *v;
	size_t n;
	struct call_reader reader;
	uint64_t timeout; /* ns */
};

static enum seam_code
prepare(struct calls *c, const struct seam_call_options *o,
	struct seam_error *err)
{
	struct seam_options how = { .preload = o->preload,
				    .kill_on_death = true };
	enum seam_code code;

	c->timeout = (o->timeout ? o->timeout : TIMEOUT_MS) * NS_PER_MS;
	code = seam_session_open(&how, &c->s, err);
	if (code)
		return code;
	if (!c->s->preload || access(c->s->preload, R_OK))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot read libseam.so at %s; SEAM_PRELOAD "
				 "says where it is",
				 c->s->preload ? c->s->preload : "(nowhere)");
	return call_gate_arm(c->s, o->at, err);
}

static void
start(struct calls *c)
{
	for (size_t i = 0; i < c->n; i++) {
		call_member_start(c->s, &c->v[i]);
		c->v[i].deadline = c->v[i].started + c->timeout;
	}
}

static int
ms_until(uint64_t then)
{
	uint64_t now = seam_now();

	return then > now ? (int)((then - now) / NS_PER_MS) + 1 : 0;
}

/* Reaps those that have ended; *look: when the next is due for a signal. */
static size_t
attend(struct calls *c, struct pollfd *p, uint64_t *look)
{
	size_t left = 0;

	*look = UINT64_MAX;
	for (size_t i = 0; i < c->n; i++) {
		struct call_member *m = &c->v[i];
		uint64_t due;

		p[i].fd = -1;
		if (m->over)
			continue;
		if (call_member_has_ended(m)) {
			call_member_reap(m);
			continue;
		}
		due = call_member_mind(m, seam_now());
		*look = due < *look ? due : *look;
		p[i] = (struct pollfd){ m->pidfd, POLLIN, 0 };
		left++;
	}
	return left;
}

static void
wait_for_all(struct calls *c, struct pollfd *p)
{
	uint64_t look;

	while (attend(c, p, &look))
		poll(p, c->n, ms_until(look));
}

/* From the gate on, for those who stood there. */
static void
run(struct calls *c, struct pollfd *p)
{
	uint64_t opened =
	    call_gate_pass(c->s, c->v, c->n, seam_now() + c->timeout);

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].arrived || c->v[i].cannot_come) {
			if (c->v[i].arrived)
				c->v[i].started = opened;
			c->v[i].deadline = c->v[i].started + c->timeout;
		}
	wait_for_all(c, p);
}

static char *
take_text(struct call_stream *st)
{
	return st->text ? st->text : calloc(1, 1);
}

static bool
tell(struct call_member *m, struct seam_outcome *o)
{
	*o = (struct seam_outcome){
		.status = m->status,
		.timed_out = m->timed_out,
		.started = m->arrived,
		.truncated = m->out.truncated || m->err.truncated,
		.elapsed = (m->ended - m->started) / 1000,
		.out = take_text(&m->out),
		.err = take_text(&m->err),
		.out_size = m->out.n,
		.err_size = m->err.n,
	};
	return o->out && o->err;
}

static enum seam_code
carry_out(struct calls *c, const struct seam_call_options *o,
	  struct seam_outcome *outcomes, struct seam_error *err)
{
	struct pollfd *p = calloc(c->n + 1, sizeof(*p));
	enum seam_code code = prepare(c, o, err);
	bool ok = p != NULL;

	if (!code && ok) {
		start(c);
		ok = call_reader_start(&c->reader, c->v, c->n);
		if (ok)
			run(c, p);
		for (size_t i = 0; i < c->n; i++)
			if (!c->v[i].over)
				call_member_reap(&c->v[i]);
		if (ok)
			call_reader_stop(&c->reader);
	}
	for (size_t i = 0; !code && i < c->n; i++)
		ok &= tell(&c->v[i], &outcomes[i]);
	seam_session_close(c->s, false);
	free(p);
	if (code || ok)
		return code;
	seam_outcomes_free(outcomes, c->n);
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
}

/* `step` 0: all the same call. */
static enum seam_code
calls(const struct seam_call_spec *call, size_t step, size_t n,
      const struct seam_call_options *options, struct seam_outcome *outcomes)
{
	static const struct seam_call_options none;
	const struct seam_call_options *o = options ? options : &none;
	struct calls c = { .n = n };
	struct seam_error err = { 0 };
	enum seam_code code;

	if (n < 1 || n > AT_ONCE) {
		code = sess_fail(&err, SEAM_E_UNSUPPORTED, 0,
				 "%zu calls at once: 1 to %d are possible", n,
				 AT_ONCE);
		return api_leave(code, &err);
	}
	c.v = calloc(n, sizeof(*c.v));
	if (!c.v) {
		code = sess_fail(&err, SEAM_E_UNSUPPORTED, 0, "out of memory");
		return api_leave(code, &err);
	}
	memset(outcomes, 0, n * sizeof(*outcomes));
	for (size_t i = 0; i < n; i++) {
		c.v[i].call = &call[i * step];
		c.v[i].out.max = c.v[i].err.max =
		    o->output_max ? o->output_max : OUTPUT_MAX;
	}
	code = carry_out(&c, o, outcomes, &err);
	free(c.v);
	return api_leave(code, &err);
}

enum seam_code
seam_calls(const struct seam_call_spec *list, size_t n,
	   const struct seam_call_options *options,
	   struct seam_outcome *outcomes)
{
	return calls(list, 1, n, options, outcomes);
}

enum seam_code
seam_call(const struct seam_call_spec *call, size_t n,
	  const struct seam_call_options *options,
	  struct seam_outcome *outcomes)
{
	return calls(call, 0, n, options, outcomes);
}

void
seam_outcomes_free(struct seam_outcome *outcomes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(outcomes[i].out);
		free(outcomes[i].err);
		outcomes[i].out = outcomes[i].err = NULL;
	}
}
