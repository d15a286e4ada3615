/* SPDX-License-Identifier: MIT */
/* Replies and events, as text and as JSON; docs/protocol.md says how. */
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "command.h"

void
seam_reply_init(struct seam_reply *reply)
{
	*reply = (struct seam_reply){ .fields = json_object() };
}

void
seam_reply_free(struct seam_reply *reply)
{
	json_decref(reply->fields);
	json_decref(reply->rows);
	free(reply->text);
	*reply = (struct seam_reply){ 0 };
}

json_t *
seam_json_text(const char *text)
{
	json_t *value = json_string(text);
	size_t size;
	char *clean;
	FILE *f;

	if (value)
		return value;
	f = open_memstream(&clean, &size);
	if (!f)
		return NULL;
	for (; *text; text++)
		if ((unsigned char)*text < 0x80)
			fputc(*text, f);
		else
			fputs("\xef\xbf\xbd", f);
	if (!fclose(f))
		value = json_string(clean);
	free(clean);
	return value;
}

void
seam_reply_add(struct seam_reply *reply, const char *key, const char *value)
{
	json_object_set_new(reply->fields, key, seam_json_text(value));
}

void
seam_reply_add_number(struct seam_reply *reply, const char *key,
		      long long value)
{
	json_object_set_new(reply->fields, key, json_integer(value));
}

/* Values as text. */

static bool
wants_quotes(const char *value)
{
	if (!*value)
		return true;
	for (; *value; value++)
		if ((unsigned char)*value <= ' ' || *value == 0x7f ||
		    *value == '"' || *value == '\\')
			return true;
	return false;
}

static void
put_escaped(FILE *f, unsigned char c)
{
	if (c == '"' || c == '\\')
		fprintf(f, "\\%c", c);
	else if (c == '\n')
		fputs("\\n", f);
	else if (c == '\t')
		fputs("\\t", f);
	else if (c < ' ' || c == 0x7f)
		fprintf(f, "\\x%02x", c);
	else
		putc_unlocked(c, f);
}

void
seam_put_value(FILE *f, const char *value)
{
	if (!wants_quotes(value)) {
		fputs(value, f);
		return;
	}
	fputc('"', f);
	while (*value)
		put_escaped(f, (unsigned char)*value++);
	fputc('"', f);
}

/* Bare, on one line. */
static void
put_line(FILE *f, const char *text)
{
	for (; *text; text++)
		if (*text == '\n' && text[1])
			fputs("; ", f);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			fputc(' ', f);
		else
			fputc(*text, f);
}

/* A JSON value as a word would be written; malloc'd. */
static char *
value_text(const json_t *value)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	if (!json_is_array(value) && !json_is_object(value)) {
		if (json_is_string(value))
			return strdup(json_string_value(value));
		if (json_is_null(value))
			return strdup("");
		return json_dumps(value, JSON_ENCODE_ANY);
	}
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < json_array_size(value); i++) {
		char *item = value_text(json_array_get(value, i));

		fprintf(f, "%s%s", i ? ", " : "", item ? item : "");
		free(item);
	}
	if (json_is_object(value)) {
		const char *key;
		json_t *member;
		bool first = true;

		json_object_foreach((json_t *)value, key, member)
		{
			char *item = value_text(member);

			fprintf(f, "%s%s %s", first ? "" : ", ", key,
				item ? item : "");
			free(item);
			first = false;
		}
	}
	fclose(f);
	return text;
}

static void
put_field(FILE *f, const char *key, const char *text)
{
	putc_unlocked(' ', f);
	fputs(key, f);
	putc_unlocked('=', f);
	seam_put_value(f, text);
}

static void
put_fields(FILE *f, json_t *fields)
{
	const char *key;
	json_t *value;
	char *text;

	json_object_foreach(fields, key, value)
	{
		if (json_is_string(value)) {
			put_field(f, key, json_string_value(value));
			continue;
		}
		text = json_is_null(value) ? NULL : value_text(value);
		if (text)
			put_field(f, key, text);
		free(text);
	}
}

/* Tables. */

#define MAX_COLUMNS 32

struct table {
	const char *key[MAX_COLUMNS];
	size_t width[MAX_COLUMNS], n;
};

static size_t
column(struct table *t, const char *key)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!strcmp(t->key[i], key))
			return i;
	if (i < MAX_COLUMNS) {
		t->key[i] = key;
		t->width[i] = strlen(key);
		t->n++;
	}
	return i;
}

static void
measure(struct table *t, json_t *rows)
{
	json_t *row, *value;
	const char *key;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_object_foreach(row, key, value)
		{
			char *text = value_text(value);
			size_t c = column(t, key);

			if (text && c < MAX_COLUMNS &&
			    strlen(text) > t->width[c])
				t->width[c] = strlen(text);
			free(text);
		}
	}
}

static void
put_cell(FILE *f, const struct table *t, size_t c, const char *text)
{
	size_t n = text && *text ? strlen(text) : 1;

	fputs(c ? "  " : " ", f);
	put_line(f, text && *text ? text : "-");
	if (c + 1 < t->n)
		fprintf(f, "%*s", (int)(t->width[c] - n), "");
}

