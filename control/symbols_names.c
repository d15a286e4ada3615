/* SPDX-License-Identifier: MIT */
/* Interned strings, demangling, and matching of names. */
#include "symbols_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* From libstdc++ (-lstdc++): the one demangler that is everywhere. */
extern char *__cxa_demangle(const char *mangled, char *buf, size_t *size,
			    int *status);

/* Longer ones are left mangled: the demangler recurses. */
#define MANGLED_MAX 8192

static uint32_t
hash_string(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static int
grow(struct seam_syms *syms)
{
	size_t n = syms->nbuckets ? syms->nbuckets * 2 : 1024, i;
	struct sym_str **v = calloc(n, sizeof(*v)), *s, *next;

	if (!v)
		return -1;
	for (i = 0; i < syms->nbuckets; i++) {
		for (s = syms->buckets[i]; s; s = next) {
			next = s->next;
			s->next = v[s->hash & (n - 1)];
			v[s->hash & (n - 1)] = s;
		}
	}
	free(syms->buckets);
	syms->buckets = v;
	syms->nbuckets = n;
	return 0;
}

static struct sym_str *
intern(struct seam_syms *syms, const char *text)
{
	uint32_t hash = hash_string(text);
	size_t len = strlen(text) + 1;
	struct sym_str *s;

	if (syms->nstr >= syms->nbuckets && grow(syms))
		return NULL;
	s = syms->buckets[hash & (syms->nbuckets - 1)];
	for (; s; s = s->next)
		if (s->hash == hash && strcmp(s->s, text) == 0)
			return s;
	s = malloc(sizeof(*s) + len);
	if (!s)
		return NULL;
	s->hash = hash;
	s->name = NULL;
	memcpy(s->s, text, len);
	s->next = syms->buckets[hash & (syms->nbuckets - 1)];
	syms->buckets[hash & (syms->nbuckets - 1)] = s;
	syms->nstr++;
	return s;
}

const char *
sym_intern(struct seam_syms *syms, const char *s)
{
	struct sym_str *str = intern(syms, s);

	return str ? str->s : NULL;
}

void
sym_names_free(struct seam_syms *syms)
{
	struct sym_str *s, *next;
	size_t i;

	for (i = 0; i < syms->nbuckets; i++) {
		for (s = syms->buckets[i]; s; s = next) {
			next = s->next;
			free(s->name);
			free(s);
		}
	}
	free(syms->buckets);
}

/* Cuts what is in [from, to) out of s. */
static void
cut(char *from, const char *to)
{
	memmove(from, to, strlen(to) + 1);
}

static bool
is_word(const char *s, const char *word)
{
	size_t n = strlen(word);

	return strncmp(s, word, n) == 0 && !isalnum((unsigned char)s[n]) &&
	       s[n] != '_';
}

/* Unnamed namespaces and ABI tags are not written by those who ask. */
static void
cut_decoration(char *s)
{
	static const char unnamed[] = "(anonymous namespace)::";
	char *p, *end;

	while ((p = strstr(s, unnamed)))
		cut(p, p + sizeof(unnamed) - 1);
	while ((p = strstr(s, "[abi:")) && (end = strchr(p, ']')))
		cut(p, end + 1);
}

/* Where the name begins, after a template function's result type. */
static const char *
skip_result(const char *s)
{
	const char *begin = s, *p;
	int angle = 0, round = 0;

	for (p = s; *p; p++) {
		bool word = p == s || strchr(" :", p[-1]);

		if (!angle && !round && word && is_word(p, "operator"))
			break;
		if (*p == '(' || *p == '{')
			round++;
		else if ((*p == ')' || *p == '}') && round)
			round--;
		else if (*p == '<' && !round)
			angle++;
		else if (*p == '>' && !round && angle)
			angle--;
		else if (*p == ' ' && !angle && !round && p[1] != '(' &&
			 !is_word(p + 1, "const") && p[1] != '&' &&
			 !is_word(p + 1, "volatile"))
			begin = p + 1;
	}
	return begin;
}

/* Where the parameter list begins, or the end. */
static char *
find_params(char *s)
{
	static const char *const tails[] = { " const", " volatile", " &&",
					     " &",     " noexcept", NULL };
	size_t len = strlen(s), n, i = 0;
	int depth = 0;
	char *p;

	while (tails[i]) {
		n = strlen(tails[i]);
		if (len > n && memcmp(s + len - n, tails[i], n) == 0) {
			len -= n;
			i = 0;
		} else {
			i++;
		}
	}
	if (!len || s[len - 1] != ')')
		return s + strlen(s);
	for (p = s + len - 1; p > s; p--) {
		if (*p == ')')
			depth++;
		else if (*p == '(' && --depth == 0)
			break;
	}
	n = (size_t)(p - s);
	if (p == s || (n >= 8 && memcmp(p - 8, "operator", 8) == 0))
		return s + strlen(s);
	return p;
}

static bool
cut_tail(char *s, size_t *len, const char *tail)
{
	size_t n = strlen(tail);

	if (*len <= n || memcmp(s + *len - n, tail, n) != 0)
		return false;
	*len -= n;
	s[*len] = '\0';
	return true;
}

/* The compiler's copies: f.cold, f.part.0, f.isra.0.cold, static x.1 */
static void
cut_clone(char *s)
{
	static const char *const tails[] = { ".cold",	    ".part",
					     ".isra",	    ".constprop",
					     ".lto_priv",   ".llvm",
					     ".localalias", NULL };
	size_t len = strlen(s), n, i;
	bool again = true;

	while (again) {
		again = false;
		for (n = len; n && isdigit((unsigned char)s[n - 1]); n--)
			;
		if (n > 1 && n < len && s[n - 1] == '.') {
			len = n - 1;
			s[len] = '\0';
			again = true;
		}
		for (i = 0; tails[i]; i++)
			again |= cut_tail(s, &len, tails[i]);
	}
}

/* Rust's old mangling ends in a hash that changes with every build. */
static void
cut_rust_hash(char *s)
{
	size_t len = strlen(s);
	char *tail = s + len - 19;

	if (len > 19 && memcmp(tail, "::h", 3) == 0 &&
	    strspn(tail + 3, "0123456789abcdef") == 16)
		*tail = '\0';
}

/* raw, without clone suffixes, demangled where it is mangled; malloc'd. */
static char *
demangle(const char *raw)
{
	char *s = strdup(raw), *full;
	int status;

	if (!s || strncmp(s, "_Z", 2) != 0 || strlen(s) > MANGLED_MAX)
		return s;
	cut_clone(s);
	full = __cxa_demangle(s, NULL, NULL, &status);
	if (!full)
		return s;
	cut_rust_hash(full);
	free(s);
	return full;
}

static int
fill_name(struct seam_syms *syms, struct sym_name *name)
{
	char *s = demangle(name->raw);
	bool special;

	if (!s)
		return -1;
	/* "vtable for Cache", "virtual thunk to …": that is no result type */
	special = strstr(s, " for ") || strstr(s, " thunk to ");
	name->full = sym_intern(syms, s);
	cut_decoration(s);
	if (!special)
		cut(s, skip_result(s));
	name->plain = sym_intern(syms, s);
	if (!special) {
		*find_params(s) = '\0';
		cut_clone(s);
	}
	name->key = sym_intern(syms, s);
	free(s);
	return name->full && name->plain && name->key ? 0 : -1;
}

const struct sym_name *
sym_name(struct seam_syms *syms, const char *raw)
{
	struct sym_str *s = intern(syms, raw);
	struct sym_name *name;

	if (!s || s->name)
		return s ? s->name : NULL;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	name->raw = s->s;
	if (fill_name(syms, name)) {
		free(name);
		return NULL;
	}
	s->name = name;
	return name;
}

/* Only `*` is special: C++ names are full of the rest. */
bool
sym_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *back = NULL;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			back = s;
		} else if (*pattern == *s) {
			if (!*s)
				return true;
			pattern++;
			s++;
		} else if (star && *back) {
			pattern = star;
			s = ++back;
		} else {
			return false;
		}
	}
}

bool
sym_name_match(const struct sym_name *pattern, const struct sym_name *name)
{
	if (pattern == name || pattern->plain == name->plain)
		return true;
	if (pattern->plain == pattern->key && pattern->key == name->key)
		return true;
	if (!strchr(pattern->raw, '*'))
		return false;
	return sym_glob(pattern->plain, name->key) ||
	       sym_glob(pattern->plain, name->plain) ||
	       sym_glob(pattern->raw, name->raw);
}

/* libfoo.so.1.2 is also libfoo.so.1, libfoo.so and libfoo. */
bool
sym_module_match(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (sym_glob(pattern, name))
		return true;
	if (!n || strncmp(pattern, name, n) != 0)
		return false;
	return name[n] == '.' ||
	       (name[n] == '-' && isdigit((unsigned char)name[n + 1]));
}

const char *
sym_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
