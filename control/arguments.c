/* SPDX-License-Identifier: MIT */
/* What the parsers of commands share: positions, options, checked texts. */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define NAME_MAX_BYTES 48 /* fits the arena's aliases */
#define REGEX_MAX_BYTES 512
#define REGEX_MAX_REPEAT 255
#define REGEX_MAX_NESTED 32
#define REGEX_MAX_SIZE 2048 /* unrolled */
#define REGEX_MAX_LEVELS 4  /* repetitions of repetitions */

const char *
seam_word_whole(struct seam_word *w)
{
	if (w->value)
		w->value[-1] = '=';
	w->value = NULL;
	return w->text;
}

/* Names. */

/* Words that mean something where an id may stand. */
static bool
is_reserved(const char *text)
{
	static const char *const words[] = {
		"all",	  "quiescent", "exit",	 "off", "blocked",
		"output", "step",      "parked", "not",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

/* P1, P1.2.T0.1: what the session itself names. */
static bool
is_logical(const char *text)
{
	return text[0] == 'P' && isdigit((unsigned char)text[1]);
}

static enum seam_code
check_name(const char *text, int column, const char *what,
	   struct seam_error *err)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz_0123456789-");

	if (is_reserved(text) || is_logical(text))
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "'%s' means something else already and can't "
				 "be %s",
				 seam_show(text).s, what);
	if (!n || text[n] || !(isalpha((unsigned char)*text) || *text == '_'))
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "'%s' can't be %s: letters, digits, '_' and "
				 "'-', beginning with a letter",
				 seam_show(text).s, what);
	if (n > NAME_MAX_BYTES)
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "%s is at most %d bytes long", what,
				 NAME_MAX_BYTES);
	return SEAM_OK;
}

/* Positions. */

enum seam_code
seam_take_word(struct seam_job *job, size_t *i, const char *what,
	       const char **out, struct seam_error *err)
{
	struct seam_words *w = &job->words;

	if (*i >= w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->end,
				 "expected %s, met the end of the line; "
				 "usage: %s",
				 what, job->command->usage);
	*out = seam_word_whole(&w->v[*i]);
	if (!**out)
		return sess_fail(err, SEAM_E_SYNTAX, w->v[*i].column,
				 "expected %s, met an empty word", what);
	++*i;
	return SEAM_OK;
}

enum seam_code
seam_take_name(struct seam_job *job, size_t *i, const char *what,
	       const char **out, struct seam_error *err)
{
	enum seam_code code = seam_take_word(job, i, what, out, err);

	if (code)
		return code;
	return check_name(*out, job->words.v[*i - 1].column, what, err);
}

enum seam_code
seam_take_switch(struct seam_job *job, size_t *i, struct seam_error *err)
{
	enum seam_code code;
	const char *text = "";

	code = seam_take_word(job, i, "on or off", &text, err);
	if (code)
		return code;
	job->args.on = !strcmp(text, "on");
	if (job->args.on || !strcmp(text, "off"))
		return SEAM_OK;
	return sess_fail(err, SEAM_E_SYNTAX, job->words.v[*i - 1].column,
			 "expected on or off, met '%s'", seam_show(text).s);
}

enum seam_code
seam_take_end(struct seam_job *job, size_t i, struct seam_error *err)
{
	return seam_take_options(job, i, 0, err);
}

enum seam_code
seam_parse_none(struct seam_job *job, size_t from, struct seam_error *err)
{
	return seam_take_end(job, from, err);
}

enum seam_code
seam_parse_what(struct seam_job *job, size_t from, struct seam_error *err)
{
	enum seam_code code;

	code = seam_take_word(job, &from, "a name", &job->args.what, err);
	return code ? code : seam_take_end(job, from, err);
}

/* Regular expressions. */

