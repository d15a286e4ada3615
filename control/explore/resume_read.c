/* SPDX-License-Identifier: MIT */
/* Reading files of what is known; what is wrong is said with the line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "explore/resume.h"

struct reader {
	const char *name;
	int line;
	struct explore_known *known;
	size_t origins;
	bool over;
	struct seam_error *err;
};

static bool wrong(struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
wrong(struct reader *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sess_fail(r->err, SEAM_E_SYNTAX, 0, "%s:%d: %s", r->name, r->line,
		  text);
	return false;
}

/* Values. */

static bool
take_number(struct reader *r, const json_t *from, const char *key,
	    uint64_t most, uint64_t *to)
{
	const json_t *n = json_object_get(from, key);

	if (!json_is_integer(n))
		return wrong(r, "the number '%s' is missing", key);
	*to = (uint64_t)json_integer_value(n);
	if (most != UINT64_MAX && (json_integer_value(n) < 0 || *to > most))
		return wrong(r, "'%s' is out of range", key);
	return true;
}

static bool
take_small(struct reader *r, const json_t *from, const char *key, uint32_t *to)
{
	uint64_t n = 0;
	bool good = take_number(r, from, key, INT32_MAX, &n);

	*to = (uint32_t)n;
	return good;
}

static const char *
take_text(struct reader *r, const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	if (!text)
		wrong(r, "the text '%s' is missing", key);
	return text;
}

static bool
take_hash(struct reader *r, const json_t *from, const char *key, uint64_t *to)
{
	const char *text = take_text(r, from, key);
	char *end;

	if (!text)
		return false;
	*to = strtoull(text, &end, 16);
	if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return wrong(r, "'%s' is no hash of 16 hexadecimal digits",
			     key);
	return true;
}

static bool
take_strategy(struct reader *r, const char *name, unsigned *number)
{
	const struct explore_strategy *s;
	struct seam_error err;

	if (!name)
		return false;
	s = explore_strategy_find(name, &err);
	if (!s)
		return wrong(r, "%s", err.text);
	*number = explore_strategy_number(s);
	return true;
}

/* Lines. */

#define COUNT_MAX ((uint64_t)INT64_MAX / 1024)

static bool
read_totals(struct reader *r, const json_t *line)
{
	struct explore_totals *t = &r->known->all;
	const json_t *o = json_object_get(line, "totals");
	const json_t *seconds = json_object_get(o, "seconds");

	t->seconds = json_number_value(seconds);
	if (!json_is_number(seconds) || t->seconds < 0)
		return wrong(r, "the number 'seconds' is missing");
	return take_number(r, o, "schedules", COUNT_MAX, &t->schedules) &&
	       take_number(r, o, "redundant", COUNT_MAX, &t->redundant) &&
	       take_number(r, o, "too_long", COUNT_MAX, &t->too_long) &&
	       take_number(r, o, "failing", COUNT_MAX, &t->failing) &&
	       take_number(r, o, "confirmed", COUNT_MAX, &t->confirmed) &&
	       take_number(r, o, "left_behind", COUNT_MAX, &t->left) &&
	       take_number(r, o, "strays", COUNT_MAX, &t->strays) &&
	       take_number(r, o, "outside", COUNT_MAX, &t->outside) &&
	       take_small(r, o, "steps", &t->steps) &&
	       take_small(r, o, "threads", &t->threads) &&
	       take_small(r, o, "choices", &t->decisions);
}

static bool
read_runs(struct reader *r, const json_t *line)
{
	const json_t *o = json_object_get(line, "runs");
	json_t *of = json_object_get(o, "of"), *n;
	struct explore_known *k = r->known;
	struct explore_origin *longer, at = { 0 };
	const char *name;
	unsigned number = 0;

	if (!take_number(r, o, "seed", UINT64_MAX, &at.seed) ||
	    !take_small(r, o, "shard", &at.shard) ||
	    !take_small(r, o, "shards", &at.shards))
		return false;
	json_object_foreach(of, name, n)
	{
		if (!take_strategy(r, name, &number) ||
		    !take_number(r, of, name, COUNT_MAX, &at.runs[number]))
			return false;
	}
	if (!r->origins++) {
		k->origin[0] = at;
		return true;
	}
	longer = reallocarray(k->origin, r->origins, sizeof(*longer));
	if (!longer)
		return wrong(r, "no memory");
	k->origin = longer;
	longer[k->origins++] = at;
	return true;
}

static bool
read_measured(struct reader *r, const json_t *line)
{
	const json_t *o = json_object_get(line, "measured");

	return take_small(r, o, "threads", &r->known->pct.threads) &&
	       take_small(r, o, "choices", &r->known->pct.choices);
}

static bool
read_pct(struct reader *r, const json_t *line)
{
	const json_t *o = json_object_get(line, "pct");
	const json_t *runs = json_object_get(o, "runs");
	uint32_t length;

	if (!take_small(r, o, "length", &length))
		return false;
	if (json_array_size(runs) != PCT_DEPTHS)
		return wrong(r, "'runs' has not %d numbers", PCT_DEPTHS);
	for (uint32_t d = 0; d < PCT_DEPTHS; d++) {
		json_int_t n = json_integer_value(json_array_get(runs, d));

		if (n < 0)
			return wrong(r, "'runs' is out of range");
		explore_pct_add(&r->known->pct, d + 1, length, (uint64_t)n);
	}
	return true;
}

