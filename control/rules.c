/* SPDX-License-Identifier: MIT */
/* Rules: armed under an id, and what every room of rules needs of them. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "arena_ctl.h"
#include "heap.h"
#include "order.h"
#include "rules_int.h"

static const char *const prefixes[] = {
	[SEAM_RULE_PAUSE] = "p", [SEAM_RULE_HOLD] = "h",
	[SEAM_RULE_FAULT] = "f", [SEAM_RULE_LOG] = "l",
	[SEAM_RULE_GATE] = "g",	 [SEAM_RULE_ORDER] = "o",
};

/* What stands for something else where an id is expected. */
static const char *const reserved_ids[] = { "all",     "quiescent", "exit",
					    "blocked", "output",    "step" };

struct seam_room *
seam_room(struct seam_session *s)
{
	static struct seam_room none;
	struct seam_room *room = s->spare[0];

	if (room)
		return room;
	room = calloc(1, sizeof(*room));
	if (room) {
		room->name = seam_pages_new(SEAM_NAMES_BYTES);
		room->site = seam_pages_new(SEAM_SITES_BYTES);
	}
	if (!room || !room->name || !room->site) {
		if (room)
			seam_names_free(room);
		free(room);
		seam_broken(s, "out of memory");
		return &none;
	}
	s->spare[0] = room;
	return room;
}

struct seam_ruled *
seam_ruled(struct seam_session *s, const struct seam_process *p)
{
	return &seam_room(s)->proc[p->index];
}

struct seam_rule *
seam_rule_of(struct seam_session *s, const struct seam_armed *r)
{
	return &s->arena->rule[r->index];
}

struct seam_armed *
seam_rule_at(struct seam_session *s, uint32_t index1)
{
	struct seam_armed *r;

	if (!index1 || index1 > s->rules)
		return NULL;
	r = &s->rule[index1 - 1];
	if (r->used)
		return r;
	for (unsigned i = 0; r->reserved && i < s->rules; i++)
		if (s->rule[i].used && s->rule[i].notify == index1)
			return &s->rule[i];
	return NULL;
}

/* By id, in a tree: 10,000 of them are looked for with every command. */
static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct seam_armed *)a)->id,
		      ((const struct seam_armed *)b)->id);
}

static struct seam_armed *
find_rule(struct seam_session *s, const char *id)
{
	const struct seam_armed key = { .id = (char *)(uintptr_t)id };
	struct seam_armed **found = tfind(&key, &seam_room(s)->ids, by_id);

	return found ? *found : NULL;
}

struct seam_armed *
seam_rule_find(struct seam_session *s, const char *id)
{
	return find_rule(s, id);
}

/* The next one that nobody uses, after where the last was found. */
static struct seam_armed *
reuse_slot(struct seam_session *s)
{
	for (unsigned n = 0; n < SEAM_MAX_RULES; n++) {
		struct seam_armed *r = &s->rule[s->next_rule];
		unsigned index = s->next_rule;

		s->next_rule = (index + 1) % SEAM_MAX_RULES;
		if (r->used || r->reserved || r->stale)
			continue;
		memset(r, 0, sizeof(*r));
		r->index = index;
		return r;
	}
	return NULL;
}

/* Takes what is gone out of all tables. */
static bool
freshen(struct seam_session *s)
{
	struct seam_error err = { .code = SEAM_OK };

	seam_compile_all(s, &err);
	for (unsigned i = 0; i < s->rules && !err.code; i++)
		s->rule[i].stale = false;
	return !err.code;
}

/* An index is used again only when none is left that never was: a thread on
 * its way to a rule that is gone must not park at another one. */
static struct seam_armed *
free_slot(struct seam_session *s)
{
	struct seam_armed *r = NULL;

	if (s->rules < SEAM_MAX_RULES) {
		r = &s->rule[s->rules];
		memset(r, 0, sizeof(*r));
		r->index = s->rules++;
		return r;
	}
	r = reuse_slot(s);
	return r || !freshen(s) ? r : reuse_slot(s);
}

static void
clear_rule(struct seam_rule *rule)
{
	atomic_store(&rule->armed, 0);
	rule->action = SEAM_ACTION_NONE;
	rule->nth = 0;
	rule->error = 0;
	atomic_store(&rule->hits, 0);
	atomic_store(&rule->parked, 0);
	atomic_store(&rule->arrived, 0);
	atomic_store(&rule->times, 0);
}

static char *
new_id(struct seam_session *s, enum seam_rule_kind kind)
{
	char id[16];

	do
		snprintf(id, sizeof(id), "%s%u", prefixes[kind],
			 ++s->next_id[kind]);
	while (find_rule(s, id));
	return strdup(id);
}

