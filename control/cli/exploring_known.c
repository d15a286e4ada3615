/* SPDX-License-Identifier: MIT */
/* --resume, --merge and --shard: what other explorations have taught. */
#include <stdlib.h>
#include <string.h>

#include "exploring.h"
#include "rules_int.h"

static json_t *
words(char *const *from)
{
	json_t *list = json_array();

	for (; from && *from; from++) {
		json_t *word = json_string(*from);

		json_array_append_new(list, word ? word : json_string("?"));
	}
	return list;
}

static void
put_text(json_t *o, const char *key, const char *text)
{
	if (text)
		seam_json_put(o, key, text);
}

/* Whatever decides which runs there are, but for how they are chosen. */
static json_t *
about(const struct exploring *x)
{
	char *program = replay_find_program(x->run.argv[0], ".");
	char *build = replay_build_id(program);
	json_t *o = json_object();

	seam_json_put(o, "version", SEAM_VERSION);
	json_object_set_new(o, "command", words(x->run.argv));
	seam_json_put(o, "build", build ? build : "-");
	json_object_set_new(o, "environment", words(x->env));
	put_text(o, "setup", x->run.setup);
	put_text(o, "reset", x->run.reset);
	put_text(o, "check", x->run.check);
	json_object_set_new(o, "scratch", json_boolean(x->run.in_scratch));
	json_object_set_new(o, "marked", json_boolean(x->marked));
	json_object_set_new(o, "allow_misuse", json_boolean(x->any_misuse));
	json_object_set_new(o, "steps", json_integer((json_int_t)x->steps));
	free(program);
	free(build);
	return o;
}

static char *
text_of(const json_t *value)
{
	return value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) :
		       strdup("not there");
}

/* The first thing that the file has otherwise, or has not. */
static const char *
difference(json_t *there, json_t *here)
{
	const char *key;
	json_t *value;

	json_object_foreach(here, key, value)
	{
		json_t *other = json_object_get(there, key);

		if (!other || !json_equal(other, value))
			return key;
	}
	json_object_foreach(there, key, value)
	{
		if (!json_object_get(here, key))
			return key;
	}
	return NULL;
}

static bool
is_about(const char *path, json_t *there, json_t *here)
{
	const char *key = difference(there, here);
	char *theirs, *ours;

	if (!key)
		return true;
	theirs = text_of(json_object_get(there, key));
	ours = text_of(json_object_get(here, key));
	cli_warn("%s:1: it is about something else: '%s' is %.200s there, and "
		 "%.200s here",
		 path, key, theirs ? theirs : "?", ours ? ours : "?");
	free(theirs);
	free(ours);
	return false;
}

/* -1, or the exit status. */
static int
read_known(const char *path, struct explore_known **k)
{
	struct seam_error err;
	enum seam_code code = explore_known_read(path, k, &err);

	if (!code)
		return -1;
	cli_warn("%s", err.text);
	return code == SEAM_E_SYNTAX ? SEAM_EXIT_USAGE : SEAM_EXIT_CONTROL;
}

static bool
has_runs(const struct explore_origin *o)
{
	for (unsigned i = 0; i < TALLY_STRATEGIES; i++)
		if (o->runs[i])
			return true;
	return false;
}

static bool
is_untouched(const struct explore_known *k)
{
	return !has_runs(&k->origin[0]) && !json_object_size(k->states);
}

static void
say_cut(char *text, size_t size, uint64_t seed, unsigned shard, unsigned shards)
{
	int n = snprintf(text, size, "--seed %llu", (unsigned long long)seed);

	if (shards && n > 0)
		snprintf(text + n, size - (size_t)n, " --shard %u/%u",
			 shard + 1, shards);
}

/* The file goes on with the runs that it was begun with. */
static bool
goes_on(const struct exploring *x, struct explore_known *k)
{
	struct explore_origin *own = &k->origin[0];
	char theirs[64], ours[64];

	if (is_untouched(k)) {
		own->seed = x->seed;
		own->shard = x->shard;
		own->shards = x->shards;
	}
	if (own->seed == x->seed && own->shard == x->shard &&
	    own->shards == x->shards)
		return true;
	say_cut(theirs, sizeof(theirs), own->seed, own->shard, own->shards);
	say_cut(ours, sizeof(ours), x->seed, x->shard, x->shards);
	cli_warn("%s:1: it was begun with %s, not %s; what is explored "
		 "otherwise needs a file of its own, to be merged",
		 x->resume, theirs, ours);
	return false;
}

