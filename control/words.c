/* SPDX-License-Identifier: MIT */
/* Lines into words, and the plain values: numbers, ranges, names, globs. */
#include "selector.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const code_names[] = {
	[SEAM_OK] = "ok",
	[SEAM_E_SYNTAX] = "syntax",
	[SEAM_E_UNKNOWN_OP] = "unknown-op",
	[SEAM_E_NO_SUCH_OBJECT] = "no-such-object",
	[SEAM_E_AMBIGUOUS] = "ambiguous",
	[SEAM_E_NO_SUCH_THREAD] = "no-such-thread",
	[SEAM_E_TIMEOUT] = "timeout",
	[SEAM_E_GONE] = "gone",
	[SEAM_E_UNSUPPORTED] = "unsupported",
	[SEAM_E_FAILED] = "failed",
};

const char *
seam_code_name(enum seam_code code)
{
	size_t i = (size_t)code;

	if (i >= sizeof(code_names) / sizeof(code_names[0]))
		return "unknown";
	return code_names[i];
}

enum seam_code
sess_fail(struct seam_error *err, enum seam_code code, int column,
	  const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	err->column = column;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

struct seam_shown
seam_show(const char *text)
{
	static const char dots[] = "...";
	struct seam_shown out;
	size_t room = sizeof(out.s) - sizeof(dots);
	size_t n = strnlen(text, room + 1);
	bool clipped = n > room;

	if (clipped) {
		/* Not in the middle of a UTF-8 sequence. */
		for (n = room; n > room - 3; n--)
			if (((unsigned char)text[n] & 0xc0) != 0x80)
				break;
	}
	for (size_t i = 0; i < n; i++)
		out.s[i] = is_control(text[i]) ? '?' : text[i];
	memcpy(out.s + n, dots, sizeof(dots));
	if (!clipped)
		out.s[n] = '\0';
	return out;
}

/* Splitting. */

struct splitter {
	const char *line, *p; /* p: what is left */
	char *o;	      /* where the next unquoted byte goes */
	struct seam_words *out;
	struct seam_error *err;
	size_t room;
	bool no_regex; /* no closing slash from here to the end */
};

static int
here(const struct splitter *s)
{
	return seam_column(1, (size_t)(s->p - s->line));
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_end(char c)
{
	return c == '\0' || is_blank(c);
}

static enum seam_code
check_bytes(const char *line, struct seam_error *err)
{
	size_t n = strnlen(line, SEAM_LINE_MAX + 1);

	if (n > SEAM_LINE_MAX)
		return sess_fail(err, SEAM_E_SYNTAX,
				 seam_column(1, SEAM_LINE_MAX),
				 "the line is longer than %zu bytes",
				 SEAM_LINE_MAX);
	for (size_t i = 0; i < n; i++)
		if (is_control(line[i]) && line[i] != '\t')
			return sess_fail(err, SEAM_E_SYNTAX, seam_column(1, i),
					 "control character 0x%02x in the "
					 "line; only tabs are allowed",
					 (unsigned char)line[i]);
	return SEAM_OK;
}

static struct seam_word *
new_word(struct splitter *s)
{
	struct seam_words *w = s->out;

	if (w->n == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct seam_word *v = realloc(w->v, room * sizeof(*v));

		if (!v)
			return NULL;
		w->v = v;
		s->room = room;
	}
	w->v[w->n] = (struct seam_word){ .text = s->o, .column = here(s) };
	return &w->v[w->n++];
}

/*
 * The closing slash of a regular expression that begins at p.  If there is
 * none, neither is there for any later word: no word begins between a
 * backslash and what it escapes.
 */
static const char *
regex_end(const char *p)
{
	for (p++; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '/' && is_end(p[1]))
			return p;
	}
	return NULL;
}

static void
take_regex(struct splitter *s, const char *end)
{
	while (s->p < end) {
		if (*s->p == '\\' && s->p[1] != '/')
			*s->o++ = *s->p++;
		else if (*s->p == '\\')
			s->p++;
		*s->o++ = *s->p++;
	}
	*s->o++ = *s->p++;
}

static int
unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '"':
	case '\\':
		return c;
	default:
		return -1;
	}
}

