/* SPDX-License-Identifier: MIT */
/* Starting targets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inner.h"
#include "spawn_env.h"

#define NS_PER_MS UINT64_C(1000000)
#define START_MS 10000

/* The program's file. */

static char *
join_path(const char *dir, const char *name)
{
	char *path;

	if (name[0] == '/')
		return strdup(name);
	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

char *
seam_search_path(const char *dir, const char *name, const char *path)
{
	char *list = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	char *rest = list, *at, *base, *full;

	while (list && (at = strsep(&rest, ":"))) {
		base = join_path(dir, *at ? at : ".");
		full = base ? join_path(base, name) : NULL;
		free(base);
		if (full && is_program(full)) {
			free(list);
			return full;
		}
		free(full);
	}
	free(list);
	return NULL;
}

/* One start. */

struct spawn {
	struct seam_session *s;
	const struct sess_start *how;
	char *dir, *file;
	struct seam_env env;
	int in[2], out;
	pid_t pid;
};

static enum seam_code
find_program(struct spawn *sp, struct seam_error *err)
{
	const char *name = sp->how->argv[0], *why;

	sp->dir = join_path(sp->s->cwd, sp->how->dir ? sp->how->dir : ".");
	if (!sp->dir)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	if (strchr(name, '/'))
		sp->file = join_path(sp->dir, name);
	else
		sp->file = seam_search_path(sp->dir, name,
					    seam_env_value(&sp->env, "PATH"));
	if (!sp->file || !is_program(sp->file))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start %s: %s", seam_show(name).s,
				 sp->file && access(sp->file, F_OK) == 0 ?
				     "not a program that we may run" :
				     "not found");
	why = seam_exe_unhookable(sp->file);
	if (why)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot control %s: %s", sp->file, why);
	return SEAM_OK;
}

static enum seam_code
check_preload(struct seam_session *s, struct seam_error *err)
{
	if (!s->preload || access(s->preload, R_OK))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot read libseam.so at %s: %s; "
				 "SEAM_PRELOAD says where it is",
				 s->preload ? s->preload : "(nowhere)",
				 strerror(errno));
	if (strpbrk(s->preload, " :"))
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "LD_PRELOAD takes no path with a blank or a "
				 "colon: %s",
				 s->preload);
	return SEAM_OK;
}

static enum seam_code
check_alias(struct seam_session *s, const char *alias, struct seam_error *err)
{
	char path[SEAM_PATH];

	if (!alias)
		return SEAM_OK;
	if (!*alias || strlen(alias) >= SEAM_PATH ||
	    (alias[0] == 'P' && alias[1] >= '0' && alias[1] <= '9') ||
	    strpbrk(alias, "*?. \t\n"))
		return sess_fail(err, SEAM_E_SYNTAX, 0,
				 "'%s' cannot be an alias", seam_show(alias).s);
	for (unsigned i = 0; i < s->processes; i++) {
		struct seam_process *p = &s->process[i];

		if (!p->used || p->ended || !p->alias ||
		    strcmp(p->alias, alias) != 0)
			continue;
		seam_arena_copy(s->arena->proc[i].path, SEAM_PATH, path,
				sizeof(path));
		return sess_fail(err, SEAM_E_AMBIGUOUS, 0,
				 "%s is %s, which still runs", alias, path);
	}
	return SEAM_OK;
}

static int
open_stdio(struct spawn *sp)
{
	sp->in[0] = sp->in[1] = sp->out = -1;
	if (sp->how->stdio == SEAM_INHERIT)
		return 0;
	sp->out = memfd_create("seam-output", MFD_CLOEXEC);
	if (sp->out < 0 || fcntl(sp->out, F_SETFL, O_APPEND) ||
	    pipe2(sp->in, O_CLOEXEC) || fcntl(sp->in[1], F_SETFL, O_NONBLOCK))
		return errno;
	return 0;
}

static int
run(struct spawn *sp)
{
	const bool capture = sp->how->stdio == SEAM_CAPTURE;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int r;

	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&fa);
	if (capture)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setflags(&attr, flags);
	posix_spawnattr_setsigmask(&attr, &sp->s->own->mask);
	posix_spawnattr_setsigdefault(&attr, &sp->s->own->defaults);
	r = posix_spawn_file_actions_addchdir_np(&fa, sp->dir);
	if (r == 0 && capture)
		r = posix_spawn_file_actions_adddup2(&fa, sp->in[0], 0);
	if (r == 0 && capture)
		r = posix_spawn_file_actions_adddup2(&fa, sp->out, 1);
	if (r == 0 && capture)
		r = posix_spawn_file_actions_adddup2(&fa, sp->out, 2);
	if (r == 0)
		r = posix_spawn(&sp->pid, sp->file, &fa, &attr, sp->how->argv,
				sp->env.v);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