static bool
read_class(struct reader *r, const json_t *line)
{
	uint64_t class = 0, times = 0;
	unsigned number = 0;

	if (!take_hash(r, line, "class", &class) ||
	    !take_strategy(r, take_text(r, line, "of"), &number) ||
	    !take_number(r, line, "times", UINT32_MAX, &times))
		return false;
	return explore_tally_add(r->known->tally, number, class,
				 (uint32_t)times) ||
	       wrong(r, "no memory");
}

static bool
read_pair(struct reader *r, const json_t *line)
{
	const json_t *o = json_object_get(line, "pair");
	struct explore_pair p = { 0 };

	p.object = take_text(r, o, "object");
	p.first = p.object ? take_text(r, o, "first") : NULL;
	p.second = p.first ? take_text(r, o, "second") : NULL;
	if (!p.second || !take_hash(r, o, "key", &p.key) ||
	    !take_number(r, o, "forth", COUNT_MAX, &p.forth) ||
	    !take_number(r, o, "back", COUNT_MAX, &p.back))
		return false;
	return explore_coverage_put(r->known->coverage, &p) ||
	       wrong(r, "no memory");
}

static bool
read_exhausted(struct reader *r, const json_t *line)
{
	const char *text = take_text(r, line, "exhausted");

	free(r->known->exhausted);
	r->known->exhausted = text ? strdup(text) : NULL;
	return r->known->exhausted != NULL;
}

static bool
read_state(struct reader *r, const json_t *line)
{
	const char *name = take_text(r, line, "of");
	unsigned number = 0;

	if (!take_strategy(r, name, &number))
		return false;
	r->known->state_line = r->line;
	return !json_object_set(r->known->states, name,
				json_object_get(line, "state")) ||
	       wrong(r, "no memory");
}

static bool
read_end(struct reader *r, const json_t *line)
{
	r->over = true;
	return json_integer_value(json_object_get(line, "end")) == r->line ||
	       wrong(r, "lines are missing before this one");
}

static const struct {
	const char *key;
	bool (*read)(struct reader *r, const json_t *line);
} kinds[] = {
	{ "class", read_class },
	{ "pair", read_pair },
	{ "pct", read_pct },
	{ "runs", read_runs },
	{ "totals", read_totals },
	{ "state", read_state },
	{ "exhausted", read_exhausted },
	{ "measured", read_measured },
	{ "end", read_end },
};

static bool
read_head(struct reader *r, const json_t *line)
{
	const json_t *version = json_object_get(line, "seam-known");
	json_t *about = json_object_get(line, "about");
	struct explore_origin *own = &r->known->origin[0];

	if (!json_is_integer(version))
		return wrong(r, "this is not a file of seam explore --resume");
	if (json_integer_value(version) != KNOWN_VERSION)
		return wrong(r, "it has version %lld; version %d is known",
			     (long long)json_integer_value(version),
			     KNOWN_VERSION);
	r->known->about = json_incref(about);
	return take_number(r, line, "seed", UINT64_MAX, &own->seed) &&
	       take_small(r, line, "shard", &own->shard) &&
	       take_small(r, line, "shards", &own->shards);
}

static bool
read_line(struct reader *r, const char *text, size_t len)
{
	json_error_t error;
	json_t *line = json_loadb(text, len, 0, &error);
	bool good = false;
	size_t i = 0;

	if (!line)
		return r->line == 1 ?
			   wrong(r, "this is not a file of seam explore "
				    "--resume") :
			   wrong(r, "column %d: %s", error.column, error.text);
	while (i < sizeof(kinds) / sizeof(kinds[0]) &&
	       !json_object_get(line, kinds[i].key))
		i++;
	if (r->line == 1)
		good = read_head(r, line);
	else if (r->over)
		wrong(r, "there is more after the end");
	else if (i == sizeof(kinds) / sizeof(kinds[0]))
		wrong(r, "it is not known what this line is");
	else
		good = kinds[i].read(r, line);
	json_decref(line);
	return good;
}

static bool
read_lines(struct reader *r, FILE *f)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	bool good = true;

	while (good && (len = getline(&text, &room, f)) >= 0) {
		r->line++;
		good = read_line(r, text, (size_t)len);
	}
	free(text);
	if (good && !r->over) {
		r->line++;
		good = wrong(r, "the file ends here; it was cut off");
	}
	return good;
}

enum seam_code
explore_known_parse(const char *name, FILE *f, struct explore_known **out,
		    struct seam_error *err)
{
	struct reader r = { .name = name, .err = err };

	*out = NULL;
	r.known = explore_known_new(0, 0, 0);
	if (r.known ? read_lines(&r, f) : wrong(&r, "no memory")) {
		*out = r.known;
		return SEAM_OK;
	}
	explore_known_free(r.known);
	return err->code;
}

enum seam_code
explore_known_read(const char *path, struct explore_known **out,
		   struct seam_error *err)
{
	FILE *f = fopen(path, "re");
	enum seam_code code;

	*out = NULL;
	if (!f)
		return sess_fail(err,
				 errno == ENOENT ? SEAM_E_NO_SUCH_OBJECT :
						   SEAM_E_UNSUPPORTED,
				 0, "%s: %s", path, strerror(errno));
	code = explore_known_parse(path, f, out, err);
	fclose(f);
	return code;
}
