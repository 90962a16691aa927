/* capture_own.h - what a capture is, for capture.c and capture_text.c. */
#ifndef CAPTURE_OWN_H
#define CAPTURE_OWN_H

#include "capture.h"

struct piece {
	uint64_t address, offset; /* in the process, in the file */
	uint32_t len, packed;
};

struct capture {
	int fd;
	uint64_t size;
	char *text[CAPTURE_TEXT_COUNT];
	size_t text_len[CAPTURE_TEXT_COUNT];
	struct piece *pieces; /* by address */
	size_t n, room;
	uint64_t bytes, unreadable;
	struct ZSTD_DCtx_s *zstd;
	uint8_t *packed;
	uint8_t *unpacked; /* those of pieces[unpacked_piece] */
	size_t unpacked_piece;
};

#endif
