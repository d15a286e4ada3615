/* SPDX-License-Identifier: MIT */
/* What `seam hold` holds: in a session of its own, in another's, or by a
 * command. */
#ifndef SEAM_CLI_HOLDING_H
#define SEAM_CLI_HOLDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_holding {
	char **word; /* the object, and key=value */
	size_t words;
	const char *socket, *command;
	uint64_t timeout;
	bool has_timeout;
	/* While it is held: */
	struct seam_session *session;
	struct seam_holder *holder;
	int fd; /* of the other's socket */
	char *id;
};

/* 0, or an exit status: said why. */
int cli_holding_begin(struct cli_holding *h);
/* False: said why. */
bool cli_holding_end(struct cli_holding *h);

/* plainly.c: a child, with the signals that come meanwhile handed on to it;
 * its status as a shell has it. */
int cli_run_plainly(char *const *argv);

#endif
