/* SPDX-License-Identifier: MIT */
/* Splitting, parsing, formatting and parsing again, of any bytes. */
#include "fuzz.h"
#include "selector.h"

/* An error must point into the line and have a text of one line. */
static void
check_error(const struct seam_error *err, enum seam_code code, size_t length)
{
	DEMAND(code == SEAM_E_SYNTAX || code == SEAM_E_UNKNOWN_OP);
	DEMAND(err->code == code);
	DEMAND(err->column >= 1 && (size_t)err->column <= length + 1);
	DEMAND(err->text[0] && memchr(err->text, '\0', sizeof(err->text)));
	for (const char *p = err->text; *p; p++)
		DEMAND((unsigned char)*p >= ' ');
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void
check_same(const struct seam_selector *a, const struct seam_selector *b)
{
	DEMAND(!memcmp(a->verbs, b->verbs, sizeof(a->verbs)));
	DEMAND(a->fn == b->fn && a->has_obj == b->has_obj);
	DEMAND(a->obj.kind == b->obj.kind && a->obj.addr == b->obj.addr);
	DEMAND(a->obj.is_addr == b->obj.is_addr);
	DEMAND(a->obj.is_file == b->obj.is_file);
	DEMAND(a->obj.is_sem == b->obj.is_sem);
	DEMAND(same_text(a->obj.name, b->obj.name));
	DEMAND(same_text(a->op, b->op) && same_text(a->at, b->at));
	DEMAND(same_text(a->in, b->in) && same_text(a->thread, b->thread));
	DEMAND(same_text(a->proc, b->proc) && same_text(a->path, b->path));
	DEMAND(same_text(a->name, b->name));
	DEMAND(a->range.given == b->range.given);
	DEMAND(a->range.off == b->range.off && a->range.len == b->range.len);
	DEMAND(a->mode == b->mode && a->result == b->result);
	DEMAND(a->after == b->after && a->hit == b->hit);
}

/* Canonical text parses to the same selector, and formats to itself. */
static void
round_trip(const struct seam_selector *first, size_t length)
{
	size_t size = 2 * length + 512;
	char *text = malloc(size), *again = malloc(size);
	struct seam_selector second;
	struct seam_words words;
	struct seam_error err;

	DEMAND(text && again);
	DEMAND(seam_selector_format(first, text, size) == text);
	DEMAND(strlen(text) + 1 < size);
	DEMAND(!seam_split(text, &words, &err));
	DEMAND(!seam_selector_parse(&words, 0, NULL, &second, &err));
	check_same(first, &second);
	seam_selector_format(&second, again, size);
	DEMAND(!strcmp(text, again));
	/* Cut off anywhere, it stays within its buffer. */
	free(again);
	again = malloc(length + 1);
	DEMAND(again);
	seam_selector_format(&second, again, length + 1);
	DEMAND(strlen(again) <= length);
	seam_selector_free(&second);
	seam_words_free(&words);
	free(text);
	free(again);
}

static void
try_values(const struct seam_word *w, size_t length)
{
	const char *text = w->value ? w->value : w->text;
	int column = w->value ? w->value_column : w->column;
	struct seam_object_name obj;
	struct seam_filerange range;
	struct seam_error err;
	enum seam_code code;
	uint64_t number;

	code = seam_object_parse(text, column, &obj, &err);
	if (code)
		check_error(&err, code, length);
	seam_object_name_free(&obj);
	code = seam_range_parse(text, column, &range, &err);
	if (code)
		check_error(&err, code, length);
	code = seam_number_parse(text, column, 3, 99, &number, &err);
	if (code)
		check_error(&err, code, length);
	if (strlen(text) < 256)
		DEMAND(seam_glob(text, text) && seam_glob("*", text));
	seam_signal_number(text);
	seam_errno_number(text);
}

static void
try_words(struct seam_words *words, size_t length)
{
	static const char *const known[] = { SEAM_SELECTOR_KEYS, "as=", NULL };
	struct seam_selector sel;
	struct seam_error err;
	enum seam_code code;
	size_t next;

	for (size_t i = 0; i < words->n && i < 64; i++)
		try_values(&words->v[i], length);
	seam_selector_gather(words, 0);
	code = seam_selector_parse(words, 0, &next, &sel, &err);
	DEMAND(next <= words->n);
	if (code) {
		check_error(&err, code, length);
	} else {
		round_trip(&sel, length);
		if (next < words->n) {
			code = seam_unknown_word(&words->v[next], known, &err);
			check_error(&err, code, length);
		}
	}
	seam_selector_free(&sel);
}

int
FUZZ_TARGET(selector)(const uint8_t *data, size_t size)
{
	char *line = fuzz_text(data, size);
	struct seam_words words;
	struct seam_error err;
	enum seam_code code;

	code = seam_split(line, &words, &err);
	if (code)
		check_error(&err, code, strlen(line));
	else
		try_words(&words, strlen(line));
	seam_words_free(&words);
	free(line);
	return 0;
}