static enum seam_code
check_id(struct seam_session *s, const char *id, struct seam_error *err)
{
	const char *p = id;

	for (unsigned i = 0; i < sizeof(reserved_ids) / sizeof(char *); i++)
		if (!strcmp(id, reserved_ids[i]))
			return sess_fail(err, SEAM_E_SYNTAX, 0,
					 "'%s' means something by itself and "
					 "cannot be an id",
					 id);
	for (; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return sess_fail(err, SEAM_E_SYNTAX, 0,
					 "an id has no blanks: '%s'",
					 seam_show(id).s);
	if (p == id)
		return sess_fail(err, SEAM_E_SYNTAX, 0, "an id is not empty");
	if (find_rule(s, id))
		return sess_fail(err, SEAM_E_AMBIGUOUS, 0,
				 "there is a rule '%s' already",
				 seam_show(id).s);
	return SEAM_OK;
}

struct seam_armed *
seam_rule_new(struct seam_session *s, enum seam_rule_kind kind, const char *as,
	      struct seam_error *err)
{
	struct seam_armed *r;

	if (as && check_id(s, as, err))
		return NULL;
	r = free_slot(s);
	if (!r) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "%d rules are armed, which is all there is room for",
			  SEAM_MAX_RULES);
		return NULL;
	}
	r->id = as ? strdup(as) : new_id(s, kind);
	if (!r->id || !tsearch(r, &seam_room(s)->ids, by_id)) {
		free(r->id);
		r->id = NULL;
		sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
		return NULL;
	}
	r->used = true;
	r->kind = kind;
	r->fd = -1;
	r->birth = ++seam_room(s)->births;
	clear_rule(seam_rule_of(s, r));
	return r;
}

bool
seam_rule_notify(struct seam_session *s, struct seam_armed *r,
		 const uint64_t *verbs)
{
	struct seam_armed *n = free_slot(s);

	if (!n)
		return false;
	n->reserved = true;
	memcpy(n->sel.verbs, verbs, sizeof(n->sel.verbs));
	clear_rule(seam_rule_of(s, n));
	seam_rule_of(s, n)->action = SEAM_ACTION_NOTIFY;
	r->notify = n->index + 1;
	return true;
}

static void
set_armed(struct seam_session *s, const struct seam_armed *r, uint32_t armed)
{
	atomic_store(&seam_rule_of(s, r)->armed, armed);
	if (r->notify)
		atomic_store(&s->arena->rule[r->notify - 1].armed, armed);
}

enum seam_code
seam_rule_arm(struct seam_session *s, struct seam_armed *r,
	      struct seam_error *err)
{
	struct seam_error first = { .code = SEAM_OK };

	set_armed(s, r, 1);
	seam_compile_new(s, r, &first);
	if (first.code == SEAM_OK)
		return SEAM_OK;
	if (err)
		*err = first;
	seam_rule_drop(s, r);
	return first.code;
}

static void
free_rule(struct seam_session *s, struct seam_armed *r)
{
	unsigned index = r->index;

	seam_hold_end(r);
	if (r->notify)
		memset(&s->rule[r->notify - 1], 0, sizeof(*r));
	if (r->notify)
		s->rule[r->notify - 1].index = r->notify - 1;
	if (r->kind == SEAM_RULE_HOLD)
		free((void *)(uintptr_t)r->how.proc);
	tdelete(r, &seam_room(s)->ids, by_id);
	free(r->id);
	free(r->shared);
	seam_selector_free(&r->sel);
	memset(r, 0, sizeof(*r));
	r->index = index;
}

unsigned
seam_rule_drop(struct seam_session *s, struct seam_armed *r)
{
	unsigned count;
	bool stale;

	/* Who parks after this looks at `armed` again before it sleeps. */
	set_armed(s, r, 0);
	count = seam_let_all_go(s, r);
	r->used = false;
	stale = seam_compile_without(s, r);
	free_rule(s, r);
	r->stale = stale;
	return count;
}

bool
seam_copy_object_name(struct seam_object_name *to,
		      const struct seam_object_name *from)
{
	*to = *from;
	if (!from->name)
		return true;
	to->name = strdup(from->name);
	return to->name;
}

static bool
copy_text(char **text)
{
	if (!*text)
		return true;
	*text = strdup(*text);
	return *text;
}

/* Every text is copied, whatever fails, so that it can be freed. */
static bool
copy_selector(struct seam_selector *to, const struct seam_selector *from)
{
	char **text[] = { &to->op,   &to->at,	&to->in,  &to->thread,
			  &to->proc, &to->path, &to->name };
	bool ok;

	*to = *from;
	ok = seam_copy_object_name(&to->obj, &from->obj);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		ok &= copy_text(text[i]);
	return ok;
}

static enum seam_code
one_process(struct seam_session *s, struct seam_armed *r,
	    struct seam_error *err)
{
	struct seam_process *one = NULL;
	struct seam_text list;
	char path[SEAM_PATH], buf[512];
	unsigned n = 0;