/* After a bracket expression that begins at p. */
static const char *
skip_brackets(const char *p)
{
	char close[] = "x]";
	const char *end;

	p += 1 + (p[1] == '^');
	p += *p == ']';
	while (*p && *p != ']') {
		end = NULL;
		if (*p == '[' && p[1] && strchr(".:=", p[1])) {
			close[0] = p[1];
			end = strstr(p + 2, close);
		}
		p = end ? end + 2 : p + 1;
	}
	return *p ? p : p - 1;
}

/* {n} or {n,m}: the larger one; *p is moved to its end. */
static uint64_t
repetitions(const char **p)
{
	char *end;
	uint64_t n = strtoul(*p + 1, &end, 10), m;

	if (*end == ',') {
		m = strtoul(end + 1, &end, 10);
		n = m > n ? m : n;
	}
	*p = *end == '}' ? end : *p;
	return n > REGEX_MAX_REPEAT ? REGEX_MAX_REPEAT + 1 : n ? n : 1;
}

/* How much of a compiler's tree there is, group within group, and whether
 * there are anchors in it. */
struct sizes {
	uint64_t of[REGEX_MAX_NESTED], last; /* last: the atom before */
	bool anchors[REGEX_MAX_NESTED], anchor;
	unsigned levels[REGEX_MAX_NESTED], level; /* of repetitions */
	unsigned depth;
};

/* The atom before comes to be that many; false: it must not. */
static bool
repeat(struct sizes *s, uint64_t n)
{
	s->of[s->depth] += s->last * (n - 1);
	s->last *= n;
	if (++s->level > s->levels[s->depth])
		s->levels[s->depth] = s->level;
	return !s->anchor && s->level <= REGEX_MAX_LEVELS;
}

static bool
is_anchor(const char *p)
{
	return *p == '^' || *p == '$' ||
	       (*p == '\\' && p[1] && strchr("bB<>`'", p[1]));
}

/* One step of the expression; returns where it ends, NULL: too deep. */
static const char *
measure(struct sizes *s, const char *p)
{
	const bool anchor = is_anchor(p);
	uint64_t n = 1;

	switch (*p) {
	case '{':
		n = repetitions(&p);
		return repeat(s, n) && n <= REGEX_MAX_REPEAT ? p : NULL;
	case '+': /* e+ becomes ee* */
		return repeat(s, 2) ? p : NULL;
	case '*':
	case '?':
		return repeat(s, 1) ? p : NULL;
	case '(':
		if (++s->depth == REGEX_MAX_NESTED)
			return NULL;
		s->of[s->depth] = s->last = 0;
		s->anchors[s->depth] = false;
		s->levels[s->depth] = 0;
		return p;
	case ')':
		s->last = s->of[s->depth] + 1;
		s->anchor = s->anchors[s->depth];
		s->level = s->levels[s->depth];
		if (s->depth)
			s->depth--;
		s->of[s->depth] += s->last;
		s->anchors[s->depth] |= s->anchor;
		if (s->level > s->levels[s->depth])
			s->levels[s->depth] = s->level;
		return p;
	case '[':
		p = skip_brackets(p);
		break;
	case '\\':
		p += p[1] != '\0';
		break;
	}
	s->of[s->depth] += s->last = 1;
	s->level = 0;
	s->anchor = anchor;
	s->anchors[s->depth] |= anchor;
	return p;
}

/* glibc's compiler unrolls {n} and +, and then takes memory by the square of
 * what has become of it: so that is reckoned first.  Anchors within repetitions
 * it copies, by a power of their number. */
static bool
is_too_large(const char *text)
{
	struct sizes s = { .depth = 0 };

	for (const char *p = text; *p; p++) {
		p = measure(&s, p);
		if (!p || s.of[s.depth] > REGEX_MAX_SIZE)
			return true;
	}
	return strlen(text) > REGEX_MAX_BYTES;
}

/* Exponential, and glibc's have crashed. */
static bool
has_back_reference(const char *text)
{
	for (; *text; text++)
		if (*text == '\\' && *++text >= '1' && *text <= '9')
			return true;
		else if (!*text)
			break;
	return false;
}

