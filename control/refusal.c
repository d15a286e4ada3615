/* SPDX-License-Identifier: MIT */
/* What the server itself has to tell a client, in the form it asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

static char *
as_text(enum seam_code code, const char *text)
{
	char *line;

	if (asprintf(&line, "err %s %s\n", seam_code_name(code), text) < 0)
		return NULL;
	return line;
}

static char *
as_json(enum seam_code code, const char *text)
{
	json_t *o = json_pack("{s:b, s:s, s:s}", "ok", 0, "code",
			      seam_code_name(code), "text", text);
	char *line = json_dumps(o, JSON_COMPACT), *whole = NULL;

	json_decref(o);
	if (line && asprintf(&whole, "%s\n", line) < 0)
		whole = NULL;
	free(line);
	return whole;
}

void
seam_client_refuse(struct seam_client *c, enum seam_code code, const char *text)
{
	char *line = c->json ? as_json(code, text) : as_text(code, text);

	if (line)
		seam_client_put(c, line, strlen(line));
	free(line);
}

void
seam_clients_tell(struct seam_session *s, enum seam_code code, const char *text)
{
	for (struct seam_client *c = s->clients; c; c = c->next) {
		if (!c->pending && c->begun) {
			pthread_mutex_lock(&c->lock);
			seam_client_refuse(c, code, text);
			pthread_mutex_unlock(&c->lock);
		}
		seam_client_close(c);
	}
}

void
seam_client_set_json(struct seam_client *c, bool json)
{
	c->json = json;
}
