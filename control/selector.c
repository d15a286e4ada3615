/* SPDX-License-Identifier: MIT */
/* Selectors and object names: parsed, and written back. */
#include "selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(SEAM_VERBS <= 64 * SEAM_VERB_WORDS, "a bit for every verb");

static enum seam_code
copy(char **to, const char *text, struct seam_error *err)
{
	*to = strdup(text);
	if (*to)
		return SEAM_OK;
	return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
}

/* Operations. */

/* What can be said with a star; also what a bare family is near to. */
static const char *const family_globs[] = {
#define FAMILY(id, name) name ".*",
#include "ops.def"
	"fcntl.*",
	"flock.*",
	"lockf.*",
	"file.*",
};

static const char *const groups[] = { "acquire", "any" };

/* Functions that do more than their line in ops.def says. */
static const struct {
	enum seam_fn fn;
	enum seam_verb verbs[4];
} several[] = {
	{ SEAM_FN_fcntl,
	  { SEAM_FCNTL_SETLK, SEAM_FCNTL_SETLKW, SEAM_FCNTL_GETLK,
	    SEAM_FILE_UNLOCK } },
	{ SEAM_FN_fcntl64,
	  { SEAM_FCNTL_SETLK, SEAM_FCNTL_SETLKW, SEAM_FCNTL_GETLK,
	    SEAM_FILE_UNLOCK } },
	{ SEAM_FN_flock,
	  { SEAM_FLOCK_LOCK, SEAM_FLOCK_TRYLOCK, SEAM_FILE_UNLOCK } },
	{ SEAM_FN_lockf,
	  { SEAM_LOCKF_LOCK, SEAM_LOCKF_TRYLOCK, SEAM_FILE_UNLOCK } },
	{ SEAM_FN_lockf64,
	  { SEAM_LOCKF_LOCK, SEAM_LOCKF_TRYLOCK, SEAM_FILE_UNLOCK } },
	{ SEAM_FN_syscall, { SEAM_FUTEX_WAIT, SEAM_FUTEX_WAKE } },
	{ SEAM_FN_pthread_cond_wait, { SEAM_COND_WAIT, SEAM_COND_REACQUIRE } },
	{ SEAM_FN_pthread_cond_timedwait,
	  { SEAM_COND_WAIT, SEAM_COND_REACQUIRE } },
	{ SEAM_FN_pthread_cond_clockwait,
	  { SEAM_COND_WAIT, SEAM_COND_REACQUIRE } },
	{ SEAM_FN_cnd_wait, { SEAM_COND_WAIT, SEAM_COND_REACQUIRE } },
	{ SEAM_FN_cnd_timedwait, { SEAM_COND_WAIT, SEAM_COND_REACQUIRE } },
};

static void
add_fn_verbs(struct seam_selector *s, unsigned fn)
{
	s->fn = (int)fn;
	seam_verbs_add(s->verbs, seam_fns[fn].verb);
	for (size_t i = 0; i < COUNT(several); i++) {
		if (several[i].fn != fn)
			continue;
		for (size_t j = 0; j < COUNT(several[i].verbs); j++)
			if (several[i].verbs[j])
				seam_verbs_add(s->verbs, several[i].verbs[j]);
	}
}

static bool
is_family(const char *op, unsigned family)
{
	const char *name = seam_families[family];
	size_t n = strlen(name);

	return !strncmp(op, name, n) && !strcmp(op + n, ".*");
}

static bool
op_has_verb(const char *op, unsigned verb)
{
	const struct seam_verb_info *v = &seam_verbs[verb];

	if (!strcmp(op, "any"))
		return true;
	if (!strcmp(op, "acquire"))
		return v->class == SEAM_CLASS_ACQUIRE ||
		       v->class == SEAM_CLASS_TRY;
	return seam_glob(op, v->name) || is_family(op, v->family);
}

