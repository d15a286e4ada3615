/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file of --resume: read, merged, and every search that can go
 * on from what it keeps asked for its next runs.  Bytes that do not begin as
 * such a file are its inner lines: the first and the last one are put around
 * them, since no mutation would keep the number of lines right.
 */
#include "explore/resume.h"
#include "explore/strategies.h"
#include "fuzz.h"

#define RUNS 4

static struct seam_forced *
forced_steps(void)
{
	static struct seam_forced *forced;

	if (!forced)
		forced = calloc(SEAM_STEPS, sizeof(*forced));
	DEMAND(forced);
	return forced;
}

static void
check_plan(const struct seam_plan *plan)
{
	DEMAND(plan->forced <= SEAM_STEPS);
	DEMAND(plan->points <= sizeof(plan->point) / sizeof(plan->point[0]));
	DEMAND(plan->counts <= sizeof(plan->count) / sizeof(plan->count[0]));
}

/* No run comes back: it may then want none. */
static void
go_on(const struct explore_strategy *row, const json_t *state)
{
	const struct explore_params params = { .seed = 7 };
	struct explore_search *s = row->open(&params);
	struct explore_said said;
	struct seam_plan plan;
	uint64_t ticket;
	json_t *again;

	DEMAND(s);
	if (row->load(s, state)) {
		again = row->save(s);
		DEMAND(again);
		json_decref(again);
		for (int i = 0; i < RUNS; i++) {
			memset(&plan, 0, sizeof(plan));
			if (row->next(s, &plan, forced_steps(), &ticket) !=
			    EXPLORE_PLAN)
				break;
			check_plan(&plan);
		}
		row->say(s, &said);
		DEMAND(memchr(said.state, '\0', sizeof(said.state)));
	}
	row->close(s);
}

static void
go_on_with_each(json_t *states)
{
	const char *name;
	json_t *state;

	json_object_foreach(states, name, state)
	{
		const struct explore_strategy *row =
		    explore_strategy_find(name, NULL);

		DEMAND(row);
		if (row->load)
			go_on(row, state);
	}
}

static void
look(const struct explore_known *k)
{
	struct explore_known *to = explore_known_new(99, 0, 0);
	struct explore_said said = { .exhaustive = false };
	struct explore_sure sure;
	char why[256];

	DEMAND(to);
	if (!explore_known_merge(to, k, why, sizeof(why)))
		DEMAND(why[0]);
	explore_sure(to, explore_strategies[0], &said, false, &sure);
	DEMAND(explore_known_put(fuzz_null(), k));
	explore_known_free(to);
}

static char *
file_of(const uint8_t *data, size_t size)
{
	static const char head[] = "{\"seam-known\":1,\"seed\":1,\"shard\":0,"
				   "\"shards\":0}\n";
	char *text = fuzz_text(data, size), *whole;
	unsigned lines = 3;

	if (!strncmp(text, head, 13))
		return text;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	DEMAND(asprintf(&whole, "%s%s\n{\"end\":%u}\n", head, text, lines) > 0);
	free(text);
	return whole;
}

int
FUZZ_TARGET(resume)(const uint8_t *data, size_t size)
{
	char *text = file_of(data, size);
	FILE *f = fmemopen(text, strlen(text), "r");
	struct seam_error err = { .code = SEAM_OK };
	struct explore_known *k;
	enum seam_code code;

	DEMAND(f);
	code = explore_known_parse("fuzz", f, &k, &err);
	fclose(f);
	free(text);
	if (code) {
		DEMAND(code == SEAM_E_SYNTAX && err.code == code && !k);
		DEMAND(!strncmp(err.text, "fuzz:", 5));
		return 0;
	}
	look(k);
	go_on_with_each(k->states);
	explore_known_free(k);
	return 0;
}
