/* service_gear.c - what the service looks with, and what a reload replaces:
 * configuration, hash set, rules. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "defaultset.h"
#include "exclude.h"
#include "log.h"
#include "service_own.h"

void service_gear_free(struct service_gear *g)
{
	if (!g)
		return;
	for (int i = 0; i < LANES; i++)
		scan_free(g->scans[i]);
	hashset_free(g->set);
	config_free(&g->config);
	free(g);
}

static int open_set(struct service_gear *g, struct why *why)
{
	const char *hashes = g->config.run.hashes;

	return defaultset_open(hashes[0] ? hashes : NULL, &g->set, why);
}

static int make_scans(struct service *s, struct service_gear *g,
		      struct why *why)
{
	struct scan_options o = { .set = g->set,
				  .frames = s->frames,
				  .cache = s->cache };
	int err = 0;

	g->rule_paths[0] = g->config.run.rules;
	o.rules = (struct match_options){
		.paths = g->rule_paths,
		.n_paths = g->config.run.rules[0] != '\0',
		.no_default_rules = !g->config.run.default_rules,
		.wait = service_wait,
		.user = s,
	};
	for (enum lane lane = 0; lane < LANES && !err; lane++) {
		o.rules.yield = lane == LANE_STEADY;
		err = scan_new(&o, &g->scans[lane], why);
	}
	return err;
}

static void warn_of_weak(const struct exclude_list *all)
{
	for (size_t i = 0; i < exclude_count(all); i++) {
		const struct exclusion *x = exclude_get(all, i);

		if (exclude_is_weak(x))
			log_say(LOG_WARNING,
				"%s, line %d: exclude %s: any user can have "
				"his "
				"own code run in that executable (LD_PRELOAD, "
				"ptrace); name a user, unit or container, too",
				x->file, x->line, x->name);
	}
}

int service_gear_open(const char *config_path, struct service_gear **ret,
		      struct why *why)
{
	struct service_gear *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	err = config_load(config_path, &g->config, why);
	if (err) {
		free(g);
		return -EINVAL;
	}
	exclude_begin(g->config.excludes);
	warn_of_weak(g->config.excludes);
	if (open_set(g, why)) {
		service_gear_free(g);
		return -EINVAL;
	}
	*ret = g;
	return 0;
}

int service_gear_arm(struct service *s, struct service_gear *g, struct why *why)
{
	const struct match *m;
	int err = make_scans(s, g, why);

	if (err)
		return err;
	m = scan_match(g->scans[LANE_STEADY]);
	g->tools = (struct finding_tools){ match_engine(m), match_version(m),
					   hashset_version(g->set),
					   g->config.findings.environment };
	snprintf(g->version, sizeof(g->version), "%s-%s", match_version(m),
		 hashset_version(g->set));
	return 0;
}

int service_gear_new(struct service *s, struct service_gear **ret,
		     struct why *why)
{
	struct service_gear *g;
	int err = service_gear_open(s->config_path, &g, why);

	if (err)
		return err;
	err = service_gear_arm(s, g, why);
	if (err)
		service_gear_free(g);
	else
		*ret = g;
	return err;
}

/* What is open already stays as it was opened. */
static void warn_of_restart(const struct config *old, const struct config *new)
{
	const struct {
		const char *key, *was, *is;
	} kept[] = {
		{ "[spool] path", old->spool.path, new->spool.path },
		{ "[findings] state", old->findings.state,
		  new->findings.state },
		{ "[run] status", old->run.status, new->run.status },
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(kept[i].was, kept[i].is))
			log_say(LOG_WARNING, "reload: %s takes a restart",
				kept[i].key);
	if (old->spool.max_bytes != new->spool.max_bytes)
		log_say(LOG_WARNING,
			"reload: [spool] max_bytes takes a restart");
	if (old->run.sensors != new->run.sensors)
		log_say(LOG_WARNING, "reload: [run] sensors takes a restart");
}

int service_gear_replace(struct service *s, struct why *why)
{
	struct service_gear *g = NULL, *old = s->gear;
	int err = service_gear_new(s, &g, why);

	if (err)
		return err;
	warn_of_restart(&old->config, &g->config);
	s->gear = g;
	service_gear_free(old);
	return 0;
}
