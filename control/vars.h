/* SPDX-License-Identifier: MIT */
/* The variables of a script or a connection. */
#ifndef SEAM_VARS_H
#define SEAM_VARS_H

#include "selector.h"

struct seam_var {
	char *name;
	char *value; /* NULL: will have one, which is not known yet */
};

struct seam_vars {
	struct seam_var *v;
	size_t n;
};

/* False: out of memory. */
bool seam_var_set(struct seam_vars *vars, const char *name, const char *value);
const struct seam_var *seam_var_get(const struct seam_vars *vars,
				    const char *name, size_t len);
void seam_vars_free(struct seam_vars *vars);
/* Letters, digits and '_', not beginning with a digit. */
size_t seam_var_name(const char *text);

/*
 * Replaces $NAME and ${NAME} in words[1..], $$ by a dollar; not in /…/.  A
 * dollar before anything else is itself.  An unknown variable is a syntax
 * error.  *open is set if one has no value yet: then the words can't be
 * judged, and the variable stands for an empty text.
 */
enum seam_code seam_vars_expand(const struct seam_vars *vars,
				struct seam_words *w, bool *open,
				struct seam_error *err);

#endif
