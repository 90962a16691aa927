/* userfault.h - who may keep waiting whoever reads its memory: the owner of a
 * userfaultfd serves the pages of a process that are missing, or does not. */
#ifndef USERFAULT_H
#define USERFAULT_H

#include <stdbool.h>
#include "flow.h"

/* Has @proc one, or more descriptors than it is worth to look at?  (Another
 * process can hold it instead: only with root's rights, or where
 * userfault_by_all().) */
bool userfault_in(const struct proc *);

/* May programs without privileges do so (vm.unprivileged_userfaultfd)?  Else
 * theirs serve faults of their own code only: since Linux 5.11, d0d4730ac2e4
 * "userfaultfd: add user-mode only option to unprivileged_userfaultfd sysctl
 * knob". */
bool userfault_by_all(void);

#endif
