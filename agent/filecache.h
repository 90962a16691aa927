/* filecache.h - pages of unchanged files in which nothing was found, kept
 * from one pass to the next.
 *
 * A page of a file stays what it was while the file has the same device,
 * inode, size and ctime, which no unprivileged process can set.  Three things
 * stand in the way of that, and are looked at:
 *  - only some file systems keep to it (not tmpfs or a memfd, where a write
 *    through a mapping leaves the ctime alone; no network; no overlay, whose
 *    numbers may change): an allow-list by fstatfs(2);
 *  - a page that is mapped for shared writing takes a new ctime only at the
 *    first write after it was written back (page_mkwrite of the file systems).
 *    So the ctime must be FILECACHE_AGE_S old, many times what the kernel
 *    lets a page stay dirty (30 s, vm.dirty_expire_centisecs);
 *  - and while something holds such a page to write to it (a read(2) from FUSE
 *    with O_DIRECT into the mapping, which its owner lets last), its bytes may
 *    change at any time later.  So only root may be able to write to the file:
 *    it is root's, and neither its group nor others have that right.
 * The file is reached through the process's own /proc/PID/map_files, never by
 * a name.  A private page of the process is not the file's, and not asked for
 * (pagemap bit 61). */
#ifndef FILECACHE_H
#define FILECACHE_H

#include "flow.h"

#define FILECACHE_AGE_S 900

struct filecache;

/* Takes 4 bytes a page, and 4 MiB (4 GiB of files) at most; then it forgets.
 * Any thread may use it at any time.  0 or -errno. */
int filecache_new(struct filecache **ret);

void filecache_free(struct filecache *);

/* Takes all its memory now (lazymem.h). */
void filecache_take(struct filecache *);

/* The file that @region of @proc maps, as it is now; 0: none whose pages can
 * be kept.  Waits for who serves it.  @looked_for names what is looked for
 * (rules, digests): what was clean of other things is not clean of these. */
uint64_t filecache_file(const struct filecache *, const struct proc *proc,
			const struct region *region, uint64_t looked_for);

/* Was nothing found in the page at @offset of @file, looked at as @content or
 * more? */
bool filecache_clean(const struct filecache *, uint64_t file, uint64_t offset,
		     enum content);

/* Nothing was. */
void filecache_mark(struct filecache *, uint64_t file, uint64_t offset,
		    enum content);

#endif
