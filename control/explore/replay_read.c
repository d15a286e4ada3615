/* SPDX-License-Identifier: MIT */
/* Reading replay files; what is wrong is said with line and column. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore/replay_file.h"

#define FILE_MAX ((size_t)512 << 20)

enum section {
	SECTION_HEAD,
	SECTION_DECISIONS,
	SECTION_EVENTS,
	SECTION_STANDING,
	SECTION_END
};

struct reader {
	const char *name;
	int line;
	enum section section;
	struct replay_file *file;
	struct seam_words words;
	struct seam_error *err;
	uint32_t seen; /* keys, a bit each */
	uint64_t total;
};

/* Errors. */

static bool wrong(struct reader *r, int column, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
wrong(struct reader *r, int column, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sess_fail(r->err, SEAM_E_SYNTAX, column, "%s:%d:%d: %s", r->name,
		  r->line, column, text);
	return false;
}

static bool
no_memory(struct reader *r)
{
	return wrong(r, 1, "no memory");
}

/* Words. */

/* The i-th, whole; NULL: it is missing, which is told. */
static const char *
word(struct reader *r, size_t i, const char *what)
{
	if (i >= r->words.n) {
		wrong(r, r->words.end, "%s is expected here", what);
		return NULL;
	}
	if (r->words.v[i].value) {
		r->words.v[i].value[-1] = '=';
		r->words.v[i].value = NULL;
	}
	return r->words.v[i].text;
}

static bool
no_more(struct reader *r, size_t n)
{
	if (r->words.n <= n)
		return true;
	return wrong(r, r->words.v[n].column,
		     "the line should end here, before '%s'",
		     seam_show(r->words.v[n].text).s);
}

static bool
take_text(struct reader *r, char **to, const char *what)
{
	const char *text = word(r, 1, what);

	if (!text || !no_more(r, 2))
		return false;
	free(*to);
	*to = strdup(text);
	return *to || no_memory(r);
}

/* Decimal, or hexadecimal of that many digits. */
static bool
number(struct reader *r, size_t i, unsigned digits, uint64_t max, uint64_t *to,
       const char *what)
{
	const char *text = word(r, i, what);
	char *end;

	if (!text)
		return false;
	errno = 0;
	*to = strtoull(text, &end, digits ? 16 : 10);
	if (*text < '0' || *end || errno || *to > max ||
	    (digits && (strlen(text) != digits ||
			strspn(text, "0123456789abcdef") != digits)))
		return wrong(r, r->words.v[i].column,
			     "%s is expected, not '%s'", what,
			     seam_show(text).s);
	return true;
}

/* Keys. */

static bool
take_argv(struct reader *r)
{
	char **v;

	if (!word(r, 1, "the program"))
		return false;
	v = calloc(r->words.n, sizeof(*v));
	r->file->argv = v;
	for (size_t i = 1; v && i < r->words.n; i++) {
		v[i - 1] = strdup(word(r, i, ""));
		if (!v[i - 1])
			return no_memory(r);
	}
	return v || no_memory(r);
}

static bool
take_env(struct reader *r)
{
	const char *text = word(r, 1, "NAME=VALUE");
	size_t n = 0;
	char **v;

	if (!text || !no_more(r, 2))
		return false;
	if (!strchr(text, '=') || *text == '=')
		return wrong(r, r->words.v[1].column,
			     "NAME=VALUE is expected, not '%s'",
			     seam_show(text).s);
	while (r->file->env && r->file->env[n])
		n++;
	v = reallocarray(r->file->env, n + 2, sizeof(*v));
	if (!v)
		return no_memory(r);
	r->file->env = v;
	v[n] = strdup(text);
	v[n + 1] = NULL;
	return v[n] || no_memory(r);
}

static bool
take_test(struct reader *r)
{
	return take_text(r, &r->file->test, "the name of a test");
}

static bool
take_dir(struct reader *r)
{
	return take_text(r, &r->file->dir, "a directory");
}

static bool
take_setup(struct reader *r)
{
	return take_text(r, &r->file->setup, "a command");
}

static bool
take_reset(struct reader *r)
{
	return take_text(r, &r->file->reset, "a command");
}

static bool
take_check(struct reader *r)
{
	return take_text(r, &r->file->check, "a command");
}

static bool
take_program(struct reader *r)
{
	const char *file = word(r, 1, "the program's file"), *id;

	if (!file)
		return false;
	id = word(r, 2, "its build id");
	if (!id || !no_more(r, 3))
		return false;
	r->file->program = strdup(file);
	r->file->program_id = strdup(id);
	return (r->file->program && r->file->program_id) || no_memory(r);
}

static bool
take_library(struct reader *r)
{
	return take_text(r, &r->file->library_id, "a build id");
}

static bool
take_options(struct reader *r)
{
	struct replay_file *f = r->file;
	const struct {
		const char *name;
		bool *to;
	} options[] = {
		{ "misuse", &f->misuse },
		{ "after", &f->after },
		{ "marked", &f->marked },
		{ "scratch", &f->in_scratch },
		{ "left-behind", &f->left_behind },
	};

	for (size_t i = 1; i < r->words.n; i++) {
		const char *text = word(r, i, "");
		bool known = false;

		for (size_t j = 0; j < sizeof(options) / sizeof(options[0]);
		     j++)
			if (!strcmp(text, options[j].name))
				known = *options[j].to = true;
		if (!known)
			return wrong(r, r->words.v[i].column,
				     "unknown option '%s'; there are misuse, "
				     "after, marked, scratch, left-behind",
				     seam_show(text).s);
	}
	return true;
}

static bool
take_server(struct reader *r)
{
	static const char *const names[] = { "none", "late", "early" };
	const char *text = word(r, 1, "none, late or early");

	if (!text || !no_more(r, 2))
		return false;
	for (int i = 0; i < 3; i++)
		if (!strcmp(text, names[i])) {
			r->file->server = i;
			return true;
		}
	return wrong(r, r->words.v[1].column,
		     "none, late or early is expected, not '%s'",
		     seam_show(text).s);
}

static bool
take_timeout(struct reader *r)
{
	return number(r, 1, 0, UINT32_MAX, &r->file->timeout_ms,
		      "a number of milliseconds") &&
	       no_more(r, 2);
}

static bool
take_steps(struct reader *r)
{
	uint64_t n;

	if (!number(r, 1, 0, SEAM_STEPS, &n, "a number of steps"))
		return false;
	r->file->steps = (uint32_t)n;
	return no_more(r, 2);
}

static bool
take_expect(struct reader *r)
{
	uint64_t n;

	if (!number(r, 1, 0, 255, &n, "an exit status"))
		return false;
	r->file->expected = (int)n;
	return no_more(r, 2);
}

static bool
take_strategy(struct reader *r)
{
	return take_text(r, &r->file->strategy, "a strategy");
}

static bool
take_seed(struct reader *r)
{
	return number(r, 1, 0, UINT64_MAX, &r->file->seed, "a seed") &&
	       no_more(r, 2);
}

static bool
take_fault(struct reader *r)
{
	return take_text(r, &r->file->fault, "a kind of failure");
}

/* Two events, the first of them a step. */
static bool
take_critical(struct reader *r)
{
	uint64_t n[2];

	for (size_t i = 0; i < 2; i++) {
		if (!number(r, i + 1, 0, SEAM_STEPS + SEAM_SLOTS, &n[i],
			    "the number of an event"))
			return false;
		if (n[i] <= (i ? n[0] : 0))
			return wrong(r, r->words.v[i + 1].column,
				     i ? "an event after the first is "
					 "expected" :
					 "events are numbered from 1");
		r->file->critical[i] = (uint32_t)n[i];
	}
	return no_more(r, 3);
}

static bool
take_because(struct reader *r)
{
	return take_text(r, &r->file->because, "a sentence");
}

static bool
take_decisions(struct reader *r)
{
	r->section = SECTION_DECISIONS;
	return no_more(r, 1);
}

static bool
take_events(struct reader *r)
{
	r->section = SECTION_EVENTS;
	return no_more(r, 1);
}

static bool
take_hash(struct reader *r)
{
	r->section = SECTION_HEAD;
	return number(r, 1, 16, UINT64_MAX, &r->file->hash,
		      "a hash of 16 hexadecimal digits") &&
	       no_more(r, 2);
}

static bool
take_standing(struct reader *r)
{
	r->section = SECTION_STANDING;
	return no_more(r, 1);
}

static bool
take_end(struct reader *r)
{
	r->section = SECTION_END;
	return no_more(r, 1);
}

static const struct key {
	const char *name;
	bool (*take)(struct reader *r);
	bool needed, often;
} keys[] = {
	{ "test", take_test, false, false },
	{ "command", take_argv, true, false },
	{ "env", take_env, false, true },
	{ "dir", take_dir, true, false },
	{ "setup", take_setup, false, false },
	{ "reset", take_reset, false, false },
	{ "check", take_check, false, false },
	{ "program", take_program, true, false },
	{ "libseam", take_library, true, false },
	{ "options", take_options, true, false },
	{ "server", take_server, true, false },
	{ "timeout", take_timeout, true, false },
	{ "steps", take_steps, true, false },
	{ "expect", take_expect, false, false },
	{ "strategy", take_strategy, true, false },
	{ "seed", take_seed, true, false },
	{ "fault", take_fault, true, false },
	{ "critical", take_critical, false, false },
	{ "because", take_because, false, false },
	{ "decisions", take_decisions, true, false },
	{ "events", take_events, false, false },
	{ "hash", take_hash, false, false },
	{ "standing", take_standing, false, false },
	{ "end", take_end, false, false },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* Lines of sections. */

static bool
grow(void **array, size_t *room, size_t n, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *p;

	if (n < *room)
		return true;
	p = reallocarray(*array, more, size);
	if (!p)
		return false;
	*array = p;
	*room = more;
	return true;
}

static bool
take_how(struct reader *r, uint8_t *how)
{
	const char *text;

	*how = SEAM_HOW_DONE;
	if (r->words.n == 3)
		return true;
	text = word(r, 3, "");
	if (!strcmp(text, "timeout"))
		*how = SEAM_HOW_TIMEOUT;
	else if (!strcmp(text, "signal"))
		*how = SEAM_HOW_SIGNAL;
	else if (!strcmp(text, "spurious"))
		*how = SEAM_HOW_SPURIOUS;
	else
		return wrong(r, r->words.v[3].column,
			     "timeout, signal or spurious is expected, not "
			     "'%s'",
			     seam_show(text).s);
	return no_more(r, 4);
}

/* P1.T0.2 x 5 */
static bool
take_block(struct reader *r)
{
	struct replay_file *f = r->file;
	const char *thread = word(r, 0, "a thread"), *x;
	struct replay_block b = { 0 };
	uint64_t n;

	if (!thread || !(x = word(r, 1, "x")))
		return false;
	if (thread[0] != 'P' || !strstr(thread, ".T"))
		return wrong(r, r->words.v[0].column,
			     "a thread such as P1.T0 is expected, not '%s'",
			     seam_show(thread).s);
	if (strcmp(x, "x"))
		return wrong(r, r->words.v[1].column, "x is expected, not '%s'",
			     seam_show(x).s);
	if (!number(r, 2, 0, SEAM_STEPS, &n, "a number of steps"))
		return false;
	r->total += n;
	if (r->total > SEAM_STEPS)
		return wrong(r, r->words.v[2].column, "more than %u decisions",
			     SEAM_STEPS);
	b.count = (uint32_t)n;
	if (!take_how(r, &b.how))
		return false;
	b.thread = strdup(thread);
	if (!b.thread ||
	    !grow((void **)&f->block, &f->room_blocks, f->nblocks, sizeof(b))) {
		free(b.thread);
		return no_memory(r);
	}
	f->block[f->nblocks++] = b;
	return true;
}

/* Its first n words: thread, operation, object, place, result. */
static bool
take_texts(struct reader *r, size_t n, struct replay_event *e)
{
	char **const to[] = { &e->thread, &e->verb, &e->object, &e->site,
			      &e->result };

	for (size_t i = 0; i < n; i++) {
		*to[i] = strdup(word(r, i, ""));
		if (!*to[i])
			return no_memory(r);
	}
	return true;
}

static bool
has_texts(struct reader *r, size_t n)
{
	static const char *const what[] = { "a thread", "an operation",
					    "an object", "a place",
					    "a result" };

	for (size_t i = 0; i < n; i++)
		if (!word(r, i, what[i]))
			return false;
	return true;
}

/* P1.T0 mutex.lock cache_lock "cache_put cache.c:42" ok 1a2b3c4d */
static bool
take_event(struct reader *r)
{
	struct replay_file *f = r->file;
	struct replay_event *e;
	uint64_t n;

	if (!has_texts(r, 5) ||
	    !number(r, 5, 8, UINT32_MAX, &n,
		    "a hash of 8 hexadecimal digits") ||
	    !no_more(r, 6))
		return false;
	if (f->nevents >= SEAM_STEPS)
		return wrong(r, 1, "more than %u events", SEAM_STEPS);
	if (!grow((void **)&f->event, &f->room_events, f->nevents, sizeof(*e)))
		return no_memory(r);
	e = &f->event[f->nevents++];
	*e = (struct replay_event){ .event = (uint32_t)n };
	return take_texts(r, 5, e);
}

/* P1.T0.1 mutex.lock cache_lock "cache_get cache.c:57" */
static bool
take_stand(struct reader *r)
{
	struct replay_file *f = r->file;
	struct replay_event *e;

	if (!has_texts(r, 4) || !no_more(r, 4))
		return false;
	if (f->nstanding >= SEAM_SLOTS)
		return wrong(r, 1, "more than %u threads", SEAM_SLOTS);
	if (!grow((void **)&f->standing, &f->room_standing, f->nstanding,
		  sizeof(*e)))
		return no_memory(r);
	e = &f->standing[f->nstanding++];
	*e = (struct replay_event){ 0 };
	return take_texts(r, 4, e);
}

/* Lines. */

static bool
take_version(struct reader *r)
{
	const char *magic = word(r, 0, "seam-replay"), *version;

	if (!magic)
		return false;
	if (strcmp(magic, "seam-replay"))
		return wrong(r, r->words.v[0].column,
			     "this is no replay file: seam-replay is "
			     "expected, not '%s'",
			     seam_show(magic).s);
	version = word(r, 1, "a version");
	if (!version)
		return false;
	if (strcmp(version, "1"))
		return wrong(r, r->words.v[1].column,
			     "version %s of replay files; this seam reads "
			     "version %d",
			     seam_show(version).s, REPLAY_VERSION);
	return no_more(r, 2);
}

static bool
take_key(struct reader *r)
{
	const char *name = word(r, 0, "");
	struct seam_near near = { .word = name };
	int column = r->words.v[0].column;

	for (size_t i = 0; i < KEYS; i++) {
		seam_near_try(&near, keys[i].name);
		if (strcmp(name, keys[i].name) != 0)
			continue;
		if (r->seen & (1u << i) && !keys[i].often)
			return wrong(r, column, "there is a second '%s'", name);
		r->seen |= 1u << i;
		return keys[i].take(r);
	}
	return wrong(r, column, "unknown word '%s'%s%s%s", seam_show(name).s,
		     near.best ? "; did you mean '" : "",
		     near.best ? near.best : "", near.best ? "'?" : "");
}

static bool
take_line(struct reader *r, const char *text)
{
	struct seam_error bad = { .code = SEAM_OK };
	bool inside = *text == '\t' || *text == ' ', good;

	if (seam_split(text, &r->words, &bad))
		return wrong(r, bad.column ? bad.column : 1, "%s", bad.text);
	if (!r->words.n)
		good = true;
	else if (r->line == 1)
		good = take_version(r);
	else if (r->section == SECTION_END)
		good = wrong(r, r->words.v[0].column,
			     "the file should have ended after 'end'");
	else if (inside && r->section == SECTION_DECISIONS)
		good = take_block(r);
	else if (inside && r->section == SECTION_EVENTS)
		good = take_event(r);
	else if (inside && r->section == SECTION_STANDING)
		good = take_stand(r);
	else
		good = take_key(r);
	seam_words_free(&r->words);
	return good;
}

static bool
is_complete(struct reader *r)
{
	if (r->section != SECTION_END)
		return wrong(r, 1,
			     "the file ends here, where 'end' is expected");
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].needed && !(r->seen & (1u << i)))
			return wrong(r, 1, "'%s' is missing", keys[i].name);
	if (r->file->nevents && r->total != r->file->nevents)
		return wrong(r, 1,
			     "there are %llu decisions and %zu events; take "
			     "the events out if you changed the decisions",
			     (unsigned long long)r->total, r->file->nevents);
	return true;
}