/* Its entry is made before it runs: it attaches at once. */
static struct seam_process *
make_entry(struct spawn *sp, struct seam_error *err)
{
	struct seam_session *s = sp->s;
	struct seam_process *p = seam_process_new(s, NULL);

	if (!p) {
		sess_fail(err, SEAM_E_UNSUPPORTED, 0,
			  "the session has no room for another process");
		return NULL;
	}
	p->ours = true;
	s->own->extra[p->index].started = true;
	p->alias = sp->how->alias ? strdup(sp->how->alias) : NULL;
	snprintf(s->arena->proc[p->index].alias, SEAM_PATH, "%s",
		 sp->how->alias ? sp->how->alias : "");
	atomic_store(&s->arena->proc[p->index].state, SEAM_PROC_JOINING);
	return p;
}

static void
abandon(struct seam_session *s, struct seam_process *p, pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	seam_process_drop(s, p);
}

static enum seam_code
spawn(struct spawn *sp, struct seam_process **out, struct seam_error *err)
{
	struct seam_session *s = sp->s;
	struct seam_process *p;
	int r;

	p = make_entry(sp, err);
	if (!p)
		return err->code;
	r = open_stdio(sp);
	if (r == 0)
		r = run(sp);
	if (r) {
		/* The number was not used. */
		atomic_fetch_sub(&s->arena->head.next_proc, 1);
		seam_process_drop(s, p);
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot start %s: %s", sp->file, strerror(r));
	}
	r = seam_process_follow(s, p, sp->pid);
	if (r) {
		abandon(s, p, sp->pid);
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot watch process %d: %s", sp->pid,
				 strerror(-r));
	}
	if (sp->how->stdio == SEAM_CAPTURE)
		s->own->extra[p->index].group = sp->pid;
	p->exe = strdup(sp->file);
	p->in = sp->in[1];
	p->out = sp->out;
	sp->in[1] = sp->out = -1;
	s->own->had_target = true;
	*out = p;
	return SEAM_OK;
}

static bool
came_or_went(struct seam_session *s, const struct seam_process *p)
{
	return s->own->extra[p->index].attached || p->ended || p->unhooked ||
	       s->broken[0] || atomic_load(&s->stopping);
}

static void
describe_status(const struct seam_process *p, char *buf, size_t size)
{
	if (!p->status_known)
		snprintf(buf, size, "ended");
	else if (WIFSIGNALED(p->status))
		snprintf(buf, size, "was killed by SIG%s",
			 seam_signal_name(WTERMSIG(p->status)).s);
	else
		snprintf(buf, size, "ended with status %d",
			 WEXITSTATUS(p->status));
}

static enum seam_code
await(struct spawn *sp, struct seam_process *p, struct seam_error *err)
{
	struct seam_session *s = sp->s;
	uint64_t until = seam_now() + START_MS * NS_PER_MS;
	char how[64];

	for (;;) {
		uint32_t seen = atomic_load(&s->arena->head.bell);

		if (came_or_went(s, p) || seam_now() > until || seam_ending(s))
			break;
		seam_bell_wait(s, seen, until);
	}
	if (s->own->extra[p->index].attached)
		return SEAM_OK;
	if (p->ended && !p->unhooked) {
		describe_status(p, how, sizeof(how));
		return sess_fail(err, SEAM_E_GONE, 0,
				 "%s %s before it could be controlled; is %s "
				 "made for it?",
				 sp->file, how, s->preload);
	}
	if (!p->ended)
		kill(sp->pid, SIGKILL);
	if (p->unhooked)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0,
				 "cannot control %s: %s", sp->file,
				 p->unhooked);
	if (s->broken[0] || atomic_load(&s->stopping))
		return sess_fail(err, SEAM_E_GONE, 0, "the session has ended");
	return sess_fail(err, SEAM_E_TIMEOUT, 0,
			 "%s did not attach within %d ms and was killed",
			 sp->file, START_MS);
}

enum seam_code
sess_start(struct seam_session *s, const struct sess_start *how, unsigned *proc,
	   struct seam_error *err)
{
	struct spawn sp = { .s = s, .how = how, .in = { -1, -1 }, .out = -1 };
	struct seam_process *p = NULL;
	enum seam_code code;

	if (!how->argv || !how->argv[0])
		return sess_fail(err, SEAM_E_SYNTAX, 0, "no program is named");
	seam_lock(s);
	if (s->broken[0] || atomic_load(&s->stopping))
		code = sess_fail(err, SEAM_E_GONE, 0, "the session has ended");
	else
		code = check_alias(s, how->alias, err);
	if (code == SEAM_OK)
		code = check_preload(s, err);
	if (code == SEAM_OK && !seam_env_make(s, how->env, &sp.env))
		code = sess_fail(err, SEAM_E_UNSUPPORTED, 0, "no memory");
	if (code == SEAM_OK)
		code = find_program(&sp, err);
	if (code == SEAM_OK)
		code = spawn(&sp, &p, err);
	if (code == SEAM_OK && p) {
		if (proc)
			*proc = p->index;
		code = await(&sp, p, err);
	}
	seam_unlock(s);
	for (int i = 0; i < 2; i++)
		if (sp.in[i] >= 0)
			close(sp.in[i]);
	if (sp.out >= 0)
		close(sp.out);
	seam_env_free(&sp.env);
	free(sp.dir);
	free(sp.file);
	return code;
}
