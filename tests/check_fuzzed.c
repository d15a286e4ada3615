/* SPDX-License-Identifier: MIT */
/*
 * The corpora of the fuzzers, and whatever has ever made one of them fail,
 * once through each target.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "controller.h"
#include "fuzz/fuzz.h"
#include "suite.h"

static const struct fuzzed {
	const char *name;
	size_t bytes;
	int (*take)(const uint8_t *data, size_t size);
} targets[] = {
#define FUZZED(name, bytes, about) { #name, bytes, fuzz_##name },
#include "fuzz/targets.def"
#undef FUZZED
};
#define TARGETS ((int)(sizeof(targets) / sizeof(targets[0])))

static void
run_file(const struct fuzzed *target, const char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	size_t size;

	ck_assert_msg(f && !fstat(fileno(f), &st), "%s", path);
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	ck_assert(data && fread(data, 1, size, f) == size);
	fclose(f);
	/* The last one named is it, if this ends here. */
	printf("%s\n", path);
	fflush(stdout);
	ck_assert_msg(!target->take(data, size), "%s is refused", path);
	free(data);
}

static unsigned
run_folder(const struct fuzzed *target, const char *kind)
{
	char folder[512], path[1024];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/tests/fuzz/%s/%s",
		 needed_env("SEAM_SOURCE"), kind, target->name);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		run_file(target, path);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

START_TEST(corpus)
{
	const struct fuzzed *target = &targets[_i];

	ck_assert_msg(run_folder(target, "corpus") >= 3, "no corpus of %s",
		      target->name);
	run_folder(target, "regressions");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fuzzed");

	suite_add_rows(suite, "fuzzed", corpus, TARGETS);
	return suite_run(suite);
}
