/* match_fixture.h - rules in a folder, a process with known memory, and the
 * privileged side of the matcher, whose program the test chooses. */
#ifndef MATCH_FIXTURE_H
#define MATCH_FIXTURE_H

#include <string.h>
#include <sys/stat.h>
#include "child.h"
#include "io.h"
#include "match.h"
#include "wire.h"
#define self_program real_self_program
#define self_remember real_self_remember
#include "self.c"
#undef self_program
#undef self_remember

static char program[4096]; /* what is started as davylamp-match */
static pid_t matcher;	   /* the last that was started */

int self_program(const char *name, char *ret, size_t cap, struct why *why)
{
	(void)name;
	(void)why;
	snprintf(ret, cap, "%s", program);
	return 0;
}

int self_remember(int pidfd)
{
	char name[32], text[512], *line;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", pidfd);
	if (io_read_at(AT_FDCWD, name, text, sizeof(text)) > 0 &&
	    (line = strstr(text, "\nPid:")))
		matcher = atoi(line + 5);
	return real_self_remember(pidfd);
}

/* The real one, in the directory above the tests'. */
static inline void use_real_matcher(void)
{
	io_link_at(AT_FDCWD, "/proc/self/exe", program, sizeof(program));
	*strrchr(program, '/') = '\0';
	strcpy(strrchr(program, '/'), "/davylamp-match");
	if (access(program, X_OK)) {
		fprintf(stderr, "%s is not built: make all\n", program);
		abort();
	}
}

/* ---- rules ----------------------------------------------------------- */

static char rules_dir[] = "/tmp/test_match.XXXXXX", rules_path[64];

/* Writes @text as the folder's file @name; its path is in rules_path. */
static inline void write_rules(const char *name, const char *text)
{
	int fd;

	if (!strcmp(rules_dir + strlen(rules_dir) - 6, "XXXXXX") &&
	    (!mkdtemp(rules_dir) || chmod(rules_dir, 0755)))
		abort();
	snprintf(rules_path, sizeof(rules_path), "%s/%s", rules_dir, name);
	fd = open(rules_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static inline int remove_rules(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", rules_dir);
	return system(command);
}

/* For match_options.wait; NULL: nothing else is to be done. */
static bool (*match_wait)(void *user, int fd, uint64_t until_ns);

/* A matcher with the rules of @path alone; NULL and @why if it refuses. */
static inline struct match *start_match(const char *path, int *ret_err,
					struct why *why)
{
	static const char *paths[1];
	struct match_options o = { .paths = paths,
				   .n_paths = 1,
				   .no_default_rules = true,
				   .wait = match_wait };
	struct match *m = NULL;

	paths[0] = path;
	why->text[0] = '\0';
	*ret_err = match_new(&o, &m, why);
	return m;
}

/* ---- a process ------------------------------------------------------- */

#define TARGET_BYTES (3UL << 20)

struct plant {
	const char *text;
	size_t at[16]; /* offsets in the region, 0: no more */
	uint8_t *region;
};

static inline void plant(void *user)
{
	struct plant *p = user;

	p->region = child_map(TARGET_BYTES, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < TARGET_BYTES; i++)
		p->region[i] = (uint8_t)(i * 11 + i / 253 + 1) | 0x80;
	for (size_t i = 0; i < 16 && p->at[i]; i++)
		memcpy(p->region + p->at[i], p->text, strlen(p->text));
}

struct target {
	pid_t pid;
	struct proc proc;
	struct region region;
	struct mem *mem;
	struct plant *plant;
	struct suspect all; /* of the region */
};

/* A process that has @text at each of @at, and a reader of its memory. */
static inline void open_target(struct target *t, const char *text,
			       const size_t *at, size_t n)
{
	t->plant = child_shared(sizeof(*t->plant));
	t->plant->text = text;
	memcpy(t->plant->at, at, n * sizeof(*at));
	t->pid = child_start(plant, t->plant);
	t->proc = child_proc(t->pid);
	if (mem_new(NULL, &t->mem) || mem_attach(t->mem, &t->proc))
		abort();
	t->all.start = (uintptr_t)t->plant->region;
	t->all.end = t->all.start + TARGET_BYTES;
	t->all.where = 0xff;
	t->region = (struct region){ .start = t->all.start,
				     .end = t->all.end,
				     .flags = REGION_READ };
	mem_start(t->mem, &t->region);
}

static inline void close_target(struct target *t)
{
	mem_free(t->mem);
	proc_close(&t->proc);
	child_end(t->pid);
	munmap(t->plant, sizeof(*t->plant));
}

#endif
