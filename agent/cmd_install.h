/* cmd_install.h - `davylamp rules install` and `davylamp hash install`. */
#ifndef CMD_INSTALL_H
#define CMD_INSTALL_H

#include "installed.h"

/* argv[0] is "install"; returns the exit status. */
int cmd_install(enum installed_kind, int argc, char **argv);

#endif
