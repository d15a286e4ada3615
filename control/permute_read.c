/* SPDX-License-Identifier: MIT */
/* Scripts of sessions and steps: reading them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "permute_auto.h"

struct reading {
	struct permute *p;
	const struct seam_vars *vars;
	unsigned line;
	struct seam_error err;
};

typedef enum seam_code take_fn(struct reading *r, char *text);

/* How they are asked to say that they have done a step, by program. */
static const struct {
	const char *program, *echo;
	bool guarded;
} echoes[] = {
	{ "sqlite3", ".print @", true },    { "sh", "echo @", false },
	{ "bash", "echo @", false },	    { "dash", "echo @", false },
	{ "python3", "print('@')", false }, { "psql", "\\echo @", false },
};

/* All of whose orders nobody has ever run. */
#define STEPS_MAX 1000

static enum seam_code
bad(struct reading *r, const char *fmt, const char *arg)
{
	char text[400];

	snprintf(text, sizeof(text), fmt, seam_show(arg).s);
	return sess_fail(&r->err, SEAM_E_SYNTAX, 0, "%s", text);
}

static enum seam_code
no_memory(struct reading *r)
{
	return sess_fail(&r->err, SEAM_E_UNSUPPORTED, 0, "out of memory");
}

/* The first word of the text, ended; the rest begins at its first byte. */
static char *
take_word(char **text)
{
	char *word = *text + strspn(*text, " \t");
	size_t n = strcspn(word, " \t");

	*text = word + n + strspn(word + n, " \t");
	word[n] = '\0';
	return word;
}

static bool
append(char **all, const char *text)
{
	char *joined;

	if (asprintf(&joined, "%s%s\n", *all ? *all : "", text) < 0)
		return false;
	free(*all);
	*all = joined;
	return true;
}

/* Before the first session: for sh. */
static enum seam_code
take_shell(struct reading *r, char **to, const char *text)
{
	if (r->p->sessions)
		return bad(r, "%s belongs before the first session", text);
	return append(to, text) ? SEAM_OK : no_memory(r);
}

static enum seam_code
take_setup(struct reading *r, char *text)
{
	struct permute *p = r->p;
	struct permute_session *s;
	char **v;

	if (!p->sessions)
		return take_shell(r, &p->setup, text);
	s = &p->session[p->sessions - 1];
	v = realloc(s->setup, (s->setups + 1) * sizeof(*v));
	if (!v)
		return no_memory(r);
	s->setup = v;
	v[s->setups] = strdup(text);
	return v[s->setups++] ? SEAM_OK : no_memory(r);
}

static enum seam_code
take_reset(struct reading *r, char *text)
{
	return take_shell(r, &r->p->reset, text);
}

static enum seam_code
take_teardown(struct reading *r, char *text)
{
	return take_shell(r, &r->p->teardown, text);
}

static const char *
echo_of(const char *program, bool *guarded)
{
	const char *base = strrchr(program, '/');

	base = base ? base + 1 : program;
	for (size_t i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++)
		if (!strcmp(echoes[i].program, base)) {
			*guarded = echoes[i].guarded;
			return echoes[i].echo;
		}
	return NULL;
}

/* NAME [echo="LINE"] -- CMD ARG... */
static enum seam_code
understand(struct reading *r, struct permute_session *s)
{
	struct seam_words *w = &s->words;
	const char *echo = NULL;
	size_t i = 1;

	if (i < w->n && w->v[i].value && !strcmp(w->v[i].text, "echo"))
		echo = w->v[i++].value;
	if (i + 1 >= w->n || strcmp(w->v[i].text, "--"))
		return bad(r, "expected %s",
			   "session NAME [echo=\"LINE\"] -- CMD [ARG...]");
	s->argv = calloc(w->n, sizeof(*s->argv));
	s->name = strdup(w->v[0].text);
	if (!s->argv || !s->name)
		return no_memory(r);
	for (size_t k = 0; ++i < w->n; k++)
		s->argv[k] = (char *)seam_word_whole(&w->v[i]);
	if (!echo && s->argv[0])
		echo = echo_of(s->argv[0], &s->guarded);
	if (!echo)
		return bad(r, "say how '%s' can be made to print a line: echo=",
			   s->argv[0]);
	if (!strchr(echo, '@'))
		return bad(r, "echo= needs an @ where the text goes: %s", echo);
	s->echo = strdup(echo);
	return s->echo ? SEAM_OK : no_memory(r);
}

