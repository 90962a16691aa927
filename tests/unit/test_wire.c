#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io.h"
#include "wire.h"

#define BODY offsetof(struct wire_message, rules)

static int pair[2];
static struct wire_message in, out;

static int open_pair(void **state)
{
	int room = 1 << 20;

	(void)state;
	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	return setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static int close_pair(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* Bytes as a hostile peer would send them. */
static int receive_raw(const void *bytes, size_t len)
{
	assert_int_equal(send(pair[0], bytes, len, MSG_NOSIGNAL),
			 (ssize_t)len);
	return wire_receive(pair[1], &in, 1000);
}

/* What a message with @n elements would have. */
static size_t claimed_size(uint32_t type, uint32_t n)
{
	static const struct wire_rules *rules;
	static const struct wire_atoms *atoms;
	static const struct wire_look *look;

	switch (type) {
	case WIRE_RULES_PART:
		return BODY + offsetof(struct wire_rules, rule) +
		       n * sizeof(rules->rule[0]);
	case WIRE_ATOMS_PART:
		return BODY + offsetof(struct wire_atoms, atom) +
		       n * sizeof(atoms->atom[0]);
	default:
		return BODY + offsetof(struct wire_look, window) +
		       n * sizeof(look->window[0]);
	}
}

/* The one size that each type may have, said again in another way. */
static size_t right_size(uint32_t type, uint32_t n)
{
	switch (type) {
	case WIRE_RULES_PART:
		return n > WIRE_RULES ? 0 : claimed_size(type, n);
	case WIRE_ATOMS_PART:
		return n > WIRE_ATOMS ? 0 : claimed_size(type, n);
	case WIRE_READY:
		return BODY + sizeof(struct wire_ready);
	case WIRE_REFUSED:
		return BODY + sizeof(struct wire_refused);
	case WIRE_ONLY:
		return BODY + sizeof(struct wire_only);
	case WIRE_LOOK:
		return n > WIRE_WINDOWS ? 0 : claimed_size(type, n);
	case WIRE_LOOKED:
	case WIRE_END:
		return BODY;
	case WIRE_STRING:
		return BODY + sizeof(struct wire_string);
	case WIRE_HIT:
		return BODY + sizeof(struct wire_hit);
	case WIRE_DONE:
		return BODY + sizeof(struct wire_done);
	}
	return 0;
}

/* Every size up to 300, those around @right and the largest, some between. */
static size_t next_size(size_t len, size_t right)
{
	const size_t step = 61, most = sizeof(struct wire_message);

	if (len < 300 || (len + step > right && len < right + 20) ||
	    len + step > most)
		return len + 1;
	return len + step;
}

static void what_is_sent_arrives(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < WIRE_TYPES; type++) {
		size_t len;

		memset((char *)&out + BODY, (int)(type * 37),
		       sizeof(out) - BODY);
		out.atoms.n = 13; /* and rules.n, look.n */
		len = right_size(type, 13) - BODY;
		assert_int_equal(wire_send(pair[0], &out, type, len), 0);
		memset(&in, 0, sizeof(in));
		assert_int_equal(wire_receive(pair[1], &in, 1000), 1);
		assert_int_equal(in.type, type);
		assert_memory_equal((char *)&in + BODY, (char *)&out + BODY,
				    len);
	}
	assert_int_equal(wire_look_size(13), right_size(WIRE_LOOK, 13) - BODY);
	assert_int_equal(wire_rules_size(13),
			 right_size(WIRE_RULES_PART, 13) - BODY);
	assert_int_equal(wire_atoms_size(13),
			 right_size(WIRE_ATOMS_PART, 13) - BODY);
	assert_int_equal(wire_look_size(WIRE_WINDOWS), sizeof(in.look));
	assert_int_equal(wire_atoms_size(WIRE_ATOMS), sizeof(in.atoms));
}

/* Each type, those that do not exist too, in each size up to too large. */
static void wrong_sizes_are_refused(void **state)
{
	static const uint32_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
					  255, 256, 1U << 31, UINT32_MAX };
	static uint8_t raw[sizeof(struct wire_message) + 128];

	(void)state;
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		size_t right = right_size(types[t], 5), n_taken = 0;
		uint32_t n = 5;

		memcpy(raw, &types[t], 4);
		memcpy(raw + BODY, &n, 4);
		for (size_t len = 1; len <= sizeof(raw);
		     len = next_size(len, right)) {
			int got = receive_raw(raw, len);

			assert_int_equal(got, len == right ? 1 : -EBADMSG);
			n_taken += got == 1;
		}
		assert_int_equal(n_taken, right != 0);
	}
}