static enum seam_code
unknown_op(const struct seam_word *w, struct seam_error *err)
{
	struct seam_near near = { .word = w->text };

	for (unsigned v = 1; v < SEAM_VERBS; v++)
		seam_near_try(&near, seam_verbs[v].name);
	for (size_t i = 0; i < COUNT(family_globs); i++)
		seam_near_try(&near, family_globs[i]);
	for (size_t i = 0; i < COUNT(groups); i++)
		seam_near_try(&near, groups[i]);
	for (unsigned f = 1; f < SEAM_FNS; f++)
		seam_near_try(&near, seam_fns[f].name);
	if (near.best)
		return sess_fail(err, SEAM_E_UNKNOWN_OP, w->column,
				 "unknown operation '%s'; did you mean '%s'?",
				 seam_show(w->text).s, near.best);
	return sess_fail(err, SEAM_E_UNKNOWN_OP, w->column,
			 "unknown operation '%s'; expected one such as "
			 "mutex.lock, mutex.*, acquire, any, or a C "
			 "function's name",
			 seam_show(w->text).s);
}

static enum seam_code
parse_op(struct seam_selector *s, const struct seam_word *w,
	 struct seam_error *err)
{
	bool known = false;

	if (w->value || !*w->text)
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "a selector begins with an operation, such "
				 "as mutex.lock; met '%s%s'",
				 seam_show(w->text).s, w->value ? "=" : "");
	for (unsigned v = 1; v < SEAM_VERBS; v++) {
		if (op_has_verb(w->text, v)) {
			seam_verbs_add(s->verbs, v);
			known = true;
		}
	}
	for (unsigned f = 1; f < SEAM_FNS && !known; f++) {
		if (!strcmp(w->text, seam_fns[f].name)) {
			add_fn_verbs(s, f);
			known = true;
		}
	}
	return known ? copy(&s->op, w->text, err) : unknown_op(w, err);
}

static uint32_t
families_of(const struct seam_selector *s)
{
	uint32_t families = 0;

	for (unsigned v = 1; v < SEAM_VERBS; v++)
		if (seam_verbs_has(s->verbs, v))
			families |= SEAM_FAMILY_BIT(seam_verbs[v].family);
	return families;
}

static bool
has_kind(const struct seam_selector *s, int kind)
{
	for (unsigned v = 1; v < SEAM_VERBS; v++)
		if (seam_verbs_has(s->verbs, v) && seam_verbs[v].kind == kind)
			return true;
	return false;
}

/* Objects. */

/* Of the KIND in front of a single colon; `rest` is then what follows. */
static int
leading_kind(const char *text, const char **rest)
{
	const char *colon = strchr(text, ':');
	size_t n;

	if (!colon || colon[1] == ':')
		return 0;
	n = (size_t)(colon - text);
	for (int k = 1; k < SEAM_KINDS; k++) {
		if (strlen(seam_kinds[k]) == n &&
		    !memcmp(seam_kinds[k], text, n)) {
			*rest = colon + 1;
			return k;
		}
	}
	return 0;
}

static enum seam_code
parse_address(const char *text, int column, struct seam_object_name *out,
	      struct seam_error *err)
{
	out->is_addr = true;
	if (text[1] != '0' || (text[2] | 0x20) != 'x')
		return sess_fail(err, SEAM_E_SYNTAX, seam_column(column, 1),
				 "an address is written @0x55d0..., met '%s'",
				 seam_show(text).s);
	return seam_number_parse(text + 1, seam_column(column, 1), 0,
				 UINT64_MAX, &out->addr, err);
}

static enum seam_code
parse_sem_name(const char *text, int column, struct seam_object_name *out,
	       struct seam_error *err)
{
	const char *slash = strchr(text + 1, '/');

	out->is_sem = true;
	if (!text[1])
		return sess_fail(err, SEAM_E_SYNTAX, seam_column(column, 1),
				 "expected a semaphore's name after 'sem:/'");
	if (slash)
		return sess_fail(err, SEAM_E_SYNTAX,
				 seam_column(column, (size_t)(slash - text)),
				 "a semaphore's name has one slash, at its "
				 "beginning; met '%s'",
				 seam_show(text).s);
	return copy(&out->name, text, err);
}

