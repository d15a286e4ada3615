/* SPDX-License-Identifier: MIT */
#include "explore/tell.h"

#include <string.h>

static void
put_line(FILE *f, const char *line, size_t n)
{
	fputs("  ", f);
	for (size_t i = 0; i < n; i++)
		fputc((unsigned char)line[i] < 0x20 && line[i] != '\t' ?
			  '?' :
			  line[i],
		      f);
	fputc('\n', f);
}

void
explore_put_output(FILE *f, const char *output, size_t len, size_t max)
{
	const char *from = output;

	if (!len)
		return;
	if (len > max) {
		from = output + len - max;
		from += strcspn(from, "\n");
		from += *from == '\n';
		len = (size_t)(output + len - from);
	}
	fprintf(f, "\nits output%s:\n",
		from == output ? "" : ", of which this is the end");
	while (len) {
		size_t n = strcspn(from, "\n");

		n = n > len ? len : n;
		put_line(f, from, n);
		n += n < len;
		from += n;
		len -= n;
	}
}
