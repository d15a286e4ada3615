/* SPDX-License-Identifier: MIT */
/* Objects of a replay file, recognized in a run of another build. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <string.h>

#include "explore/replay_names.h"
#include "suite.h"

#define PAIRS 6

/* Old and new name, one after another as events have them; `+` before the
 * old one: the object is made there.  The last pair is refused, or none. */
static const struct row {
	const char *what;
	const char *pair[PAIRS][2];
	bool refused;
	size_t changed;
	const char *both; /* a name that is on both sides, or NULL */
} rows[] = {
	{ "the same names",
	  { { "a", "a" }, { "b", "b" }, { "a", "a" } },
	  false,
	  0,
	  NULL },
	{ "exchanged", { { "a", "b" } }, true, 0, "b" },
	{ "exchanged, after one was seen",
	  { { "a", "a" }, { "b", "a" } },
	  true,
	  0,
	  NULL },
	{ "called otherwise",
	  { { "a", "c" }, { "b", "b" }, { "a", "c" } },
	  false,
	  1,
	  NULL },
	{ "two that became one",
	  { { "a", "c" }, { "b", "c" } },
	  true,
	  1,
	  NULL },
	{ "one that became two",
	  { { "a", "c" }, { "a", "d" } },
	  true,
	  1,
	  NULL },
	{ "lines have moved, onto each other",
	  { { "+q.c:10#1", "q.c:20#1" },
	    { "+q.c:20#1", "q.c:30#1" },
	    { "q.c:10#1", "q.c:20#1" },
	    { "q.c:20#1", "q.c:30#1" } },
	  false,
	  2,
	  NULL },
	{ "lines have moved, and the other is locked",
	  { { "+q.c:10#1", "q.c:20#1" },
	    { "+q.c:20#1", "q.c:30#1" },
	    { "q.c:10#1", "q.c:30#1" } },
	  true,
	  2,
	  NULL },
	{ "without lines", { { "+q.c:10#1", "main#1" } }, false, 1, NULL },
	{ "offsets have moved",
	  { { "pool+0x40", "pool+0x48" }, { "pool+0x80", "pool+0x90" } },
	  false,
	  2,
	  NULL },
	{ "an offset in something else",
	  { { "pool+0x40", "many+0x48" } },
	  true,
	  0,
	  "pool+0x40" },
	{ "an address that is used again, and no longer is",
	  { { "+q.c:10#1", "q.c:10#1" },
	    { "q.c:10#1", "q.c:10#1" },
	    { "+q.c:10#1", "q.c:20#1" },
	    { "q.c:10#1", "q.c:20#1" } },
	  false,
	  1,
	  NULL },
	{ "that is not made anew",
	  { { "+q.c:10#1", "q.c:10#1" }, { "q.c:10#1", "q.c:20#1" } },
	  true,
	  0,
	  NULL },
};

static const char *
old_name(const char *text)
{
	return text + (*text == '+');
}

/* Objects of a run are told apart by their names here. */
static uint32_t
number_of(struct replay_names *n, const struct row *row, size_t which)
{
	static uint32_t known[PAIRS];

	for (size_t i = 0; i < which; i++)
		if (!strcmp(row->pair[i][1], row->pair[which][1]))
			return known[which] = known[i];
	known[which] = replay_names_of_run(n, row->pair[which][1]);
	return known[which];
}

START_TEST(learns)
{
	const struct row *row = &rows[_i];
	struct replay_names *n = replay_names_new(PAIRS, PAIRS);
	uint32_t was[PAIRS], is[PAIRS];
	const char *first[2];
	size_t pairs = 0;

	ck_assert_ptr_nonnull(n);
	for (; pairs < PAIRS && row->pair[pairs][0]; pairs++) {
		was[pairs] =
		    replay_names_of_file(n, old_name(row->pair[pairs][0]));
		is[pairs] = number_of(n, row, pairs);
		ck_assert(was[pairs] && is[pairs]);
	}
	if (row->both) {
		replay_names_of_file(n, row->both);
		replay_names_of_run(n, row->both);
	}
	for (size_t i = 0; i < pairs; i++) {
		bool made = *row->pair[i][0] == '+';
		bool good = replay_names_learn(n, was[i], is[i], made);

		if (row->refused && i + 1 == pairs)
			ck_assert_msg(!good, "%s", row->what);
		else
			ck_assert_msg(good, "%s: %s, %s", row->what,
				      row->pair[i][0], row->pair[i][1]);
	}
	ck_assert_msg(replay_names_changed(n, &first[0], &first[1]) ==
			  row->changed,
		      "%s", row->what);
	replay_names_free(n);
}
END_TEST

/* As with the copies that a fork makes: one name, an object in each. */
START_TEST(one_name_of_two_objects)
{
	struct replay_names *n = replay_names_new(2, 3);
	uint32_t was = replay_names_of_file(n, "lock"),
		 other = replay_names_of_file(n, "table"),
		 parents = replay_names_of_run(n, "lock"),
		 childs = replay_names_of_run(n, "lock"),
		 table = replay_names_of_run(n, "table");

	ck_assert(replay_names_learn(n, was, parents, false));
	ck_assert(replay_names_learn(n, was, childs, false));
	ck_assert(replay_names_learn(n, was, parents, false));
	ck_assert(!replay_names_learn(n, other, childs, false));
	ck_assert(replay_names_learn(n, other, table, false));
	replay_names_free(n);
}
END_TEST

/* Without debugging information two are called the same. */
START_TEST(two_names_that_became_one)
{
	struct replay_names *n = replay_names_new(2, 2);
	uint32_t a = replay_names_of_file(n, "q.c:10#1"),
		 b = replay_names_of_file(n, "q.c:20#1"),
		 first = replay_names_of_run(n, "main#1"),
		 second = replay_names_of_run(n, "main#1");

	ck_assert(replay_names_learn(n, a, first, true));
	ck_assert(replay_names_learn(n, b, second, true));
	ck_assert(replay_names_are(n, a, first));
	ck_assert(!replay_names_are(n, a, second));
	ck_assert(!replay_names_learn(n, b, first, false));
	replay_names_free(n);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("replay_names");
	TCase *c = tcase_create("objects");

	suite_add_rows(s, "names", learns,
		       (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(c, one_name_of_two_objects);
	tcase_add_test(c, two_names_that_became_one);
	suite_add_tcase(s, c);
	return suite_run(s);
}
