/* SPDX-License-Identifier: MIT */
#include "outputs.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "rules_int.h"

#define KEPT 1024      /* different ones */
#define TEXT_MAX 65536 /* bytes of each */

struct ending {
	enum explore_fault fault;
	int status;
	char *text;
	size_t len;
	uint64_t count;
};

struct outputs {
	size_t n;
	uint64_t others; /* for which there was no room */
	struct ending ending[KEPT];
};

struct outputs *
outputs_new(void)
{
	return calloc(1, sizeof(struct outputs));
}

static struct ending *
find(struct outputs *o, const struct campaign_ran *ran, size_t len)
{
	for (size_t i = 0; i < o->n; i++) {
		struct ending *e = &o->ending[i];

		if (e->fault == ran->fault && e->status == ran->status &&
		    e->len == len && !memcmp(e->text, ran->output, len))
			return e;
	}
	return NULL;
}

void
outputs_add(struct outputs *o, const struct campaign_ran *ran)
{
	size_t len = ran->output_len < TEXT_MAX ? ran->output_len : TEXT_MAX;
	struct ending *e = find(o, ran, len);

	if (!e && o->n < KEPT) {
		e = &o->ending[o->n];
		*e = (struct ending){ ran->fault, ran->status, malloc(len + 1),
				      len, 0 };
		if (e->text) {
			memcpy(e->text, ran->output, len);
			e->text[len] = '\0';
			o->n++;
		} else {
			e = NULL;
		}
	}
	if (e)
		e->count++;
	else
		o->others++;
}

static void
put_lines(const struct ending *e, FILE *f)
{
	for (size_t i = 0; i < e->len;) {
		const char *end = memchr(e->text + i, '\n', e->len - i);
		size_t len = end ? (size_t)(end - (e->text + i)) : e->len - i;

		fputs("    | ", f);
		for (size_t k = 0; k < len; k++, i++)
			fputc((unsigned char)e->text[i] < 0x20 &&
				      e->text[i] != '\t' ?
				  '?' :
				  e->text[i],
			      f);
		fputc('\n', f);
		i++;
	}
}

void
outputs_print(const struct outputs *o, FILE *f)
{
	fprintf(f, "%zu distinct outcome%s:\n", o->n, o->n == 1 ? "" : "s");
	for (size_t i = 0; i < o->n; i++) {
		const struct ending *e = &o->ending[i];

		fprintf(f, "  %llu x ", (unsigned long long)e->count);
		if (e->status >= 0)
			fprintf(f, "status %d", e->status);
		if (e->fault)
			fprintf(f, "%s%s", e->status >= 0 ? ", " : "",
				explore_fault_names[e->fault]);
		else if (e->status < 0)
			fputs("cut off", f);
		fputc('\n', f);
		put_lines(e, f);
	}
	if (o->others)
		fprintf(f, "  %llu x others, which were not kept\n",
			(unsigned long long)o->others);
}

json_t *
outputs_json(const struct outputs *o)
{
	json_t *all = json_array(), *top = json_object();

	for (size_t i = 0; i < o->n; i++) {
		const struct ending *e = &o->ending[i];
		json_t *j = json_object();

		json_object_set_new(j, "count",
				    json_integer((json_int_t)e->count));
		seam_json_put(j, "fault", explore_fault_names[e->fault]);
		if (e->status >= 0)
			json_object_set_new(j, "status",
					    json_integer(e->status));
		seam_json_put(j, "output", e->text);
		json_array_append_new(all, j);
	}
	seam_json_put(top, "event", "outputs");
	json_object_set_new(top, "distinct", all);
	json_object_set_new(top, "others", json_integer((json_int_t)o->others));
	return top;
}

void
outputs_free(struct outputs *o)
{
	for (size_t i = 0; o && i < o->n; i++)
		free(o->ending[i].text);
	free(o);
}