static int
open_resumed(const struct exploring *x, struct explore_known **k)
{
	struct seam_error err;
	enum seam_code code = SEAM_E_NO_SUCH_OBJECT;

	if (x->resume)
		code = explore_known_read(x->resume, k, &err);
	if (!code)
		return goes_on(x, *k) ? -1 : SEAM_EXIT_USAGE;
	if (code == SEAM_E_NO_SUCH_OBJECT) {
		*k = explore_known_new(x->seed, x->shard, x->shards);
		if (*k)
			return -1;
		cli_warn("no memory");
		return SEAM_EXIT_CONTROL;
	}
	cli_warn("%s", err.text);
	return code == SEAM_E_SYNTAX ? SEAM_EXIT_USAGE : SEAM_EXIT_CONTROL;
}

static int
merge(struct explore_known *k, const char *path)
{
	struct explore_known *from = NULL;
	char why[256];
	int status = read_known(path, &from);

	if (status >= 0)
		return status;
	if (!k->about)
		k->about = json_incref(from->about);
	if (!is_about(path, from->about, k->about)) {
		status = SEAM_EXIT_USAGE;
	} else if (!explore_known_merge(k, from, why, sizeof(why))) {
		cli_warn("%s:1: %s", path, why);
		status = SEAM_EXIT_USAGE;
	}
	explore_known_free(from);
	return status;
}

/* Runs that are to come would be those of a merged file once more. */
static bool
would_repeat(const struct exploring *x, const struct explore_known *k)
{
	for (size_t i = 1; i < k->origins; i++) {
		const struct explore_origin *o = &k->origin[i];

		if (!has_runs(o) || o->seed != x->seed ||
		    (o->shards == x->shards && o->shard != x->shard))
			continue;
		cli_warn("the runs with seed %llu are known from another "
			 "exploration: give another --seed",
			 (unsigned long long)x->seed);
		return true;
	}
	return false;
}

int
exploring_known_open(const struct exploring *x, struct explore_known **to)
{
	struct explore_known *k = NULL;
	json_t *here = x->run.argv ? about(x) : NULL;
	int status = open_resumed(x, &k);

	if (status < 0 && k->about && here &&
	    !is_about(x->resume, k->about, here))
		status = SEAM_EXIT_USAGE;
	if (status < 0 && !k->about)
		k->about = json_incref(here);
	for (size_t i = 0; status < 0 && i < x->nmerge; i++)
		status = merge(k, x->merge[i]);
	if (status < 0 && here && would_repeat(x, k))
		status = SEAM_EXIT_USAGE;
	json_decref(here);
	if (status < 0) {
		k->before = k->all.schedules;
		k->failed = k->all.failing;
		*to = k;
	} else {
		explore_known_free(k);
	}
	return status;
}

bool
exploring_known_resume(const struct exploring *x, struct campaign *c,
		       const struct explore_known *k)
{
	const json_t *state = json_object_get(k->states, x->strategy);

	if (!state || campaign_resume(c, state))
		return true;
	cli_warn("%s:%d: %s cannot go on from this state", x->resume,
		 k->state_line, x->strategy);
	return false;
}

bool
exploring_known_keep(const struct exploring *x, const struct campaign *c,
		     struct explore_known *k)
{
	struct seam_error err;
	json_t *state;

	if (!x->resume)
		return true;
	state = c ? campaign_left_at(c) : NULL;
	if (state)
		json_object_set_new(k->states, x->strategy, state);
	if (!explore_known_write(k, x->resume, &err))
		return true;
	cli_warn("%s", err.text);
	return false;
}

/* I/N, from 1. */
bool
exploring_take_shard(struct exploring *x, const char *text)
{
	char *end;
	unsigned long i = strtoul(text, &end, 10), n = 0;

	if (end != text && *end == '/' && end[1] >= '0' && end[1] <= '9')
		n = strtoul(end + 1, &end, 10);
	if (*end || !i || i > n || n > 1000000) {
		cli_usage(x->command, "--shard takes I/N, as 1/4, not '%s'",
			  seam_show(text).s);
		return false;
	}
	x->shard = (unsigned)i - 1;
	x->shards = (unsigned)n;
	return true;
}