static void
put_table(FILE *f, json_t *rows)
{
	struct table t = { .n = 0 };
	json_t *row;
	size_t i;

	measure(&t, rows);
	for (size_t c = 0; c < t.n; c++)
		put_cell(f, &t, c, t.key[c]);
	if (t.n)
		fputc('\n', f);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < t.n; c++) {
			json_t *value = json_object_get(row, t.key[c]);
			char *text = value ? value_text(value) : NULL;

			put_cell(f, &t, c, text);
			free(text);
		}
		fputc('\n', f);
	}
}

/* Every line after a blank, so that none looks like the reply's last. */
static void
put_text(FILE *f, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fputc(' ', f);
		fwrite(text, 1, n, f);
		fputc('\n', f);
		text += n + (text[n] == '\n');
	}
}

/* One a line; of lists, one an item. */
static void
show_fields(FILE *f, json_t *fields)
{
	const char *key;
	json_t *value;

	json_object_foreach(fields, key, value)
	{
		char *text = json_is_string(value) ?
				 strdup(json_string_value(value)) :
				 json_dumps(value, JSON_ENCODE_ANY);

		if (text)
			fprintf(f, " %s %s\n", key, text);
		free(text);
	}
}

void
seam_reply_show(FILE *f, const struct seam_reply *reply)
{
	if (reply->rows)
		put_table(f, reply->rows);
	if (reply->text)
		put_text(f, reply->text);
	if (!reply->rows && !reply->text)
		show_fields(f, reply->fields);
}

static void
format_text(FILE *f, const struct seam_reply *reply, enum seam_code code,
	    const struct seam_error *err)
{
	if (code) {
		fprintf(f, "err %s", seam_code_name(code));
		if (err->column)
			fprintf(f, " col=%d", err->column);
		fputc(' ', f);
		put_line(f, err->text);
		fputc('\n', f);
		return;
	}
	if (reply->rows || reply->text)
		seam_reply_show(f, reply);
	fputs("ok", f);
	put_fields(f, reply->fields);
	if (reply->rows)
		fprintf(f, " rows=%zu", json_array_size(reply->rows));
	fputc('\n', f);
}

static json_t *
reply_json(const struct seam_reply *reply, enum seam_code code,
	   const struct seam_error *err)
{
	json_t *o = json_object();

	json_object_set_new(o, "ok", json_boolean(!code));
	if (code) {
		json_object_set_new(o, "code",
				    json_string(seam_code_name(code)));
		if (err->column)
			json_object_set_new(o, "col",
					    json_integer(err->column));
		json_object_set_new(o, "text", seam_json_text(err->text));
		return o;
	}
	json_object_update(o, reply->fields);
	if (reply->rows)
		json_object_set(o, "rows", reply->rows);
	if (reply->text)
		json_object_set_new(o, "text", seam_json_text(reply->text));
	return o;
}

static void
put_json(FILE *f, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	fprintf(f, "%s\n", text ? text : "{\"ok\":false}");
	free(text);
	json_decref(value);
}

char *
seam_reply_format(const struct seam_reply *reply, enum seam_code code,
		  const struct seam_error *err, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	__fsetlocking(f, FSETLOCKING_BYCALLER);
	if (json)
		put_json(f, reply_json(reply, code, err));
	else
		format_text(f, reply, code, err);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Events. */

const char *
seam_result_name(int32_t result, char buf[16])
{
	const char *name = result > 0 ? seam_errno_name(result) : NULL;

	if (name)
		return name;
	snprintf(buf, 16, "%d", result);
	return buf;
}

static json_t *
event_json(const struct seam_event *e)
{
	json_t *o = json_object(), *outer = json_object();
	char buf[16];

	json_object_set_new(o, "thread", seam_json_text(e->thread));
	if (e->thread_name && *e->thread_name)
		json_object_set_new(o, "name", seam_json_text(e->thread_name));
	json_object_set_new(o, "op", seam_json_text(e->verb));
	if (e->object && *e->object)
		json_object_set_new(o, "obj", seam_json_text(e->object));
	if (e->len || e->off)
		json_object_set_new(o, "range",
				    json_sprintf("0x%llx+%llu",
						 (unsigned long long)e->off,
						 (unsigned long long)e->len));
	if (e->site && *e->site)
		json_object_set_new(o, "at", seam_json_text(e->site));
	if (e->moment == SEAM_BLOCKED)
		json_object_set_new(o, "state", json_string("blocked"));
	else
		json_object_set_new(o, "result",
				    json_string(
					seam_result_name(e->result, buf)));
	if (e->waited)
		json_object_set_new(o, "waited_us",
				    json_integer(
					(json_int_t)(e->waited / 1000)));
	json_object_set_new(outer, "event", o);
	return outer;
}

char *
seam_event_format(const struct seam_event *e, bool json)
{
	json_t *o = event_json(e);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f && json) {
		put_json(f, json_incref(o));
	} else if (f) {
		fputc('!', f);
		put_fields(f, json_object_get(o, "event"));
		fputc('\n', f);
	}
	json_decref(o);
	if (f && fclose(f)) {
		free(text);
		return NULL;
	}
	return f ? text : NULL;
}

void
seam_put_caret(FILE *f, const char *line, int column)
{
	fprintf(f, "    %s\n    ", line);
	for (int i = 1; i < column && line[i - 1]; i++)
		if (line[i - 1] == '\t')
			fputc('\t', f);
		else if (((unsigned char)line[i - 1] & 0xc0) != 0x80)
			fputc(' ', f);
	fputs("^\n", f);
}
