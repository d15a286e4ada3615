/* SPDX-License-Identifier: MIT */
/* Waiting for what a target prints. */
#include <regex.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules_int.h"

#define FIRST_NS UINT64_C(5000000)
#define LATER_NS UINT64_C(20000000)

enum seam_code
seam_output_check(const char *pattern, struct seam_error *err)
{
	const char *refused = seam_regex_refused(pattern);
	char why[200];
	regex_t re;
	int r;

	if (refused)
		return sess_fail(err, SEAM_E_SYNTAX, 0, "%s", refused);
	r = regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE);
	if (!r) {
		regfree(&re);
		return SEAM_OK;
	}
	regerror(r, &re, why, sizeof(why));
	return sess_fail(err, SEAM_E_SYNTAX, 0, "/%s/: %s",
			 seam_show(pattern).s, why);
}

/* All of it so far; malloc'd. */
static char *
read_output(const struct seam_process *p, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(p->out, &st))
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	n = pread(p->out, text, (size_t)st.st_size, 0);
	*len = n > 0 ? (size_t)n : 0;
	text[*len] = '\0';
	return text;
}

static bool
matches(const char *pattern, const char *text, size_t len, json_t *reply)
{
	regmatch_t m[2] = { { .rm_so = 0, .rm_eo = (regoff_t)len } };
	regex_t re;
	bool yes;
	int k;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE))
		return false;
	yes = !regexec(&re, text, 2, m, REG_STARTEND);
	if (yes) {
		k = re.re_nsub && m[1].rm_so >= 0;
		json_t *v = json_stringn(text + m[k].rm_so,
					 (size_t)(m[k].rm_eo - m[k].rm_so));
		json_object_set_new(reply, "match", v ? v : json_string(""));
	}
	regfree(&re);
	return yes;
}

/* How long it is still polled closely. */
static uint64_t
pause_ns(const struct sess_wait *w, uint64_t now)
{
	uint64_t began = w->deadline - w->timeout_ms * 1000000;

	return now - began < 200000000 ? FIRST_NS : LATER_NS;
}

enum seam_code
seam_output_look(struct seam_session *s, struct sess_wait *w, json_t *reply,
		 struct seam_error *err)
{
	struct seam_process *p = seam_process_find(s, w->arg, 0, err);
	size_t len = 0;
	char *text;
	bool ended, yes;

	if (!p)
		return err->code;
	ended = p->ended;
	text = p->out >= 0 ? read_output(p, &len) : NULL;
	yes = text && matches(w->what, text, len, reply);
	free(text);
	if (yes)
		return SEAM_OK;
	if (ended)
		return sess_fail(err, SEAM_E_GONE, 0,
				 "%s has ended, and its output did not match "
				 "/%s/",
				 seam_show(w->arg).s, seam_show(w->what).s);
	w->next_look = seam_now() + pause_ns(w, seam_now());
	return SEAM_PENDING;
}
