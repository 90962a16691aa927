/* report_pace.h - when may the next request be made?
 * Pure: the caller brings the time (ms, never going back) and the fleet
 * simulation in bench/ runs this very code in virtual time.
 *
 * A token bucket under the quota.  While the service is down: 30 s plus full
 * jitter, 80 s at most, so that its return is seen within 2 minutes.  While
 * it refuses for want of quota: full jitter over a window that doubles,
 * because the other agents of the project are waiting for the same quota. */
#ifndef REPORT_PACE_H
#define REPORT_PACE_H

#include <stdint.h>

#define REPORT_PACE_FLOOR_MS 30000
#define REPORT_PACE_DOWN_MS  50000   /* jitter above the floor */
#define REPORT_PACE_BUSY_MS  900000  /* the widest window */
#define REPORT_PACE_AFTER_MS 3600000 /* the longest Retry-After obeyed */

struct report_pace {
	uint64_t random;   /* state of the generator */
	uint64_t ready_ms; /* nothing before */
	uint64_t filled_ms;
	double tokens, per_ms, burst;
	unsigned failures; /* since the last success */
};

void report_pace_init(struct report_pace *, uint64_t per_minute,
		      uint64_t now_ms, uint64_t seed);

/* Delays the first request by up to @most_ms: machines of a fleet that start
 * together do not speak together. */
void report_pace_jitter(struct report_pace *, uint64_t now_ms,
			uint64_t most_ms);

/* How long to wait for the next request; 0: make it. */
uint64_t report_pace_wait(struct report_pace *, uint64_t now_ms);

/* A request was made. */
void report_pace_sent(struct report_pace *);

/* It was answered as wished. */
void report_pace_ok(struct report_pace *);

/* It failed; others may not: @after_ms is the server's Retry-After or 0. */
void report_pace_down(struct report_pace *, uint64_t now_ms, uint64_t after_ms);
void report_pace_busy(struct report_pace *, uint64_t now_ms, uint64_t after_ms);

#endif
