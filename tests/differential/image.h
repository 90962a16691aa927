/* image.h - memory to scan: pages of every kind with strings planted. */
#ifndef IMAGE_H
#define IMAGE_H

#include "flow.h"
#include "generate.h"

#define SEGMENTS_MAX 3
#define BATCHES_MAX  600

/* Mapped pages without a hole between them. */
struct segment {
	struct region region;
	uint8_t *bytes;
	size_t n_pages;
};

struct image {
	uint8_t *memory;
	uint64_t *address; /* of each page */
	size_t n_pages;
	struct segment segments[SEGMENTS_MAX];
	size_t n_segments;
	size_t batch[BATCHES_MAX]; /* first page of each, and the end */
	size_t n_batches;
};

void image_make(struct rng *, const struct rule_set *, struct image *ret);

void image_free(struct image *);

#endif
