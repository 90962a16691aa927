#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "container.h"

/* Cut down from what the programs wrote: docker 20.10.24, podman 4.3.1, a
 * containerd 1.7 and a CRI-O 1.28 of public bug reports. */
#define ID "256bd6f7784127df0e670a0abc7e10edc615873c8b4ef04178d508a47e04291e"
#define DOCKER                                                               \
	"{\"State\":{\"Running\":true,\"Pid\":29641},\"ID\":\"" ID "\","     \
	"\"Created\":\"2026-11-25T19:08:31.280389429Z\",\"Args\":[\"300\"]," \
	"\"Config\":{\"Image\":\"tiny:1\",\"Env\":null,\"Labels\":"          \
	"{\"team\":\"green\",\"x\":\"a b\"}},\"Image\":\"sha256:6c545c85\"," \
	"\"Name\":\"/web-2\",\"Driver\":\"vfs\"}"
#define CONTAINERD                                                            \
	"{\"ociVersion\":\"1.1.0\",\"annotations\":{"                         \
	"\"io.kubernetes.cri.container-name\":\"redis\","                     \
	"\"io.kubernetes.cri.container-type\":\"container\","                 \
	"\"io.kubernetes.cri.image-name\":\"docker.io/library/redis:7\","     \
	"\"io.kubernetes.cri.sandbox-name\":\"redis-0\","                     \
	"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}"
#define CRIO                                                                \
	"{\"ociVersion\":\"1.0.2-dev\",\"annotations\":{"                   \
	"\"io.container.manager\":\"cri-o\","                               \
	"\"io.kubernetes.container.name\":\"coredns\","                     \
	"\"io.kubernetes.cri-o.Created\":"                                  \
	"\"2023-12-12T04:10:25.992573978+02:00\","                          \
	"\"io.kubernetes.cri-o.ImageName\":\"registry.k8s.io/coredns:v1\"," \
	"\"io.kubernetes.cri-o.ImageRef\":\"98bd7cfc43b8\","                \
	"\"io.kubernetes.cri-o.Labels\":\"{\\\"tier\\\":\\\"backend\\\"}\"," \
	"\"io.kubernetes.pod.name\":\"coredns-6d4b75cb6d-4mtdm\","          \
	"\"io.kubernetes.pod.namespace\":\"kube-system\"}}"
#define PODMAN                                                         \
	"{\"ociVersion\":\"1.0.2-dev\",\"annotations\":{"              \
	"\"io.container.manager\":\"libpod\","                         \
	"\"io.kubernetes.cri-o.Created\":"                             \
	"\"2026-11-25T19:08:07.503777843Z\"}}"
#define STORAGE                                                              \
	"[{\"id\":\"01\",\"names\":[\"db\"],\"metadata\":"                   \
	"\"{\\\"name\\\":\\\"db\\\"}\"},"                                    \
	"{\"id\":\"" ID "\",\"names\":[\"web-1\"],\"image\":\"85d1813b\","   \
	"\"metadata\":\"{\\\"image-name\\\":\\\"localhost/tiny:1\\\","       \
	"\\\"name\\\":\\\"web-1\\\",\\\"created-at\\\":1795633687}\","       \
	"\"created\":\"2026-11-25T19:08:07.56947011Z\"}]"

static char root[] = "/tmp/test_container.XXXXXX";

static void run(const char *format, const char *name)
{
	char command[512];

	snprintf(command, sizeof(command),
		 !strcmp(format, "mkdir") ? "mkdir -p %s%s" : "rm -rf %s%s",
		 root, name);
	assert_int_equal(system(command), 0);
}

static char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return path;
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[512];
	int fd;

	run("mkdir", folder);
	snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_root(void **state)
{
	(void)state;
	umask(022);
	return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
	(void)state;
	run("rm", "");
	return 0;
}

static struct container *look(void)
{
	static struct container c;

	memset(&c, 0, sizeof(c));
	strcpy(c.id, ID);
	strcpy(c.runtime, "kubernetes");
	container_read(root, &c);
	return &c;
}

#define DOCKERS "/var/lib/docker/containers/" ID
#define BUNDLE	"/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID
#define STORE	"/var/lib/containers/storage/overlay-containers"

