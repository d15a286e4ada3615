/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder: `record on` keeps the last events of the session, for
 * `history` to show.  Targets never wait for it, and write over the oldest
 * when their rings are full.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_int.h"

#define KEPT 256
#define LINE 240

struct seam_history {
	uint64_t seen;
	char line[KEPT][LINE];
};

static void
keep(const struct seam_event *e, void *data)
{
	struct seam_history *h = data;
	char result[16] = "ok";

	if (e->result)
		snprintf(result, sizeof(result), "%d", e->result);
	if (e->result && seam_errno_name(e->result))
		snprintf(result, sizeof(result), "%s",
			 seam_errno_name(e->result));
	snprintf(h->line[h->seen++ % KEPT], LINE, "%s%s%s%s %s(%s)%s%s = %s",
		 e->thread, *e->thread_name ? " (" : "", e->thread_name,
		 *e->thread_name ? ")" : "", e->verb, e->object,
		 *e->site ? " at " : "", e->site, result);
}

enum seam_code
seam_history_record(struct seam_session *s, bool on, uint64_t *seen,
		    struct seam_error *err)
{
	struct seam_history *h = s->history;

	if (!on) {
		enum seam_code code = seam_record(s, false, NULL, NULL, err);

		*seen = h ? h->seen + s->passed_over : 0;
		return code;
	}
	if (!h && !(h = s->history = calloc(1, sizeof(*h))))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	return seam_record_last(s, KEPT, keep, h, err);
}

char *
seam_history_text(struct seam_session *s)
{
	struct seam_history *h;
	char *text = NULL;
	size_t size;
	uint64_t i;
	FILE *f;

	seam_drain(s);
	seam_lock(s);
	h = s->history;
	f = open_memstream(&text, &size);
	if (f) {
		i = h && h->seen > KEPT ? h->seen - KEPT : 0;
		for (; h && i < h->seen; i++)
			fprintf(f, "%s\n", h->line[i % KEPT]);
		fclose(f);
	}
	seam_unlock(s);
	return text;
}
