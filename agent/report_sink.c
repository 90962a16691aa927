/* report_sink.c - JSON Lines and the journal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "report_format.h"
#include "report_json.h"
#include "report_sink.h"
#include "text.h"

/* ---- JSON Lines ------------------------------------------------------ */

/* Opens @path to append; makes its folder; starts anew where it is full. */
static int open_file(const char *path)
{
	char folder[CONFIG_TEXT], old[CONFIG_TEXT + 2];
	struct stat st;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = 0;
		(void)mkdir(folder, 0750);
	}
	if (!lstat(path, &st) && S_ISREG(st.st_mode) &&
	    st.st_size > REPORT_SINK_FILE_MAX) {
		snprintf(old, sizeof(old), "%s.1", path);
		(void)rename(path, old);
	}
	return open(path,
		    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
			    O_NONBLOCK,
		    0640);
}

/* All of it or, where the disk is full, nothing of it. */
static int append(int fd, const char *line, size_t len)
{
	off_t start = lseek(fd, 0, SEEK_END);
	size_t at = 0;
	ssize_t n;
	int err;

	for (; at < len; at += (size_t)n) {
		n = write(fd, line + at, len - at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	if (at == len && (start < 0 || !fsync(fd) || errno == EINVAL))
		return 0;
	err = errno ? -errno : -EIO;
	if (start >= 0)
		(void)!ftruncate(fd, start);
	return err;
}

int report_sink_file(const struct config *c, const struct report_event *e,
		     struct why *why)
{
	bool to_stdout = !strcmp(c->findings.file, "-");
	json_object *o = report_format(c, e, c->findings.format);
	char *line = NULL;
	size_t len;
	int fd = -1, err = -ENOMEM;

	line = o ? report_json_line(o, &len) : NULL;
	json_object_put(o);
	if (!line)
		return err;
	line[len++] = '\n'; /* over the NUL */
	fd = to_stdout ? STDOUT_FILENO : open_file(c->findings.file);
	err = fd < 0 ? -errno : append(fd, line, len);
	if (fd >= 0 && !to_stdout)
		close(fd);
	free(line);
	if (err)
		why_set(why, err, "[findings] file %s: %s", c->findings.file,
			strerror(-err));
	return err;
}

/* ---- the journal ----------------------------------------------------- */

struct entry {
	char *bytes;
	size_t len, cap;
};

/* KEY, newline, 64-bit length, value, newline: any value is safe so. */
static void field(struct entry *e, const char *key, const char *value)
{
	size_t k = strlen(key), n = value ? strlen(value) : 0;

	if (!n || e->len + k + n + 10 > e->cap)
		return;
	memcpy(e->bytes + e->len, key, k);
	e->len += k;
	e->bytes[e->len++] = '\n';
	for (int i = 0; i < 8; i++)
		e->bytes[e->len++] = (char)(n >> 8 * i);
	memcpy(e->bytes + e->len, value, n);
	e->len += n;
	e->bytes[e->len++] = '\n';
}

static void fill(struct entry *to, const struct report_event *e,
		 const char *json)
{
	static const char *const kinds[] = { "open", "refresh", "close" };
	/* critical, warning, notice; info when it is over */
	static const char *const priorities[] = { "5", "4", "2" };
	const char *category = report_json_text(e->finding, "category");
	const char *about = report_json_text(e->finding, "description");
	char message[2100], shown[2][1024];

	text_escape_str(category, shown[0], sizeof(shown[0]));
	text_escape_str(about ? about : "", shown[1], sizeof(shown[1]));
	snprintf(message, sizeof(message), "%s%s: %s",
		 e->kind == REPORT_CLOSE ? "over: " : "", shown[0], shown[1]);
	field(to, "MESSAGE", message);
	field(to, "MESSAGE_ID", "6f1f2a0d8c544b1c9a3e52d0a4be7c11");
	field(to, "PRIORITY",
	      e->kind == REPORT_CLOSE ? "6" : priorities[e->severity]);
	field(to, "SYSLOG_IDENTIFIER", "davylamp");
	field(to, "DAVYLAMP_EVENT", kinds[e->kind]);
	field(to, "DAVYLAMP_FINDING_ID", e->id);
	field(to, "DAVYLAMP_CATEGORY", shown[0]);
	field(to, "DAVYLAMP_SEVERITY",
	      report_json_text(e->finding, "severity"));
	field(to, "DAVYLAMP_RESOURCE",
	      report_json_text(e->finding, "resourceName"));
	field(to, "DAVYLAMP_PID",
	      report_json_text(report_format_process(e), "pid"));
	field(to, "DAVYLAMP_FINDING", json);
}

static int send_to(const char *path, const struct entry *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, err = 0;
	ssize_t n;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	n = sendto(fd, e->bytes, e->len, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&to, sizeof(to));
	if (n < 0)
		err = -errno;
	close(fd);
	return err;
}

int report_sink_journal(const char *path, const struct report_event *e,
			struct why *why)
{
	struct entry entry = { .cap = 8192 };
	size_t len = 0;
	char *json = report_json_line(e->finding, &len);
	int err = -ENOMEM;

	entry.cap += len;
	entry.bytes = json ? malloc(entry.cap) : NULL;
	if (!entry.bytes)
		goto out;
	fill(&entry, e, json);
	err = send_to(path, &entry);
	if (err == -EMSGSIZE || err == -ENOBUFS) {
		/* Too long for one datagram: the file has the rest. */
		entry.len = 0;
		fill(&entry, e, NULL);
		err = send_to(path, &entry);
	}
	if (err == -ENOENT || err == -ECONNREFUSED)
		err = 0; /* a container, say: there is no journal to tell */
	if (err)
		why_set(why, err, "journal %s: %s", path, strerror(-err));
out:
	free(entry.bytes);
	free(json);
	return err;
}
