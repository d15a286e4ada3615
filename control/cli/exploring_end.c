/* SPDX-License-Identifier: MIT */
/* What is said when an exploration is over: the verdict, and how sure it is. */
#include <stdio.h>
#include <string.h>

#include "exploring.h"
#include "rules_int.h"

double
exploring_rate(const struct campaign_state *s)
{
	return s->seconds > 0 ?
		   (double)(s->schedules - s->before) / s->seconds :
		   0;
}

static const char *
result_name(const struct campaign_state *s)
{
	if (s->end == CAMPAIGN_ERROR)
		return "error";
	if (s->failing || s->confirmed)
		return "failed";
	return s->end == CAMPAIGN_STOPPED ? "stopped" : "clean";
}

static void
put_json(const struct exploring *x, const char *blind,
	 const struct explore_known *k, const struct campaign_state *s)
{
	json_t *o = json_object();

	seam_json_put(o, "event", "ended");
	seam_json_put(o, "result", result_name(s));
	json_object_set_new(o, "schedules",
			    json_integer((json_int_t)s->schedules));
	json_object_set_new(o, "known_before",
			    json_integer((json_int_t)s->before));
	json_object_set_new(o, "failing", json_integer((json_int_t)s->failing));
	json_object_set_new(o, "redundant",
			    json_integer((json_int_t)s->redundant));
	json_object_set_new(o, "directed",
			    json_integer((json_int_t)s->directed));
	json_object_set_new(o, "too_long",
			    json_integer((json_int_t)s->too_long));
	json_object_set_new(o, "classes", json_integer((json_int_t)s->classes));
	json_object_set_new(o, "exhaustive",
			    json_boolean(campaign_is_exhaustive(s)));
	exploring_json_sure(x, o, k, s);
	json_object_set_new(o, "seconds", json_real(s->seconds));
	seam_json_put(o, "strategy", s->said.state);
	seam_json_put(o, "server", exploring_server_name(s->server));
	seam_json_put(o, "blind_spots", blind ? blind : "");
	if (s->end == CAMPAIGN_ERROR)
		seam_json_put(o, "error", s->err.text);
	exploring_put_json(o);
}

static void
put_blind(const char *blind, const struct campaign_state *s)
{
	char *text = campaign_blind_text(blind, s);
	const char *rest, *between = "";

	fputs("blind spots:", stdout);
	for (rest = text; rest && *rest; between = ";") {
		size_t n = strcspn(rest, "\n");

		printf("%s %.*s", between, (int)n, rest);
		rest += n + (rest[n] == '\n');
	}
	puts(text && !*text ? " none" : "");
	free(text);
}

static void
put_cut(const struct exploring *x, const struct campaign_state *s)
{
	if (s->too_long)
		printf("%llu schedules were cut off after %llu steps%s "
		       "(--steps)\n",
		       (unsigned long long)s->too_long,
		       (unsigned long long)x->steps,
		       s->too_long >= s->schedules ?
			   ", so none ran to its end" :
			   "");
}

static void
put_notes(const struct exploring *x, const struct campaign_state *s)
{
	if (s->before)
		printf("%llu of the schedules were known before\n",
		       (unsigned long long)s->before);
	if (s->redundant)
		printf("%llu more were cut off, being like others\n",
		       (unsigned long long)s->redundant);
	if (s->directed)
		printf("%llu directed runs besides, of which %llu failed\n",
		       (unsigned long long)s->directed,
		       (unsigned long long)s->confirmed);
	put_cut(x, s);
	if (s->left)
		printf("threads were left behind at exit in %llu schedules\n",
		       (unsigned long long)s->left);
	if (s->strays)
		printf("processes outlived the first one in %llu schedules, "
		       "and were killed\n",
		       (unsigned long long)s->strays);
}

static void
put_clean(const struct exploring *x, const char *blind,
	  const struct explore_known *k, const struct campaign_state *s)
{
	const char *stopped = s->end == CAMPAIGN_STOPPED ? ", stopped" : "";

	if (campaign_is_exhaustive(s))
		printf("no failure in %llu schedules: all there are "
		       "(%s; %zu classes)\n",
		       (unsigned long long)s->schedules, s->said.state,
		       s->classes);
	else
		printf("no failure in %llu schedules%s%s%s%s, of %zu classes; "
		       "not exhaustive:\n",
		       (unsigned long long)s->schedules, stopped,
		       *s->said.state ? " (" : "", s->said.state,
		       *s->said.state ? ")" : "", s->classes);
	exploring_put_sure(x, k, s);
	put_notes(x, s);
	put_blind(blind, s);
	puts("This holds for the order of synchronisation operations, in "
	     "programs without data races.");
}

void
exploring_put_end(const struct exploring *x, const struct campaign *c,
		  const struct explore_known *k, const struct campaign_state *s)
{
	const char *blind = c ? campaign_blind(c) : NULL;

	if (x->json && x->coverage)
		exploring_put_json(exploring_json_coverage(k));
	if (c)
		exploring_put_predicted(x, c, s);
	if (x->json)
		put_json(x, blind, k, s);
	if (x->verbose && s->schedules)
		fprintf(stderr,
			"seam: %.0f schedules/s; at most %u threads, %u steps, "
			"%u choices; forked: %s%s%s\n",
			exploring_rate(s), s->threads, s->steps, s->decisions,
			exploring_server_name(s->server),
			*s->why_not ? ", since " : "", s->why_not);
	if (s->end == CAMPAIGN_ERROR) {
		cli_warn("%s", s->err.text);
		return;
	}
	if (x->coverage && !x->json)
		exploring_put_coverage(k);
	if (x->quiet || x->json)
		return;
	if (!s->failing && !s->confirmed) {
		put_clean(x, blind, k, s);
	} else if (x->keep_going || s->before) {
		printf("%llu of %llu schedules failed",
		       (unsigned long long)s->failing,
		       (unsigned long long)s->schedules);
		if (s->before)
			printf(", %llu of them before\n",
			       (unsigned long long)k->failed);
		else
			printf(", in %llu ways\n",
			       (unsigned long long)s->distinct);
		exploring_put_sure(x, k, s);
		put_notes(x, s);
		put_blind(blind, s);
	}
}
