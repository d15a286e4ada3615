/* SPDX-License-Identifier: MIT */
/*
 * What the suites share that speak to a real controller: `seam serve` as a
 * child, with a private directory for its socket and its targets, and clients
 * of it.  Whatever does not come within CONTROLLER_PATIENCE_MS fails the
 * test, and says what was waited for.
 */
#ifndef SEAM_TESTS_CONTROLLER_H
#define SEAM_TESTS_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROLLER_PATIENCE_MS 20000

struct controller {
	pid_t pid;     /* 0: ended */
	char dir[64];  /* private; where it and its targets run */
	char path[80]; /* the socket, in a directory below */
};

/* In a fresh directory; returns when it serves. */
void controller_start(struct controller *c);
/* Another at that path: returns at once, output appended to dir/log. */
pid_t controller_spawn(const struct controller *c, const char *path);
/* Its warden, as soon as there is one. */
pid_t controller_warden(const struct controller *c);
/* Asks it to end, and gives its wait status. */
int controller_end(struct controller *c);
/* Removes the directory with all that is in it. */
void controller_remove(struct controller *c);
/* All of that, for a fixture that must not fail: says on standard error what
 * was wrong, and counts it in controllers_failed. */
void controller_finish(struct controller *c);
extern int controllers_failed;
/* What it wrote to its standard error; malloc'd. */
char *controller_log(const struct controller *c);

/* A target that joins by itself, LD_PRELOAD and SEAM_SOCKET, a child of ours;
 * what it writes comes by `out`, which controllers do not have. */
struct joiner {
	pid_t pid;
	int in, out;
	char said[4096];
	size_t n;
};

/* Words are separated by blanks; the first is one of SEAM_TEST_PROGRAMS. */
void joiner_start(struct joiner *j, const struct controller *c,
		  const char *words);
void joiner_send(struct joiner *j, const char *line);
/* Reads until it has said that. */
void joiner_wait(struct joiner *j, const char *text);
/* Reads to the end, and gives the wait status. */
int joiner_end(struct joiner *j);

struct client {
	int fd;
	char *in; /* not yet taken */
	size_t n, size;
	char *body; /* of the last reply: its lines without their blanks */
	size_t body_len;
	char *last;	 /* its last line, or an event */
	unsigned events; /* `!` lines seen */
};

void client_open(struct client *c, const char *path);
bool client_try(struct client *c, const char *path);
void client_close(struct client *c);
/* Bytes as they are. */
void client_send(struct client *c, const char *bytes, size_t n);
/* The next reply's last line; NULL: the other side has closed.  Valid until
 * the next call. */
const char *client_hear(struct client *c);
/* A line, and its reply.  ask_ok fails the test where it is not ok. */
const char *ask(struct client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *ask_ok(struct client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same where `err CODE` is wanted; code may be "a|b". */
const char *ask_err(struct client *c, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What the process has written, exactly; valid until the next call. */
const char *ask_output(struct client *c, const char *proc);
/* key=value of the last reply without its quotes, into a static buffer. */
const char *reply_field(struct client *c, const char *key);
/* Is the code of this reply one of a|b? */
bool reply_has_code(const char *reply, const char *codes);

uint64_t now_ms(void);
/* Looks again and again until it is true, or patience is at its end. */
bool came_true(bool (*is_true)(void *), void *data);
bool process_is_gone(void *pid);
bool path_is_gone(void *path);
bool path_answers(void *path);
/* A child of that process with that name (comm); 0: none. */
pid_t child_named(pid_t parent, const char *name);
const char *needed_env(const char *name);

#endif
