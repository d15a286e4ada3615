/* SPDX-License-Identifier: MIT */
#include "permuted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "permute.h"

/* All of a file, malloc'd; NULL with errno. */
static char *
slurp(const char *path, size_t *size)
{
	FILE *f = fopen(path, "re"), *to;
	char *text = NULL, buf[4096];
	size_t n;

	if (!f)
		return NULL;
	to = open_memstream(&text, size);
	while (to && (n = fread(buf, 1, sizeof(buf), f)))
		fwrite(buf, 1, n, to);
	if (to && fclose(to))
		text = NULL;
	fclose(f);
	return text;
}

char *
cli_permuted_text(const char *path)
{
	size_t size;
	char *text = slurp(path, &size);

	if (text && seam_permute_is(text))
		return text;
	free(text);
	return NULL;
}

/* x.seam: x.out, where the script really stands. */
static char *
expected_path(const char *path)
{
	char *real = realpath(path, NULL), *out = NULL;
	size_t n = real ? strlen(real) : 0;

	if (n > 5 && !strcmp(real + n - 5, ".seam"))
		n -= 5;
	if (real && asprintf(&out, "%.*s.out", (int)n, real) < 0)
		out = NULL;
	free(real);
	return out;
}

int
cli_permuted_read(struct cli_permuted *p, const char *text)
{
	enum seam_code code =
	    seam_permute_read(p->path, text, p->vars, &p->script, p->f);

	if (code)
		return seam_exit_of(code);
	p->expected = expected_path(p->path);
	return p->expected ? SEAM_EXIT_OK : SEAM_EXIT_CONTROL;
}

void
cli_permuted_free(struct cli_permuted *p)
{
	seam_permute_free(p->script);
	free(p->expected);
}

/* Signals. */

struct minding {
	struct cli_watch watch;
	bool interrupted;
};

static bool
began(struct seam_session *s, void *data)
{
	struct minding *m = data;

	m->watch = (struct cli_watch){ .session = s };
	return cli_watch_start(&m->watch);
}

static bool
ended(struct seam_session *s, void *data)
{
	struct minding *m = data;

	(void)s;
	cli_watch_end(&m->watch);
	m->interrupted |= m->watch.signals > 0;
	return !m->interrupted;
}

/* What came of it. */

static bool
write_file(const char *path, const char *text, size_t size, FILE *f)
{
	FILE *to = fopen(path, "we");
	bool ok = to && fwrite(text, 1, size, to) == size;

	if (to && fclose(to))
		ok = false;
	if (!ok)
		fprintf(f, "%s: %s\n", path, strerror(errno));
	return ok;
}

/* By diff(1); the scratch directory is ours. */
static void
show_difference(const struct cli_permuted *p, const char *text, size_t size)
{
	static const char command[] = "diff -u --label expected --label actual "
				      "\"$SEAM_EXPECTED\" actual.out";
	char buf[4096];
	FILE *diff;
	size_t n;

	fprintf(p->f, "the outcome is not that of %s\n", p->expected);
	if (!write_file("actual.out", text, size, p->f))
		return;
	setenv("SEAM_EXPECTED", p->expected, 1);
	diff = popen(command, "re");
	while (diff && (n = fread(buf, 1, sizeof(buf), diff)))
		fwrite(buf, 1, n, p->f);
	if (diff)
		pclose(diff);
	unsetenv("SEAM_EXPECTED");
}

static int
compare(const struct cli_permuted *p, const char *text, size_t size)
{
	size_t n;
	char *wanted;
	bool same;

	if (p->update)
		return write_file(p->expected, text, size, p->f) ?
			   SEAM_EXIT_OK :
			   SEAM_EXIT_CONTROL;
	wanted = slurp(p->expected, &n);
	if (!wanted && errno != ENOENT) {
		fprintf(p->f, "%s: %s\n", p->expected, strerror(errno));
		return SEAM_EXIT_CONTROL;
	}
	if (!wanted)
		fwrite(text, 1, size, stderr);
	same = !wanted || (n == size && !memcmp(wanted, text, n));
	free(wanted);
	if (!same)
		show_difference(p, text, size);
	return same ? SEAM_EXIT_OK : SEAM_EXIT_FAILED;
}

int
cli_permuted_run(struct cli_permuted *p)
{
	struct minding minding = { .interrupted = false };
	const struct permute_watch watch = { began, ended, &minding };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	enum seam_code code;
	int status;

	if (!out)
		return SEAM_EXIT_CONTROL;
	code = seam_permute_run(p->script, &watch, out, p->f);
	p->interrupted = minding.interrupted;
	if (fclose(out))
		return SEAM_EXIT_CONTROL;
	status = code ? seam_exit_of(code) : compare(p, text, size);
	free(text);
	return status;
}
