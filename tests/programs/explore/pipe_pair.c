/* SPDX-License-Identifier: MIT */
/* pipe_pair: two threads talk over two pipes; it must end. */
#include "explore.h"

static int questions[2], answers[2];

static void *
asker(void *unused)
{
	(void)unused;
	for (int i = 1; i <= 3; i++) {
		int answer;

		must(write(questions[1], &i, sizeof(i)) != sizeof(i));
		must(read(answers[0], &answer, sizeof(answer)) !=
		     sizeof(answer));
		must(answer != i * i);
	}
	must(close(questions[1]));
	return NULL;
}

static void *
answerer(void *unused)
{
	int question;

	(void)unused;
	while (read(questions[0], &question, sizeof(question)) ==
	       sizeof(question)) {
		question *= question;
		must(write(answers[1], &question, sizeof(question)) !=
		     sizeof(question));
	}
	return NULL;
}

int
main(void)
{
	must(pipe(questions) || pipe(answers));
	together(asker, answerer);
	return verdict(1);
}
