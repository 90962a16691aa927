/* davylamp-report - carries findings from the spool to Security Command
 * Center and wherever else they should go. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "config.h"
#include "report_confine.h"
#include "report_run.h"
#include "report_user.h"
#include "scc.h"
#include "spool.h"
#include "text.h"

/* The same numbers as davylamp's. */
enum { DELIVERED = 0, WRONG_USE = 2, WAITING = 3, UNABLE = 4 };

#define JITTER_MS 10000 /* a fleet that boots together speaks spread out */
#define POLL_MS	  2000
#define STATUS_MS 10000
#define RETRY_MS  30000 /* after a failure of the disk */

static const struct option options[] = {
	{ "once", no_argument, NULL, 'o' },
	{ "follow", no_argument, NULL, 'f' },
	{ "status", no_argument, NULL, 's' },
	{ "setup", required_argument, NULL, 'S' },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void help(void)
{
	puts("davylamp-report delivers findings that wait in the spool.\n\n"
	     "usage: davylamp-report [--once | --follow | --status | "
	     "--setup ORGANIZATION] [--config FILE]\n\n"
	     "  --once                deliver what is there, then exit (the "
	     "default)\n"
	     "  --follow              deliver what comes, until stopped; at "
	     "SIGHUP it ends,\n"
	     "                        for a start with what the configuration "
	     "says now\n"
	     "  --status              say what waits, and why\n"
	     "  --setup ORGANIZATION  find or create the source, print what to "
	     "grant\n"
	     "  --config FILE         alone, instead of those below\n\n"
	     "Exit status: 0 delivered, 2 wrong use, 3 something waits, 4 "
	     "unable\n\n"
	     "Role of the service account: roles/securitycenter.findingsEditor "
	     "on the\nsource; least: securitycenter.findings.update and "
	     ".setState.\n\nConfiguration: davylamp.conf and conf.d/*.conf "
	     "in " CONFIG_VENDOR ",\nthen in " CONFIG_ADMIN
	     "; what comes later "
	     "wins.  The keys and their defaults:\n");
	config_print(stdout);
}

static int complain(const struct why *why, int status)
{
	fprintf(stderr, "davylamp-report: %s\n", why->text);
	return status;
}

/* ---- delivery -------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int once(struct report_run *r)
{
	struct why why = { "" };
	uint64_t wait = 0;
	size_t left = 0;
	int err;

	do {
		err = report_run_pass(r, &left, &wait);
		if (!err && left && wait && wait <= POLL_MS) {
			usleep((useconds_t)wait * 1000);
			wait = 0;
		}
	} while (!err && left && !wait);
	report_run_status(r);
	if (!err && !left)
		return DELIVERED;
	if (err)
		why_set(&why, err, "spool: %s", strerror(-err));
	else
		why_set(&why, 0, "%zu event%s in the spool: %s", left,
			left > 1 ? "s wait" : " waits", report_run_trouble(r));
	return complain(&why, err ? UNABLE : WAITING);
}

/* Says each new trouble once. */
static void say_trouble(struct report_run *r, char last[static 512])
{
	const char *now = report_run_trouble(r);

	if (strcmp(now, last))
		fprintf(stderr, "davylamp-report: %s\n",
			*now ? now : "findings are delivered again");
	snprintf(last, 512, "%s", now);
}

static volatile sig_atomic_t hangup;

static void on_hangup(int signal)
{
	(void)signal;
	hangup = 1;
}

/* Is what the configuration says now sound?  Its credentials may lie where this
 * process, confined to what it said before, may not look. */
static bool is_sound(const char *file, struct spool *s)
{
	struct report_run *r = NULL;
	struct why why = { "" };
	struct config c;
	int err = config_load(file, &c, &why);

	if (!err) {
		err = report_run_open(&c, s, 0, &r, &why);
		if (err == -EACCES)
			err = 0;
		report_run_close(r);
		config_free(&c);
	}
	if (err)
		fprintf(stderr,
			"davylamp-report: reload: %s; what was loaded before "
			"goes on\n",
			why.text);
	return !err;
}

/* Until something arrives that we did not do ourselves, or @until. */
static void wait_for_news(struct spool *s, uint64_t version, uint64_t until)
{
	for (uint64_t now; !hangup && (now = now_ms()) < until;) {
		if (spool_version(s) != version)
			return;
		usleep((useconds_t)(until - now < POLL_MS ? until - now
							  : POLL_MS) *
		       1000);
	}
}

/* Until a reload.  It ends then, between two events: confined to what the old
 * configuration named, it can not become what the new one asks for.  systemd
 * starts it again. */
static void follow(struct report_run *r, struct spool *s, const char *file)
{
	const struct sigaction act = { .sa_handler = on_hangup };

	uint64_t wait, version, told = 0;
	char trouble[512] = "";
	size_t left;
	int err;

	sigaction(SIGHUP, &act, NULL);
	for (;;) {
		if (hangup && is_sound(file, s))
			break;
		hangup = 0;
		version = spool_version(s);
		err = report_run_pass(r, &left, &wait);
		if (err) {
			fprintf(stderr, "davylamp-report: spool: %s\n",
				strerror(-err));
		}
		say_trouble(r, trouble);
		if (now_ms() - told > STATUS_MS) {
			report_run_status(r);
			told = now_ms();
		}
		/* A pass that changed something is followed by one that does
		 * not: what others did meanwhile is not missed. */
		if (err)
			usleep(RETRY_MS * 1000);
		else if (spool_version(s) == version)
			wait_for_news(s, version,
				      now_ms() + (wait < 60000 ? wait : 60000));
	}
	fputs("davylamp-report: ends, to be started with the new "
	      "configuration\n",
	      stderr);
}

/* ---- the other commands ---------------------------------------------- */

static int status(struct spool *s, const struct config *c)
{
	static const char *const names[] = { "LOW", "MEDIUM", "HIGH" };
	struct spool_entry *list = NULL;
	struct spool_counts counts;
	size_t waiting[3] = { 0 }, n = 0;
	uint64_t bytes = 0;
	char said[4096], shown[4096], size[2][16];
	int err = spool_list(s, &list, &n);

	if (!err)
		err = spool_counts(s, &counts);
	if (err) {
		fprintf(stderr, "davylamp-report: spool %s: %s\n",
			c->spool.path, strerror(-err));
		return UNABLE;
	}
	for (size_t i = 0; i < n; i++) {
		waiting[list[i].severity]++;
		bytes += list[i].size;
	}
	free(list);
	printf("spool %s: %zu waiting, %s of %s\n", c->spool.path, n,
	       text_bytes(bytes, size[0]),
	       text_bytes(c->spool.max_bytes, size[1]));
	for (int i = 2; i >= 0; i--)
		printf("  %-7s %zu waiting, %" PRIu64 " dropped\n", names[i],
		       waiting[i], counts.dropped[i]);
	printf("  aside   %" PRIu64 " foreign, torn or refused\n",
	       counts.aside);
	if (!spool_status(s, said, sizeof(said)))
		for (char *line = strtok(said, "\n"); line;
		     line = strtok(NULL, "\n"))
			printf("  %s\n",
			       text_escape_str(line, shown, sizeof(shown)));
	return n ? WAITING : DELIVERED;
}

static void print_setup(const char *organization, const char *source,
			const char *email)
{
	printf("source: %s\n\nIn " CONFIG_DEFAULT ":\n\n[scc]\nsource = %s\n\n"
	       "Let the service account write findings:\n\n"
	       "gcloud organizations add-iam-policy-binding %s \\\n"
	       "  --member=serviceAccount:%s \\\n"
	       "  --role=roles/securitycenter.findingsEditor\n\n"
	       "or, with the least role:\n\n"
	       "gcloud iam roles create davylampReporter --organization=%s \\\n"
	       "  --permissions=securitycenter.findings.update,"
	       "securitycenter.findings.setState\n"
	       "gcloud organizations add-iam-policy-binding %s \\\n"
	       "  --member=serviceAccount:%s \\\n"
	       "  --role=organizations/%s/roles/davylampReporter\n",
	       source, source, organization, email, organization, organization,
	       email, organization);
}

static int setup(struct config *c, const char *file, const char *organization)
{
	char source[CONFIG_TEXT];
	struct why why = { "" };
	struct report_auth *auth = NULL;
	struct http *http = NULL;
	struct scc scc = { .config = c };
	int err;

	/* For messages about the place where it failed. */
	snprintf(c->scc.source, sizeof(c->scc.source),
		 "organizations/%.20s/sources/-", organization);
	err = report_confine(c, file, &why);
	if (!err)
		err = http_open(&http, &why);
	if (!err)
		err = report_auth_open(c, http, &auth, &why);
	scc.http = http;
	scc.auth = auth;
	if (!err)
		err = scc_setup(&scc, organization, source, &why);
	if (err) {
		complain(&why, 0);
		fputs("setup itself needs "
		      "roles/securitycenter.sourcesEditor\n",
		      stderr);
	} else {
		print_setup(organization, source, report_auth_email(auth));
	}
	report_auth_close(auth);
	http_close(http);
	return !err ? DELIVERED : err == -EINVAL ? WRONG_USE : UNABLE;
}

static int run(struct config *c, const char *file, int what, struct why *why)
{
	struct report_run *r = NULL;
	struct spool *s = NULL;
	int rc = UNABLE;

	if (report_user_become(c->spool.path, why)) {
		complain(why, 0);
	} else if (spool_open(c->spool.path, c->spool.max_bytes, &s, why)) {
		complain(why, 0);
	} else if (what == 's') {
		rc = status(s, c);
	} else if (report_confine(c, file, why)) {
		complain(why, 0);
	} else if (report_run_open(c, s, what == 'f' ? JITTER_MS : 0, &r,
				   why)) {
		rc = complain(why, WRONG_USE);
	} else if (what == 'f') {
		follow(r, s, file);
		rc = DELIVERED;
	} else {
		rc = once(r);
	}
	report_run_close(r);
	spool_close(s);
	return rc;
}

int main(int argc, char **argv)
{
	const char *file = NULL, *organization = NULL;
	struct why why = { "" };
	struct config config;
	int c, what = 'o', status;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'h') {
			help();
			return DELIVERED;
		}
		if (c == 'V') {
			puts("davylamp-report " DAVYLAMP_VERSION);
			return DELIVERED;
		}
		if (c == '?')
			return WRONG_USE;
		if (c == 'c')
			file = optarg;
		else
			what = c;
		if (c == 'S')
			organization = optarg;
	}
	if (optind < argc) {
		why_set(&why, 0,
			"unexpected word; try: davylamp-report "
			"--help");
		return complain(&why, WRONG_USE);
	}
	if (config_load(file, &config, &why))
		return complain(&why, WRONG_USE);
	status = organization ? setup(&config, file, organization)
			      : run(&config, file, what, &why);
	config_free(&config);
	return status;
}
