/* SPDX-License-Identifier: MIT */
/* Variables, and their expansion in the words of a line. */
#include "vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line that grows beyond this by expansion is an error. */
#define GROWN_MAX SEAM_LINE_MAX

size_t
seam_var_name(const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz_0123456789");

	return *text >= '0' && *text <= '9' ? 0 : n;
}

const struct seam_var *
seam_var_get(const struct seam_vars *vars, const char *name, size_t len)
{
	for (size_t i = 0; vars && i < vars->n; i++)
		if (!strncmp(vars->v[i].name, name, len) &&
		    !vars->v[i].name[len])
			return &vars->v[i];
	return NULL;
}

static struct seam_var *
add(struct seam_vars *vars, const char *name)
{
	struct seam_var *v;

	v = realloc(vars->v, (vars->n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	vars->v = v;
	v += vars->n;
	*v = (struct seam_var){ .name = strdup(name) };
	if (!v->name)
		return NULL;
	vars->n++;
	return v;
}

bool
seam_var_set(struct seam_vars *vars, const char *name, const char *value)
{
	struct seam_var *v =
	    (struct seam_var *)seam_var_get(vars, name, strlen(name));
	char *copy = value ? strdup(value) : NULL;

	if (!v)
		v = add(vars, name);
	if (!v || (value && !copy)) {
		free(copy);
		return false;
	}
	free(v->value);
	v->value = copy;
	return true;
}

void
seam_vars_free(struct seam_vars *vars)
{
	for (size_t i = 0; i < vars->n; i++) {
		free(vars->v[i].name);
		free(vars->v[i].value);
	}
	free(vars->v);
	*vars = (struct seam_vars){ 0 };
}

/* Expansion. */

struct expansion {
	const struct seam_vars *vars;
	FILE *out;
	bool *open;
	struct seam_error *err;
};

/* The variable after a dollar at p; what it took is *used, 0: none. */
static enum seam_code
reference(struct expansion *e, const char *p, int column, size_t *used)
{
	bool braces = *p == '{';
	const char *name = p + braces;
	size_t n = seam_var_name(name);
	const struct seam_var *v;
	char shown[64];

	*used = 0;
	if (braces && (!n || name[n] != '}'))
		return sess_fail(e->err, SEAM_E_SYNTAX, column,
				 "'${' needs a name and '}'; a dollar is "
				 "written $$");
	if (!n)
		return SEAM_OK;
	*used = n + (braces ? 2 : 0);
	v = seam_var_get(e->vars, name, n);
	if (v) {
		fputs(v->value ? v->value : "", e->out);
		*e->open |= !v->value;
		return SEAM_OK;
	}
	snprintf(shown, sizeof(shown), "%.*s", (int)(n < 60 ? n : 60), name);
	return sess_fail(e->err, SEAM_E_SYNTAX, column,
			 "unknown variable '%s'; a dollar is written $$",
			 shown);
}

/* The columns after a quote or an escape are those of the word's bytes. */
static enum seam_code
expand(struct expansion *e, const char *text, int column)
{
	enum seam_code code = SEAM_OK;
	size_t used;

	for (const char *p = text; *p && !code; p++) {
		if (*p != '$') {
			fputc(*p, e->out);
			continue;
		}
		if (p[1] == '$') {
			fputc(*p++, e->out);
			continue;
		}
		code =
		    reference(e, p + 1, seam_column(column, (size_t)(p - text)),
			      &used);
		if (!code && !used)
			fputc('$', e->out);
		p += used;
	}
	if (!code && ftell(e->out) > (long)GROWN_MAX)
		code = sess_fail(e->err, SEAM_E_SYNTAX, column,
				 "the line has grown too long here");
	return code;
}

static bool
is_regex(const struct seam_word *w)
{
	size_t n = strlen(w->text);

	return !w->quoted && !w->value && n > 1 && w->text[0] == '/' &&
	       w->text[n - 1] == '/';
}

static enum seam_code
expand_word(struct expansion *e, const struct seam_word *w, bool first)
{
	enum seam_code code = SEAM_OK;

	if (first || is_regex(w))
		fputs(w->text, e->out);
	else
		code =
		    expand(e, w->text,
			   w->quoted ? seam_column(w->column, 1) : w->column);
	fputc('\0', e->out);
	if (code || !w->value)
		return code;
	code = expand(e, w->value, w->value_column);
	fputc('\0', e->out);
	return code;
}

/* The words' texts follow each other in the store. */
static void
repoint(struct seam_words *w, char *store)
{
	for (size_t i = 0; i < w->n; i++) {
		w->v[i].text = store;
		store += strlen(store) + 1;
		if (!w->v[i].value)
			continue;
		w->v[i].value = store;
		store += strlen(store) + 1;
	}
}

static bool
has_dollar(const struct seam_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (strchr(w->v[i].text, '$') ||
		    (w->v[i].value && strchr(w->v[i].value, '$')))
			return true;
	return false;
}

enum seam_code
seam_vars_expand(const struct seam_vars *vars, struct seam_words *w, bool *open,
		 struct seam_error *err)
{
	struct expansion e = { .vars = vars, .open = open, .err = err };
	enum seam_code code = SEAM_OK;
	char *store = NULL;
	size_t size;

	if (!has_dollar(w))
		return SEAM_OK;
	e.out = open_memstream(&store, &size);
	if (!e.out)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	for (size_t i = 0; i < w->n && !code; i++)
		code = expand_word(&e, &w->v[i], !i);
	if (fclose(e.out) && !code)
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	if (code) {
		free(store);
		return code;
	}
	repoint(w, store);
	free(w->store);
	w->store = store;
	return SEAM_OK;
}