static size_t
find_session(const struct permute *p, const char *name)
{
	size_t i = 0;

	while (i < p->sessions &&
	       (!p->session[i].name || strcmp(p->session[i].name, name)))
		i++;
	return i;
}

static size_t
find_step(const struct permute *p, const char *name)
{
	size_t i = 0;

	while (i < p->steps && strcmp(p->step[i].name, name))
		i++;
	return i;
}

static enum seam_code
take_session(struct reading *r, char *text)
{
	struct permute *p = r->p;
	struct permute_session *v =
	    realloc(p->session, (p->sessions + 1) * sizeof(*v));
	struct permute_session *s;
	enum seam_code code;
	bool open = false;

	if (!v)
		return no_memory(r);
	p->session = v;
	s = &v[p->sessions];
	*s = (struct permute_session){ 0 };
	code = seam_split(text, &s->words, &r->err);
	if (code)
		return code;
	p->sessions++;
	code = seam_vars_expand(r->vars, &s->words, &open, &r->err);
	if (!code && s->words.n &&
	    find_session(p, s->words.v[0].text) < p->sessions - 1)
		code = bad(r, "there is a session '%s' already",
			   s->words.v[0].text);
	return code ? code : understand(r, s);
}

/* NAME: TEXT */
static enum seam_code
take_step(struct reading *r, char *text)
{
	struct permute *p = r->p;
	char *name = take_word(&text);
	size_t n = strlen(name);
	struct permute_step *v;

	if (n < 2 || name[n - 1] != ':' || !*text)
		return bad(r, "expected %s", "step NAME: WHAT TO SEND");
	name[n - 1] = '\0';
	if (!p->sessions)
		return bad(r, "%s has no session before it", name);
	if (p->steps == STEPS_MAX)
		return bad(r,
			   "'%s' is one more than the 1000 steps "
			   "that there may be",
			   name);
	if (find_step(p, name) < p->steps)
		return bad(r, "there is a step '%s' already", name);
	v = realloc(p->step, (p->steps + 1) * sizeof(*v));
	if (!v)
		return no_memory(r);
	p->step = v;
	v[p->steps] = (struct permute_step){ strdup(name), strdup(text),
					     p->sessions - 1, r->line };
	p->steps++;
	return v[p->steps - 1].name && v[p->steps - 1].text ? SEAM_OK :
							      no_memory(r);
}

static enum seam_code
take_permutation(struct reading *r, char *text)
{
	struct permute *p = r->p;
	struct permute_order *v =
	    realloc(p->order, (p->orders + 1) * sizeof(*v));
	struct permute_order *o;

	if (!v)
		return no_memory(r);
	p->order = v;
	o = &v[p->orders];
	o->n = 0;
	o->step = calloc(strlen(text) + 1, sizeof(*o->step));
	if (!o->step)
		return no_memory(r);
	p->orders++;
	while (*text) {
		char *name = take_word(&text);

		o->step[o->n] = find_step(p, name);
		if (o->step[o->n++] == p->steps)
			return bad(r, "no step is called '%s'", name);
	}
	return o->n ? SEAM_OK : bad(r, "%s of which steps?", "permutation");
}

static enum seam_code
take_permutations(struct reading *r, char *text)
{
	if (*text && strcmp(text, "auto") != 0)
		return bad(
		    r, "`permutations` stands alone, or with auto; met '%s'",
		    text);
	if (*text)
		r->p->automatic = true;
	else
		r->p->all = true;
	return SEAM_OK;
}

static const struct {
	const char *word;
	take_fn *take;
} statements[] = {
	{ "setup", take_setup },
	{ "reset", take_reset },
	{ "teardown", take_teardown },
	{ "session", take_session },
	{ "step", take_step },
	{ "permutation", take_permutation },
	{ "permutations", take_permutations },
};
#define STATEMENTS (sizeof(statements) / sizeof(statements[0]))

