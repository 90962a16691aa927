/* procpages.c - the pages of the program that a process runs. */
#include <errno.h>
#include <string.h>
#include "procpages.h"
#include "io.h"
#include "maps.h"
#include "mem.h"
#include "proc.h"

#ifdef __aarch64__
#define ARCH "aarch64"
#else
#define ARCH "x86_64"
#endif

/* The name of the executable, as maps says it. */
static void read_exe(const struct proc *p, char *ret, size_t cap)
{
	ssize_t n = p->saved ? proc_read(p, CAPTURE_EXE, ret, cap)
			     : io_link_at(p->dir, "exe", ret, cap);

	if (n < 0)
		ret[0] = '\0';
}

static bool is_program(const struct maps *m, const struct region *r,
		       const char *exe)
{
	if (r->flags & REGION_WRITE || !(r->flags & REGION_READ))
		return false;
	if (*exe && r->inode && !strcmp(maps_name(m, r), exe))
		return true;
	return r->flags & (REGION_ANON | REGION_DELETED | REGION_MEMFD) &&
	       maps_name(m, r)[0] != '[';
}

static bool is_constant(const uint8_t *page)
{
	return !memcmp(page, page + 1, FLOW_PAGE - 1);
}

static int add_batch(void *user, const struct batch *b)
{
	struct digestlist *ret = user;
	const struct region *r = b->region;

	for (size_t i = 0; i < b->n_pages; i++) {
		const uint8_t *page = b->bytes + i * FLOW_PAGE;
		struct digestlist_page p = {
			.offset = b->address[i] - (r->inode ? r->start : 0) +
				  (r->inode ? r->offset : 0),
			.flags = r->flags & (REGION_READ | REGION_EXEC),
		};

		if (is_constant(page))
			continue;
		p.digest = hashset_digest(page);
		if (digestlist_add(ret, p))
			return -E2BIG;
	}
	return 0;
}

struct walk {
	int (*take)(void *user, const struct batch *);
	void *user;
	size_t n_pages;
};

static int walk_region(struct mem *mem, const struct region *r,
		       struct walk *w)
{
	struct batch b;
	int more;

	mem_start(mem, r);
	while ((more = mem_next(mem, &b)) == 1) {
		int err = w->take(w->user, &b);

		w->n_pages += b.n_pages;
		if (err)
			return err;
	}
	return more;
}

static int walk_program(const struct proc *p, const struct maps *m,
			struct mem *mem, struct walk *w)
{
	char exe[4096];
	size_t n;
	const struct region *r = maps_regions(m, &n);
	int err = mem_attach(mem, p);

	read_exe(p, exe, sizeof(exe));
	for (size_t i = 0; i < n && err >= 0; i++)
		if (is_program(m, &r[i], exe))
			err = walk_region(mem, &r[i], w);
	return err < 0 ? err : w->n_pages ? 0 : -ENODATA;
}

int procpages_walk(const struct proc *p,
		   int (*take)(void *user, const struct batch *), void *user,
		   struct why *why)
{
	struct walk w = { take, user, 0 };
	struct maps *m = NULL;
	struct mem *mem = NULL;
	int err = maps_read(p, &m);

	if (!err)
		err = mem_new(NULL, &mem);
	if (!err)
		err = walk_program(p, m, mem, &w);
	mem_free(mem);
	maps_free(m);
	if (err)
		return why_set(why, err, "process %d: %s", p->pid,
			       err == -ENODATA ? "no page of its program is "
						 "resident"
			       : err == -EACCES || err == -EPERM
				       ? "not permitted to read its memory; "
					 "try as root"
				       : strerror(-err));
	return 0;
}

int procpages_read(const struct proc *p, struct digestlist *ret,
		   struct why *why)
{
	struct digestlist list = { .arch = ARCH };
	int err = procpages_walk(p, add_batch, &list, why);

	if (!err && !list.n_pages)
		err = why_set(why, -ENODATA,
			      "process %d: its program's pages are all "
			      "constant",
			      p->pid);
	if (err)
		digestlist_free(&list);
	else
		*ret = list;
	return err;
}
