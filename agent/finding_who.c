/* finding_who.c - the process in a finding, and where it lives. */
#include <stdio.h>
#include <string.h>
#include "exefile.h"
#include "finding_own.h"
#include "io.h"
#include "text.h"

#define ENVIRONMENT_BYTES 16384 /* more is cut, and said */

/* ---- the process ----------------------------------------------------- */

static json_object *arguments(const struct who *w)
{
	json_object *list = json_object_new_array();
	char shown[8192];

	for (size_t at = 0; at < w->args_len;) {
		size_t n = strnlen(w->args + at, w->args_len - at);

		json_object_array_add(
			list, json_object_new_string(text_escape(
				      w->args + at, n, shown, sizeof(shown))));
		at += n + 1;
	}
	return list;
}

static json_object *binary_of(const struct proc *p, const struct who *w)
{
	json_object *o = json_object_new_object();
	struct exefile e;

	if (w->exe[0])
		finding_add_hostile(o, "path", w->exe);
	if (exefile_read_open(p, w->exe_file, EXEFILE_HASH_MAX, &e))
		return o;
	finding_add_int64(o, "size", e.size);
	if (!e.sha256[0])
		return o;
	finding_add_text(o, "sha256", e.sha256);
	finding_add_int64(o, "hashedSize", e.hashed);
	json_object_object_add(o, "partiallyHashed",
			       json_object_new_boolean(e.hashed < e.size));
	return o;
}

/* It can hold secrets: only if asked for. */
static void add_environment(json_object *o, const struct proc *p)
{
	char text[ENVIRONMENT_BYTES], shown[8192];
	json_object *list = json_object_new_array();
	ssize_t n = io_read_at(p->dir, "environ", text, sizeof(text));

	for (ssize_t at = 0; at < n;) {
		size_t len = strnlen(text + at, (size_t)(n - at));
		char *equals = memchr(text + at, '=', len);
		json_object *one = json_object_new_object();

		if (equals)
			*equals = '\0';
		finding_add_hostile(one, "name", text + at);
		finding_add_text(one, "val",
				 text_escape_str(equals ? equals + 1 : "",
						 shown, sizeof(shown)));
		json_object_array_add(list, one);
		at += (ssize_t)len + 1;
	}
	json_object_object_add(o, "envVariables", list);
	json_object_object_add(
		o, "envVariablesTruncated",
		json_object_new_boolean(n == (ssize_t)sizeof(text) - 1));
}

static json_object *process(const struct proc *p, const struct who *w,
			    json_object *binary,
			    const struct finding_tools *tools)
{
	json_object *o = json_object_new_object();

	finding_add_hostile(o, "name", p->comm);
	json_object_object_add(o, "binary", binary);
	json_object_object_add(o, "args", arguments(w));
	json_object_object_add(o, "argumentsTruncated",
			       json_object_new_boolean(w->args_truncated));
	finding_add_int64(o, "pid", (uint64_t)p->pid);
	finding_add_int64(o, "parentPid", (uint64_t)p->ppid);
	finding_add_int64(o, "userId", p->uid);
	if (tools->environment)
		add_environment(o, p);
	return o;
}

static json_object *parents(const struct who *w)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < w->n_parents; i++) {
		json_object *o = json_object_new_object();

		finding_add_int64(o, "pid", (uint64_t)w->parents[i].pid);
		finding_add_hostile(o, "name", w->parents[i].comm);
		if (w->parents[i].exe[0])
			finding_add_hostile(o, "executable", w->parents[i].exe);
		json_object_array_add(list, o);
	}
	return list;
}

/* ---- its container --------------------------------------------------- */

static json_object *labels_of(const struct container *c)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < c->n_labels; i++) {
		json_object *o = json_object_new_object();

		finding_add_hostile(o, "name", c->labels[i].name);
		finding_add_hostile(o, "value", c->labels[i].value);
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *container(const struct container *c)
{
	json_object *list = json_object_new_array();
	json_object *o = json_object_new_object();
	char name[96];

	snprintf(name, sizeof(name), "%s/%s", c->runtime, c->id);
	finding_add_hostile(o, "name", c->name[0] ? c->name : name);
	if (c->image[0])
		finding_add_hostile(o, "uri", c->image);
	if (c->image_id[0])
		finding_add_hostile(o, "imageId", c->image_id);
	if (c->n_labels)
		json_object_object_add(o, "labels", labels_of(c));
	if (c->created[0])
		finding_add_text(o, "createTime", c->created);
	json_object_array_add(list, o);
	return list;
}

static json_object *kubernetes(const struct container *c)
{
	json_object *o = json_object_new_object();
	json_object *pods = json_object_new_array();
	json_object *pod = json_object_new_object();

	finding_add_hostile(pod, "ns", c->pod_namespace);
	finding_add_hostile(pod, "name", c->pod);
	json_object_object_add(pod, "containers", container(c));
	json_object_array_add(pods, pod);
	json_object_object_add(o, "pods", pods);
	return o;
}

/* ---- both ------------------------------------------------------------ */

void finding_who(json_object *finding, const struct proc *p,
		 const struct who *w, const struct finding_tools *tools)
{
	json_object *processes = json_object_new_array();
	json_object *files = json_object_new_array();
	json_object *binary = binary_of(p, w);

	json_object_array_add(files, json_object_get(binary));
	json_object_array_add(processes, process(p, w, binary, tools));
	json_object_object_add(finding, "processes", processes);
	json_object_object_add(finding, "files", files);
	if (w->container.id[0])
		json_object_object_add(finding, "containers",
				       container(&w->container));
	if (w->container.pod[0])
		json_object_object_add(finding, "kubernetes",
				       kubernetes(&w->container));
}

void finding_who_properties(json_object *o, const struct who *w)
{
	const struct container *c = &w->container;

	finding_add_hostile(o, "user", w->user);
	json_object_object_add(o, "executableDeleted",
			       json_object_new_boolean(w->exe_deleted));
	json_object_object_add(o, "executableMemfd",
			       json_object_new_boolean(w->exe_memfd));
	if (w->unit[0])
		finding_add_hostile(o, "unit", w->unit);
	if (w->huge_bytes)
		finding_add_int64(o, "hugePageBytes", w->huge_bytes);
	if (w->n_parents)
		json_object_object_add(o, "parents", parents(w));
	if (!c->id[0])
		return;
	finding_add_text(o, "containerId", c->id);
	finding_add_text(o, "containerRuntime", c->runtime);
	if (c->pod_uid[0])
		finding_add_text(o, "podUid", c->pod_uid);
	if (c->labels_cut)
		json_object_object_add(o, "containerLabelsTruncated",
				       json_object_new_boolean(1));
}
