/* commands.h - davylamp's subcommands and exit statuses. */
#ifndef COMMANDS_H
#define COMMANDS_H

enum {
	EXIT_CLEAN = 0,	     /* clean and complete */
	EXIT_FINDINGS = 1,
	EXIT_USAGE = 2,	     /* wrong words, rules or sets */
	EXIT_INCOMPLETE = 3, /* something could not be read to the end */
	EXIT_UNABLE = 4,     /* nothing could be done */
};

/* argv[0] is the subcommand's name; each returns an exit status. */
int cmd_scan(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_hash(int argc, char **argv);
int cmd_hash_query(int argc, char **argv); /* of cmd_hash */

#endif
