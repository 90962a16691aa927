/* shapeset.c - the shapes of a whole program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hashelf.h"
#include "hashutil.h"
#include "procpages.h"
#include "shapeset.h"

#define RUN (64u * FLOW_PAGE) /* bytes of code that are read at once */

#ifdef __aarch64__
#define HERE CODESHAPE_AARCH64
#else
#define HERE CODESHAPE_X86_64
#endif

void shapeset_free(struct shapeset *s)
{
	free(s->digest);
	*s = (struct shapeset){ 0 };
}

static void take(void *user, uint64_t digest)
{
	struct shapeset *s = user;
	void *array = s->digest;

	if (hashutil_room(&array, &s->cap, s->n, SHAPESET_MAX,
			  sizeof(digest))) {
		s->full = true;
		return;
	}
	s->digest = array;
	s->digest[s->n++] = digest;
}

void shapeset_add(struct shapeset *s, enum codeshape_machine machine,
		  const uint8_t *code, size_t len)
{
	codeshape(machine, code, len, take, s);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void shapeset_done(struct shapeset *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->digest, s->n, sizeof(*s->digest), compare);
	for (size_t i = 0; i < s->n; i++)
		if (!n || s->digest[n - 1] != s->digest[i])
			s->digest[n++] = s->digest[i];
	s->n = n;
}

size_t shapeset_common(const struct shapeset *a, const struct shapeset *b)
{
	size_t n = 0;

	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		n += a->digest[i] == b->digest[k];
		if (a->digest[i] < b->digest[k])
			i++;
		else if (a->digest[i] > b->digest[k])
			k++;
		else
			i++, k++;
	}
	return n;
}

void shapeset_subtract(struct shapeset *a, const struct shapeset *b)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (k < b->n && b->digest[k] < a->digest[i])
			k++;
		if (k == b->n || b->digest[k] != a->digest[i])
			a->digest[n++] = a->digest[i];
	}
	a->n = n;
}

/* Executable pages of @list that stand behind each other, from number @i. */
static size_t run_length(const struct digestlist *list, size_t i)
{
	size_t n = 0;

	while (i + n < list->n_pages && n < RUN / FLOW_PAGE &&
	       list->pages[i + n].flags & REGION_EXEC &&
	       list->pages[i + n].offset ==
		       list->pages[i].offset + n * FLOW_PAGE)
		n++;
	return n;
}

int shapeset_of_elf(struct shapeset *s, int fd, const char *what,
		    struct why *why)
{
	uint8_t *code = hashutil_realloc(NULL, RUN, 1);
	struct digestlist list = { 0 };
	int err = hashelf_read(fd, what, &list, why);
	size_t n;

	for (size_t i = 0; i < list.n_pages && !err; i += n ? n : 1) {
		n = run_length(&list, i);
		err = hashutil_pread(fd, code, n * FLOW_PAGE,
				     list.pages[i].offset);
		if (err)
			why_set(why, err, "%s: can not be read", what);
		else
			shapeset_add(s,
				     strcmp(list.arch, "aarch64")
					     ? CODESHAPE_X86_64
					     : CODESHAPE_AARCH64,
				     code, n * FLOW_PAGE);
	}
	digestlist_free(&list);
	free(code);
	return err;
}

static int take_batch(void *user, const struct batch *b)
{
	size_t n;

	if (!(b->region->flags & REGION_EXEC))
		return 0;
	for (size_t i = 0; i < b->n_pages; i += n) {
		n = 1;
		while (i + n < b->n_pages &&
		       b->address[i + n] == b->address[i] + n * FLOW_PAGE)
			n++;
		shapeset_add(user, HERE, b->bytes + i * FLOW_PAGE,
			     n * FLOW_PAGE);
	}
	return 0;
}

int shapeset_of_proc(struct shapeset *s, const struct proc *p,
		     struct why *why)
{
	return procpages_walk(p, take_batch, s, why);
}
