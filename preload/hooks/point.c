/* SPDX-License-Identifier: MIT */
/* What <seam/point.h> finds when we are preloaded. */
#include "hooks.h"

static int
nothing(struct seam_call *c)
{
	(void)c;
	return 0;
}

SEAM_EXPORT void
seam_point(const char *name)
{
	if (SEAM_PASS(POINT, NULL))
		return;
	int saved = errno;
	struct seam_call c = SEAM_CALL(NONE, POINT, NULL);
	c.name = name;
	c.real = nothing;
	seam_gate_call(&c);
	errno = saved;
}

SEAM_EXPORT void
seam_name(const void *object, const char *name)
{
	int saved = errno;

	seam_ready();
	seam_object_name(seam_ptr(seam_word(object)), name);
	errno = saved;
}
