/* procpages.c - pages and fragments of the program that a process runs. */
#include <errno.h>
#include <string.h>
#include "fragment.h"
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

static int take_fragment(void *user, size_t offset, struct digest digest,
			 bool fixed)
{
	(void)offset;
	return digestlist_add_fragment(
		user, (struct digestlist_fragment){ digest, fixed });
}

static int add_fragments(const struct batch *b, struct digestlist *ret)
{
	int err = 0;

	for (size_t i = 0, n; i < b->n_pages && !err; i += n) {
		n = 1;
		while (i + n < b->n_pages &&
		       b->address[i + n] == b->address[i] + n * FLOW_PAGE)
			n++;
		err = fragment_find(FRAGMENT_HERE, b->bytes + i * FLOW_PAGE,
				    n * FLOW_PAGE, take_fragment, ret);
	}
	return err;
}

static int add_batch(struct digestlist *ret, const struct batch *b)
{
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
	return r->flags & REGION_EXEC ? add_fragments(b, ret) : 0;
}

static int add_region(struct mem *mem, const struct region *r,
		      struct digestlist *ret, size_t *n_pages)
{
	struct batch b;
	int more;

	mem_start(mem, r);
	while ((more = mem_next(mem, &b)) == 1) {
		int err = add_batch(ret, &b);

		*n_pages += b.n_pages;
		if (err)
			return err;
	}
	return more;
}

static int add_program(const struct proc *p, const struct maps *m,
		       struct mem *mem, struct digestlist *ret)
{
	char exe[4096];
	size_t n, n_pages = 0;
	const struct region *r = maps_regions(m, &n);
	int err = 0;

	read_exe(p, exe, sizeof(exe));
	for (size_t i = 0; i < n && err >= 0; i++)
		if (is_program(m, &r[i], exe))
			err = add_region(mem, &r[i], ret, &n_pages);
	return err < 0 ? err : n_pages ? 0 : -ENODATA;
}

static int read_program(const struct proc *p, struct digestlist *ret,
			struct why *why)
{
	struct maps *m = NULL;
	struct mem *mem = NULL;
	int err = mem_new(NULL, &mem);

	if (!err)
		err = mem_attach_mapped(mem, p, 0, &m);
	if (!err)
		err = add_program(p, m, mem, ret);
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
	int err = read_program(p, &list, why);

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