const char *
seam_regex_refused(const char *text)
{
	if (is_too_large(text))
		return "the regular expression is too large, or repeats an "
		       "anchor";
	if (has_back_reference(text))
		return "regular expressions have no back-references here";
	return NULL;
}

static enum seam_code
check_regex(const char *text, int column, struct seam_error *err)
{
	const char *refused = seam_regex_refused(text);
	char why[128];
	regex_t re;
	int bad;

	if (refused)
		return sess_fail(err, SEAM_E_SYNTAX, column, "%s", refused);
	bad = regcomp(&re, text, REG_EXTENDED | REG_NEWLINE);
	if (!bad) {
		regfree(&re);
		return SEAM_OK;
	}
	regerror(bad, &re, why, sizeof(why));
	return sess_fail(err, SEAM_E_SYNTAX, column, "regular expression: %s",
			 why);
}

enum seam_code
seam_take_regex(struct seam_job *job, size_t *i, struct seam_error *err)
{
	enum seam_code code;
	const char *word = "";
	char *text;
	int column;
	size_t n;

	code = seam_take_word(job, i, "a regular expression /like this/", &word,
			      err);
	if (code)
		return code;
	column = job->words.v[*i - 1].column;
	n = strlen(word);
	if (n < 3 || word[0] != '/' || word[n - 1] != '/')
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "expected a regular expression /like this/, "
				 "met '%s'",
				 seam_show(word).s);
	text = job->words.v[*i - 1].text;
	text[n - 1] = '\0';
	job->args.text = text + 1;
	return check_regex(job->args.text, seam_column(column, 1), err);
}

/* Options. */

typedef enum seam_code take_fn(struct seam_args *a, struct seam_word *w,
			       struct seam_error *err);

static enum seam_code
take_as(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	a->as = w->value;
	return check_name(w->value, w->value_column, "an id", err);
}

static enum seam_code
take_variable(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	size_t n = seam_var_name(w->value);

	a->sets = w->value;
	if (n && !w->value[n] && n <= NAME_MAX_BYTES)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
			 "'%s' can't be a variable: letters, digits and '_'",
			 seam_show(w->value).s);
}

static enum seam_code
take_timeout(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	a->has_timeout = true;
	return seam_number_parse(w->value, w->value_column, 0, SEAM_MS_MAX,
				 &a->timeout_ms, err);
}

static enum seam_code
take_mode(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	if (strcmp(w->value, "rd") && strcmp(w->value, "wr"))
		return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
				 "mode is rd or wr, not '%s'",
				 seam_show(w->value).s);
	a->mode = (unsigned char)w->value[0];
	return SEAM_OK;
}

static enum seam_code
take_range(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	return seam_range_parse(w->value, w->value_column, &a->range, err);
}

static enum seam_code
take_proc(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	(void)err;
	a->proc = w->value;
	return SEAM_OK;
}

static enum seam_code
take_obj(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	a->has_obj = true;
	return seam_object_parse(w->value, w->value_column, &a->obj, err);
}

static enum seam_code
take_errno(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	int number = seam_errno_number(w->value);

	if (number <= 0)
		return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
				 "'%s' is no error's name, such as EBUSY",
				 seam_show(w->value).s);
	a->number = (uint64_t)number;
	return SEAM_OK;
}

static enum seam_code
take_times(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	return seam_number_parse(w->value, w->value_column, 1, UINT32_MAX,
				 &a->times, err);
}

static enum seam_code
take_dir(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	(void)err;
	a->dir = w->value;
	return SEAM_OK;
}

static enum seam_code
take_to(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	(void)err;
	a->to = w->value;
	return SEAM_OK;
}

static enum seam_code
take_since(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	return seam_number_parse(w->value, w->value_column, 0, INT64_MAX,
				 &a->since, err);
}

