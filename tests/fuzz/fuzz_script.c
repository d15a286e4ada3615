/* SPDX-License-Identifier: MIT */
/* Any bytes as a script of either kind: read and checked, never run. */
#include "fuzz.h"
#include "permute.h"
#include "permute_auto.h"
#include "script.h"

static void
read_lines(const char *text, size_t size, const struct seam_vars *vars)
{
	struct seam_error err = { .code = SEAM_OK };
	struct seam_script *script;

	if (seam_script_new("fuzz", text, size, &script, &err)) {
		DEMAND(err.code && err.text[0]);
		return;
	}
	DEMAND(strlen(text) == size);
	seam_script_check(script, vars, fuzz_null());
	seam_script_starts_main(script);
	seam_script_free(script);
}

static void
check_order(const struct permute *p, const struct permute_order *o)
{
	DEMAND(o->n > 0);
	for (size_t i = 0; i < o->n; i++)
		DEMAND(o->step[i] < p->steps);
}

static void
check_permute(const struct permute *p)
{
	DEMAND(p->steps > 0 && p->sessions > 0);
	DEMAND(p->automatic || p->orders > 0);
	for (size_t i = 0; i < p->sessions; i++) {
		DEMAND(p->session[i].name && p->session[i].argv[0]);
		DEMAND(strchr(p->session[i].echo, '@'));
	}
	for (size_t i = 0; i < p->steps; i++)
		DEMAND(p->step[i].session < p->sessions);
	for (size_t i = 0; i < p->orders; i++)
		check_order(p, &p->order[i]);
}

static void
read_permute(const char *text, const struct seam_vars *vars)
{
	struct permute *p;

	if (!seam_permute_read("fuzz", text, vars, &p, fuzz_null()))
		check_permute(p);
	seam_permute_free(p);
}

int
FUZZ_TARGET(script)(const uint8_t *data, size_t size)
{
	struct seam_vars vars = { 0 };
	char *text = fuzz_text(data, size);

	DEMAND(seam_var_set(&vars, "known", "value"));
	read_lines(text, size, &vars);
	if (seam_permute_is(text))
		read_permute(text, &vars);
	seam_vars_free(&vars);
	free(text);
	return 0;
}