static enum seam_code
parse_object(const char *text, int column, struct seam_object_name *out,
	     struct seam_error *err)
{
	const char *rest = text;

	out->kind = leading_kind(text, &rest);
	column = seam_column(column, (size_t)(rest - text));
	if (!*rest && !out->kind)
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "expected an object's name, met nothing");
	out->is_file = out->kind == SEAM_KIND_FILE;
	if (!*rest)
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "expected %s after '%s'",
				 out->is_file ? "a path" : "a name", text);
	if (*rest == '@' && !out->is_file)
		return parse_address(rest, column, out, err);
	if (*rest == '/' && out->kind == SEAM_KIND_SEM)
		return parse_sem_name(rest, column, out, err);
	return copy(&out->name, rest, err);
}

enum seam_code
seam_object_parse(const char *text, int column, struct seam_object_name *out,
		  struct seam_error *err)
{
	enum seam_code code;

	*out = (struct seam_object_name){ .column = column };
	code = parse_object(text, column, out, err);
	if (code)
		seam_object_name_free(out);
	return code;
}

void
seam_object_name_free(struct seam_object_name *o)
{
	free(o->name);
	*o = (struct seam_object_name){ 0 };
}

/* Keys. */

struct key;
typedef enum seam_code take_fn(struct seam_selector *s, const struct key *k,
			       const struct seam_word *w,
			       struct seam_error *err);
static take_fn take_text, take_obj, take_range, take_mode, take_result,
    take_when, take_hit, take_once;

struct key {
	const char *name;
	take_fn *take;
	const char *expects;
	size_t text, column; /* where take_text puts them; column 0: nowhere */
	uint32_t families;   /* that it goes with; 0: all */
	const char *about;   /* those families in words */
};

#define FIELD(f) offsetof(struct seam_selector, f)
#define BIT(f) SEAM_FAMILY_BIT(SEAM_FAMILY_##f)

enum { RESULT_KEY = 9 };

static const struct key keys[] = {
	{ "obj", take_obj,
	  "a name, KIND:NAME, @0xADDRESS, sem:/NAME or file:PATH", 0, 0, 0,
	  NULL },
	{ "at", take_text, "a function, FILE:LINE, LIB!FUNC or MODULE+0xOFF",
	  FIELD(at), FIELD(at_column), 0, NULL },
	{ "in", take_text, "a function, FILE:LINE, LIB!FUNC or MODULE+0xOFF",
	  FIELD(in), FIELD(in_column), 0, NULL },
	{ "thread", take_text, "a thread's name or a glob", FIELD(thread),
	  FIELD(thread_column), 0, NULL },
	{ "proc", take_text, "a process's name or a glob", FIELD(proc),
	  FIELD(proc_column), 0, NULL },
	{ "path", take_text, "a path or a glob", FIELD(path), 0, BIT(FILELOCK),
	  "file locks" },
	{ "range", take_range, "OFF+LEN", 0, 0, BIT(FILELOCK), "file locks" },
	{ "mode", take_mode, "rd or wr", 0, 0, BIT(FILELOCK) | BIT(RWLOCK),
	  "file locks and read-write locks" },
	{ "name", take_text, "a semaphore's or a point's name", FIELD(name), 0,
	  BIT(SEM) | BIT(POINT), "semaphores and points" },
	[RESULT_KEY] = { "result", take_result,
			 "ok, busy, timedout, eintr or error", 0, 0, 0, NULL },
	{ "when", take_when, "before or after", 0, 0, 0, NULL },
	{ "hit", take_hit, "a number", 0, 0, 0, NULL },
	{ "once", take_once, NULL, 0, 0, 0, NULL },
};

