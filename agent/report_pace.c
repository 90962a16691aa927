/* report_pace.c - token bucket and back-off. */
#include "report_pace.h"

#define MAX_DOUBLINGS 16

/* splitmix64 */
static uint64_t next_random(struct report_pace *p)
{
	uint64_t z = p->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(struct report_pace *p, uint64_t n)
{
	return n ? next_random(p) % n : 0;
}

void report_pace_init(struct report_pace *p, uint64_t per_minute,
		      uint64_t now_ms, uint64_t seed)
{
	*p = (struct report_pace){ .random = seed, .filled_ms = now_ms };
	p->per_ms = (double)per_minute / 60000;
	p->burst = per_minute < 10 ? 1 : (double)per_minute / 6;
	p->tokens = p->burst;
}

void report_pace_jitter(struct report_pace *p, uint64_t now_ms,
			uint64_t most_ms)
{
	p->ready_ms = now_ms + below(p, most_ms);
}

uint64_t report_pace_wait(struct report_pace *p, uint64_t now_ms)
{
	if (now_ms > p->filled_ms) {
		p->tokens += (double)(now_ms - p->filled_ms) * p->per_ms;
		if (p->tokens > p->burst)
			p->tokens = p->burst;
		p->filled_ms = now_ms;
	}
	if (p->ready_ms > now_ms)
		return p->ready_ms - now_ms;
	if (p->tokens < 1)
		return (uint64_t)((1 - p->tokens) / p->per_ms) + 1;
	return 0;
}

void report_pace_sent(struct report_pace *p)
{
	p->tokens -= 1;
}

void report_pace_ok(struct report_pace *p)
{
	p->failures = 0;
}

/* @first_ms doubled by each failure, @most_ms at most. */
static uint64_t window(struct report_pace *p, uint64_t first_ms,
		       uint64_t most_ms)
{
	uint64_t w = first_ms << p->failures;

	if (p->failures < MAX_DOUBLINGS)
		p->failures++;
	return w < most_ms ? w : most_ms;
}

static void wait_for(struct report_pace *p, uint64_t now_ms, uint64_t after_ms,
		     uint64_t jitter_ms)
{
	if (after_ms > REPORT_PACE_AFTER_MS)
		after_ms = REPORT_PACE_AFTER_MS;
	if (after_ms < REPORT_PACE_FLOOR_MS)
		after_ms = REPORT_PACE_FLOOR_MS;
	p->ready_ms = now_ms + after_ms + below(p, jitter_ms);
}

void report_pace_down(struct report_pace *p, uint64_t now_ms, uint64_t after_ms)
{
	wait_for(p, now_ms, after_ms, window(p, 10000, REPORT_PACE_DOWN_MS));
}

void report_pace_busy(struct report_pace *p, uint64_t now_ms, uint64_t after_ms)
{
	wait_for(p, now_ms, after_ms, window(p, 60000, REPORT_PACE_BUSY_MS));
}
