/* SPDX-License-Identifier: MIT */
#include "explore/out_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "rules_int.h"

#define AROUND 6 /* lines on either side */
#define LINE 500 /* bytes of a line */
#define LINES_MAX (1u << 20)

/* What is not a plain file is not opened: a pipe would wait. */
static FILE *
open_source(const char *path, const char *dir)
{
	char *full = NULL;
	struct stat st;
	FILE *f = NULL;

	if (*path != '/' && asprintf(&full, "%s/%s", dir ? dir : ".", path) < 0)
		return NULL;
	if (!stat(full ? full : path, &st) && S_ISREG(st.st_mode))
		f = fopen(full ? full : path, "re");
	free(full);
	return f;
}

static json_t *
read_lines(FILE *f, unsigned long first, unsigned long last)
{
	json_t *list = json_array();
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	for (unsigned long i = 1; i <= last; i++) {
		n = getline(&line, &room, f);
		if (n < 0)
			break;
		if (i < first)
			continue;
		line[strcspn(line, "\r\n")] = '\0';
		if (n > LINE)
			line[LINE] = '\0';
		json_array_append_new(list, seam_json_text(line));
	}
	free(line);
	return list;
}

json_t *
out_source_json(const char *path, const char *place, const char *dir)
{
	const char *colon = strrchr(place, ':');
	unsigned long line = colon ? strtoul(colon + 1, NULL, 10) : 0;
	unsigned long first = line > AROUND ? line - AROUND : 1;
	json_t *o, *lines;
	FILE *f;

	if (!path || !line || line > LINES_MAX)
		return json_null();
	f = open_source(path, dir);
	if (!f)
		return json_null();
	lines = read_lines(f, first, line + AROUND);
	fclose(f);
	/* A file that is shorter has been changed since. */
	if (json_array_size(lines) <= line - first) {
		json_decref(lines);
		return json_null();
	}
	o = json_object();
	seam_json_put(o, "path", path);
	json_object_set_new(o, "line", json_integer((json_int_t)line));
	json_object_set_new(o, "first", json_integer((json_int_t)first));
	json_object_set_new(o, "lines", lines);
	return o;
}