static bool
take_all(struct reader *r, char *text, size_t len)
{
	char *rest = text, *line;

	while (rest < text + len) {
		size_t n = strcspn(rest, "\n");

		line = rest;
		rest += n + 1;
		r->line++;
		if (line + n < text + len && line[n] == '\0')
			return wrong(r, (int)n + 1, "a byte of value 0");
		line[n] = '\0';
		if (!take_line(r, line))
			return false;
	}
	r->line++;
	if (r->line == 1)
		return wrong(r, 1, "the file is empty");
	return is_complete(r);
}

enum seam_code
replay_parse(const char *name, const char *text, size_t len,
	     struct replay_file **out, struct seam_error *err)
{
	struct reader r = { .name = name, .err = err };
	char *copy = malloc(len + 1);
	bool good = false;

	*out = NULL;
	r.file = calloc(1, sizeof(*r.file));
	if (copy && r.file) {
		r.file->expected = -1;
		memcpy(copy, text, len);
		copy[len] = '\0';
		good = take_all(&r, copy, len);
	} else {
		no_memory(&r);
	}
	free(copy);
	if (good) {
		*out = r.file;
		return SEAM_OK;
	}
	replay_free(r.file);
	return err->code;
}

static enum seam_code
read_fd(int fd, const char *path, struct replay_file **out,
	struct seam_error *err)
{
	size_t len = 0, room = 65536;
	char *text = NULL, *more;
	enum seam_code code;
	ssize_t n;

	do {
		if (!text || len + 4096 > room) {
			room *= text ? 2 : 1;
			more = room > FILE_MAX ? NULL : realloc(text, room);
			if (!more) {
				free(text);
				return sess_fail(err, SEAM_E_SYNTAX, 0,
						 "%s: too long", path);
			}
			text = more;
		}
		n = read(fd, text + len, room - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		code = sess_fail(err, SEAM_E_SYNTAX, 0, "%s: %s", path,
				 strerror(errno));
	else
		code = replay_parse(path, text, len, out, err);
	free(text);
	return code;
}

enum seam_code
replay_read(const char *path, struct replay_file **out, struct seam_error *err)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	enum seam_code code;

	*out = NULL;
	if (fd < 0)
		return sess_fail(err, SEAM_E_SYNTAX, 0, "%s: %s", path,
				 strerror(errno));
	code = read_fd(fd, path, out, err);
	if (!standard)
		close(fd);
	return code;
}
