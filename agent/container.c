/* container.c - the cgroup's path.
 *
 * Where runtimes put a container ID of 64 hexadecimal digits:
 *
 *	docker      /docker/ID, /system.slice/docker-ID.scope
 *	podman      /libpod_parent/libpod-ID, /machine.slice/libpod-ID.scope
 *	kubelet     /kubepods/burstable/podUID/ID, and with systemd
 *	            /kubepods.slice/kubepods-burstable.slice/
 *	            kubepods-burstable-podU_I_D.slice/cri-containerd-ID.scope
 *	            (or crio-ID.scope) */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "container.h"

#define HEX "0123456789abcdef"

/* Length of the run of 64 hex digits at @s, 64 or 0. */
static size_t id_length(const char *s)
{
	size_t n = strspn(s, HEX);

	return n == 64 && !isalnum((unsigned char)s[n]) ? n : 0;
}

static const char *runtime_before(const char *path, const char *id)
{
	static const struct {
		const char *mark, *name;
	} known[] = {
		{ "docker-", "docker" },
		{ "/docker/", "docker" },
		{ "cri-containerd-", "containerd" },
		{ "crio-", "cri-o" },
		{ "libpod-", "podman" },
		{ "kubepods", "kubernetes" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *at = strstr(path, known[i].mark);

		if (at && at < id)
			return known[i].name;
	}
	return "container";
}

/* A UID is a UUID, with _ for - where systemd's escaping needs it, or for a
 * static pod 32 hex digits. */
static size_t uid_length(const char *s, char ret[static 37])
{
	size_t n = strspn(s, HEX "-_"), digits = 0;

	if (n != 32 && n != 36)
		return 0;
	for (size_t i = 0; i < n; i++) {
		ret[i] = s[i] == '_' ? '-' : s[i];
		digits += ret[i] != '-';
	}
	ret[n] = '\0';
	return digits == 32 ? n : 0;
}

static void find_pod(const char *path, const char *id, struct container *ret)
{
	char uid[37];

	for (const char *s = path; (s = strstr(s, "pod")) && s < id; s += 3)
		if (s > path && strchr("/-", s[-1]) && uid_length(s + 3, uid)) {
			memcpy(ret->pod_uid, uid, sizeof(uid));
			return;
		}
}

void container_parse_cgroup(const char *text, struct container *ret)
{
	for (const char *line = text; line && *line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);
		char path[2048];

		snprintf(path, sizeof(path), "%.*s", (int)len, line);
		for (const char *s = path; *s; s++) {
			if ((s > path && isalnum((unsigned char)s[-1])) ||
			    !id_length(s))
				continue;
			memcpy(ret->id, s, 64);
			ret->id[64] = '\0';
			snprintf(ret->runtime, sizeof(ret->runtime), "%s",
				 runtime_before(path, s));
			find_pod(path, s, ret);
			return;
		}
		line = end ? end + 1 : NULL;
	}
}