static enum seam_code
unexpected(const struct key *k, const struct seam_word *w,
	   struct seam_error *err)
{
	return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
			 "'%s=' expects %s, met '%s'", k->name, k->expects,
			 seam_show(w->value).s);
}

static enum seam_code
take_text(struct seam_selector *s, const struct key *k,
	  const struct seam_word *w, struct seam_error *err)
{
	if (k->column)
		memcpy((char *)s + k->column, &w->value_column, sizeof(int));
	return copy((char **)(void *)((char *)s + k->text), w->value, err);
}

static enum seam_code
take_obj(struct seam_selector *s, const struct key *k,
	 const struct seam_word *w, struct seam_error *err)
{
	enum seam_code code;

	(void)k;
	s->obj_column = w->value_column;
	code = seam_object_parse(w->value, w->value_column, &s->obj, err);
	if (code)
		return code;
	s->has_obj = true;
	if (s->obj.kind && !has_kind(s, s->obj.kind))
		return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
				 "'%s' never has an object of kind '%s'",
				 seam_show(s->op).s, seam_kinds[s->obj.kind]);
	return SEAM_OK;
}

static enum seam_code
take_range(struct seam_selector *s, const struct key *k,
	   const struct seam_word *w, struct seam_error *err)
{
	(void)k;
	return seam_range_parse(w->value, w->value_column, &s->range, err);
}

static enum seam_code
take_mode(struct seam_selector *s, const struct key *k,
	  const struct seam_word *w, struct seam_error *err)
{
	if (strcmp(w->value, "rd") != 0 && strcmp(w->value, "wr") != 0)
		return unexpected(k, w, err);
	s->mode = *w->value == 'r' ? 'r' : 'w';
	return SEAM_OK;
}

static enum seam_code
take_result(struct seam_selector *s, const struct key *k,
	    const struct seam_word *w, struct seam_error *err)
{
	for (int r = SEAM_RESULT_OK; r < SEAM_RESULTS; r++) {
		if (!strcmp(w->value, seam_results[r])) {
			s->result = r;
			return SEAM_OK;
		}
	}
	return unexpected(k, w, err);
}

static enum seam_code
take_when(struct seam_selector *s, const struct key *k,
	  const struct seam_word *w, struct seam_error *err)
{
	s->after = !strcmp(w->value, "after");
	if (!s->after && strcmp(w->value, "before") != 0)
		return unexpected(k, w, err);
	return SEAM_OK;
}

static enum seam_code
both_hits(const struct seam_word *w, struct seam_error *err)
{
	return sess_fail(err, SEAM_E_SYNTAX, w->column,
			 "'hit=' and 'once' are both given; once is hit=1");
}

static enum seam_code
take_hit(struct seam_selector *s, const struct key *k,
	 const struct seam_word *w, struct seam_error *err)
{
	enum seam_code code;
	uint64_t n;

	(void)k;
	if (s->hit)
		return both_hits(w, err);
	code =
	    seam_number_parse(w->value, w->value_column, 1, INT32_MAX, &n, err);
	if (!code)
		s->hit = (uint32_t)n;
	return code;
}

static enum seam_code
take_once(struct seam_selector *s, const struct key *k,
	  const struct seam_word *w, struct seam_error *err)
{
	(void)k;
	if (s->hit)
		return both_hits(w, err);
	s->hit = 1;
	return SEAM_OK;
}

/* A bare word is one that expects nothing. */
static const struct key *
find_key(const struct seam_word *w)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!w->quoted && !strcmp(w->text, keys[i].name))
			return !keys[i].expects == !w->value ? &keys[i] : NULL;
	return NULL;
}

static enum seam_code
parse_key(struct seam_selector *s, const struct key *k,
	  const struct seam_word *w, bool again, struct seam_error *err)
{
	if (again)
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "'%s' is given twice", k->name);
	if (k->families && !(k->families & families_of(s)))
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "'%s=' is for %s and does not go with '%s'",
				 k->name, k->about, seam_show(s->op).s);
	if (w->value && !*w->value)
		return sess_fail(err, SEAM_E_SYNTAX, w->value_column,
				 "'%s=' expects %s, met nothing", k->name,
				 k->expects);
	return k->take(s, k, w, err);
}

