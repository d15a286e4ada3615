/* SPDX-License-Identifier: MIT */
/* A run as a test in C, for Check. */
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
put_shell(FILE *f, const char *alias, const char *text)
{
	fprintf(f, "\tck_seam(seam_startl(s, \"%s\", \"sh\", \"-c\",\n\t\t",
		alias);
	put_string(f, text);
	fprintf(f,
		", NULL));\n\tck_seam(seam_expect_exit(s, \"%s\", 0, "
		"PATIENCE));\n",
		alias);
}

static void
put_pause(FILE *f, const char *selector, const char *id)
{
	fprintf(f, "\tck_seam(seam_pause(s, \"%s\",\n\t\t\t   ", id);
	put_string(f, selector);
	fputs("));\n", f);
}

static void
put_start(FILE *f, const struct as_work *w)
{
	(void)w;
	fputs("\tck_seam(seam_start(s, \"main\", &program));\n", f);
}

static void
put_wait(FILE *f, const char *id)
{
	fprintf(f, "\tck_seam(seam_wait(s, \"%s\", NULL, PATIENCE));\n", id);
}

static void
put_wait_blocked(FILE *f, const char *thread, const char *object,
		 const char *place)
{
	fputs("\tck_seam(seam_wait_blocked(s, ", f);
	put_string(f, thread);
	fputs(", ", f);
	if (*object)
		put_string(f, object);
	else
		fputs("NULL", f);
	if (*place)
		put_string(f, place);
	fputs(", PATIENCE));\n", f);
}

static void
put_act(FILE *f, enum as_kind kind, const char *id)
{
	if (kind == AS_RELEASE)
		fprintf(f, "\tck_seam(seam_release(s, \"%s\"));\n", id);
	else if (kind == AS_DELETE)
		fprintf(f, "\tck_seam(seam_delete(s, \"%s\"));\n", id);
	else
		fputs("\tck_seam(seam_wait_quiescent(s, PATIENCE));\n", f);
}

static void
put_expect_exit(FILE *f, int status)
{
	fprintf(f, "\tck_seam(seam_expect_exit(s, \"main\", %d, LIMIT));\n",
		status);
}

static void
put_test(FILE *f, const struct as_work *w)
{
	static const struct as_language language = {
		.comment = "\t/* ",
		.comment_end = " */\n",
		.shell = put_shell,
		.pause = put_pause,
		.start = put_start,
		.wait = put_wait,
		.wait_blocked = put_wait_blocked,
		.act = put_act,
		.expect_exit = put_expect_exit,
	};

	fputs("START_TEST(ends_well)\n{\n"
	      "\tseam_session *s = seam_check_session();\n\n",
	      f);
	as_put_steps(f, w, &language);
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
