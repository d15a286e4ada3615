/* SPDX-License-Identifier: MIT */
/*
 * The programs of a script of steps.  Behind each line goes another one, at
 * which the program prints a text that nothing else prints: when that comes,
 * it is done with the line.  If it does not come, and nothing in the session
 * goes on by itself any more, and a thread of the program (or of what it
 * started) waits for what somebody else has, the step is blocked.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inner.h"
#include "permute.h"
#include "rules_int.h"

#define LOOK_NS UINT64_C(1000000)
#define PATIENCE_NS UINT64_C(5000000000)

enum seam_code
permute_talk_start(struct seam_session *s, struct permute_talk *t,
		   struct seam_error *err)
{
	struct sess_start how = { .alias = t->session->name,
				  .argv = t->session->argv,
				  .stdio = SEAM_CAPTURE };
	unsigned proc;

	return sess_start(s, &how, &proc, err);
}

static void
put_mark(FILE *f, const struct permute_talk *t)
{
	fprintf(f, "seam-step-%u", t->number);
}

enum seam_code
permute_talk_send(struct seam_session *s, struct permute_talk *t,
		  const char *line, struct seam_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	enum seam_code code = SEAM_E_UNSUPPORTED;

	t->number++;
	t->state = PERMUTE_BUSY;
	free(t->text);
	t->text = NULL;
	t->n = 0;
	if (f) {
		fprintf(f, "%s\n", line);
		for (const char *c = t->session->echo; *c; c++)
			if (*c == '@')
				put_mark(f, t);
			else
				fputc(*c, f);
		fputc('\n', f);
		fclose(f);
		code = sess_send(s, t->session->name, text, false, err);
	}
	free(text);
	/* It has ended: that is told as what came of the step. */
	return code == SEAM_E_GONE ? SEAM_OK : code;
}

/* The lock is held. */
static struct seam_process *
process_of(struct seam_session *s, const struct permute_talk *t)
{
	return seam_process_find(s, t->session->name, 0, NULL);
}

static bool
read_more(struct permute_talk *t, const struct seam_process *p)
{
	struct stat st;
	char *text;
	ssize_t n;
	size_t more;

	if (fstat(p->out, &st) || (size_t)st.st_size <= t->read)
		return true;
	more = (size_t)st.st_size - t->read;
	text = realloc(t->text, t->n + more + 1);
	if (!text)
		return false;
	t->text = text;
	n = pread(p->out, text + t->n, more, (off_t)t->read);
	if (n > 0) {
		t->n += (size_t)n;
		t->read += (size_t)n;
	}
	text[t->n] = '\0';
	return true;
}

/* Cuts the text off where the mark stands. */
static bool
has_mark(struct permute_talk *t)
{
	char mark[40];
	int n = snprintf(mark, sizeof(mark), "seam-step-%u\n", t->number);
	char *at = t->text ? memmem(t->text, t->n, mark, (size_t)n) : NULL;

	if (!at)
		return false;
	*at = '\0';
	t->n = (size_t)(at - t->text);
	return true;
}

static void
listen_to(struct seam_session *s, struct permute_talk *t)
{
	struct seam_process *p = process_of(s, t);
	bool ended = !p || p->ended;

	if (p && !read_more(t, p))
		return;
	if (has_mark(t)) {
		t->state = PERMUTE_IDLE;
	} else if (ended) {
		t->state = PERMUTE_IDLE;
		t->over = true;
		t->status = p ? p->status : 0;
	}
}

static bool
descends(struct seam_session *s, const struct seam_process *p,
	 const struct seam_process *from)
{
	for (unsigned i = 0; p && p != from && i < SEAM_MAX_PROCS; i++)
		p = seam_process_at(s, s->arena->proc[p->index].parent - 1);
	return p == from;
}

size_t
permute_talk_pids(struct seam_session *s, const struct permute_talk *t,
		  pid_t *pid, size_t max)
{
	const struct seam_process *from = process_of(s, t);
	size_t n = 0;

	for (uint32_t i = 0; from && i < SEAM_MAX_PROCS && n < max; i++) {
		const struct seam_process *p = seam_process_at(s, i);

		if (p && !p->ended && p->pid && descends(s, p, from))
			pid[n++] = p->pid;
	}
	return n;
}

/* Somebody of it waits for a lock, or is held up by a rule. */
static bool
has_waiter(struct seam_session *s, const struct permute_talk *t)
{
	struct seam_process *from = process_of(s, t);
	struct seam_thread *th;
	uint32_t i = 0;

	while (from && (th = seam_thread_next(s, &i))) {
		struct seam_process *p = seam_process_at(s, th->proc);
		struct seam_stand st;

		seam_stand(th, &st);
		if ((st.parked || st.state == SEAM_THREAD_BLOCKED) && p &&
		    descends(s, p, from))
			return true;
	}
	return false;
}

/* Quiet first: what is quiet has written all that it will write. */
static bool
is_settled(struct seam_session *s, struct permute_talk *v, size_t n)
{
	uint64_t look;
	bool quiet = seam_quiescent(s, &look), all = true;

	for (size_t i = 0; i < n; i++) {
		struct permute_talk *t = &v[i];

		if (t->state == PERMUTE_IDLE)
			continue;
		t->state = PERMUTE_BUSY;
		listen_to(s, t);
		if (t->state == PERMUTE_BUSY && quiet && has_waiter(s, t))
			t->state = PERMUTE_BLOCKED;
		all &= t->state != PERMUTE_BUSY;
	}
	return all;
}

static enum seam_code
not_settled(const struct permute_talk *v, size_t n, struct seam_error *err)
{
	while (n && v->state != PERMUTE_BUSY) {
		v++;
		n--;
	}
	return sess_fail(err, SEAM_E_TIMEOUT, 0,
			 "%s is neither done with its line after %d seconds "
			 "nor blocked",
			 n ? v->session->name : "a session",
			 (int)(PATIENCE_NS / 1000000000));
}

enum seam_code
permute_talk_settle(struct seam_session *s, struct permute_talk *v, size_t n,
		    struct seam_error *err)
{
	uint64_t until = seam_now() + PATIENCE_NS;
	enum seam_code code = SEAM_PENDING;
	uint32_t bell;

	seam_lock(s);
	while (code == SEAM_PENDING) {
		bell = atomic_load(&s->arena->head.bell);
		if (is_settled(s, v, n))
			code = SEAM_OK;
		else if (s->broken[0])
			code = sess_fail(err, SEAM_E_GONE, 0, "%s", s->broken);
		else if (seam_now() >= until || seam_ending(s))
			code = not_settled(v, n, err);
		else
			seam_bell_wait(s, bell, seam_now() + LOOK_NS);
	}
	seam_unlock(s);
	return code;
}
