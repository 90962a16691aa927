/* finding_own.h - the parts of finding_json.c, for each other only. */
#ifndef FINDING_OWN_H
#define FINDING_OWN_H

#include "finding_json.h"

void finding_add_text(json_object *o, const char *key, const char *text);

/* Attacker's bytes: escaped, so that they are UTF-8 and harmless. */
void finding_add_hostile(json_object *o, const char *key, const char *bytes);

/* 64-bit integers are strings in proto3's JSON. */
void finding_add_int64(json_object *o, const char *key, uint64_t n);

/* Into the Finding: processes, files, containers, kubernetes. */
void finding_who(json_object *finding, const struct proc *, const struct who *,
		 const struct finding_tools *);

/* Into its sourceProperties: what SCC has no field for. */
void finding_who_properties(json_object *o, const struct who *);

#endif
