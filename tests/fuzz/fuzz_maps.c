/* /proc/PID/maps is any text: the names in it are the process's to choose.
 * Each line for itself, then all of it as a file. */
#include <assert.h>
#include <sys/mman.h>
#include "text.c"
#include "io.c"
#include "capture_text.c"
#include "maps.c"

static void check_line(const uint8_t *data, size_t len)
{
	char *line = malloc(len);
	struct region r;
	const char *name;

	if (len)
		memcpy(line, data, len);
	if (maps_parse_line(line, len, &r, &name) == 0) {
		char shown[5];

		assert(r.start < r.end && (r.start | r.end) % FLOW_PAGE == 0);
		assert(name >= line && name <= line + len);
		assert(r.where == maps_where(r.flags));
		maps_permissions(&r, shown);
		assert(memmem(line, len, shown, 4));
	}
	free(line);
}

static void check_all(const struct maps *m)
{
	size_t n, i = 0;
	const struct region *r = maps_regions(m, &n);

	while (maps_by_suspicion(m, i))
		i++;
	assert(i == n);
	for (i = 0; i < n; i++) {
		assert(strlen(maps_name(m, &r[i])) < MAPS_NAMES);
		maps_find(m, r[i].start);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char names[MAPS_NAMES];
	static int fd = -1;
	struct maps *m = calloc(1, sizeof(*m));

	if (fd < 0)
		fd = memfd_create("maps", 0);
	for (size_t from = 0; from < len;) {
		const uint8_t *end = memchr(data + from, '\n', len - from);
		size_t n = end ? (size_t)(end - data) - from : len - from;

		check_line(data + from, n);
		from += n + 1;
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	lseek(fd, 0, SEEK_SET);
	m->names = names;
	names[0] = '\0';
	m->names_len = 1;
	if (read_lines(m, fd, 0) == 0 && sort_by_suspicion(m) == 0)
		check_all(m);
	m->names = NULL;
	maps_free(m);
	return 0;
}