	list = (struct seam_text){ .buf = buf, .size = sizeof(buf) };
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (!seam_process_live(p) || !seam_rule_concerns(s, r, p))
			continue;
		one = p;
		seam_text_add(&list, "%s%s", n++ ? ", " : "",
			      seam_process_path(s, p, path));
	}
	if (n > 1)
		return sess_fail(err, SEAM_E_AMBIGUOUS, r->sel.obj_column,
				 "an address means one process: say proc= of "
				 "%s",
				 buf);
	if (one)
		r->at_proc = one->index + 1;
	return SEAM_OK;
}

static enum seam_code
check_objects(struct seam_session *s, struct seam_armed *r,
	      struct seam_error *err)
{
	const struct seam_selector *sel = &r->sel;

	if (sel->has_obj && sel->obj.is_addr)
		return one_process(s, r, err);
	if (sel->has_obj && sel->obj.is_file && sel->path)
		return sess_fail(err, SEAM_E_SYNTAX, sel->obj_column,
				 "obj=file: and path= say the same twice");
	if (sel->has_obj && sel->thread && sel->obj.name &&
	    strstr(sel->obj.name, ".T") && strchr(sel->obj.name, '#'))
		return sess_fail(err, SEAM_E_UNSUPPORTED, sel->obj_column,
				 "thread= does not go with an object that is "
				 "named after who met it first");
	return SEAM_OK;
}

struct seam_armed *
seam_rule_from(struct seam_session *s, enum seam_rule_kind kind,
	       const struct seam_selector *sel, const char *as,
	       struct seam_error *err)
{
	struct seam_armed *r = seam_rule_new(s, kind, as, err);

	if (!r)
		return NULL;
	if (!copy_selector(&r->sel, sel)) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
		free_rule(s, r);
		return NULL;
	}
	seam_rule_of(s, r)->nth = sel->hit;
	seam_refresh_maps(s);
	if (check_objects(s, r, err)) {
		free_rule(s, r);
		return NULL;
	}
	return r;
}

static enum seam_code
arm(struct seam_session *s, struct seam_armed *r, uint32_t action,
    const char **id, struct seam_error *err)
{
	enum seam_code code;

	seam_rule_of(s, r)->action = action;
	code = seam_rule_arm(s, r, err);
	if (code == SEAM_OK && id)
		*id = r->id;
	return code;
}

enum seam_code
sess_pause(struct seam_session *s, const struct seam_selector *sel,
	   const char *as, const char **id, struct seam_error *err)
{
	enum seam_code code = SEAM_E_UNSUPPORTED;
	struct seam_armed *r;

	seam_lock(s);
	r = seam_rule_from(s, SEAM_RULE_PAUSE, sel, as, err);
	if (r)
		code = arm(s, r, SEAM_ACTION_PARK, id, err);
	else if (err)
		code = err->code;
	seam_unlock(s);
	return code;
}

enum seam_code
seam_fault(struct seam_session *s, const struct seam_selector *sel, int error,
	   uint32_t times, const char *as, const char **id,
	   struct seam_error *err)
{
	enum seam_code code = SEAM_E_UNSUPPORTED;
	struct seam_armed *r;

	if (sel->after)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "a call fails instead of taking effect: "
				 "when=after does not go with it");
	seam_lock(s);
	r = seam_rule_from(s, SEAM_RULE_FAULT, sel, as, err);
	if (r) {
		seam_rule_of(s, r)->error = error;
		atomic_store(&seam_rule_of(s, r)->times,
			     times ? times : UINT32_MAX);
		code = arm(s, r, SEAM_ACTION_FAIL, id, err);
	} else if (err) {
		code = err->code;
	}
	seam_unlock(s);
	return code;
}

enum seam_code
seam_log_arm(struct seam_session *s, const struct seam_selector *sel,
	     const char *as, seam_event_fn *each, void *data, const char **id,
	     struct seam_error *err)
{
	struct seam_armed *r = seam_rule_from(s, SEAM_RULE_LOG, sel, as, err);

	if (!r)
		return err ? err->code : SEAM_E_UNSUPPORTED;
	r->each = each;
	r->data = data;
	return arm(s, r, SEAM_ACTION_LOG, id, err);
}

void
seam_rules_end(struct seam_session *s)
{
	struct seam_room *room = s->spare[0];

	seam_order_forget(s);
	seam_accounts_free(s);
	for (unsigned i = 0; i < s->rules; i++) {
		if (!s->rule[i].used)
			continue;
		set_armed(s, &s->rule[i], 0);
		free_rule(s, &s->rule[i]);
	}
	s->rules = 0;
	if (!room)
		return;
	for (unsigned i = 0; i < SEAM_MAX_PROCS; i++) {
		seam_ranges_free(&room->proc[i].noise);
		seam_draft_free(room->proc[i].draft);
	}
	seam_names_free(room);
	free(room->drawn);
	free(room);
	s->spare[0] = NULL;
}
