/* container.h - which container a process is in, and what its runtime knows.
 *
 * The cgroup tells the id, and the runtime; its files, which root owns, tell
 * the rest.  No daemon is asked and no program run: what stands in a database
 * only (podman's labels, containerd's) stays unknown. */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

#define CONTAINER_LABELS 24 /* kept; more are cut, and said */

struct container_label {
	char name[128], value[256]; /* a value may be cut at its end */
};

/* Empty where unknown. */
struct container {
	/* From the cgroup: harmless. */
	char id[65];	  /* hexadecimal; "": in no container */
	char runtime[16]; /* "docker", "containerd", "cri-o", "podman",
			   * "kubernetes", else "container" */
	char pod_uid[37];
	/* From the runtime's files: whoever starts containers writes this, so
	 * it is unescaped. */
	char name[256];
	char image[512], image_id[128];
	char created[40]; /* RFC 3339 in UTC, checked */
	char pod[256], pod_namespace[64];
	struct container_label labels[CONTAINER_LABELS];
	size_t n_labels;
	bool labels_cut;
};

/* The container that proc_pid_cgroup(5)'s text names first; fills in id,
 * runtime and pod_uid where there is one. */
void container_parse_cgroup(const char *text, struct container *ret);

/* Fills in the rest by @ret's id, from the files of all runtimes that are known
 * here; what can not be read or is no such file stays empty.  @root stands
 * before each path: "" but in tests. */
void container_read(const char *root, struct container *ret);

/* Does it have the label @key_value ("KEY=VALUE")?  Those that Kubernetes gives
 * every container of a pod (io.kubernetes.pod.name, .pod.namespace and
 * .container.name) count, whatever the runtime. */
bool container_has_label(const struct container *, const char *key_value);

/* For tests: the text of one such file. */
enum container_file {
	CONTAINER_DOCKER,  /* config.v2.json */
	CONTAINER_OCI,	   /* config.json with a CRI's annotations */
	CONTAINER_STORAGE, /* containers.json of containers/storage */
};
void container_parse(enum container_file, const char *text, size_t len,
		     struct container *ret);

#endif
