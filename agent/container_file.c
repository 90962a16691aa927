/* container_file.c - what runtimes write about a container.
 *
 *	docker 20.10 to 27	containers/ID/config.v2.json
 *	containerd 1.4 to 2	the OCI bundle's config.json; its CRI plugin
 *puts pod, name and image into annotations (pkg/cri/annotations,
 *DefaultCRIAnnotations()) CRI-O, podman 3 to 5	the same in containers/storage,
 *CRI-O with annotations of its own (podman: hardly any), and that store's
 *containers.json with name and image
 *
 * Files below a directory that root owns, in folders that are followed one by
 * one, no link among them: who starts containers has a say in what stands in
 * them, not in where they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "container.h"
#include "report_json.h"

#define OCI_MAX	    (1u << 20)
#define STORAGE_MAX (8u << 20) /* all containers of a host */

#define COPY(to, text) snprintf(to, sizeof(to), "%s", text)

static void copy(char *to, size_t cap, const char *text)
{
	if (text && *text && !*to)
		snprintf(to, cap, "%s", text);
}

/* ---- parts ----------------------------------------------------------- */

/* Seconds that "Z", "+02:00" or the like is east of UTC; -1: neither. */
static int offset_of(const char *s)
{
	unsigned hours, minutes;
	int n = 0;

	if (!strcmp(s, "Z"))
		return 0;
	if ((*s != '+' && *s != '-') || strlen(s) != 6 ||
	    strspn(s + 1, "0123456789") != 2 ||
	    sscanf(s + 1, "%2u:%2u%n", &hours, &minutes, &n) != 2 || n != 5 ||
	    hours > 14 || minutes > 59)
		return -1;
	n = (int)(60 * (60 * hours + minutes));
	return *s == '-' ? -n : n;
}

/* Go's RFC 3339 with a fraction of up to 9 digits, as UTC; what is not set is
 * year 1. */
