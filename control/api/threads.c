/* SPDX-License-Identifier: MIT */
/* Threads of a test, and crashes. */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "api.h"

uint64_t
seam_mark(seam_session *s)
{
	struct seam_error err;

	if (api_enter(s, &err)) {
		api_error(&err);
		return 0;
	}
	return sess_mark(s);
}

enum seam_code
seam_left_behind(seam_session *s, uint64_t mark, struct seam_thread_info **list,
		 size_t *n)
{
	return api_threads(s, seam_left_next, mark, list, n);
}

enum seam_code
seam_join(seam_session *s, uint64_t mark, uint64_t timeout)
{
	struct sess_wait w = { .kind = SEAM_WAIT_JOIN, .since = mark };
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code) {
		w.timeout_ms = api_timeout(s, timeout);
		code = api_wait(s, &w, NULL, &err);
	}
	return api_leave(code, &err);
}

enum seam_code
seam_crashes(seam_session *s)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);
	char *text = NULL;

	if (!code)
		text = sess_crashes(s);
	if (text)
		code = sess_fail(&err, SEAM_E_FAILED, 0, "%.*s",
				 (int)strlen(text) - 1, text);
	free(text);
	return api_leave(code, &err);
}

enum seam_code
seam_expect_crash(seam_session *s, const char *alias)
{
	struct seam_error err;
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_need(alias, "alias", &err);
	if (!code)
		code = sess_expect_crash(s, alias, &err);
	return api_leave(code, &err);
}
