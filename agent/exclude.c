/* exclude.c - which processes are not looked at. */
#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exclude.h"
#include "exefile.h"
#include "io.h"
#include "who.h"

#define DIGESTS	   64 /* remembered */
#define CONTAINERS 8  /* likewise */
/* Bytes of an executable; a longer one fits no digest. */
#define DIGEST_MAX (256u << 20)

struct digest {
	char id[EXEFILE_ID]; /* "": free */
	char sha256[65];
	uint64_t used;
};

struct known {
	struct container container; /* what its runtime's files say */
	uint64_t used;
};

struct exclude_list {
	pthread_mutex_t lock; /* of all below */
	struct exclusion list[EXCLUDE_MAX];
	size_t n;
	struct digest digests[DIGESTS];
	struct digest latest; /* that is not remembered */
	struct known known[CONTAINERS];
	uint64_t uses;
};

/* ---- the list -------------------------------------------------------- */

struct exclude_list *exclude_new(void)
{
	struct exclude_list *l = calloc(1, sizeof(*l));

	if (l)
		pthread_mutex_init(&l->lock, NULL);
	return l;
}

void exclude_free(struct exclude_list *l)
{
	if (l)
		pthread_mutex_destroy(&l->lock);
	free(l);
}

struct exclusion *exclude_take(struct exclude_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->list[i].name, name))
			return &l->list[i];
	if (l->n == EXCLUDE_MAX)
		return NULL;
	snprintf(l->list[l->n].name, sizeof(l->list[l->n].name), "%s", name);
	return &l->list[l->n++];
}

size_t exclude_count(const struct exclude_list *l)
{
	return l->n;
}

const struct exclusion *exclude_get(const struct exclude_list *l, size_t i)
{
	return &l->list[i];
}

int exclude_check(struct exclusion *x, struct why *why)
{
	struct tm tm = { .tm_isdst = 0 };

	if (!x->reason[0])
		return why_set(why, -EINVAL, "needs a reason");
	if (sscanf(x->until, "%d-%d-%d", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday) != 3)
		return why_set(why, -EINVAL,
			       "needs until = YYYY-MM-DD, its last day");
	if (!x->exe[0] != !x->sha256[0])
		return why_set(why, -EINVAL,
			       "exe and sha256 go together: a path alone is "
			       "anybody's; sha256sum says the digest");
	if (!x->exe[0] && !x->user[0] && !x->unit[0] && !x->container[0] &&
	    !x->label[0])
		return why_set(why, -EINVAL,
			       "selects nothing: needs exe and sha256, user, "
			       "unit, container or label");
	tm.tm_year -= 1900;
	tm.tm_mon--;
	tm.tm_mday++;
	x->end = timegm(&tm);
	x->trouble = "no pass has begun";
	return 0;
}

/* ---- a pass ---------------------------------------------------------- */

/* The uid of @user, a name of /etc/passwd or a number; false: there is none. */
static bool find_user(const char *user, uid_t *ret)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd entry, *found = NULL;
	char buf[4096], *end;
	bool known = false;

	while (f && !known &&
	       fgetpwent_r(f, &entry, buf, sizeof(buf), &found) == 0)
		if (!strcmp(found->pw_name, user)) {
			*ret = found->pw_uid;
			known = true;
		}
	if (f)
		fclose(f);
	if (!known) {
		*ret = (uid_t)strtoul(user, &end, 10);
		known = !*end;
	}
	return known;
}

