/* show_exclude.c - what was left out of a pass. */
#include <stdio.h>
#include "show_exclude.h"
#include "text.h"

void show_exclude(const struct show *s, const struct exclude_list *l)
{
	char reason[EXCLUDE_TEXT * 4], text[EXCLUDE_TEXT * 4 + 160];

	for (size_t i = 0; i < exclude_count(l); i++) {
		const struct exclusion *x = exclude_get(l, i);

		text_escape_str(x->reason, reason, sizeof(reason));
		if (*x->trouble)
			snprintf(text, sizeof(text),
				 "%s until %s: none, %s (%s)", x->name,
				 x->until, x->trouble, reason);
		else
			snprintf(text, sizeof(text),
				 "%s until %s: %zu process%s (%s)", x->name,
				 x->until, x->covered,
				 x->covered == 1 ? "" : "es", reason);
		show_field(s, "excluded", text);
	}
}

json_object *show_exclude_json(const struct exclude_list *l)
{
	json_object *list = json_object_new_array();
	char shown[EXCLUDE_TEXT * 4];

	for (size_t i = 0; i < exclude_count(l); i++) {
		const struct exclusion *x = exclude_get(l, i);
		json_object *o = json_object_new_object();

		json_object_object_add(o, "name",
				       json_object_new_string(x->name));
		json_object_object_add(
			o, "reason",
			json_object_new_string(text_escape_str(x->reason, shown,
							       sizeof(shown))));
		json_object_object_add(o, "until",
				       json_object_new_string(x->until));
		json_object_object_add(
			o, "processes",
			json_object_new_int64((int64_t)x->covered));
		if (*x->trouble)
			json_object_object_add(
				o, "note", json_object_new_string(x->trouble));
		json_object_array_add(list, o);
	}
	return list;
}

void show_exclude_process(const struct show *s, const struct proc *p,
			  const struct exclusion *x)
{
	char comm[PROC_COMM * 4], reason[EXCLUDE_TEXT * 4], pid[16];
	char text[sizeof(comm) + sizeof(reason) + 160];

	snprintf(text, sizeof(text),
		 "%s: not looked at: excluded by [exclude %s] until %s: %s",
		 text_escape_str(p->comm, comm, sizeof(comm)), x->name,
		 x->until, text_escape_str(x->reason, reason, sizeof(reason)));
	snprintf(pid, sizeof(pid), "%d", p->pid);
	show_field(s, pid, text);
}
