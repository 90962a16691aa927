/* report_user.c - whom davylamp-report works as where root starts it.
 *
 * The users are those of packaging/davylamp.sysusers; they are looked up in the
 * files alone: what else names come from is for services that need names. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "report_user.h"

static bool find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p = NULL;

	while (f && (p = fgetpwent(f)) && strcmp(p->pw_name, name))
		;
	if (p) {
		*ret_uid = p->pw_uid;
		*ret_gid = p->pw_gid;
	}
	if (f)
		fclose(f);
	return p != NULL;
}

static bool find_group(const char *name, gid_t *ret)
{
	FILE *f = fopen("/etc/group", "re");
	const struct group *g = NULL;

	while (f && (g = fgetgrent(f)) && strcmp(g->gr_name, name))
		;
	if (g)
		*ret = g->gr_gid;
	if (f)
		fclose(f);
	return g != NULL;
}

int report_user_become(const char *spool, struct why *why)
{
	struct stat st;
	gid_t group, own;
	uid_t uid;

	if (geteuid() || !find_user("davylamp-report", &uid, &own) ||
	    !find_group("davylamp", &group) || stat(spool, &st) ||
	    st.st_gid != group)
		return 0;
	if (setgroups(1, &group) || setresgid(own, own, own) ||
	    setresuid(uid, uid, uid))
		return why_set(why, -errno,
			       "root can not become davylamp-report: %s",
			       strerror(errno));
	return 0;
}
