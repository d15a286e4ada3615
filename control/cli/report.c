/* SPDX-License-Identifier: MIT */
/* Results of tests: TAP 14, lines for people, JUnit's XML. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

void
cli_put_human(FILE *f, const struct cli_result *r)
{
	fprintf(f, "%s %s (%.2f s)\n", r->message ? "not ok" : "ok", r->name,
		r->seconds);
	if (r->message)
		fputs(r->message, f);
}

/* In a description # and \ are special. */
static void
put_description(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			fputc('\\', f);
		fputc(*text == '\n' ? ' ' : *text, f);
	}
}

void
cli_put_tap(FILE *f, const struct cli_result *r, unsigned number)
{
	const char *line = r->message;

	fprintf(f, "%s %u - ", line ? "not ok" : "ok", number);
	put_description(f, r->name);
	fprintf(f, "\n  ---\n  duration_ms: %.3f\n", r->seconds * 1000);
	if (line)
		fputs("  message: |\n", f);
	while (line && *line) {
		size_t n = strcspn(line, "\n");

		fprintf(f, "    %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	fputs("  ...\n", f);
}

/* Characters that XML cannot have at all become '?'. */
static void
put_xml(FILE *f, const char *text, size_t n)
{
	for (; n; n--, text++)
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\n':
			fputs("&#10;", f);
			break;
		case '\t':
			fputs("&#9;", f);
			break;
		default:
			fputc((unsigned char)*text < ' ' || *text == 0x7f ?
				  '?' :
				  *text,
			      f);
		}
}

static void
put_case(FILE *f, const struct cli_result *r)
{
	const char *what = r->error ? "error" : "failure";

	fputs("  <testcase classname=\"seam\" name=\"", f);
	put_xml(f, r->name, strlen(r->name));
	fprintf(f, "\" time=\"%.3f\"", r->seconds);
	if (!r->message) {
		fputs("/>\n", f);
		return;
	}
	fprintf(f, ">\n    <%s message=\"", what);
	put_xml(f, r->message, strcspn(r->message, "\n"));
	fputs("\">", f);
	put_xml(f, r->message, strlen(r->message));
	fprintf(f, "</%s>\n  </testcase>\n", what);
}

void
cli_put_junit(FILE *f, const struct cli_result *r, size_t n)
{
	double seconds = 0;
	size_t failed = 0, errors = 0;

	for (size_t i = 0; i < n; i++) {
		failed += r[i].message && !r[i].error;
		errors += r[i].message && r[i].error;
		seconds += r[i].seconds;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", f);
	fprintf(f,
		"<testsuite name=\"seam\" tests=\"%zu\" failures=\"%zu\" "
		"errors=\"%zu\" time=\"%.3f\">\n",
		n, failed, errors, seconds);
	for (size_t i = 0; i < n; i++)
		put_case(f, &r[i]);
	fputs("</testsuite>\n", f);
}
