/* SPDX-License-Identifier: MIT */
/* The tables of ops.def; compiled into the preload and into libseamctl. */
#include "ops.h"

#include <stddef.h>

const struct seam_verb_info seam_verbs[SEAM_VERBS] = {
	[SEAM_VERB_NONE] = { "none", "", 0, 0, SEAM_CLASS_NOTE },
#define VERB(id, name, family, kind, class, meaning)                           \
	[SEAM_##id] = { name, meaning, SEAM_FAMILY_##family, SEAM_KIND_##kind, \
			SEAM_CLASS_##class },
#include "ops.def"
};

const struct seam_fn_info seam_fns[SEAM_FNS] = {
	[SEAM_FN_NONE] = { "none", 0, 0 },
#define FN(symbol, version, verb, form)                                        \
	[SEAM_FN_##symbol] = { #symbol, SEAM_##verb, SEAM_FORM_##form },
#include "ops.def"
};

const char *const seam_families[SEAM_FAMILIES] = {
	[SEAM_FAMILY_NONE] = "none",
#define FAMILY(id, name) [SEAM_FAMILY_##id] = name,
#include "ops.def"
};

const char *const seam_kinds[SEAM_KINDS] = {
	[SEAM_KIND_NONE] = "none",
#define KIND(id, name) [SEAM_KIND_##id] = name,
#include "ops.def"
};

const char *const seam_results[SEAM_RESULTS] = {
	[SEAM_RESULT_ANY] = "any",     [SEAM_RESULT_OK] = "ok",
	[SEAM_RESULT_BUSY] = "busy",   [SEAM_RESULT_TIMEDOUT] = "timedout",
	[SEAM_RESULT_EINTR] = "eintr", [SEAM_RESULT_ERROR] = "error",
};