/* From the opening quote to after the closing one. */
static enum seam_code
take_quoted(struct splitter *s)
{
	int opened = here(s), c;

	for (s->p++; *s->p != '"'; s->p++) {
		if (*s->p == '\\' && s->p[1]) {
			c = unescape(s->p[1]);
			if (c < 0)
				return sess_fail(
				    s->err, SEAM_E_SYNTAX, here(s),
				    "unknown escape; in quotes there "
				    "are \\\" \\\\ \\n \\t");
			s->p++;
			*s->o++ = (char)c;
		} else if (*s->p) {
			*s->o++ = *s->p;
		} else {
			return sess_fail(s->err, SEAM_E_SYNTAX, opened,
					 "this quote is never closed");
		}
	}
	s->p++;
	return SEAM_OK;
}

static void
begin_value(struct splitter *s, struct seam_word *w)
{
	*s->o++ = '\0';
	s->p++;
	w->value = s->o;
	w->value_column = seam_column(here(s), *s->p == '"');
}

static enum seam_code
take_plain(struct splitter *s, struct seam_word *w)
{
	w->quoted = *s->p == '"';
	while (!is_end(*s->p)) {
		if (*s->p == '"') {
			enum seam_code code = take_quoted(s);

			if (code)
				return code;
		} else if (*s->p == '=' && !w->value && !w->quoted) {
			begin_value(s, w);
		} else {
			*s->o++ = *s->p++;
		}
	}
	return SEAM_OK;
}

static enum seam_code
take_word(struct splitter *s)
{
	enum seam_code code = SEAM_OK;
	const char *end = NULL;
	struct seam_word *w;

	w = new_word(s);
	if (!w)
		return sess_fail(s->err, SEAM_E_UNSUPPORTED, 0,
				 "out of memory");
	if (*s->p == '/' && !s->no_regex) {
		end = regex_end(s->p);
		s->no_regex = !end;
	}
	if (end)
		take_regex(s, end);
	else
		code = take_plain(s, w);
	*s->o++ = '\0';
	s->out->end = here(s);
	return code;
}

enum seam_code
seam_split(const char *line, struct seam_words *out, struct seam_error *err)
{
	struct splitter s = { .line = line, .p = line, .out = out, .err = err };
	enum seam_code code;

	*out = (struct seam_words){ .end = 1 };
	code = check_bytes(line, err);
	if (code)
		return code;
	/* A word and its NUL are no longer than the word and its blank. */
	out->store = s.o = malloc(strlen(line) + 1);
	if (!s.o)
		return sess_fail(err, SEAM_E_UNSUPPORTED, 0, "out of memory");
	while (!code) {
		while (is_blank(*s.p))
			s.p++;
		if (!*s.p || *s.p == '#')
			break;
		code = take_word(&s);
	}
	if (code)
		seam_words_free(out);
	return code;
}

void
seam_words_free(struct seam_words *w)
{
	free(w->v);
	free(w->store);
	*w = (struct seam_words){ .end = 1 };
}

/* Numbers. */

enum scan { SCAN_OK, SCAN_NONE, SCAN_BIG };

static int
digit(char c, unsigned base)
{
	int v;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (isxdigit((unsigned char)c))
		v = (c | 0x20) - 'a' + 10;
	else
		return -1;
	return v < (int)base ? v : -1;
}

/* Leaves *p after the number, or where a digit was expected. */
static enum scan
scan_number(const char **p, uint64_t *out)
{
	enum scan how = SCAN_NONE;
	unsigned base = 10;
	uint64_t v = 0;
	int d;

	if ((*p)[0] == '0' && ((*p)[1] | 0x20) == 'x') {
		base = 16;
		*p += 2;
	}
	for (; (d = digit(**p, base)) >= 0; ++*p) {
		if (how == SCAN_NONE)
			how = SCAN_OK;
		if (v > (UINT64_MAX - (unsigned)d) / base)
			how = SCAN_BIG;
		else
			v = v * base + (unsigned)d;
	}
	*out = v;
	return how;
}

