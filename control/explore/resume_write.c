/* SPDX-License-Identifier: MIT */
/* Files of what is known. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explore/resume.h"
#include "rules_int.h"

struct writer {
	FILE *f;
	unsigned lines;
	bool good;
};

/* Takes the object. */
static void
put(struct writer *w, json_t *line)
{
	w->good =
	    w->good && line &&
	    json_dumpf(line, w->f, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
	    fputc('\n', w->f) != EOF;
	w->lines++;
	json_decref(line);
}

static json_t *
totals(const struct explore_totals *t)
{
	return json_pack("{s{sI sI sI sI sI sI sI sI si si si sf}}", "totals",
			 "schedules", (json_int_t)t->schedules, "redundant",
			 (json_int_t)t->redundant, "too_long",
			 (json_int_t)t->too_long, "failing",
			 (json_int_t)t->failing, "confirmed",
			 (json_int_t)t->confirmed, "left_behind",
			 (json_int_t)t->left, "strays", (json_int_t)t->strays,
			 "outside", (json_int_t)t->outside, "steps",
			 (int)t->steps, "threads", (int)t->threads, "choices",
			 (int)t->decisions, "seconds", t->seconds);
}

static json_t *
origin(const struct explore_origin *o)
{
	json_t *of = json_object();

	for (unsigned i = 0; explore_strategies[i]; i++)
		if (o->runs[i])
			json_object_set_new(of, explore_strategies[i]->name,
					    json_integer(
						(json_int_t)o->runs[i]));
	return json_pack("{s{sI si si so}}", "runs", "seed",
			 (json_int_t)o->seed, "shard", (int)o->shard, "shards",
			 (int)o->shards, "of", of);
}

static void
put_pct(struct writer *w, const struct explore_pct *p)
{
	put(w, json_pack("{s{si si}}", "measured", "threads", (int)p->threads,
			 "choices", (int)p->choices));
	for (size_t i = 0; i < p->n; i++) {
		json_t *runs = json_array();

		for (int d = 0; d < PCT_DEPTHS; d++)
			json_array_append_new(
			    runs, json_integer((json_int_t)p->by[i].runs[d]));
		put(w, json_pack("{s{si so}}", "pct", "length",
				 (int)p->by[i].length, "runs", runs));
	}
}

static void
put_class(void *arg, unsigned by, uint64_t class, uint32_t times)
{
	char hash[17];

	snprintf(hash, sizeof(hash), "%016" PRIx64, class);
	put(arg, json_pack("{ss ss sI}", "class", hash, "of",
			   explore_strategies[by]->name, "times",
			   (json_int_t)times));
}

static void
put_pairs(struct writer *w, const struct explore_coverage *c)
{
	size_t n;
	struct explore_pair *p = explore_coverage_pairs(c, &n);

	if (!p) {
		w->good = false;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		json_t *o =
		    json_pack("{sI sI}", "forth", (json_int_t)p[i].forth,
			      "back", (json_int_t)p[i].back);
		char key[17];

		snprintf(key, sizeof(key), "%016" PRIx64, p[i].key);
		seam_json_put(o, "key", key);
		seam_json_put(o, "object", p[i].object);
		seam_json_put(o, "first", p[i].first);
		seam_json_put(o, "second", p[i].second);
		put(w, json_pack("{so}", "pair", o));
	}
	free(p);
}

static void
put_states(struct writer *w, json_t *states)
{
	const char *name;
	json_t *state;

	json_object_foreach(states, name, state)
	{
		put(w, json_pack("{sO ss}", "state", state, "of", name));
	}
}

bool
explore_known_put(FILE *f, const struct explore_known *k)
{
	struct writer w = { .f = f, .good = true };

	put(&w,
	    json_pack("{si sO? sI si si}", "seam-known", KNOWN_VERSION, "about",
		      k->about, "seed", (json_int_t)k->origin[0].seed, "shard",
		      (int)k->origin[0].shard, "shards",
		      (int)k->origin[0].shards));
	put(&w, totals(&k->all));
	for (size_t i = 0; i < k->origins; i++)
		put(&w, origin(&k->origin[i]));
	if (k->exhausted)
		put(&w, json_pack("{ss}", "exhausted", k->exhausted));
	put_pct(&w, &k->pct);
	explore_tally_each(k->tally, put_class, &w);
	put_pairs(&w, k->coverage);
	put_states(&w, k->states);
	put(&w, json_pack("{si}", "end", (int)w.lines + 1));
	return w.good && !fflush(f) && !ferror(f);
}

/* 0 or errno. */
static int
put_all(FILE *f, const struct explore_known *k)
{
	errno = 0;
	if (explore_known_put(f, k) && !fsync(fileno(f)))
		return 0;
	return errno ? errno : EIO;
}

enum seam_code
explore_known_write(const struct explore_known *k, const char *path,
		    struct seam_error *err)
{
	char *name = NULL;
	FILE *f = NULL;
	int fd = -1, why;

	if (asprintf(&name, "%s.XXXXXX", path) >= 0)
		fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0 && !fchmod(fd, 0644))
		f = fdopen(fd, "w");
	why = f ? put_all(f, k) : errno;
	if (f ? fclose(f) : (fd >= 0 && close(fd)))
		why = why ? why : errno;
	if (!why && rename(name, path))
		why = errno;
	if (why && fd >= 0)
		unlink(name);
	free(name);
	if (!why)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "cannot write %s: %s",
			 path, strerror(why));
}
