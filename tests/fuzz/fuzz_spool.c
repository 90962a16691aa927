/* A file in the spool: any name (the first line), any bytes.  What passes for
 * an event goes through every format.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent \
 *	-DDAVYLAMP_VERSION='""' THIS -ljson-c */
#include "spool.c"
#include "report_json.c"
#include "report_event.c"
#include "report_format.c"
#include "report_siem.c"

/* spool.c's neighbours, which touch the disk only. */
int spool_set_aside(struct spool *s, const char *name)
{
	(void)s;
	(void)name;
	return 0;
}

static void check_line(json_object *o)
{
	size_t len = 0;
	char *line = o ? report_json_line(o, &len) : NULL;

	for (size_t i = 0; line && i < len; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			abort();
	free(line);
	json_object_put(o);
}

static void check_event(const char *text, size_t len)
{
	static struct config c;
	struct report_event e = { 0 };

	if (report_event_parse(text, len, &e))
		return;
	snprintf(c.scc.source, sizeof(c.scc.source),
		 "organizations/1/sources"
		 "/2");
	c.scc.api = 2;
	report_event_set_resource(&e, "//compute.googleapis.com/projects/p/"
				      "zones/z/instances/1");
	for (uint64_t f = FORMAT_SCC; f <= FORMAT_ECS; f++)
		check_line(report_format(&c, &e, f));
	check_line(report_format_notification(&c, &e));
	report_event_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = memchr(data, '\n', len);
	size_t n = end ? (size_t)(end - data) : 0;
	char name[256], again[SPOOL_NAME];
	struct spool_entry e;

	if (n && n < sizeof(name)) {
		memcpy(name, data, n);
		name[n] = 0;
		if (entry_parse(name, &e)) {
			spool_name(&e, again);
			if (strcmp(name, again))
				abort();
		}
	}
	check_event((const char *)data + n + (end != NULL),
		    len - n - (end != NULL));
	return 0;
}
