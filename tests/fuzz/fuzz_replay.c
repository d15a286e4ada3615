/* SPDX-License-Identifier: MIT */
/* Any bytes as a replay file: read, planned, written and read again. */
#include "explore/replay_file.h"
#include "fuzz.h"

#define PLANNED 4096

static void
check_error(const struct seam_error *err, enum seam_code code)
{
	int line = 0, column = 0;

	DEMAND(code == SEAM_E_SYNTAX && err->code == code);
	DEMAND(memchr(err->text, '\0', sizeof(err->text)));
	DEMAND(sscanf(err->text, "fuzz:%d:%d: ", &line, &column) == 2);
	DEMAND(line >= 1 && column >= 1);
}

static char *
written(const struct replay_file *f)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	DEMAND(to);
	replay_put(to, f, "one\ntwo");
	DEMAND(!fclose(to));
	return text;
}

/* What was written is read, and written as it stands. */
static void
round_trip(const struct replay_file *f)
{
	char *text = written(f), *again;
	struct replay_file *read;
	struct seam_error err;

	DEMAND(!replay_parse("fuzz", text, strlen(text), &read, &err));
	again = written(read);
	DEMAND(!strcmp(text, again));
	free(again);
	free(text);
	replay_free(read);
}

static void
check_plan(const struct replay_file *f)
{
	static struct seam_forced forced[PLANNED];
	struct seam_plan plan;
	uint64_t total = 0;

	for (size_t i = 0; i < f->nblocks; i++)
		total += f->block[i].count;
	DEMAND(total <= SEAM_STEPS);
	if (total > PLANNED)
		return;
	replay_plan(f, true, &plan, forced);
	DEMAND(plan.forced == total);
}

int
FUZZ_TARGET(replay)(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct seam_error err = { .code = SEAM_OK };
	struct replay_file *f, *copy;
	enum seam_code code = replay_parse("fuzz", text, size, &f, &err);

	free(text);
	if (code) {
		DEMAND(!f);
		check_error(&err, code);
		return 0;
	}
	DEMAND(f->argv[0] && f->dir && f->program && f->strategy && f->fault);
	round_trip(f);
	check_plan(f);
	for (uint32_t i = 0; i <= f->nevents && i < 4; i++)
		free(replay_expected(f, i));
	copy = replay_copy(f);
	DEMAND(copy);
	replay_free(copy);
	replay_free(f);
	return 0;
}