static enum seam_code
take_check(struct seam_args *a, struct seam_word *w, struct seam_error *err)
{
	if (strcmp(w->value, "yes") && strcmp(w->value, "no"))
		return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
				 "check is yes or no, not '%s'",
				 seam_show(w->value).s);
	a->unchecked = !strcmp(w->value, "no");
	return SEAM_OK;
}

static const struct {
	const char *key;
	take_fn *take;
} options[SEAM_OPTIONS] = {
	[SEAM_OPTION_AS] = { "as=", take_as },
	[SEAM_OPTION_AS_VARIABLE] = { "as=", take_variable },
	[SEAM_OPTION_TIMEOUT] = { "timeout=", take_timeout },
	[SEAM_OPTION_MODE] = { "mode=", take_mode },
	[SEAM_OPTION_RANGE] = { "range=", take_range },
	[SEAM_OPTION_PROC] = { "proc=", take_proc },
	[SEAM_OPTION_OBJ] = { "obj=", take_obj },
	[SEAM_OPTION_ERRNO] = { "errno=", take_errno },
	[SEAM_OPTION_TIMES] = { "times=", take_times },
	[SEAM_OPTION_DIR] = { "dir=", take_dir },
	[SEAM_OPTION_TO] = { "to=", take_to },
	[SEAM_OPTION_SINCE] = { "since=", take_since },
	[SEAM_OPTION_CHECK] = { "check=", take_check },
};

static bool
is_option(const struct seam_word *w, unsigned option)
{
	size_t n = strlen(options[option].key) - 1;

	return w->value && strlen(w->text) == n &&
	       !memcmp(w->text, options[option].key, n);
}

enum seam_code
seam_take_option(struct seam_job *job, size_t at, unsigned allowed,
		 struct seam_error *err)
{
	struct seam_word *w = &job->words.v[at];

	for (unsigned i = 0; i < SEAM_OPTIONS; i++) {
		if (!(allowed & (1u << i)) || !is_option(w, i))
			continue;
		if (job->args.given & (1u << i))
			return sess_fail(err, SEAM_E_SYNTAX, w->column,
					 "%s is given twice", options[i].key);
		if (!*w->value)
			return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
					 "%s has no value", options[i].key);
		job->args.given |= 1u << i;
		return options[i].take(&job->args, w, err);
	}
	return SEAM_PENDING;
}

/* The word has no place: names what would have one. */
static enum seam_code
unknown(const struct seam_word *w, unsigned allowed, bool selector,
	struct seam_error *err)
{
	static const char *const keys[] = { SEAM_SELECTOR_KEYS };
	const char *known[SEAM_OPTIONS + sizeof(keys) / sizeof(keys[0]) + 1];
	size_t n = 0;

	if (selector) {
		memcpy(known, keys, sizeof(keys));
		n = sizeof(keys) / sizeof(keys[0]);
	}
	for (unsigned i = 0; i < SEAM_OPTIONS; i++)
		if (allowed & (1u << i))
			known[n++] = options[i].key;
	known[n] = NULL;
	return seam_unknown_word(w, known, err);
}

static enum seam_code
take_rest(struct seam_job *job, size_t from, unsigned allowed, bool selector,
	  struct seam_error *err)
{
	enum seam_code code = SEAM_OK;

	for (size_t i = from; i < job->words.n && !code; i++) {
		code = seam_take_option(job, i, allowed, err);
		if (code == SEAM_PENDING)
			code =
			    unknown(&job->words.v[i], allowed, selector, err);
	}
	return code;
}

enum seam_code
seam_take_options(struct seam_job *job, size_t from, unsigned allowed,
		  struct seam_error *err)
{
	return take_rest(job, from, allowed, false, err);
}

enum seam_code
seam_take_selector(struct seam_job *job, size_t from, unsigned allowed,
		   struct seam_error *err)
{
	enum seam_code code;

	if (from < job->words.n)
		seam_selector_gather(&job->words, from);
	code =
	    seam_selector_parse(&job->words, from, &from, &job->args.sel, err);
	return code ? code : take_rest(job, from, allowed, true, err);
}
