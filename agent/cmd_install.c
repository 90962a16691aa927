/* cmd_install.c - `davylamp rules install` and `davylamp hash install`. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd_install.h"
#include "commands.h"
#include "hashset.h"
#include "match.h"
#include "text.h"
#include "verify.h"

static const char install_help[] =
	"usage: davylamp %s install FILE [SIGNATURE]\n\n"
	"Installs a signed update: from then on it is used in place of what is\n"
	"built in.  SIGNATURE is minisign's (FILE.minisig if none is named), by\n"
	"one of the keys in " VERIFY_KEYS "/*.pub; its trusted comment\n"
	"must be \"davylamp %s VERSION\".  A VERSION that is not higher than the\n"
	"one in use is refused, and so is what can not be used.\n\n"
	"A service that runs goes on with what it has until it is told:\n"
	"  systemctl reload davylamp\n\n"
	"A publisher signs so:\n"
	"  minisign -S -m %s -t 'davylamp %s 20261201'\n\n"
	"Exit status: 0 it is in use, 2 it was refused, 4 unable.\n";

static const char *const words[] = { "rules", "hashes" };
static const char *const commands[] = { "rules", "hash" };
static const char *const examples[] = { "rules.yar", "pages.set" };

/* They must compile, and the matcher says so; nothing else is in them. */
static int check_rules(const char *path, struct why *why)
{
	struct match_options o = { .installed = path };
	struct match *m = NULL;
	size_t n = 0;
	int err = match_new(&o, &m, why);

	if (!err)
		match_rules(m, &n);
	if (!err && !n)
		err = why_set(why, -EINVAL, "there is no rule in it");
	match_free(m);
	return err;
}

static int check_set(const char *path, struct why *why)
{
	struct hashset *set = NULL;
	int err = hashset_open(path, &set, why);

	if (!err && !hashset_n_binaries(set))
		err = why_set(why, -EINVAL, "there is no binary in it");
	hashset_free(set);
	return err;
}

static int install(enum installed_kind kind, const char *path,
		   const char *signature)
{
	int (*const checks[])(const char *, struct why *) = { check_rules,
							      check_set };
	struct installed got;
	struct why why = { "" };
	char key[17], shown[200];
	int err = installed_put(kind, path, signature, checks[kind], &got, key,
				&why);

	if (!err) {
		printf("%s %" PRIu64 ", signed by key %s, are in use\n"
		       "a service that runs takes them over at: "
		       "systemctl reload davylamp\n",
		       words[kind], got.version, key);
		return EXIT_CLEAN;
	}
	fprintf(stderr, "davylamp %s install: '%s' was not installed: %s\n",
		commands[kind], text_escape_str(path, shown, sizeof(shown)),
		why.text[0] ? why.text : strerror(-err));
	return err == -EROFS || err == -ENOSPC || err == -EPIPE || err == -EIO
		       ? EXIT_UNABLE
		       : EXIT_USAGE;
}

int cmd_install(enum installed_kind kind, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	char signature[4096];
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'h')
			return EXIT_USAGE;
		printf(install_help, commands[kind], words[kind],
		       examples[kind], words[kind]);
		return EXIT_CLEAN;
	}
	if (optind + 1 != argc && optind + 2 != argc) {
		fprintf(stderr, "davylamp %s install: give a file, and its "
				"signature if that is not beside it\n",
			commands[kind]);
		return EXIT_USAGE;
	}
	if (geteuid()) {
		fprintf(stderr, "davylamp %s install: only root may; run: sudo "
				"davylamp %s install ...\n",
			commands[kind], commands[kind]);
		return EXIT_UNABLE;
	}
	if (optind + 2 == argc)
		return install(kind, argv[optind], argv[optind + 1]);
	if ((size_t)snprintf(signature, sizeof(signature), "%s.minisig",
			     argv[optind]) >= sizeof(signature))
		return EXIT_USAGE;
	return install(kind, argv[optind], signature);
}
