/* SPDX-License-Identifier: MIT */
/* The distinct ways in which runs ended, and how often each came. */
#ifndef SEAM_CLI_OUTPUTS_H
#define SEAM_CLI_OUTPUTS_H

#include "explore/campaign.h"

struct outputs;
struct outputs *outputs_new(void);
void outputs_add(struct outputs *o, const struct campaign_ran *ran);
void outputs_print(const struct outputs *o, FILE *f);
json_t *outputs_json(const struct outputs *o);
void outputs_free(struct outputs *o);

#endif
