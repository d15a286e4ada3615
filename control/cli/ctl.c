/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

static int run(int argc, char **argv);

const struct cli_command cli_ctl = {
	"ctl", "seam ctl [-S SOCK] [--json] [COMMAND...]",
	"give a session one command, or the lines of standard input",
	"  -S, --socket SOCK   the session's socket; default: $SEAM_SOCKET\n"
	"  --json              replies in JSON, one object a line\n"
	"Several words are quoted as needed; a single one is taken as a line.\n"
	"After `log` it goes on to print events until interrupted.\n"
	"Exits with 1 if a reply was an error.\n",
	run
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 'S' },
	{ "json", no_argument, NULL, 'j' },
	{ 0 },
};

/* Bytes that come in pieces, taken out by lines. */
struct lines {
	int fd;
	char *buf;
	size_t n, size;
	bool ended;
};

struct control {
	struct lines in, replies;
	char *sent; /* the line that is being answered */
	bool interactive, failed;
};

/* Lines. */

static void
fill(struct lines *l)
{
	ssize_t n;

	if (l->size - l->n < 4096) {
		char *more = realloc(l->buf, l->size + 65536);

		if (!more) {
			l->ended = true;
			return;
		}
		l->buf = more;
		l->size += 65536;
	}
	do {
		n = read(l->fd, l->buf + l->n, l->size - l->n);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		l->n += (size_t)n;
	else
		l->ended = true;
}

/* The first line, malloc'd without its newline; NULL: none is complete. */
static char *
take(struct lines *l)
{
	char *eol = l->n ? memchr(l->buf, '\n', l->n) : NULL;
	size_t len = eol ? (size_t)(eol - l->buf) : l->n;
	char *line;

	if (!eol && (!l->ended || !l->n))
		return NULL;
	line = strndup(l->buf, len);
	len += !!eol;
	l->n -= len;
	memmove(l->buf, l->buf + len, l->n);
	return line;
}

/* Words of the shell into a line. */

static bool
is_plain(const char *text)
{
	return *text && !text[strcspn(text, " \t\n\"\\")] && *text != '#';
}

static void
put_quoted(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", f);
		else if (*text == '\t')
			fputs("\\t", f);
		else if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	fputc('"', f);
}

/* A slash inside that would end it gets a backslash. */
static void
put_regex(FILE *f, const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '/' && i && text[i + 1] &&
		    strchr(" \t", text[i + 1]))
			fputc('\\', f);
		fputc(text[i], f);
		if (text[i] == '\\' && text[i + 1])
			fputc(text[++i], f);
	}
}

static void
put_word(FILE *f, const char *text)
{
	size_t n = strlen(text), key = strspn(text, "abcdefghijklmnopqrstuvwxyz"
						    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						    "0123456789_");

	if (is_plain(text)) {
		fputs(text, f);
	} else if (n > 2 && text[0] == '/' && text[n - 1] == '/' &&
		   !strpbrk(text, "\n")) {
		put_regex(f, text);
	} else if (key && text[key] == '=') {
		fprintf(f, "%.*s=", (int)key, text);
		put_quoted(f, text + key + 1);
	} else {
		put_quoted(f, text);
	}
}

static char *
join(char *const words[])
{
	char *line = NULL;
	size_t size;
	FILE *f;

	if (!words[1])
		return strdup(words[0]);
	f = open_memstream(&line, &size);
	for (size_t i = 0; f && words[i]; i++) {
		if (i)
			fputc(' ', f);
		put_word(f, words[i]);
	}
	return f && !fclose(f) ? line : NULL;
}

/* The conversation. */

