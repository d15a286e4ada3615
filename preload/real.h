/* SPDX-License-Identifier: MIT */
/* The real functions, one pointer for each line of ops.def. */
#ifndef SEAM_REAL_H
#define SEAM_REAL_H

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

int __cxa_guard_acquire(uint64_t *guard);

struct seam_real {
#define FN(symbol, version, verb, form) __typeof__(&symbol) symbol;
#include "ops.def"
};

/* Filled in by seam_resolve, before the passive path can be taken. */
extern struct seam_real seam_real __attribute__((visibility("hidden")));

/*
 * Looks the whole table up, once; safe from any thread and before any
 * constructor.  Names and versions are known to exist (configure): a failing
 * dlsym would allocate, and re-enter us through the allocator's locks.
 */
void seam_resolve(void);

/* For a library that may come by dlopen (libstdc++): called by a hook whose
 * caller proves that the symbol exists. */
void *seam_resolve_late(const char *symbol);

#endif
