/* verdict.h - what a look means. */
#ifndef VERDICT_H
#define VERDICT_H

#include "flow.h"

/* What a process is, if not a finding. */
enum verdict {
	VERDICT_CLEAN,
	VERDICT_FINDING,
	VERDICT_CARRIER, /* holds rules or a miner's file as data */
	VERDICT_UNKNOWN, /* nothing found, but not all was looked at */
};

/* Judges @look, which *ret refers to.  *ret is filled for VERDICT_FINDING. */
enum verdict verdict_judge(const struct look *look, struct finding *ret);

/* How a process hides (HIDDEN_*), for people; "" if it does not. */
const char *verdict_hiding(uint8_t hidden);

/* "Execution: Cryptocurrency Mining YARA Rule" and so on, as VMTD spells. */
const char *verdict_category(enum category);
const char *verdict_severity(enum severity); /* "HIGH" */
const char *verdict_state(enum scan_state);  /* "complete" */

#endif
