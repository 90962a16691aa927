/* racer.c - a miner for a moment, then another program.
 *
 *	racer INNOCENT <BYTES	holds the bytes for up to 6 ms, then becomes
 *				`INNOCENT sleep`
 *	racer sleep		is innocent until its end
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void a_moment(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	usleep((useconds_t)(t.tv_nsec / 100 % 3000));
}

int main(int argc, char **argv)
{
	uint8_t *p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc == 2 && !strcmp(argv[1], "sleep"))
		for (;;)
			pause();
	if (argc < 2)
		return 2;
	p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || read(STDIN_FILENO, p, 65536) < 1)
		return 1;
	mprotect(p, 65536, PROT_READ | PROT_EXEC);
	a_moment();
	a_moment();
	execl(argv[1], argv[1], "sleep", NULL);
	return 1;
}
