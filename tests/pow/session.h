/* session.h - a miner's side of a session with its pool, for the proofs of work
 * that are known by that alone.
 *
 * The pool is the socket that standard input may be; without one there is no
 * session.  As in miners, requests are put together word by word, and what was
 * said and heard last stays in buffers. */
#ifndef SESSION_H
#define SESSION_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char session_said[512], session_heard[2048];
static size_t session_n; /* bytes in session_said */

static inline void session_put(const char *s, bool quoted)
{
	size_t n = strlen(s);

	if (session_n + n + 2 > sizeof(session_said))
		exit(1);
	session_said[session_n] = '"';
	session_n += quoted;
	memcpy(session_said + session_n, s, n);
	session_n += n;
	session_said[session_n] = '"';
	session_n += quoted;
}

/* {"id":@id,...,"method":@method,"params":...}, the parameters' texts up to a
 * NULL: name and value by turns if @named, a list if not. */
static inline void session_ask(const char *id, const char *version,
			       const char *method, bool named, ...)
{
	const char *text;
	va_list texts;

	session_put("{", false);
	session_put("id", true);
	session_put(":", false);
	session_put(id, *version);
	session_put(",", false);
	if (*version) {
		session_put("jsonrpc", true);
		session_put(":", false);
		session_put(version, true);
		session_put(",", false);
	}
	session_put("method", true);
	session_put(":", false);
	session_put(method, true);
	session_put(",", false);
	session_put("params", true);
	session_put(named ? ":{" : ":[", false);
	va_start(texts, named);
	for (int i = 0; (text = va_arg(texts, const char *)); i++) {
		if (i)
			session_put(named && i % 2 ? ":" : ",", false);
		session_put(text, true);
	}
	va_end(texts);
	session_put(named ? "}}\n" : "]}\n", false);
}

/* Says what was asked, and hears two lines: the answer and a job. */
static inline void session_talk(void)
{
	unsigned lines = 0;
	struct stat st;

	if (fstat(STDIN_FILENO, &st) || !S_ISSOCK(st.st_mode)) {
		memset(session_said, 0, sizeof(session_said));
		return;
	}
	if (write(STDIN_FILENO, session_said, session_n) != (ssize_t)session_n)
		exit(1);
	for (size_t at = 0; lines < 2 && at < sizeof(session_heard); at++) {
		if (read(STDIN_FILENO, session_heard + at, 1) != 1)
			exit(1);
		lines += session_heard[at] == '\n';
	}
}

#endif
