/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc tells about a thread. Only system calls: the guard uses it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kvm_private.h"

#define PATH_SIZE 80
#define TEXT_SIZE 1024 /* of a stat line; fields after start time may be cut off */
#define FIELD_START_TIME 22
#define FIELD_AFTER_NAME 3 /* the one behind the closing bracket */

static char *put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static char *put_number(char *at, int value)
{
	char digits[12];
	int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

static int open_of(int pid, int tid, const char *file)
{
	char path[PATH_SIZE];
	char *at = put_text(path, "/proc/");

	at = put_number(at, pid);
	at = put_text(at, "/task/");
	at = put_number(at, tid);
	at = put_text(at, file);
	*at = 0;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static const char *number(const char *at, pvs_u64 *out)
{
	pvs_u64 value = 0;

	while (*at == ' ')
		at++;
	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10u + (pvs_u64)(*at - '0');
	*out = value;
	return at;
}

/* The name is in brackets and may hold anything, also brackets and blanks. */
static const char *behind_name(const char *text)
{
	const char *last = NULL;

	for (; *text; text++) {
		if (*text == ')')
			last = text + 1;
	}
	return last;
}

static int parse_start_time(const char *text, pvs_u64 *out)
{
	const char *at = behind_name(text);
	int field;

	for (field = FIELD_AFTER_NAME; at && field < FIELD_START_TIME; field++) {
		while (*at == ' ')
			at++;
		while (*at && *at != ' ')
			at++;
	}
	return at && number(at, out) ? 0 : EPROTO;
}

int pvs_kvm_start_time(int pid, int tid, pvs_u64 *out)
{
	char text[TEXT_SIZE];
	ssize_t n;
	int fd = open_of(pid, tid, "/stat");
	int err;

	if (fd < 0)
		return errno == ENOENT ? ESRCH : errno;
	n = read(fd, text, sizeof(text) - 1);
	err = n < 0 ? errno : 0;
	close(fd);
	if (err)
		return err;
	text[n] = 0;
	return parse_start_time(text, out);
}

int pvs_kvm_schedstat_open(int pid, int tid, int *fd)
{
	*fd = open_of(pid, tid, "/schedstat");
	if (*fd >= 0)
		return 0;
	return errno;
}

int pvs_kvm_schedstat_read(int fd, pvs_u64 *run_ns, pvs_u64 *wait_ns)
{
	char text[TEXT_SIZE];
	const char *at;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return errno;
	text[n] = 0;
	at = number(text, run_ns);
	return at && number(at, wait_ns) ? 0 : EPROTO;
}