static void docker_is_read(void **state)
{
	struct container *c;

	(void)state;
	put(DOCKERS, "config.v2.json", DOCKER);
	c = look();
	assert_string_equal(c->runtime, "docker");
	assert_string_equal(c->name, "web-2");
	assert_string_equal(c->image, "tiny:1");
	assert_string_equal(c->image_id, "sha256:6c545c85");
	assert_string_equal(c->created, "2026-11-25T19:08:31.280389429Z");
	assert_int_equal(c->n_labels, 2);
	assert_true(container_has_label(c, "team=green"));
	assert_true(container_has_label(c, "x=a b"));
	assert_false(container_has_label(c, "team=gree"));
	assert_false(container_has_label(c, "tea=green"));
	assert_false(container_has_label(c, "team"));
	assert_false(container_has_label(c, "io.kubernetes.pod.name="));
	run("rm", "/var");
}

static void containerd_is_read(void **state)
{
	struct container *c;

	(void)state;
	put(BUNDLE, "config.json", CONTAINERD);
	c = look();
	assert_string_equal(c->runtime, "containerd");
	assert_string_equal(c->name, "redis");
	assert_string_equal(c->image, "docker.io/library/redis:7");
	assert_string_equal(c->pod, "redis-0");
	assert_string_equal(c->pod_namespace, "shop");
	assert_true(
		container_has_label(c, "io.kubernetes.pod.namespace=shop"));
	assert_true(
		container_has_label(c, "io.kubernetes.container.name=redis"));
	assert_false(
		container_has_label(c, "io.kubernetes.pod.namespace=sho"));
	run("rm", "/run");
}

static void crio_is_read(void **state)
{
	struct container *c;

	(void)state;
	put(STORE "/" ID "/userdata", "config.json", CRIO);
	c = look();
	assert_string_equal(c->runtime, "cri-o");
	assert_string_equal(c->name, "coredns");
	assert_string_equal(c->image_id, "98bd7cfc43b8");
	assert_string_equal(c->pod, "coredns-6d4b75cb6d-4mtdm");
	assert_string_equal(c->created, "2023-12-12T02:10:25.992573978Z");
	assert_true(container_has_label(c, "tier=backend"));
	run("rm", "/var");
}

static void podman_is_read(void **state)
{
	struct container *c;

	(void)state;
	put(STORE "/" ID "/userdata", "config.json", PODMAN);
	put(STORE, "containers.json", STORAGE);
	c = look();
	assert_string_equal(c->runtime, "podman");
	assert_string_equal(c->name, "web-1");
	assert_string_equal(c->image, "localhost/tiny:1");
	assert_string_equal(c->image_id, "85d1813b");
	assert_string_equal(c->created, "2026-11-25T19:08:07.503777843Z");
	run("rm", "/var");
}

/* Who is not root has no say in which file is read. */
static void links_and_others_files_are_left(void **state)
{
	char elsewhere[512];

	(void)state;
	put("/elsewhere", "config.v2.json", DOCKER);
	run("mkdir", DOCKERS);
	strcpy(elsewhere, path_of("/elsewhere/config.v2.json"));
	assert_int_equal(
		symlink(elsewhere, path_of(DOCKERS "/config.v2.json")), 0);
	assert_string_equal(look()->name, "");
	run("rm", DOCKERS);
	strcpy(elsewhere, path_of("/elsewhere"));
	assert_int_equal(symlink(elsewhere, path_of(DOCKERS)), 0);
	assert_string_equal(look()->name, "");
	assert_int_equal(unlink(path_of(DOCKERS)), 0);
	run("mkdir", DOCKERS);
	assert_int_equal(mkfifo(path_of(DOCKERS "/config.v2.json"), 0600), 0);
	assert_string_equal(look()->name, "");
	run("rm", DOCKERS);
	put(DOCKERS, "config.v2.json", DOCKER);
	assert_int_equal(chmod(path_of(DOCKERS "/config.v2.json"), 0602), 0);
	assert_string_equal(look()->name, "");
	assert_int_equal(chmod(path_of(DOCKERS "/config.v2.json"), 0600), 0);
	assert_int_equal(chmod(path_of(DOCKERS), 0777), 0);
	assert_string_equal(look()->name, "");
	assert_int_equal(chmod(path_of(DOCKERS), 0711), 0);
	if (geteuid() == 0) {
		assert_int_equal(
			chown(path_of(DOCKERS "/config.v2.json"), 1234, 0), 0);
		assert_string_equal(look()->name, "");
		assert_int_equal(
			chown(path_of(DOCKERS "/config.v2.json"), 0, 0), 0);
	}
	assert_string_equal(look()->name, "web-2");
	/* A sparse terabyte. */
	assert_int_equal(
		truncate(path_of(DOCKERS "/config.v2.json"), 1LL << 40), 0);
	assert_string_equal(look()->name, "");
	run("rm", "/var");
}

