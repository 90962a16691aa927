/* A runtime's state file is written by it, and its labels and names by whoever
 * starts containers.  The first byte says which file it is.  -ljson-c */
#include <assert.h>
#include "report_json.c"
#include "container.c"
#include "container_file.c"

static void check(const char *s, size_t cap)
{
	assert(memchr(s, 0, cap));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char id[] = "256bd6f7784127df0e670a0abc7e10ed"
				 "c615873c8b4ef04178d508a47e04291e";
	struct container *c = calloc(1, sizeof(*c));
	char *text;

	if (!len) {
		free(c);
		return 0;
	}
	text = malloc(len);
	memcpy(text, data + 1, len - 1);
	memcpy(c->id, id, sizeof(c->id));
	container_parse(data[0] % 3, text, len - 1, c);
	check(c->name, sizeof(c->name));
	check(c->image, sizeof(c->image));
	check(c->image_id, sizeof(c->image_id));
	check(c->pod, sizeof(c->pod));
	check(c->pod_namespace, sizeof(c->pod_namespace));
	check(c->runtime, sizeof(c->runtime));
	check(c->created, sizeof(c->created));
	assert(!c->created[0] || (c->created[strlen(c->created) - 1] == 'Z' &&
				  strlen(c->created) <= 30));
	assert(c->n_labels <= CONTAINER_LABELS);
	for (size_t i = 0; i < c->n_labels; i++) {
		check(c->labels[i].name, sizeof(c->labels[i].name));
		check(c->labels[i].value, sizeof(c->labels[i].value));
	}
	(void)container_has_label(c, "team=green");
	free(text);
	free(c);
	return 0;
}
