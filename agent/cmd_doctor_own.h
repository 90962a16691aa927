/* cmd_doctor_own.h - between cmd_doctor.c and its checks of the sensors. */
#ifndef CMD_DOCTOR_OWN_H
#define CMD_DOCTOR_OWN_H

#include <stdbool.h>

struct diagnosis {
	bool works;
	char found[320]; /* what there is */
	char mend[600];	 /* what to do; "" if it works */
};

/* A procfs of our own, the kernel's task list, what tells of events. */
void doctor_procfs(struct diagnosis *);
void doctor_tasks(struct diagnosis *);
void doctor_sensors(struct diagnosis *);

#endif
