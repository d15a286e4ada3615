/* SPDX-License-Identifier: MIT */
#include "explore/replay_names.h"

#include <ctype.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct name {
	const char *text;
	/* What it is on the other side; 0: not known.  A name may be that of
	 * several objects, as of one in each process: the latest. */
	uint32_t other;
	bool elsewhere; /* the other side has that text, too */
};

struct side {
	struct hsearch_data table; /* the first one with a text */
	struct name *name;	   /* from 1 */
	uint32_t n;
};

struct replay_names {
	struct side was, is;
};

static bool
open_side(struct side *s, size_t most)
{
	s->name = calloc(most + 1, sizeof(*s->name));
	return s->name && hcreate_r(most + most / 2 + 8, &s->table);
}

static void
close_side(struct side *s)
{
	free(s->name);
	if (s->table.table)
		hdestroy_r(&s->table);
}

struct replay_names *
replay_names_new(size_t old, size_t now)
{
	struct replay_names *n = calloc(1, sizeof(*n));

	if (n && open_side(&n->was, old) && open_side(&n->is, now))
		return n;
	replay_names_free(n);
	return NULL;
}

void
replay_names_free(struct replay_names *n)
{
	if (!n)
		return;
	close_side(&n->was);
	close_side(&n->is);
	free(n);
}

static uint32_t
find(struct side *s, const char *text)
{
	ENTRY e = { .key = (char *)(uintptr_t)text }, *found;

	return hsearch_r(e, FIND, &found, &s->table) ?
		   (uint32_t)(uintptr_t)found->data :
		   0;
}

static uint32_t
add(struct side *s, struct side *other, const char *text)
{
	const uint32_t i = s->n + 1, twin = find(other, text);
	ENTRY e = { .key = (char *)(uintptr_t)text,
		    .data = (void *)(uintptr_t)i },
	      *made;

	if (!hsearch_r(e, ENTER, &made, &s->table))
		return 0;
	s->n = i;
	s->name[i].text = text;
	if (twin)
		s->name[i].elsewhere = other->name[twin].elsewhere = true;
	return i;
}

uint32_t
replay_names_of_file(struct replay_names *n, const char *text)
{
	uint32_t i = find(&n->was, text);

	return i ? i : add(&n->was, &n->is, text);
}

uint32_t
replay_names_of_run(struct replay_names *n, const char *text)
{
	return add(&n->is, &n->was, text);
}

/* Made at a line, or the how-manieth of its kind: "queue.c:88#2". */
static bool
is_counted(const char *text)
{
	const char *number = strrchr(text, '#');

	return number && isdigit((unsigned char)number[1]) &&
	       !number[1 + strspn(number + 1, "0123456789")];
}

/* "pool+0x40": how much of it is the name; 0: there is no offset. */
static size_t
before_offset(const char *text)
{
	const char *plus = strstr(text, "+0x");

	return plus ? (size_t)(plus - text) : 0;
}

static bool
may_move(const char *was, const char *is)
{
	size_t len = before_offset(was);

	if (is_counted(was) && is_counted(is))
		return true;
	return len && len == before_offset(is) && !strncmp(was, is, len);
}

bool
replay_names_are(const struct replay_names *n, uint32_t was, uint32_t is)
{
	const struct name *w = &n->was.name[was], *i = &n->is.name[is];

	if (i->other)
		return i->other == was;
	if (w->other)
		return !strcmp(n->is.name[w->other].text, i->text);
	return !strcmp(w->text, i->text) || may_move(w->text, i->text);
}

/* One that only the file has may be one that only the run has. */
static bool
may_be(const struct replay_names *n, uint32_t was, uint32_t is)
{
	const struct name *w = &n->was.name[was], *i = &n->is.name[is];

	return replay_names_are(n, was, is) ||
	       (!w->other && !i->other && !w->elsewhere && !i->elsewhere);
}

bool
replay_names_learn(struct replay_names *n, uint32_t was, uint32_t is, bool made)
{
	if (made)
		n->was.name[was].other = n->is.name[is].other = 0;
	if (!may_be(n, was, is))
		return false;
	n->was.name[was].other = is;
	n->is.name[is].other = was;
	return true;
}

size_t
replay_names_changed(const struct replay_names *n, const char **was,
		     const char **is)
{
	size_t changed = 0;

	for (uint32_t i = 1; i <= n->was.n; i++) {
		const struct name *w = &n->was.name[i];

		if (!w->other || !strcmp(w->text, n->is.name[w->other].text))
			continue;
		if (!changed++) {
			*was = w->text;
			*is = n->is.name[w->other].text;
		}
	}
	return changed;
}
