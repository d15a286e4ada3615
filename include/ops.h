/* SPDX-License-Identifier: MIT */
/* Enumerations made from ops.def, and masks over verbs. */
#ifndef SEAM_OPS_H
#define SEAM_OPS_H

#include <stdbool.h>
#include <stdint.h>

/* Identifiers begin at 1: 0 is "none" or "any". */
enum seam_family {
	SEAM_FAMILY_NONE,
#define FAMILY(id, name) SEAM_FAMILY_##id,
#include "ops.def"
	SEAM_FAMILIES
};

enum seam_kind {
	SEAM_KIND_NONE,
#define KIND(id, name) SEAM_KIND_##id,
#include "ops.def"
	SEAM_KINDS
};

enum seam_verb {
	SEAM_VERB_NONE,
#define VERB(id, name, family, kind, class, meaning) SEAM_##id,
#include "ops.def"
	SEAM_VERBS
};

enum seam_fn {
	SEAM_FN_NONE,
#define FN(symbol, version, verb, form) SEAM_FN_##symbol,
#include "ops.def"
	SEAM_FNS
};

enum seam_class {
	SEAM_CLASS_ACQUIRE,
	SEAM_CLASS_TRY,
	SEAM_CLASS_RELEASE,
	SEAM_CLASS_WAIT,
	SEAM_CLASS_SIGNAL,
	SEAM_CLASS_INIT,
	SEAM_CLASS_DESTROY,
	SEAM_CLASS_NOTE
};

enum seam_form { SEAM_FORM_PLAIN, SEAM_FORM_TIMED, SEAM_FORM_CLOCK };

/* How a call came out, as `result=` has it. */
enum seam_result {
	SEAM_RESULT_ANY,
	SEAM_RESULT_OK,
	SEAM_RESULT_BUSY,     /* EBUSY, EAGAIN, EACCES of a file lock */
	SEAM_RESULT_TIMEDOUT, /* ETIMEDOUT */
	SEAM_RESULT_EINTR,
	SEAM_RESULT_ERROR, /* any other error */
	SEAM_RESULTS
};

/* The bit of a family in seam_gate.armed. */
#define SEAM_FAMILY_BIT(f) (UINT32_C(1) << (f))

#define SEAM_VERB_WORDS 2

static inline bool
seam_verbs_has(const uint64_t *mask, unsigned verb)
{
	return (mask[verb / 64] >> (verb % 64)) & 1;
}

static inline void
seam_verbs_add(uint64_t *mask, unsigned verb)
{
	mask[verb / 64] |= UINT64_C(1) << (verb % 64);
}

/* Constant tables, one row a verb; see ops.c on either side. */
struct seam_verb_info {
	const char *name, *meaning;
	uint8_t family, kind, class;
};
struct seam_fn_info {
	const char *name;
	uint8_t verb, form;
};
extern const struct seam_verb_info seam_verbs[SEAM_VERBS];
extern const struct seam_fn_info seam_fns[SEAM_FNS];
extern const char *const seam_families[SEAM_FAMILIES];
extern const char *const seam_kinds[SEAM_KINDS];
extern const char *const seam_results[SEAM_RESULTS];

#endif
