/* SPDX-License-Identifier: MIT */
/* A run as a test in C, for Check. */
#include <stdlib.h>
#include <string.h>

#include "explore/as.h"

static void
put_string(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			fprintf(f, "\\%03o", (unsigned)(unsigned char)*text);
		else
			fprintf(f, "%s%c",
				*text == '"' || *text == '\\' ? "\\" : "",
				*text);
	fputc('"', f);
}

static void
put_words(FILE *f, const char *name, char *const *word)
{
	if (!word || !*word)
		return;
	fprintf(f, "static char *const %s[] = {\n", name);
	for (; *word; word++) {
		fputs("\t(char *)", f);
		put_string(f, *word);
		fputs(",\n", f);
	}
	fputs("\tNULL,\n};\n\n", f);
}

static void
put_program(FILE *f, const struct as_work *w)
{
	const struct replay_file *file = w->file;
	bool env = file->env && file->env[0];

	put_words(f, "command", w->again->config.argv);
	if (env)
		put_words(f, "environment", file->env);
	fprintf(f, "static const struct seam_program program = {\n"
		   "\t.argv = command,\n");
	if (env)
		fputs("\t.env = environment,\n", f);
	if (!file->in_scratch) {
		fputs("\t.dir = ", f);
		put_string(f, file->dir);
		fputs(",\n", f);
	}
	fputs("};\n\n", f);
}

static void
put_shell(FILE *f, const struct as_work *w, const char *alias,
	  const char *command)
{
	char *text = command ? as_shell_text(w, command) : NULL;

	if (!text)
		return;
	fprintf(f, "\tck_seam(seam_startl(s, \"%s\", \"sh\", \"-c\",\n\t\t",
		alias);
	put_string(f, text);
	fprintf(f,
		", NULL));\n\tck_seam(seam_expect_exit(s, \"%s\", 0, "
		"PATIENCE));\n",
		alias);
	free(text);
}

static void
put_point(FILE *f, const struct as_work *w, const struct as_point *p)
{
	char *selector = as_point_selector(w, p);

	if (p->stop == AS_STANDS)
		return;
	fputs("\t/* ", f);
	as_put_point(f, w, p);
	fprintf(f, " */\n\tck_seam(seam_pause(s, \"%s\",\n\t\t\t   ", p->id);
	put_string(f, selector ? selector : "");
	fputs("));\n", f);
	free(selector);
}

static void
put_wait(FILE *f, const struct as_work *w, const struct as_point *p)
{
	uint32_t object;
	char *thread;

	if (p->stop != AS_STANDS) {
		fprintf(f, "\tck_seam(seam_wait(s, \"%s\", NULL, PATIENCE));\n",
			p->id);
		return;
	}
	object = as_awaited(w, p->event);
	thread = as_thread_path(w, order_slot(&w->order, p->event));
	fputs("\tck_seam(seam_wait_blocked(s, ", f);
	put_string(f, thread ? thread : "");
	fputs(", ", f);
	if (*as_object_name(w, object))
		put_string(f, as_object_name(w, object));
	else
		fputs("NULL", f);
	if (*as_object_place(w, object))
		put_string(f, as_object_place(w, object));
	fputs(", PATIENCE));\n", f);
	free(thread);
}

static void
put_act(FILE *f, const struct as_work *w, const struct as_act *a)
{
	const struct as_point *p = &w->plan.point[a->point];

	fputs("\t/* ", f);
	as_put_act(f, w, a);
	fputs(" */\n", f);
	switch (a->kind) {
	case AS_WAIT:
		put_wait(f, w, p);
		break;
	case AS_RELEASE:
		fprintf(f, "\tck_seam(seam_release(s, \"%s\"));\n", p->id);
		break;
	case AS_QUIET:
		fputs("\tck_seam(seam_wait_quiescent(s, PATIENCE));\n", f);
		break;
	case AS_DELETE:
		fprintf(f, "\tck_seam(seam_delete(s, \"%s\"));\n", p->id);
		break;
	}
}

static void
put_test(FILE *f, const struct as_work *w)
{
	fputs("START_TEST(ends_well)\n{\n"
	      "\tseam_session *s = seam_check_session();\n\n",
	      f);
	put_shell(f, w, "setup", w->file->setup);
	put_shell(f, w, "reset", w->file->reset);
	for (size_t i = 0; i < w->plan.npoints; i++)
		put_point(f, w, &w->plan.point[i]);
	fputs("\tck_seam(seam_start(s, \"main\", &program));\n", f);
	for (size_t i = 0; i < w->plan.nacts; i++)
		put_act(f, w, &w->plan.act[i]);
	fputs("\t/* all goes well; with the fault: ", f);
	as_put_end(f, w);
	fprintf(f,
		" */\n\tck_seam(seam_expect_exit(s, \"main\", %d, LIMIT));\n",
		as_status(w));
	put_shell(f, w, "check", w->file->check);
	fputs("}\nEND_TEST\n\n", f);
}

static const char beginning[] =
    " *\n"
    " * cc -o check_it THIS.c $(pkg-config --cflags --libs seam check)\n"
    " */\n"
    "#include <seam_check.h>\n"
    "\n"
    "/* Milliseconds for a thread to come to an event, and for all to end. */\n"
    "#ifndef PATIENCE\n"
    "#define PATIENCE 30000\n"
    "#endif\n"
    "#ifndef LIMIT\n"
    "#define LIMIT 5000\n"
    "#endif\n"
    "\n";

static const char ending[] =
    "int\n"
    "main(void)\n"
    "{\n"
    "\tSuite *suite = suite_create(\"replay\");\n"
    "\tTCase *tcase = tcase_create(\"replay\");\n"
    "\tSRunner *runner = srunner_create(suite);\n"
    "\tint failed;\n"
    "\n"
    "\t/* All waits here have ends of their own. */\n"
    "\ttcase_set_timeout(tcase, 0);\n"
    "\ttcase_add_checked_fixture(tcase, seam_check_setup,\n"
    "\t\t\t\t  seam_check_teardown);\n"
    "\ttcase_add_test(tcase, ends_well);\n"
    "\tsuite_add_tcase(suite, tcase);\n"
    "\tsrunner_run_all(runner, CK_ENV);\n"
    "\tfailed = srunner_ntests_failed(runner);\n"
    "\tsrunner_free(runner);\n"
    "\treturn failed ? EXIT_FAILURE : EXIT_SUCCESS;\n"
    "}\n";

void
as_put_check(FILE *f, const struct as_work *w, const char *name)
{
	fputs("/*\n", f);
	as_put_about(f, " * ", w, name, "check");
	fputs(beginning, f);
	put_program(f, w);
	put_test(f, w);
	fputs(ending, f);
}