void exclude_begin(struct exclude_list *l)
{
	time_t now = time(NULL);

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n; i++) {
		struct exclusion *x = &l->list[i];

		x->covered = 0;
		x->expired = now >= x->end;
		x->trouble = x->expired ? "it has expired"
			     : x->user[0] && !find_user(x->user, &x->uid)
				     ? "there is no such user in /etc/passwd"
				     : "";
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---- one process ----------------------------------------------------- */

/* What was read of a process so far, for all exclusions. */
struct asked {
	const struct proc *proc;
	bool have_exe, have_cgroup, have_digest, have_container;
	char exe[4096], cgroup[8192];
	const struct container *container; /* NULL: in none */
	const char *digest;		   /* "": unknown */
};

/* The link is what the process's mount namespace calls the file: a first,
 * cheap test, which anybody can pass. */
static bool fits_exe(struct asked *a, const char *exe)
{
	static const char mark[] = " (deleted)";
	size_t n = strlen(exe);

	if (!a->have_exe &&
	    io_link_at(a->proc->dir, "exe", a->exe, sizeof(a->exe)) < 0)
		a->exe[0] = '\0';
	a->have_exe = true;
	return !strncmp(a->exe, exe, n) &&
	       (!a->exe[n] || !strcmp(a->exe + n, mark));
}

/* A remembered digest: *ret points to it, or to the place for a new one. */
static bool recall(struct exclude_list *l, const char *id, struct digest **ret)
{
	*ret = l->digests;
	for (size_t i = 0; i < DIGESTS; i++) {
		struct digest *d = &l->digests[i];

		if (!strcmp(d->id, id)) {
			*ret = d;
			return true;
		}
		if (d->used < (*ret)->used)
			*ret = d;
	}
	return false;
}

/* Reads the whole file, which must stay as it is meanwhile. */
static bool hash_open(const struct proc *p, int fd, struct exefile *e)
{
	struct exefile after;

	return e->size <= DIGEST_MAX &&
	       exefile_read_open(p, fd, DIGEST_MAX, e) == 0 &&
	       exefile_read_open(p, fd, 0, &after) == 0 &&
	       !strcmp(e->id, after.id) && e->sha256[0] && e->hashed == e->size;
}

/* By the file that runs, whatever it is called now.  Digests are remembered by
 * device, inode, size and change time, but only where the kernel says what
 * these are: the author of a FUSE mount, or of an overlay over one, would
 * choose those of another file. */
static const char *digest_of(struct exclude_list *l, const struct proc *p)
{
	int fd = exefile_open(p);
	struct digest *d = &l->latest;
	const char *ret = "";
	struct exefile e;
	bool known;

	if (fd < 0)
		return ret;
	if (exefile_read_open(p, fd, 0, &e) == 0) {
		known = exefile_is_kept(p, fd) && recall(l, e.id, &d);
		if (!known && hash_open(p, fd, &e)) {
			memcpy(d->id, e.id, sizeof(d->id));
			memcpy(d->sha256, e.sha256, sizeof(d->sha256));
			known = true;
		}
		if (known) {
			d->used = ++l->uses;
			ret = d->sha256;
		}
	}
	close(fd);
	return ret;
}

bool exclude_is_weak(const struct exclusion *x)
{
	return x->exe[0] && !x->user[0] && !x->unit[0] && !x->container[0] &&
	       !x->label[0];
}

static const char *cgroup_of(struct asked *a)
{
	if (!a->have_cgroup && io_read_at(a->proc->dir, "cgroup", a->cgroup,
					  sizeof(a->cgroup)) < 0)
		a->cgroup[0] = '\0';
	a->have_cgroup = true;
	return a->cgroup;
}

/* A container's name and labels are for its life.  What has no name yet is
 * asked for again. */
static const struct container *find_container(struct exclude_list *l,
					      struct asked *a)
{
	struct known *oldest = l->known;
	struct container c = { .id = "" };

	container_parse_cgroup(cgroup_of(a), &c);
	if (!c.id[0])
		return NULL;
	for (size_t i = 0; i < CONTAINERS; i++) {
		struct known *k = &l->known[i];

		if (k->container.name[0] && !strcmp(k->container.id, c.id)) {
			k->used = ++l->uses;
			return &k->container;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	container_read("", &c);
	oldest->container = c;
	oldest->used = ++l->uses;
	return &oldest->container;
}

static bool fits_container(struct exclude_list *l, const struct exclusion *x,
			   struct asked *a)
{
	if (!a->have_container)
		a->container = find_container(l, a);
	a->have_container = true;
	return a->container &&
	       (!x->container[0] ||
		!strcmp(x->container, a->container->name)) &&
	       (!x->label[0] || container_has_label(a->container, x->label));
}

static bool fits(struct exclude_list *l, const struct exclusion *x,
		 struct asked *a)
{
	if (*x->trouble || (x->user[0] && a->proc->uid != x->uid) ||
	    (x->exe[0] && !fits_exe(a, x->exe)) ||
	    (x->unit[0] && !who_in_unit(cgroup_of(a), x->unit)) ||
	    ((x->container[0] || x->label[0]) && !fits_container(l, x, a)))
		return false;
	if (!x->sha256[0])
		return true;
	if (!a->have_digest)
		a->digest = digest_of(l, a->proc);
	a->have_digest = true;
	return !strcmp(x->sha256, a->digest);
}

const struct exclusion *exclude_find(struct exclude_list *l,
				     const struct proc *p)
{
	const struct exclusion *found = NULL;
	struct asked a;

	if (!l->n)
		return NULL;
	a.proc = p;
	a.have_exe = a.have_cgroup = a.have_digest = a.have_container = false;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n && !found; i++)
		if (fits(l, &l->list[i], &a))
			found = &l->list[i];
	pthread_mutex_unlock(&l->lock);
	return found;
}

void exclude_cover(struct exclude_list *l, const struct exclusion *x)
{
	pthread_mutex_lock(&l->lock);
	l->list[x - l->list].covered++;
	pthread_mutex_unlock(&l->lock);
}