static enum seam_code
parse_keys(const struct seam_words *w, size_t *i, struct seam_selector *s,
	   struct seam_error *err)
{
	const struct key *k;
	int seen[COUNT(keys)] = { 0 };
	enum seam_code code;

	for (; *i < w->n && (k = find_key(&w->v[*i])); ++*i) {
		code = parse_key(s, k, &w->v[*i], seen[k - keys], err);
		if (code)
			return code;
		seen[k - keys] = w->v[*i].column;
	}
	if (s->result && !s->after)
		return sess_fail(err, SEAM_E_SYNTAX, seen[RESULT_KEY],
				 "'result=' needs when=after: before the call "
				 "there is no result");
	return SEAM_OK;
}

static enum seam_code
parse(const struct seam_words *w, size_t *i, struct seam_selector *out,
      struct seam_error *err)
{
	enum seam_code code;

	if (*i >= w->n)
		return sess_fail(err, SEAM_E_SYNTAX, w->end,
				 "expected an operation, such as mutex.lock, "
				 "met the end of the line");
	code = parse_op(out, &w->v[*i], err);
	if (code)
		return code;
	++*i;
	return parse_keys(w, i, out, err);
}

enum seam_code
seam_selector_parse(const struct seam_words *w, size_t from, size_t *next,
		    struct seam_selector *out, struct seam_error *err)
{
	static const char *const known[] = { SEAM_SELECTOR_KEYS, NULL };
	enum seam_code code;
	size_t i = from;

	*out = (struct seam_selector){ 0 };
	code = parse(w, &i, out, err);
	if (next)
		*next = i;
	else if (!code && i < w->n)
		code = seam_unknown_word(&w->v[i], known, err);
	return code;
}

void
seam_selector_gather(struct seam_words *w, size_t from)
{
	size_t to = from + 1, moved = 0;

	/* One more than there are keys: enough to be an error. */
	for (size_t i = to; i < w->n && moved <= COUNT(keys); i++) {
		struct seam_word word = w->v[i];

		if (!find_key(&word))
			continue;
		memmove(&w->v[to + 1], &w->v[to], (i - to) * sizeof(word));
		w->v[to++] = word;
		moved++;
	}
}

void
seam_selector_free(struct seam_selector *s)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].text)
			free(*(char **)(void *)((char *)s + keys[i].text));
	free(s->op);
	seam_object_name_free(&s->obj);
	*s = (struct seam_selector){ 0 };
}

/* "obj=" is named obj; a name without the '=' is a bare word. */
static bool
same_name(const char *known, const char *text)
{
	size_t n = strcspn(known, "=");

	return strlen(text) == n && !memcmp(known, text, n);
}

static void
join(char *buf, size_t size, const char *const names[])
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; names[i] && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "",
				      names[i]);
}

/* A word that is known, but stands in the wrong place or form. */
static enum seam_code
misplaced(const struct seam_word *w, bool wants, const char *met,
	  struct seam_error *err)
{
	if (wants == !!w->value)
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "'%s' does not belong here", met);
	return sess_fail(err, SEAM_E_SYNTAX, w->column, "'%s' takes %s value",
			 seam_show(w->text).s, wants ? "a" : "no");
}

enum seam_code
seam_unknown_word(const struct seam_word *w, const char *const known[],
		  struct seam_error *err)
{
	const char *what = w->value ? "key" : "word";
	struct seam_near near = { 0 };
	struct seam_shown met;
	char word[128], list[512];