static enum seam_code
take_line(struct reading *r, char *text)
{
	char *word = take_word(&text);
	struct seam_near near = { .word = word };
	size_t n = strlen(text);

	if (!*word || *word == '#')
		return SEAM_OK;
	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	for (size_t i = 0; i < STATEMENTS; i++)
		if (!strcmp(word, statements[i].word))
			return statements[i].take(r, text);
	for (size_t i = 0; i < STATEMENTS; i++)
		seam_near_try(&near, statements[i].word);
	return sess_fail(&r->err, SEAM_E_SYNTAX, 0,
			 "'%s' is none of setup, reset, teardown, session, "
			 "step, permutation, permutations%s%s",
			 seam_show(word).s, near.best ? "; did you mean " : "",
			 near.best ? near.best : "");
}

static enum seam_code
finish(struct reading *r)
{
	struct permute *p = r->p;

	if (!p->steps)
		return bad(r, "there is no %s", "step");
	if (p->automatic &&
	    (p->steps > PERMUTE_STEPS || p->sessions > PERMUTE_SESSIONS))
		return sess_fail(&r->err, SEAM_E_UNSUPPORTED, 0,
				 "permutations auto: at most %d steps and %d "
				 "sessions",
				 PERMUTE_STEPS, PERMUTE_SESSIONS);
	if (p->automatic && (p->all || p->orders))
		return bad(r, "%s leaves no others to name",
			   "permutations auto");
	if (!p->automatic && (p->all || !p->orders))
		return permute_add_all(p, &r->err);
	return SEAM_OK;
}

/* Lines that end with a backslash go on, as one of several lines. */
static enum seam_code
read_lines(struct reading *r, char *text)
{
	enum seam_code code = SEAM_OK;
	unsigned next = 1;

	for (char *at = text; !code && *at;) {
		char *eol = strchrnul(at, '\n'), *end;

		r->line = next++;
		while (*eol && eol > at && eol[-1] == '\\') {
			eol[-1] = ' ';
			eol = strchrnul(eol + 1, '\n');
			next++;
		}
		end = eol;
		eol += *eol == '\n';
		*end = '\0';
		code = take_line(r, at);
		at = eol;
	}
	return code ? code : finish(r);
}

bool
seam_permute_is(const char *text)
{
	for (const char *at = text; *at; at += !!*at) {
		at += strspn(at, " \t");
		if (!strncmp(at, "session", 7) &&
		    (at[7] == ' ' || at[7] == '\t'))
			return true;
		at = strchrnul(at, '\n');
	}
	return false;
}

enum seam_code
seam_permute_read(const char *name, const char *text,
		  const struct seam_vars *vars, struct permute **out, FILE *f)
{
	struct reading r = { .p = calloc(1, sizeof(*r.p)), .vars = vars };
	char *copy = strdup(text);
	enum seam_code code;

	*out = r.p;
	if (!r.p || !copy || !(r.p->name = strdup(name))) {
		free(copy);
		fputs("out of memory\n", f);
		return SEAM_E_UNSUPPORTED;
	}
	r.p->vars = vars;
	code = read_lines(&r, copy);
	if (code)
		fprintf(f, "%s:%u: %s: %s\n", name, r.line,
			seam_code_name(code), r.err.text);
	free(copy);
	return code;
}

static void
free_session(struct permute_session *s)
{
	free(s->name);
	free(s->echo);
	free(s->argv);
	for (size_t i = 0; i < s->setups; i++)
		free(s->setup[i]);
	free(s->setup);
	seam_words_free(&s->words);
}

void
seam_permute_free(struct permute *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->sessions; i++)
		free_session(&p->session[i]);
	for (size_t i = 0; i < p->steps; i++) {
		free(p->step[i].name);
		free(p->step[i].text);
	}
	for (size_t i = 0; i < p->orders; i++)
		free(p->order[i].step);
	free(p->session);
	free(p->step);
	free(p->order);
	free(p->name);
	free(p->setup);
	free(p->reset);
	free(p->teardown);
	free(p);
}
