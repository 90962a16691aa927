/* report_sink.h - the places on this machine that findings go to. */
#ifndef REPORT_SINK_H
#define REPORT_SINK_H

#include "config.h"
#include "report_event.h"

#define REPORT_SINK_FILE_MAX (16u << 20)
#define REPORT_SINK_JOURNAL  "/run/systemd/journal/socket"

/* One line to [findings] file ("-" is stdout), on the disk when it returns.
 * A file over REPORT_SINK_FILE_MAX first becomes FILE.1.  0 or -errno. */
int report_sink_file(const struct config *, const struct report_event *,
		     struct why *);

/* One structured entry to the journal at @path, by its native datagram.
 * 0 (also where no journal runs) or -errno. */
int report_sink_journal(const char *path, const struct report_event *,
			struct why *);

#endif
