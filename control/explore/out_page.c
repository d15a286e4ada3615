/* SPDX-License-Identifier: MIT */
/*
 * A run as a page that needs nothing but a browser: web/ with the run's JSON
 * in it.  Names and outputs come from the program, so that JSON has none of
 * the characters that HTML gives a meaning to; the page itself puts them in
 * as text alone.
 */
#include <stdlib.h>

#include "explore/out_run.h"

/* out_web.c, which is made from web/. */
extern const char *const out_web_head, *const out_web_tail;

static void
put_safely(FILE *f, const char *json)
{
	for (; *json; json++)
		if (*json == '<' || *json == '>' || *json == '&')
			fprintf(f, "\\u%04x", (unsigned char)*json);
		else
			fputc(*json, f);
}

bool
out_page_put(FILE *f, json_t *run)
{
	char *text = json_dumps(run, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (!text)
		return false;
	fputs(out_web_head, f);
	put_safely(f, text);
	fputs(out_web_tail, f);
	free(text);
	return true;
}
