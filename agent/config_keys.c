/* config_keys.c - the table of keys.  Help, `davylamp run --check` and the
 * checks of every value follow it; packaging/davylamp.conf.5 is held to it by
 * a test. */
#include <string.h>
#include "config_keys.h"
#include "exclude.h"

#define FIELD(type, s, n) \
	.offset = offsetof(type, s), .size = sizeof(((type *)0)->s), .name = n
#define KEY(s, n, t, i, h, ...)                                          \
	{                                                                \
		.section = #s, FIELD(struct config, s.n, #n), .type = t, \
		.initial = i, .help = h, __VA_ARGS__                     \
	}
#define EXCLUDE(n, t, h)                                                   \
	{                                                                  \
		.section = CONFIG_EXCLUDE, FIELD(struct exclusion, n, #n), \
		.type = t, .initial = "", .help = h                        \
	}
#define FORMATS .words = { "scc", "ocsf", "ecs" }, .first = FORMAT_SCC

const struct config_key config_keys[] = {
	KEY(run, cpu_budget, DECIMAL, "1",
	    "percent of one core for the service, matcher included",
	    .first = 100, .last = 100000),
	{ .section = "run",
	  FIELD(struct config, run.pass_interval_ns, "pass_interval"),
	  .type = DURATION,
	  .initial = "30m",
	  .help = "every process is looked at at least once in that time",
	  .first = 60,
	  .last = 86400 },
	KEY(run, rules, PATH, "",
	    "YARA rules: a source file, or a directory of *.yar and *.yara"),
	KEY(run, default_rules, YES, "yes", "the built-in rules, too"),
	KEY(run, hashes, PATH, "", "a hash set instead of the built-in one"),
	KEY(run, sensors, CHOICE, "auto",
	    "what tells of new processes; auto: BPF, else netlink, else "
	    "polling",
	    .words = { "auto", "netlink", "polling" }, .first = SENSORS_AUTO),
	KEY(run, metrics, PATH, "",
	    "textfile for Prometheus' node_exporter, named *.prom"),
	KEY(run, status, PATH, "/run/davylamp/status",
	    "socket that davylamp status asks; empty: none"),
	KEY(scc, source, SOURCE, "",
	    "organizations/O/sources/S; made by: davylamp report setup"),
	KEY(scc, location, WORD, "global",
	    "where findings live: global, us, eu, sa"),
	KEY(scc, endpoint, URL, "", "another address of the API than Google's"),
	KEY(scc, api, CHOICE, "v2", "version of the API",
	    .words = { "v1", "v2" }, .first = 1),
	KEY(scc, credentials, PATH, "",
	    "key file of a service account or of workload identity; empty: "
	    "the VM's own service account"),
	KEY(scc, resource, RESOURCE, "",
	    "full name of this machine; empty: ask the metadata server"),
	KEY(scc, writes_per_minute, SIZE, "60",
	    "at most; a project's quota is 1000 for all its agents", .first = 1,
	    .last = 100000),
	KEY(spool, path, PATH, "/var/lib/davylamp/spool",
	    "where findings wait"),
	KEY(spool, max_bytes, SIZE, "64M",
	    "room for them; the oldest of the lowest severity goes first",
	    .first = 1 << 20, .last = 1ULL << 40),
	KEY(findings, file, PATH, "/var/log/davylamp/findings.jsonl",
	    "JSON Lines, one previous file of 16 MiB kept; - is stdout, none "
	    "is no file"),
	KEY(findings, format, CHOICE, "scc", "of that file", FORMATS),
	KEY(findings, journal, YES, "yes", "one structured entry per finding"),
	KEY(findings, environment, YES, "no",
	    "put the process's environment into findings; it can hold secrets"),
	KEY(findings, state, PATH, "/var/lib/davylamp/state",
	    "folder of the scanner alone where open findings are remembered"),
	KEY(pubsub, topic, TOPIC, "", "projects/P/topics/T"),
	KEY(pubsub, endpoint, URL, "https://pubsub.googleapis.com",
	    "another address of the API"),
	KEY(pubsub, format, CHOICE, "scc",
	    "of the messages; scc is the shape of SCC's own notifications",
	    FORMATS),
	EXCLUDE(reason, TEXT, "why; needed"),
	EXCLUDE(until, DATE, "the last day on which it holds, in UTC; needed"),
	EXCLUDE(exe, PATH, "the executable, together with its digest"),
	EXCLUDE(sha256, DIGEST, "of that file: sha256sum"),
	EXCLUDE(user, WORD, "name, or number, of the process's user"),
	EXCLUDE(unit, TEXT, "systemd's system unit or slice of the process"),
	EXCLUDE(container, TEXT, "name of its container"),
	EXCLUDE(label, LABEL,
		"a label of its container; io.kubernetes.pod.namespace and the "
		"like, too"),
};

const size_t config_n_keys = sizeof(config_keys) / sizeof(config_keys[0]);
_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_KEYS,
	       "struct config's origin[]");

bool config_key_excludes(const struct config_key *k)
{
	return !strcmp(k->section, CONFIG_EXCLUDE);
}
