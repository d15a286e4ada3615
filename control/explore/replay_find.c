/* SPDX-License-Identifier: MIT */
#include "explore/replay_find.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
take_program(struct replay_file *f, const struct runner_config *run)
{
	f->dir = run->dir ? realpath(run->dir, NULL) : getcwd(NULL, 0);
	f->program = f->dir ? replay_find_program(run->argv[0], f->dir) : NULL;
	f->program_id = replay_build_id(f->program);
	if (!f->program)
		f->program = strdup(run->argv[0]);
	f->library_id = replay_library_id(run->preload);
}

static void
take_conditions(struct replay_file *f, const struct campaign_config *config,
		const struct campaign_find *find)
{
	const struct runner_config *run = config->run;
	const struct oracle *oracle = &config->oracle;

	f->argv = replay_copy_words(run->argv);
	f->env = replay_copy_words(run->env);
	f->setup = replay_copy_text(run->setup);
	f->reset = replay_copy_text(run->reset);
	f->check = replay_copy_text(run->check);
	f->strategy =
	    strdup(find->directed ? "directed" : config->strategy->name);
	f->fault = strdup(explore_fault_names[find->fault]);
	f->timeout_ms = run->timeout_ms;
	f->steps = config->max_steps;
	f->server = find->server;
	f->expected = oracle->compare ? oracle->expected : -1;
	f->in_scratch = run->in_scratch;
	f->left_behind = oracle->left_behind;
	f->misuse = find->plan->flags & SEAM_PLAN_MISUSE;
	f->marked = find->plan->flags & SEAM_PLAN_MARKED;
	f->after = find->plan->strategy != SEAM_STRATEGY_FOLLOW ||
		   find->plan->flags & SEAM_PLAN_AFTER;
}

struct replay_file *
replay_of_find(const struct campaign_config *config,
	       const struct campaign_find *find)
{
	struct replay_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	take_conditions(f, config, find);
	take_program(f, config->run);
	if (f->argv && f->env && f->dir && f->program && f->program_id &&
	    f->library_id && f->strategy && f->fault &&
	    replay_take(f, &find->result->trace, find->labels))
		return f;
	replay_free(f);
	return NULL;
}

bool
replay_reserve(const char *path)
{
	int fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)0666);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void
replay_unreserve(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && st.st_size == 0)
		unlink(path);
}

const char *
replay_built_anew(const struct replay_file *f, const char *program,
		  const char *preload)
{
	char *path = replay_find_program(program, f->dir);
	char *ours = replay_build_id(path),
	     *library = replay_library_id(preload);
	const char *anew = NULL;

	if (!ours || strcmp(ours, f->program_id) != 0)
		anew = program;
	else if (!library || strcmp(library, f->library_id) != 0)
		anew = "libseam.so";
	free(path);
	free(ours);
	free(library);
	return anew;
}
