/* SPDX-License-Identifier: MIT */
/*
 * A session that nobody serves: no thread, no socket, no warden.  Its one
 * living process is the fuzzer itself, so that looking into targets looks
 * there; nothing is ever sent to it.
 */
#ifndef SEAM_TESTS_FUZZ_SESSION_H
#define SEAM_TESTS_FUZZ_SESSION_H

#include <unistd.h>
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "arena_ctl.h"
#include "fuzz.h"
#include "inner.h"
#include "rules_int.h"

static inline void
fuzz_process(struct seam_session *s, unsigned i, const char *path, bool ended)
{
	struct seam_process *p = &s->process[i];
	struct seam_proc *a = &s->arena->proc[i];

	*p = (struct seam_process){
		.used = true,
		.index = i,
		.pid = ended ? 1 : getpid(),
		.ended = ended,
		.pidfd = -1,
		.out = -1,
		.in = -1,
	};
	s->processes = i + 1;
	strcpy(a->path, path);
	a->pid = p->pid;
	atomic_store(&a->state, ended ? SEAM_PROC_GONE : SEAM_PROC_LIVE);
	atomic_store(&s->arena->head.procs, i + 1);
}

/* Pages that are not malloc's, and point to what is. */
static inline void
fuzz_root(const void *at, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
	__lsan_register_root_region(at, size);
#else
	(void)at;
	(void)size;
#endif
}

static inline struct seam_session *
fuzz_session(void)
{
	struct seam_session *s = calloc(1, sizeof(*s));

	DEMAND(s && !pthread_mutex_init(&s->lock, NULL));
	DEMAND(!seam_arena_new(&s->arena, &s->arena_fd));
	s->warden = s->listener = s->epoll = s->wake = -1;
	s->opener = getpid();
	s->own = calloc(1, sizeof(*s->own));
	s->rule = seam_pages_new(SEAM_MAX_RULES * sizeof(*s->rule));
	s->syms = seam_syms_new();
	s->heap = seam_heap_new(s->arena);
	DEMAND(s->own && s->rule && s->syms && s->heap);
	fuzz_root(s->rule, SEAM_MAX_RULES * sizeof(*s->rule));
	fuzz_root(seam_room(s)->name, SEAM_NAMES_BYTES);
	fuzz_root(seam_room(s)->site, SEAM_SITES_BYTES);
	return s;
}

/* What reading a damaged arena leaves. */
static inline void
fuzz_session_mend(struct seam_session *s)
{
	s->broken[0] = '\0';
	atomic_store(&s->own->is_broken, false);
}

#endif