enum seam_code
seam_number_parse(const char *text, int column, uint64_t min, uint64_t max,
		  uint64_t *out, struct seam_error *err)
{
	const char *p = text;
	enum scan how;
	uint64_t v;

	how = scan_number(&p, &v);
	if (how == SCAN_NONE || *p)
		return sess_fail(err, SEAM_E_SYNTAX,
				 seam_column(column, (size_t)(p - text)),
				 "expected a number, met '%s'",
				 seam_show(text).s);
	if (how == SCAN_BIG || v < min || v > max)
		return sess_fail(err, SEAM_E_SYNTAX, column,
				 "expected a number from %llu to %llu, "
				 "met '%s'",
				 (unsigned long long)min,
				 (unsigned long long)max, seam_show(text).s);
	*out = v;
	return SEAM_OK;
}

static enum seam_code
range_error(const char *text, const char *p, int column, const char *what,
	    struct seam_error *err)
{
	return sess_fail(err, SEAM_E_SYNTAX,
			 seam_column(column, (size_t)(p - text)),
			 "%s, met '%s'; a range is OFF+LEN in bytes, such as "
			 "0x40000001+1; LEN 0 is to the end of the file",
			 what, seam_show(text).s);
}

enum seam_code
seam_range_parse(const char *text, int column, struct seam_filerange *out,
		 struct seam_error *err)
{
	const char *p = text, *len;
	struct seam_filerange r = { .given = true };
	enum scan how;

	how = scan_number(&p, &r.off);
	if (how == SCAN_NONE)
		return range_error(text, p, column, "expected an offset", err);
	if (how == SCAN_BIG || r.off > INT64_MAX)
		return range_error(text, text, column,
				   "the offset is too large", err);
	if (*p != '+')
		return range_error(text, p, column, "expected '+' and a length",
				   err);
	len = ++p;
	how = scan_number(&p, &r.len);
	if (how == SCAN_NONE || *p)
		return range_error(text, p, column, "expected a length", err);
	if (how == SCAN_BIG || r.len > (uint64_t)INT64_MAX - r.off + 1)
		return range_error(text, len, column,
				   "the range ends beyond any file", err);
	*out = r;
	return SEAM_OK;
}

/* Names of numbers. */

struct named {
	const char *name;
	int number;
};

/* The first name of a number is the one printed. */
/* clang-format off */
#define E(name) { #name, name }
static const struct named errnos[] = {
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG),
	E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES),
	E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV),
	E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY),
	E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK),
	E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK),
	E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(ENOMSG), E(EIDRM), E(ECHRNG),
	E(EL2NSYNC), E(EL3HLT), E(EL3RST), E(ELNRNG), E(EUNATCH), E(ENOCSI),
	E(EL2HLT), E(EBADE), E(EBADR), E(EXFULL), E(ENOANO), E(EBADRQC),
	E(EBADSLT), E(EBFONT), E(ENOSTR), E(ENODATA), E(ETIME), E(ENOSR),
	E(ENONET), E(ENOPKG), E(EREMOTE), E(ENOLINK), E(EADV), E(ESRMNT),
	E(ECOMM), E(EPROTO), E(EMULTIHOP), E(EDOTDOT), E(EBADMSG),
	E(EOVERFLOW), E(ENOTUNIQ), E(EBADFD), E(EREMCHG), E(ELIBACC),
	E(ELIBBAD), E(ELIBSCN), E(ELIBMAX), E(ELIBEXEC), E(EILSEQ),
	E(ERESTART), E(ESTRPIPE), E(EUSERS), E(ENOTSOCK), E(EDESTADDRREQ),
	E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT),
	E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT), E(EAFNOSUPPORT),
	E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH),
	E(ENETRESET), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN),
	E(ENOTCONN), E(ESHUTDOWN), E(ETOOMANYREFS), E(ETIMEDOUT),
	E(ECONNREFUSED), E(EHOSTDOWN), E(EHOSTUNREACH), E(EALREADY),
	E(EINPROGRESS), E(ESTALE), E(EUCLEAN), E(ENOTNAM), E(ENAVAIL),
	E(EISNAM), E(EREMOTEIO), E(EDQUOT), E(ENOMEDIUM), E(EMEDIUMTYPE),
	E(ECANCELED), E(ENOKEY), E(EKEYEXPIRED), E(EKEYREVOKED),
	E(EKEYREJECTED), E(EOWNERDEAD), E(ENOTRECOVERABLE), E(ERFKILL),
	E(EHWPOISON), E(EDEADLOCK), E(ENOTSUP), E(EWOULDBLOCK)
};
#undef E