static void labels_have_an_end(void **state)
{
	static struct container c;
	char *text = malloc(200000);
	size_t n;

	(void)state;
	n = (size_t)sprintf(text, "{\"Config\":{\"Labels\":{\"a\":1,\"%0200d\":"
				  "\"x\"", 0);
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, ",\"k%d\":\"%0*d\"", i,
				     i == 3 ? 5000 : 5, i);
	n += (size_t)sprintf(text + n, "}}}");
	container_parse(CONTAINER_DOCKER, text, n, &c);
	assert_int_equal(c.n_labels, CONTAINER_LABELS);
	assert_true(c.labels_cut);
	assert_string_equal(c.labels[0].name, "k0");
	assert_int_equal(strlen(c.labels[3].value), sizeof(c.labels[3].value) - 1);
	free(text);
}

static void only_times_are_times(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z" },
		{ "2026-01-01T00:04:05.5+01:30", "2025-12-31T22:34:05.5Z" },
		{ "2026-12-31T23:04:05-02:00", "2027-01-01T01:04:05Z" },
		{ "0001-01-01T00:00:00Z", "" },
		{ "2026-01-02 03:04:05Z", "" },
		{ "2026-01-02T03:04:05", "" },
		{ "2026-01-02T03:04:05.Z", "" },
		{ "2026-01-02T03:04:05.1234567890Z", "" },
		{ "2026-01-02T03:04:05Zx", "" },
		{ "2026-01-02T03:04:05+1:30", "" },
		{ "2026-01-02T03:04:05+99:30", "" },
		{ "2026-13-02T03:04:05Z", "" },
		{ "", "" },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct container c = { .id = ID };

		snprintf(text, sizeof(text), "{\"Created\":\"%s\"}",
			 cases[i].text);
		container_parse(CONTAINER_DOCKER, text, strlen(text), &c);
		assert_string_equal(c.created, cases[i].want);
	}
}

static void is_sane(enum container_file what, const char *text, size_t len)
{
	static struct container c;
	char *exact = malloc(len ? len : 1); /* for AddressSanitizer */

	memset(&c, 0, sizeof(c));
	strcpy(c.id, ID);
	memcpy(exact, text, len);
	container_parse(what, exact, len, &c);
	assert_non_null(memchr(c.name, 0, sizeof(c.name)));
	assert_non_null(memchr(c.image, 0, sizeof(c.image)));
	assert_true(c.n_labels <= CONTAINER_LABELS);
	free(exact);
}

static void mutations_do_no_harm(void **state)
{
	static const struct {
		enum container_file what;
		const char *text;
	} good[] = {
		{ CONTAINER_DOCKER, DOCKER },
		{ CONTAINER_OCI, CONTAINERD },
		{ CONTAINER_OCI, CRIO },
		{ CONTAINER_OCI, PODMAN },
		{ CONTAINER_STORAGE, STORAGE },
		{ CONTAINER_STORAGE, "}" },
		{ CONTAINER_STORAGE, "[],\"list\":{}" },
		{ CONTAINER_OCI, "{\"annotations\":[]}" },
		{ CONTAINER_DOCKER, "{\"Config\":[],\"Name\":7}" },
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		size_t len = strlen(good[i].text);

		for (size_t cut = 0; cut <= len; cut++)
			is_sane(good[i].what, good[i].text, cut);
		for (size_t bit = 0; bit < len * 8; bit++) {
			memcpy(text, good[i].text, len);
			text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
			is_sane(good[i].what, text, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_is_read),
		cmocka_unit_test(containerd_is_read),
		cmocka_unit_test(crio_is_read),
		cmocka_unit_test(podman_is_read),
		cmocka_unit_test(links_and_others_files_are_left),
		cmocka_unit_test(labels_have_an_end),
		cmocka_unit_test(only_times_are_times),
		cmocka_unit_test(mutations_do_no_harm),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
