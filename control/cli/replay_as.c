/* SPDX-License-Identifier: MIT */
#include "replay_as.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "explore/as.h"
#include "rules_int.h"

static const char *const forms[] = {
	[AS_SCRIPT] = "script",
	[AS_CHECK] = "check",
};

static int
form_of(const char *name)
{
	for (int i = 0; i < (int)(sizeof(forms) / sizeof(*forms)); i++)
		if (!strcmp(name, forms[i]))
			return i;
	return -1;
}

bool
cli_as_known(const char *form)
{
	if (form_of(form) >= 0)
		return true;
	cli_warn("--as is script or check, not '%s'", seam_show(form).s);
	return false;
}

static bool
put(const char *output, const char *text, size_t len)
{
	FILE *f = output ? fopen(output, "we") : stdout;
	bool good = f && fwrite(text, 1, len, f) == len && !fflush(f);

	if (!good)
		cli_warn("cannot write %s: %s",
			 output ? output : "to standard output",
			 strerror(errno));
	if (output && f && fclose(f) && good) {
		cli_warn("cannot write %s: %s", output, strerror(errno));
		good = false;
	}
	return good;
}

int
cli_as(struct rerun *again, const struct replay_file *file,
       struct explore_labels *labels, const char *form, const char *name,
       const char *output)
{
	struct seam_error err;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	uint32_t strayed = 0;
	int status = SEAM_EXIT_CONTROL;

	if (!f) {
		cli_warn("no memory");
		return status;
	}
	if (explore_as(again, file, labels, (enum as_form)form_of(form), name,
		       f, &strayed, &err))
		cli_warn("%s", err.text);
	else
		status = SEAM_EXIT_OK;
	if (fclose(f) || (status == SEAM_EXIT_OK && !put(output, text, len)))
		status = SEAM_EXIT_CONTROL;
	if (status == SEAM_EXIT_OK && strayed)
		cli_warn("in %u of %u schedules that keep to these pauses it "
			 "did not fail so",
			 strayed, AS_TRIES);
	free(text);
	return status;
}
