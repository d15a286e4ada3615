/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary of commands: words, selectors, objects, values.  Pure
 * parsing; nothing here knows sessions or processes.
 */
#ifndef SEAM_SELECTOR_H
#define SEAM_SELECTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"
#include "seam.h"

/* What went wrong, for a person: column is 1-based, 0 when it has none. */
struct seam_error {
	enum seam_code code;
	int column;
	char text[1024];
};
enum seam_code sess_fail(struct seam_error *err, enum seam_code code,
			 int column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The column `skip` bytes on; no column stays none. */
static inline int
seam_column(int column, size_t skip)
{
	if (!column)
		return 0;
	return skip > (size_t)(INT_MAX - column) ? INT_MAX : column + (int)skip;
}

/*
 * A word as an error text shows it: clipped, control characters as '?'.
 * Used in place: sess_fail(…, "unknown word '%s'", seam_show(text).s).
 */
struct seam_shown {
	char s[72];
};
struct seam_shown seam_show(const char *text);

/*
 * The name nearest to a word, for "did you mean": set word, leave the rest
 * zero, try every name.  best stays NULL while nothing is near enough.
 */
struct seam_near {
	const char *word, *best;
	unsigned distance;
};
void seam_near_try(struct seam_near *near, const char *name);

/* One word of a line.  `text` is unquoted and NUL-terminated. */
struct seam_word {
	char *text;
	char *value;	  /* after the first unquoted '=', within text; or NULL.
			      text then ends before the '=', so that
			      value[-1] = '=' joins the two again. */
	int column;	  /* of the word, 1-based, in bytes */
	int value_column; /* of its first byte, an opening quote skipped */
	bool quoted;	  /* its beginning was quoted: never a key=value */
};

struct seam_words {
	struct seam_word *v;
	size_t n;
	int end; /* the column after the last word */
	char *store;
};

/* A longer line is a syntax error; columns fit an int. */
#define SEAM_LINE_MAX ((size_t)16 << 20)

/*
 * Splits a line.  Blanks separate; "…" quotes (with \" \\ \n \t), also in
 * the middle of a word (thread="a b"); # at the start of a word begins a
 * comment; /…/ at the start of a word is one word including blanks, with \/
 * for a slash and its slashes kept, when it has a closing slash followed by
 * a blank or the end of the line.  Control characters other than tab, and
 * NUL, are syntax errors.
 */
enum seam_code seam_split(const char *line, struct seam_words *out,
			  struct seam_error *err);
void seam_words_free(struct seam_words *w);

/* A byte range of a file: len 0 means to the end. */
struct seam_filerange {
	bool given;
	uint64_t off, len;
};

/* KIND:NAME and friends, still a name. */
struct seam_object_name {
	int kind;     /* enum seam_kind, or 0 for any */
	bool is_addr; /* @0x… */
	bool is_file; /* file:PATH */
	bool is_sem;  /* sem:/NAME (a named semaphore) */
	uint64_t addr;
	char *name; /* symbol, "queue.c:88#2", path, "/jobs", or glob */
	int column;
};

struct seam_selector {
	uint64_t verbs[SEAM_VERB_WORDS]; /* which verbs match */
	int fn;	  /* enum seam_fn, or 0: any of those verbs */
	char *op; /* as written */
	struct seam_object_name obj;
	bool has_obj;
	char *at, *in;
	char *thread, *proc;
	char *path;
	char *name;
	struct seam_filerange range;
	int mode;   /* 0 any, 'r', 'w' */
	int result; /* enum seam_result, 0: any */
	bool after;
	uint32_t hit; /* 0: every match */
	int at_column, in_column, thread_column, proc_column, obj_column;
};

/*
 * The selector's keys, "key=" or a bare word.  A caller adds its own:
 * { SEAM_SELECTOR_KEYS, "as=", "timeout=", NULL }
 */
#define SEAM_SELECTOR_KEYS                                                     \
	"obj=", "at=", "in=", "thread=", "proc=", "path=", "range=", "mode=",  \
	    "name=", "result=", "when=", "hit=", "once"

/*
 * Says that a word has no place, with the nearest of the known ones and the
 * list of them (NULL ends it).  Always SEAM_E_SYNTAX.
 */
enum seam_code seam_unknown_word(const struct seam_word *w,
				 const char *const known[],
				 struct seam_error *err);

/*
 * Parses words[from..] as a selector, until a word is neither OP nor one of
 * the selector's own keys; *next then tells where it stopped (n: all taken).
 * The first word must be an OP.  Unknown ops: SEAM_E_UNKNOWN_OP, with the
 * nearest known name as a suggestion.  A key given twice, an empty value, a
 * key that does not go with the op (range= with a mutex), a bad number, are
 * SEAM_E_SYNTAX with the column.  Release with seam_selector_free, which is
 * safe after an error too.  Without next (NULL), a word left over is an error.
 */
enum seam_code seam_selector_parse(const struct seam_words *w, size_t from,
				   size_t *next, struct seam_selector *out,
				   struct seam_error *err);
void seam_selector_free(struct seam_selector *s);
/*
 * Moves the selector's keys of words[from + 1..] to follow its OP, the order
 * otherwise kept: for commands whose own keys may stand among them, as in
 * `pause mutex.lock as=a when=after`.  Call it before the parse.
 */
void seam_selector_gather(struct seam_words *w, size_t from);
/*
 * Writes it back in its canonical form: keys in the order above, defaults
 * left out, once for hit=1, quotes where needed.  Returns buf; what does not
 * fit is cut off.
 */
char *seam_selector_format(const struct seam_selector *s, char *buf,
			   size_t size);

enum seam_code seam_object_parse(const char *text, int column,
				 struct seam_object_name *out,
				 struct seam_error *err);
void seam_object_name_free(struct seam_object_name *o);

/* OFF+LEN, decimal or 0x. */
enum seam_code seam_range_parse(const char *text, int column,
				struct seam_filerange *out,
				struct seam_error *err);
/* Non-negative integers within [min, max], decimal or 0x. */
enum seam_code seam_number_parse(const char *text, int column, uint64_t min,
				 uint64_t max, uint64_t *out,
				 struct seam_error *err);
/* "EAGAIN" to its number, 0 if unknown; and back, NULL if unknown. */
int seam_errno_number(const char *name);
const char *seam_errno_name(int number);
/* "TERM", "SIGTERM", "15" to the number; -1 if unknown. */
int seam_signal_number(const char *name);

/* fnmatch-like with '*' and '?' only. */
bool seam_glob(const char *pattern, const char *text);

/* arguments.c: what glibc would take too long, or too much memory, for: why;
 * NULL: nothing. */
const char *seam_regex_refused(const char *text);

#endif