static void take_time(struct container *c, const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end =
		text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	size_t digits = end && *end == '.' ? strspn(end + 1, "0123456789") : 0;
	int offset, fraction = digits ? (int)digits + 1 : 0;
	time_t t;

	if (c->created[0] || !end || end - text != 19 || tm.tm_year < 70 ||
	    tm.tm_sec > 59 || digits > 9 ||
	    (offset = offset_of(end + fraction)) == -1)
		return;
	t = timegm(&tm) - offset;
	if (!gmtime_r(&t, &tm))
		return;
	strftime(c->created, sizeof(c->created), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(c->created + 19, sizeof(c->created) - 19, "%.*sZ", fraction,
		 end);
}

static void take_labels(struct container *c, json_object *labels)
{
	if (!labels)
		return;
	json_object_object_foreach(labels, key, value)
	{
		struct container_label *l = &c->labels[c->n_labels];

		if (!json_object_is_type(value, json_type_string))
			continue;
		if (c->n_labels == CONTAINER_LABELS ||
		    strlen(key) >= sizeof(l->name)) {
			c->labels_cut = true;
			continue;
		}
		COPY(l->name, key);
		COPY(l->value, json_object_get_string(value));
		c->n_labels++;
	}
}

/* A member that is JSON in a string. */
static json_object *parse_member(json_object *o, const char *key)
{
	const char *text = report_json_text(o, key);

	return text ? report_json_parse(text, strlen(text)) : NULL;
}

/* ---- whole files ----------------------------------------------------- */

static void take_docker(struct container *c, json_object *o)
{
	json_object *config = report_json_get(o, "Config", json_type_object);
	const char *name = report_json_text(o, "Name");

	copy(c->name, sizeof(c->name), name && *name == '/' ? name + 1 : name);
	copy(c->image, sizeof(c->image), report_json_text(config, "Image"));
	copy(c->image_id, sizeof(c->image_id), report_json_text(o, "Image"));
	take_time(c, report_json_text(o, "Created"));
	take_labels(c, report_json_get(config, "Labels", json_type_object));
	COPY(c->runtime, "docker");
}

static void take_crio(struct container *c, json_object *notes)
{
	json_object *labels = parse_member(notes, "io.kubernetes.cri-o.Labels");

	copy(c->name, sizeof(c->name),
	     report_json_text(notes, "io.kubernetes.container.name"));
	copy(c->image, sizeof(c->image),
	     report_json_text(notes, "io.kubernetes.cri-o.ImageName"));
	copy(c->image_id, sizeof(c->image_id),
	     report_json_text(notes, "io.kubernetes.cri-o.ImageRef"));
	copy(c->pod, sizeof(c->pod),
	     report_json_text(notes, "io.kubernetes.pod.name"));
	copy(c->pod_namespace, sizeof(c->pod_namespace),
	     report_json_text(notes, "io.kubernetes.pod.namespace"));
	take_labels(c, labels);
	json_object_put(labels);
	COPY(c->runtime, "cri-o");
}

static void take_containerd(struct container *c, json_object *notes)
{
	copy(c->name, sizeof(c->name),
	     report_json_text(notes, "io.kubernetes.cri.container-name"));
	copy(c->image, sizeof(c->image),
	     report_json_text(notes, "io.kubernetes.cri.image-name"));
	copy(c->pod, sizeof(c->pod),
	     report_json_text(notes, "io.kubernetes.cri.sandbox-name"));
	copy(c->pod_namespace, sizeof(c->pod_namespace),
	     report_json_text(notes, "io.kubernetes.cri.sandbox-namespace"));
	COPY(c->runtime, "containerd");
}

static void take_oci(struct container *c, json_object *o)
{
	json_object *notes =
		report_json_get(o, "annotations", json_type_object);
	const char *manager = report_json_text(notes, "io.container.manager");

	/* Podman writes some under CRI-O's names. */
	take_time(c, report_json_text(notes, "io.kubernetes.cri-o.Created"));
	if (manager && !strcmp(manager, "cri-o"))
		take_crio(c, notes);
	else if (manager && !strcmp(manager, "libpod"))
		COPY(c->runtime, "podman");
	else if (report_json_text(notes, "io.kubernetes.cri.container-type"))
		take_containerd(c, notes);
}

/* One container of the store; CRI-O's names there are made of the pod's. */
static void take_stored(struct container *c, json_object *o)
{
	json_object *more = parse_member(o, "metadata");

	copy(c->name, sizeof(c->name), report_json_text(more, "name"));
	copy(c->image, sizeof(c->image), report_json_text(more, "image-name"));
	copy(c->image_id, sizeof(c->image_id), report_json_text(o, "image"));
	take_time(c, report_json_text(o, "created"));
	json_object_put(more);
}

/* Our parser takes objects only: the array becomes a member. */
static json_object *parse_array(const char *text, size_t len)
{
	char *whole = NULL;
	json_object *o = NULL;
	int n = asprintf(&whole, "{\"list\":%.*s}", (int)len, text);

	if (n < 0)
		return NULL;
	o = report_json_parse(whole, (size_t)n);
	free(whole);
	return o;
}

static void take_storage(struct container *c, const char *text, size_t len)
{
	json_object *o = parse_array(text, len), *list, *one;
	const char *id;

	list = report_json_get(o, "list", json_type_array);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		one = json_object_array_get_idx(list, i);
		id = report_json_text(one, "id");
		if (id && !strcmp(id, c->id))
			take_stored(c, one);
	}
	json_object_put(o);
}

void container_parse(enum container_file what, const char *text, size_t len,
		     struct container *ret)
{
	json_object *o;

	if (what == CONTAINER_STORAGE) {
		take_storage(ret, text, len);
		return;
	}
	o = report_json_parse(text, len);
	if (o && what == CONTAINER_DOCKER)
		take_docker(ret, o);
	else if (o)
		take_oci(ret, o);
	json_object_put(o);
}

/* ---- where they are -------------------------------------------------- */

#define BUNDLES "io.containerd.runtime.v2.task/k8s.io/"
#define STORE	"/var/lib/containers/storage/"

