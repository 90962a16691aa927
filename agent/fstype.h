/* fstype.h - who answers for a file system of some type. */
#ifndef FSTYPE_H
#define FSTYPE_H

enum fstype_served {
	FSTYPE_BY_OTHERS,  /* a program, another machine, or nobody knows */
	FSTYPE_BY_OVERLAY, /* whoever serves what lies below it */
	FSTYPE_BY_KERNEL,  /* this kernel, from a disk or from memory */
};

/* By its name, as mountinfo has it. */
enum fstype_served fstype_served(const char *type);

#endif