	snprintf(word, sizeof(word), "%s%s", w->text, w->value ? "=" : "");
	met = seam_show(word);
	near.word = word;
	for (size_t i = 0; known[i]; i++) {
		if (same_name(known[i], w->text))
			return misplaced(w, strchr(known[i], '='), met.s, err);
		seam_near_try(&near, known[i]);
	}
	if (!known[0])
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "unexpected '%s'; nothing more was expected",
				 met.s);
	join(list, sizeof(list), known);
	if (!near.best || near.distance * 2 > strlen(word))
		return sess_fail(err, SEAM_E_SYNTAX, w->column,
				 "unknown %s '%s'; there are: %s", what, met.s,
				 list);
	return sess_fail(err, SEAM_E_SYNTAX, w->column,
			 "unknown %s '%s'; did you mean '%s'? There are: %s",
			 what, met.s, near.best, list);
}

/* Back to text. */

struct writer {
	char *buf;
	size_t size, n;
};

static void
put_char(struct writer *o, char c)
{
	if (o->n + 1 < o->size)
		o->buf[o->n++] = c;
}

static void
put(struct writer *o, const char *text)
{
	while (*text)
		put_char(o, *text++);
}

static void
put_escaped(struct writer *o, char c)
{
	if (c == '"' || c == '\\' || c == '\n' || c == '\t')
		put_char(o, '\\');
	put_char(o, c == '\n' ? 'n' : c == '\t' ? 't' : c);
}

static bool
wants_quotes(const char *text)
{
	return text[strcspn(text, " \t\n\"")] != '\0';
}

/* One after the other, in one pair of quotes if any are needed. */
static void
put_value(struct writer *o, const char *kind, const char *text)
{
	bool quotes = wants_quotes(text);

	if (quotes)
		put_char(o, '"');
	put(o, kind);
	while (quotes && *text)
		put_escaped(o, *text++);
	put(o, text);
	if (quotes)
		put_char(o, '"');
}

static void
put_key(struct writer *o, const char *key, const char *value)
{
	if (!value)
		return;
	put_char(o, ' ');
	put(o, key);
	put_char(o, '=');
	put_value(o, "", value);
}

static void
put_obj(struct writer *o, const struct seam_object_name *obj)
{
	char kind[32] = "", addr[32];

	if (obj->kind)
		snprintf(kind, sizeof(kind), "%s:", seam_kinds[obj->kind]);
	snprintf(addr, sizeof(addr), "@0x%llx", (unsigned long long)obj->addr);
	put(o, " obj=");
	put_value(o, kind, obj->is_addr ? addr : obj->name);
}

/* Offsets that somebody thought of in hexadecimal stay so. */
static void
put_range(struct writer *o, const struct seam_filerange *r)
{
	char text[64];

	snprintf(text, sizeof(text),
		 r->off < 0x10000 ? "%llu+%llu" : "0x%llx+%llu",
		 (unsigned long long)r->off, (unsigned long long)r->len);
	put_key(o, "range", text);
}

static void
put_hit(struct writer *o, uint32_t hit)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", hit);
	if (hit == 1)
		put(o, " once");
	else if (hit)
		put_key(o, "hit", text);
}

char *
seam_selector_format(const struct seam_selector *s, char *buf, size_t size)
{
	struct writer o = { buf, size, 0 };

	put_value(&o, "", s->op ? s->op : "");
	if (s->has_obj)
		put_obj(&o, &s->obj);
	put_key(&o, "at", s->at);
	put_key(&o, "in", s->in);
	put_key(&o, "thread", s->thread);
	put_key(&o, "proc", s->proc);
	put_key(&o, "path", s->path);
	if (s->range.given)
		put_range(&o, &s->range);
	put_key(&o, "mode", !s->mode ? NULL : s->mode == 'r' ? "rd" : "wr");
	put_key(&o, "name", s->name);
	put_key(&o, "result", s->result ? seam_results[s->result] : NULL);
	put_key(&o, "when", s->after ? "after" : NULL);
	put_hit(&o, s->hit);
	if (size)
		buf[o.n] = '\0';
	return buf;
}