static bool
send_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t done = send(fd, text, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
send_line(struct control *c, char *line)
{
	free(c->sent);
	c->sent = line;
	return send_all(c->replies.fd, line, strlen(line)) &&
	       send_all(c->replies.fd, "\n", 1);
}

/* Nothing will answer a line without words. */
static bool
is_empty(const char *line)
{
	line += strspn(line, " \t\r");
	return !*line || *line == '#';
}

static bool
begins(const char *line, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(line, word, n) && (!line[n] || line[n] == ' ');
}

/* Is it the last line of a reply?  `json on` may have been typed. */
static bool
is_last(const char *line)
{
	if (*line == '{')
		return strncmp(line, "{\"event\":", 9) != 0;
	return begins(line, "ok") || begins(line, "err");
}

static bool
is_error(const char *line)
{
	return begins(line, "err") || !strncmp(line, "{\"ok\":false", 11);
}

/* For a person: where in the line. */
static void
point_out(struct control *c, const char *reply)
{
	const char *col = strstr(reply, " col=");
	int column;

	if (*reply == '{' || !c->sent || !col || strchr(c->sent, '\n'))
		return;
	column = atoi(col + 5);
	if (column > 0 && (size_t)column <= strlen(c->sent) + 1)
		seam_put_caret(stderr, c->sent, column);
}

/* Prints lines until the reply is complete; false: the session is gone. */
static bool
print_reply(struct control *c, bool quiet)
{
	bool last = false;
	char *line;

	while (!last) {
		line = take(&c->replies);
		if (!line && c->replies.ended)
			return false;
		if (!line) {
			fill(&c->replies);
			continue;
		}
		last = is_last(line);
		if (!quiet || is_error(line))
			puts(line);
		fflush(stdout);
		if (last && is_error(line)) {
			c->failed = true;
			point_out(c, line);
		}
		free(line);
	}
	return true;
}

/* Events that come while nothing was asked. */
static void
print_pending(struct control *c)
{
	char *line;

	while ((line = take(&c->replies))) {
		puts(line);
		free(line);
	}
	fflush(stdout);
}

static bool
ask(struct control *c, char *line, bool quiet)
{
	if (is_empty(line)) {
		free(line);
		return true;
	}
	return send_line(c, line) && print_reply(c, quiet);
}

static void
prompt(const struct control *c)
{
	if (!c->interactive)
		return;
	fputs("seam> ", stdout);
	fflush(stdout);
}

/* One line of the input, and whatever events come meanwhile. */
static char *
read_line(struct control *c)
{
	struct pollfd p[2] = { { .fd = c->in.fd, .events = POLLIN },
			       { .fd = c->replies.fd, .events = POLLIN } };
	char *line;

	prompt(c);
	while (!(line = take(&c->in)) && !c->in.ended) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents) {
			fill(&c->replies);
			print_pending(c);
			if (c->replies.ended)
				return NULL;
		}
		if (p[0].revents)
			fill(&c->in);
	}
	return line;
}

static bool
converse(struct control *c)
{
	char *line;

	c->in.fd = STDIN_FILENO;
	c->interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	while ((line = read_line(c))) {
		bool quits = begins(line + strspn(line, " \t"), "quit");

		if (!ask(c, line, false))
			return quits;
		if (quits)
			return true;
	}
	if (c->interactive)
		putchar('\n');
	return !c->replies.ended;
}

/* `log`: until the session ends, or we are interrupted. */
static void
follow(struct control *c)
{
	while (!c->replies.ended) {
		print_pending(c);
		fill(&c->replies);
	}
	print_pending(c);
}

static bool
one_command(struct control *c, char *const words[])
{
	char *line = join(words);
	bool logs, quits;

	if (!line)
		return false;
	logs = begins(line, "log") && !begins(line, "log off");
	quits = begins(line, "quit");
	if (!ask(c, line, false))
		return quits;
	if (logs && !c->failed)
		follow(c);
	return true;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = -1, error = ENAMETOOLONG;

	if (strlen(path) < sizeof(addr.sun_path)) {
		memcpy(addr.sun_path, path, strlen(path));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		error = errno;
	}
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		error = errno;
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		cli_warn("%s: %s", path, strerror(error));
	return fd;
}

static int
control(const char *path, bool json, char *const words[])
{
	struct control c = { 0 };
	bool there = true;

	c.replies.fd = connect_to(path);
	if (c.replies.fd < 0)
		return SEAM_EXIT_CONTROL;
	if (json) {
		there = send_all(c.replies.fd, "json on\n", 8);
		there = there && print_reply(&c, true);
	}
	if (there)
		there = words[0] ? one_command(&c, words) : converse(&c);
	if (!there)
		cli_warn("%s: the session is gone", path);
	close(c.replies.fd);
	free(c.replies.buf);
	free(c.in.buf);
	free(c.sent);
	return !there ? SEAM_EXIT_CONTROL : c.failed ? SEAM_EXIT_FAILED : 0;
}

static int
run(int argc, char **argv)
{
	const char *path = getenv("SEAM_SOCKET");
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:S:", options, NULL)) != -1)
		switch (opt) {
		case 'S':
			path = optarg;
			break;
		case 'j':
			json = true;
			break;
		default:
			return cli_bad_option(&cli_ctl, opt, argv);
		}
	if (!path || !*path)
		return cli_usage(&cli_ctl, "-S SOCK is needed, or SEAM_SOCKET");
	return control(path, json, argv + optind);
}
