/* SPDX-License-Identifier: MIT */
/* Writing replay files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/out_run.h"
#include "explore/replay_file.h"

static bool
is_plain(const char *word)
{
	static const char other[] = "_.:+@%,-#!";

	if (!*word || *word == '#')
		return false;
	for (; *word; word++)
		if (!(*word >= 'a' && *word <= 'z') &&
		    !(*word >= 'A' && *word <= 'Z') &&
		    !(*word >= '0' && *word <= '9') && !strchr(other, *word))
			return false;
	return true;
}

static void
put_first(FILE *f, const char *word)
{
	if (is_plain(word)) {
		fputs(word, f);
		return;
	}
	fputc('"', f);
	for (; *word; word++)
		if (*word == '\n')
			fputs("\\n", f);
		else if (*word == '\t')
			fputs("\\t", f);
		else if (*word == '"' || *word == '\\')
			fprintf(f, "\\%c", *word);
		else if ((unsigned char)*word < 0x20 || *word == 0x7f)
			fputc('?', f);
		else
			fputc(*word, f);
	fputc('"', f);
}

static void
put_word(FILE *f, const char *word)
{
	fputc(' ', f);
	put_first(f, word);
}

static void
put_words(FILE *f, const char *key, char *const *words)
{
	fputs(key, f);
	for (; words && *words; words++)
		put_word(f, *words);
	fputc('\n', f);
}

static void
put_text(FILE *f, const char *key, const char *word)
{
	if (!word)
		return;
	fputs(key, f);
	put_word(f, word);
	fputc('\n', f);
}

static void
put_comment(FILE *f, const char *comment)
{
	while (comment && *comment) {
		size_t n = strcspn(comment, "\n");

		fputs("# ", f);
		for (size_t i = 0; i < n; i++)
			fputc((unsigned char)comment[i] < 0x20 ? ' ' :
								 comment[i],
			      f);
		fputc('\n', f);
		comment += n + (comment[n] == '\n');
	}
}

static const char *
how_name(unsigned how)
{
	static const char *const names[SEAM_HOWS] = {
		[SEAM_HOW_DONE] = "",
		[SEAM_HOW_TIMEOUT] = " timeout",
		[SEAM_HOW_SIGNAL] = " signal",
		[SEAM_HOW_SPURIOUS] = " spurious",
	};

	return how < SEAM_HOWS ? names[how] : "";
}

static void
put_decisions(FILE *f, const struct replay_file *r)
{
	fputs("decisions\n", f);
	for (size_t i = 0; i < r->nblocks; i++) {
		fputc('\t', f);
		put_first(f, r->block[i].thread);
		fprintf(f, " x %" PRIu32 "%s\n", r->block[i].count,
			how_name(r->block[i].how));
	}
}

static void
put_events(FILE *f, const struct replay_file *r)
{
	fputs("events\n", f);
	for (size_t i = 0; i < r->nevents; i++) {
		const struct replay_event *e = &r->event[i];

		fputc('\t', f);
		put_first(f, e->thread);
		put_word(f, e->verb);
		put_word(f, e->object);
		put_word(f, e->site);
		put_word(f, e->result);
		fprintf(f, " %08" PRIx32 "\n", e->event);
	}
}

static void
put_standing(FILE *f, const struct replay_file *r)
{
	if (r->nstanding)
		fputs("standing\n", f);
	for (size_t i = 0; i < r->nstanding; i++) {
		const struct replay_event *e = &r->standing[i];

		fputc('\t', f);
		put_first(f, e->thread);
		put_word(f, e->verb);
		put_word(f, e->object);
		put_word(f, e->site);
		fputc('\n', f);
	}
}

static void
put_options(FILE *f, const struct replay_file *r)
{
	fputs("options", f);
	fputs(r->misuse ? " misuse" : "", f);
	fputs(r->after ? " after" : "", f);
	fputs(r->marked ? " marked" : "", f);
	fputs(r->in_scratch ? " scratch" : "", f);
	fputs(r->left_behind ? " left-behind" : "", f);
	fputc('\n', f);
}

static const char *
server_name(int server)
{
	return server == SEAM_SERVER_LATE  ? "late" :
	       server == SEAM_SERVER_EARLY ? "early" :
					     "none";
}

void
replay_put(FILE *f, const struct replay_file *r, const char *comment)
{
	fprintf(f, "seam-replay %d\n", REPLAY_VERSION);
	put_comment(f, comment);
	put_text(f, "test", r->test);
	put_words(f, "command", r->argv);
	for (char **env = r->env; env && *env; env++)
		put_text(f, "env", *env);
	put_text(f, "dir", r->dir);
	put_text(f, "setup", r->setup);
	put_text(f, "reset", r->reset);
	put_text(f, "check", r->check);
	fputs("program", f);
	put_word(f, r->program);
	put_word(f, r->program_id);
	fputc('\n', f);
	put_text(f, "libseam", r->library_id);
	put_options(f, r);
	fprintf(f, "server %s\n", server_name(r->server));
	fprintf(f, "timeout %" PRIu64 "\n", r->timeout_ms);
	fprintf(f, "steps %" PRIu32 "\n", r->steps);
	if (r->expected >= 0)
		fprintf(f, "expect %d\n", r->expected);
	put_text(f, "strategy", r->strategy);
	fprintf(f, "seed %" PRIu64 "\n", r->seed);
	put_text(f, "fault", r->fault);
	if (r->critical[0])
		fprintf(f, "critical %" PRIu32 " %" PRIu32 "\n", r->critical[0],
			r->critical[1]);
	put_text(f, "because", r->because);
	put_decisions(f, r);
	put_events(f, r);
	fprintf(f, "hash %016" PRIx64 "\n", r->hash);
	put_standing(f, r);
	fputs("end\n", f);
}

struct written {
	const struct replay_file *r;
	const char *comment;
};

static bool
put_written(FILE *f, void *data)
{
	const struct written *w = data;

	replay_put(f, w->r, w->comment);
	return true;
}

enum seam_code
replay_write(const struct replay_file *r, const char *path, const char *comment,
	     struct seam_error *err)
{
	struct written w = { r, comment };

	return out_write(path, put_written, &w, err);
}
