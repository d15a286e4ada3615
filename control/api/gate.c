/* SPDX-License-Identifier: MIT */
/* Start gates. */
#include "api.h"

enum seam_code
seam_gate(seam_session *s, const char *id, unsigned n, const char *selector)
{
	struct seam_error err;
	struct seam_selector sel = { 0 };
	enum seam_code code = api_enter(s, &err);

	if (!code)
		code = api_selector(selector, &sel, &err);
	if (!code)
		code = sess_gate(s, n, &sel, id, NULL, &err);
	seam_selector_free(&sel);
	return api_leave_at(code, &err, selector);
}
