/* installed.h - rules and hash sets that came as signed updates.
 *
 *	/var/lib/davylamp/rules/VERSION/rules.yar, rules.yar.minisig
 *	/var/lib/davylamp/hashes/VERSION/pages.set, pages.set.minisig
 *
 * The highest VERSION is in use, unless what is built in is newer.  A
 * directory gets its name by rename once all in it was verified, so an update
 * is there wholly or not at all; and nothing is installed whose version is not
 * higher than what there is.  The trusted comment of its signature says what
 * it is: "davylamp rules 42" or "davylamp hashes 42", and then, behind a space,
 * whatever the publisher likes. */
#ifndef INSTALLED_H
#define INSTALLED_H

#include <stdbool.h>
#include <stdint.h>
#include "why.h"

#define INSTALLED_DIR "/var/lib/davylamp"

enum installed_kind { INSTALLED_RULES, INSTALLED_HASHES };

#define INSTALLED_VERSION_MAX (UINT64_C(1) << 53)

struct installed {
	uint64_t version;
	char path[128]; /* "": what is built in */
};

/* What is in use.  -EPERM: an update that others than root may have written:
 * it is never passed over in silence, @why says how to mend it. */
int installed_find(enum installed_kind, struct installed *ret,
		   struct why *why);

/* Installs the file @path with the signature in the file @signature.  Before
 * it gets its name, @check is asked whether the file at the path that it is
 * given can be used: 0, or an error and @why.  -EALREADY: this very version is
 * there; -ESTALE: a newer one; others as verify_file(), and from writing.
 * @ret_key: the key that signed it. */
int installed_put(enum installed_kind, const char *path,
		  const char *signature,
		  int (*check)(const char *path, struct why *why),
		  struct installed *ret, char ret_key[static 17],
		  struct why *why);

/* What a trusted comment says: "davylamp rules 42 ...".  False: it is not of
 * that form, or of another @kind. */
bool installed_parse(enum installed_kind, const char *comment,
		     uint64_t *ret_version);

#endif