/* The base is the administrator's and may be a link; the container's id stands
 * between @before and @after, where there is one. */
static const struct {
	const char *base, *before, *after;
	enum container_file what;
	size_t most; /* bytes */
} places[] = {
	{ "/var/lib/docker/containers", "", "/config.v2.json", CONTAINER_DOCKER,
	  OCI_MAX },
	{ "/run/containerd", BUNDLES, "/config.json", CONTAINER_OCI, OCI_MAX },
	{ "/run/k3s/containerd", BUNDLES, "/config.json", CONTAINER_OCI,
	  OCI_MAX },
	{ STORE "overlay-containers", "", "/userdata/config.json",
	  CONTAINER_OCI, OCI_MAX },
	{ STORE "vfs-containers", "", "/userdata/config.json", CONTAINER_OCI,
	  OCI_MAX },
	{ STORE "overlay-containers", "containers.json", NULL,
	  CONTAINER_STORAGE, STORAGE_MAX },
	{ STORE "overlay-containers", "volatile-containers.json", NULL,
	  CONTAINER_STORAGE, STORAGE_MAX },
	{ STORE "vfs-containers", "containers.json", NULL, CONTAINER_STORAGE,
	  STORAGE_MAX },
};

static bool is_roots(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	       (st.st_uid == 0 || st.st_uid == geteuid());
}

/* Opens @path below @dir (which it closes), no link on the way. */
static int open_below(int dir, char *path)
{
	char *rest = NULL, *part = strtok_r(path, "/", &rest), *next;
	int fd;

	for (; part; part = next) {
		next = strtok_r(NULL, "/", &rest);
		fd = openat(dir, part,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				    O_NOCTTY | (next ? O_DIRECTORY : 0));
		close(dir);
		if (fd < 0 || !is_roots(fd, next ? S_IFDIR : S_IFREG)) {
			if (fd >= 0)
				close(fd);
			return -1;
		}
		dir = fd;
	}
	return dir;
}

static char *read_file(int fd, size_t most, size_t *ret_len)
{
	struct stat st;
	size_t len = 0, want;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) || st.st_size <= 0 || (size_t)st.st_size > most)
		return NULL;
	want = (size_t)st.st_size;
	text = malloc(want + 1);
	while (text && len < want && (n = read(fd, text + len, want - len)) > 0)
		len += (size_t)n;
	*ret_len = len;
	return text;
}

void container_read(const char *root, struct container *c)
{
	char base[512], below[192], *text;
	size_t len;
	int fd;

	for (size_t i = 0; c->id[0] && i < sizeof(places) / sizeof(places[0]);
	     i++) {
		if (c->name[0] && c->image[0])
			return;
		snprintf(base, sizeof(base), "%s%s", root, places[i].base);
		snprintf(below, sizeof(below), "%s%s%s", places[i].before,
			 places[i].after ? c->id : "",
			 places[i].after ? places[i].after : "");
		fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || (fd = open_below(fd, below)) < 0)
			continue;
		text = read_file(fd, places[i].most, &len);
		if (text)
			container_parse(places[i].what, text, len, c);
		free(text);
		close(fd);
	}
}

bool container_has_label(const struct container *c, const char *key_value)
{
	size_t n = strcspn(key_value, "=");
	const char *value = key_value + n + (key_value[n] == '=');
	const struct {
		const char *key, *value;
	} given[] = {
		{ "io.kubernetes.container.name", c->pod[0] ? c->name : "" },
		{ "io.kubernetes.pod.name", c->pod },
		{ "io.kubernetes.pod.namespace", c->pod_namespace },
	};

	for (size_t i = 0; i < c->n_labels; i++)
		if (strlen(c->labels[i].name) == n &&
		    !memcmp(c->labels[i].name, key_value, n) &&
		    !strcmp(c->labels[i].value, value))
			return true;
	for (size_t i = 0; i < 3; i++)
		if (given[i].value[0] && strlen(given[i].key) == n &&
		    !memcmp(given[i].key, key_value, n))
			return !strcmp(given[i].value, value);
	return false;
}
