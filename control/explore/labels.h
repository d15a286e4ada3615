/* SPDX-License-Identifier: MIT */
/*
 * What a run's threads, objects and sites are called: taken while the arena
 * still has the run, kept beside its trace.
 */
#ifndef SEAM_EXPLORE_LABELS_H
#define SEAM_EXPLORE_LABELS_H

#include "explore/trace.h"
#include "session.h"

struct explore_labels {
	uint32_t nthreads, nobjects, nsteps;
	char **thread;	     /* "P1.T0.2 (worker)" */
	const char **at;     /* where each stands: "cache_put cache.c:42" */
	char **object;	     /* "cache_lock" */
	const char **site;   /* by step */
	struct site_pool *p; /* what `at` and `site` point into */
};

/* The session's arena has the run of that trace.  NULL: no memory. */
struct explore_labels *explore_labels_take(struct seam_session *s,
					   const struct explore_trace *t);
void explore_labels_free(struct explore_labels *l);

/* Never NULL; "" where there is none.  Objects as steps have them: + 1. */
const char *explore_thread_label(const struct explore_labels *l, uint32_t slot);
const char *explore_object_label(const struct explore_labels *l,
				 uint32_t object);
const char *explore_site_label(const struct explore_labels *l, uint32_t step);
/* The same without the function: "cache.c:42"; a module's place as it is. */
const char *explore_site_line(const char *site);
/* The source file of a site that the labels gave, as the compiler was told;
 * NULL: unknown. */
const char *explore_site_path(const struct explore_labels *l, const char *site);
/* "mutex.lock cache_lock": what an operation is and is about. */
char *explore_op_label(const struct explore_labels *l, const struct seam_op *op,
		       char *buf, size_t size);
/* How it came out: "", "busy", "timeout", "EDEADLK". */
const char *explore_result_label(const struct seam_step *step, char *buf,
				 size_t size);

#endif