#define S(name) { #name, SIG##name }
static const struct named signals[] = {
	S(HUP), S(INT), S(QUIT), S(ILL), S(TRAP), S(ABRT), S(IOT), S(BUS),
	S(FPE), S(KILL), S(USR1), S(SEGV), S(USR2), S(PIPE), S(ALRM),
	S(TERM), S(STKFLT), S(CHLD), S(CLD), S(CONT), S(STOP), S(TSTP),
	S(TTIN), S(TTOU), S(URG), S(XCPU), S(XFSZ), S(VTALRM), S(PROF),
	S(WINCH), S(IO), S(POLL), S(PWR), S(SYS)
};
#undef S
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
seam_errno_number(const char *name)
{
	for (size_t i = 0; i < COUNT(errnos); i++)
		if (!strcmp(errnos[i].name, name))
			return errnos[i].number;
	return 0;
}

const char *
seam_errno_name(int number)
{
	for (size_t i = 0; i < COUNT(errnos); i++)
		if (errnos[i].number == number)
			return errnos[i].name;
	return NULL;
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N */
static int
realtime_signal(const char *name)
{
	bool up = !strncmp(name, "RTMIN", 5);
	uint64_t n = 0;

	if (!up && strncmp(name, "RTMAX", 5) != 0)
		return -1;
	name += 5;
	if (*name && *name != (up ? '+' : '-'))
		return -1;
	if (*name &&
	    seam_number_parse(name + 1, 0, 0, (uint64_t)(SIGRTMAX - SIGRTMIN),
			      &n, NULL))
		return -1;
	return up ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
}

int
seam_signal_number(const char *name)
{
	uint64_t n = 0;

	if (!seam_number_parse(name, 0, 1, (uint64_t)SIGRTMAX, &n, NULL))
		return (int)n;
	if (!strncmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < COUNT(signals); i++)
		if (!strcmp(signals[i].name, name))
			return signals[i].number;
	return realtime_signal(name);
}

/* Patterns and near misses. */

bool
seam_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			/* The star swallows one more. */
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

#define NEAR_MAX 64

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Insertions, deletions, replacements and swaps of neighbours; anything above
 * `most` if it is more than that.
 */
static unsigned
distance(const char *a, size_t n, const char *b, size_t m, unsigned most)
{
	unsigned row[3][NEAR_MAX + 1], low = 0, before;
	unsigned *prev = row[0], *old = row[1], *now = row[2], *t;

	for (unsigned j = 0; j <= m; j++)
		old[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		before = low;
		low = now[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			bool differ = a[i - 1] != b[j - 1];

			now[j] = least(old[j - 1] + differ,
				       least(old[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], prev[j - 2] + 1);
			low = least(low, now[j]);
		}
		/* A swap looks back two rows. */
		if (low > most && before > most)
			return most + 1;
		t = prev, prev = old, old = now, now = t;
	}
	return old[m];
}

void
seam_near_try(struct seam_near *near, const char *name)
{
	size_t n = strnlen(near->word, NEAR_MAX + 1);
	size_t m = strnlen(name, NEAR_MAX + 1);
	unsigned most = (unsigned)n / 3 + 1, d;

	if (n > NEAR_MAX || m > NEAR_MAX || (near->best && !near->distance))
		return;
	if (near->best)
		most = least(most, near->distance - 1);
	if (n > m + most || m > n + most)
		return;
	d = distance(near->word, n, name, m, most);
	if (d <= most && d < m) {
		near->best = name;
		near->distance = d;
	}
}
