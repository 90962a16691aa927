/* service_own.h - shared by the files of the service only.
 *
 *	service.c		its start, its end, and what is next
 *	service_gear.c		what it looks with, and what a reload replaces
 *	service_events.c	what happened, and what that makes due
 *	service_look.c		one look, its price, its result
 *	service_net.c		whom processes called
 *	service_status.c	what it says of itself */
#ifndef SERVICE_OWN_H
#define SERVICE_OWN_H

#include <json-c/json.h>
#include "budget.h"
#include "config.h"
#include "finding_json.h"
#include "frames.h"
#include "looking.h"
#include "queue.h"
#include "record.h"
#include "scan.h"
#include "sensor.h"
#include "service.h"
#include "service_net.h"
#include "status.h"
#include "views.h"

#define SECOND_NS 1000000000ULL

#define CENSUS_NS (10 * SECOND_NS)  /* between two looks at all processes */
#define LOST_NS	  (50 * SECOND_NS)  /* a catch-up takes at most */
#define FRAMES_NS (120 * SECOND_NS) /* a frame is believed so long */
#define METRICS_NS (15 * SECOND_NS)

struct service_counts {
	uint64_t looks[LANES], complete, partial, vanished, denied, excluded;
	uint64_t findings, carriers, hidden;
	uint64_t read_bytes, shared_bytes;
	uint64_t catch_ups, missed, unknown; /* processes */
	uint64_t reloads, passes;
};

struct service_pass {
	bool running;
	uint64_t number, begin_ns, next_ns;
	uint64_t last_ns;	/* the one before took */
	size_t all;		/* processes at its begin */
};

/* What a reload replaces, all of it or nothing. */
struct service_gear {
	struct config config;
	const char *rule_paths[1];
	struct hashset *set;
	struct scan *scans[LANES]; /* two: what is urgent comes in between */
	struct finding_tools tools;
	char version[64]; /* of rules and set */
};

struct service {
	const char *config_path;
	struct service_gear *gear;
	struct frames *frames;
	struct filecache *cache; /* over passes and reloads */

	struct views *views;
	struct sensor *sensor;
	struct queue *queue;
	struct service_net *net;
	struct budget budget;
	struct record *record;
	struct status *status;
	struct looking *looking;     /* NULL: there is none */
	int epoll, signals, cgroups; /* descriptors; cgroups may be -1 */

	enum lane lane;	  /* of the look at hand */
	uint64_t cpu_ns;  /* charged so far */
	uint64_t begin_ns, census_ns, frames_ns, metrics_ns, watchdog_ns,
		watchdog_every_ns;
	uint32_t census;
	struct service_pass pass;
	struct service_counts counts;
	bool stop, reload, lost;
	uint64_t caught_up_ns; /* when the last catch-up is over */
	struct why reload_why; /* of the last one that failed */
	int metrics_error;     /* that was told */
	bool down_told[LANES]; /* that there is no matcher */
	struct spool_counts spool_was; /* when the service began */
};

/* ---- service_gear.c -------------------------------------------------- */

/* The configuration and the hash set.  -EINVAL: one of them is at fault. */
int service_gear_open(const char *config_path, struct service_gear **ret,
		      struct why *why);

/* To that the rules, in matchers.  Errors as scan_new(). */
int service_gear_arm(struct service *, struct service_gear *, struct why *why);

/* Both, from the service's configuration. */
int service_gear_new(struct service *, struct service_gear **ret,
		     struct why *why);

void service_gear_free(struct service_gear *);

/* New gear in the old one's place.  Both live until it is whole; if it is
 * not, the old one stays. */
int service_gear_replace(struct service *, struct why *why);

/* ---- service_events.c ------------------------------------------------ */

/* Takes what happened until @until_ns (not after now: without waiting), and
 * what is due by the clock.  May free targets. */
void service_attend(struct service *, uint64_t until_ns);

/* The same until @fd can be read, for match_options.wait. */
bool service_wait(void *service, int fd, uint64_t until_ns);

/* All processes, now: for those that no event told of, and for CPU use. */
void service_census(struct service *);

/* ---- service_look.c -------------------------------------------------- */

/* Charges what was spent since the last call. */
void service_charge(struct service *, enum lane);

/* When the first target of @lane may be looked at: its time has come by then,
 * and the budget allows it.  UINT64_MAX: there is none. */
uint64_t service_due_at(const struct service *, enum lane lane);

/* That target, if it may be looked at now, or NULL. */
struct target *service_due(struct service *, enum lane lane);

/* Looks at @t, which may be freed by it, as all targets may. */
void service_look(struct service *, struct target *t, enum lane lane);

/* ---- service_status.c ------------------------------------------------ */

/* Why events are learned of in a poorer way than BPF; NULL: they are not. */
const char *service_why_degraded(const struct service *);

/* Opens, or keeps open, a finding that says so, if they are. */
void service_tell_degraded(struct service *);

/* One line for `systemctl status`. */
void service_tell_manager(const struct service *);

/* Logs that the matcher of @lane can not be started any more: once. */
void service_tell_down(struct service *, enum lane lane);

/* Answers who asks. */
void service_answer(struct service *);

/* Writes the metrics' file, where there is to be one. */
void service_write_metrics(struct service *);

#endif