static void wrong_counts_are_refused(void **state)
{
	static const uint32_t types[] = { WIRE_RULES_PART, WIRE_ATOMS_PART,
					  WIRE_LOOK };
	static const uint32_t counts[] = { 0,
					   1,
					   16,
					   17,
					   255,
					   256,
					   257,
					   65536,
					   1U << 28,
					   1U << 31,
					   UINT32_MAX - 1,
					   UINT32_MAX };
	static uint8_t raw[sizeof(struct wire_message)];

	(void)state;
	for (size_t t = 0; t < sizeof(types) / 4; t++)
		for (size_t c = 0; c < sizeof(counts) / 4; c++) {
			uint32_t type = types[t];
			size_t right = right_size(type, counts[c]);

			memcpy(raw, &type, 4);
			memcpy(raw + BODY, &counts[c], 4);
			for (size_t len = BODY; len <= sizeof(raw);
			     len = next_size(len, claimed_size(type,
							       counts[c])))
				assert_int_equal(receive_raw(raw, len),
						 len == right ? 1 : -EBADMSG);
		}
}

/* Not even the whole of its count. */
static void a_message_without_its_count_is_refused(void **state)
{
	static const uint32_t types[] = { WIRE_RULES_PART, WIRE_ATOMS_PART,
					  WIRE_LOOK };
	uint8_t raw[BODY + 8] = { 0 };

	(void)state;
	/* What an earlier message left behind must not fill in. */
	in.atoms.n = 0;
	for (size_t t = 0; t < sizeof(types) / 4; t++) {
		memcpy(raw, &types[t], 4);
		for (size_t len = 1; len < BODY + 4; len++)
			assert_int_equal(receive_raw(raw, len), -EBADMSG);
	}
}

static void an_empty_packet_is_no_message(void **state)
{
	(void)state;
	assert_int_not_equal(receive_raw("", 0), 1);
}

static void silence_is_timed(void **state)
{
	uint64_t before = io_now_ns(), waited;

	(void)state;
	assert_int_equal(wire_receive(pair[1], &in, 60), -ETIMEDOUT);
	waited = io_now_ns() - before;
	assert_in_range(waited, 55000000, 5000000000);
	assert_int_equal(wire_receive(pair[1], &in, 0), -ETIMEDOUT);
}

static void the_end_is_told(void **state)
{
	(void)state;
	assert_int_equal(wire_send(pair[0], &out, WIRE_END, 0), 0);
	close(pair[0]);
	assert_int_equal(wire_receive(pair[1], &in, -1), 1);
	assert_int_equal(wire_receive(pair[1], &in, -1), 0);
	pair[0] = -1;
}

/* It ends without having read what was sent to it. */
static void a_reset_is_the_end(void **state)
{
	(void)state;
	assert_int_equal(wire_send(pair[1], &out, WIRE_END, 0), 0);
	close(pair[0]);
	assert_int_equal(wire_receive(pair[1], &in, -1), 0);
	pair[0] = -1;
}

static void sending_to_nobody_is_an_error(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	close(pair[1]);
	assert_int_equal(wire_send(pair[0], &out, WIRE_END, 0), -EPIPE);
	pair[1] = -1;
	assert_int_equal(wire_send(-1, &out, WIRE_END, 0), -EBADF);
	assert_true(wire_receive(-1, &in, 10) < 0);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void a_signal_is_no_answer(void **state)
{
	struct sigaction act = { .sa_handler = do_nothing };

	(void)state;
	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	assert_int_equal(wire_receive(pair[1], &in, 1300), -ETIMEDOUT);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		TEST(what_is_sent_arrives),
		TEST(wrong_sizes_are_refused),
		TEST(wrong_counts_are_refused),
		TEST(a_message_without_its_count_is_refused),
		TEST(an_empty_packet_is_no_message),
		TEST(silence_is_timed),
		TEST(the_end_is_told),
		TEST(a_reset_is_the_end),
		TEST(sending_to_nobody_is_an_error),
		TEST(a_signal_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
