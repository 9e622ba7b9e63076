/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calibrate.c - real threads on a real kernel's scheduler, measured from within.
 *
 *   pvs-calibrate hogs | periodic | mixed | alone | trio | wake  SECONDS  [raw]
 *
 * Runs in the lab's emulated machine: one CPU, virtual time. Prints one JSON object: of each thread
 * its CPU time, each wait for the CPU (runnable and not running: `run_delay` of schedstat) and each
 * wake-up latency (from the time it asked to be woken at to its first instruction). The last three
 * are for what a timer interrupt, a context switch and a wake-up take there.
 *
 * A hog looks at the clock between two pieces of work; after a gap it asks the kernel whether it
 * had lost the CPU in it, and for how long. Nothing that was measured is left out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define US 1000ull
#define MS 1000000ull
#define S 1000000000ull

#define THREADS_MAX 8u
#define SAMPLES_MAX 200000u
#define WARMUP_NS (300 * MS)
/* A gap longer than this in a hog is looked into; its pieces of work are shorter. */
#define GAP_NS 1500ull
#define PIECE_NS 500ull
#define MAIN_PRIO 50

enum kind { HOG, PERIODIC, SLEEPER };

struct samples {
	uint64_t count;
	uint64_t *value;
};

struct sched_stat {
	uint64_t run_ns, wait_ns, times;
};

struct worker {
	const char *name;
	enum kind kind;
	int nice;
	uint64_t slice_ns;              /* custom slice, 0 = the kernel's */
	uint64_t period_ns;             /* PERIODIC */
	uint64_t sleep_min_ns, sleep_max_ns, run_min_ns, run_max_ns; /* SLEEPER; PERIODIC: run */

	pthread_t thread;
	pid_t tid;
	int stat_fd;
	uint64_t random;
	uint64_t many;                  /* gaps in which it waited more than once */
	struct samples waits, wakeups, irqs, switches;
	struct sched_stat first, last;
};

static struct worker workers[THREADS_MAX];
static unsigned worker_count;
static pthread_barrier_t ready, over;
static volatile uint64_t begin_ns, end_ns;
/* When the thread that has the CPU last looked at the clock, and which one that is. */
static volatile uint64_t seen_ns;
static volatile pid_t seen_by;
static uint64_t loops_per_ms;

static void die(const char *what)
{
	fprintf(stderr, "pvs-calibrate: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

static void spin(uint64_t loops)
{
	while (loops--)
		__asm__ volatile("");
}

static void burn(uint64_t ns)
{
	spin(ns * loops_per_ms / MS);
}

/* How fast spin() is: instructions take the same time here always. The best of many, free of
 * interrupts. */
static void measure_speed(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 50; i++) {
		uint64_t start = now_ns(), took;

		spin(100000);
		took = now_ns() - start;
		best = took < best ? took : best;
	}
	loops_per_ms = 100000 * MS / best;
}

static void add(struct samples *s, uint64_t value)
{
	if (s->count == SAMPLES_MAX)
		die("too many samples");
	s->value[s->count++] = value;
}

static void make_samples(struct samples *s)
{
	s->value = mmap(NULL, SAMPLES_MAX * sizeof(*s->value), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->value == MAP_FAILED)
		die("mmap");
}

static void read_stat(int fd, struct sched_stat *out)
{
	char text[96];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
	char *at = text;

	if (got <= 0)
		die("schedstat");
	text[got] = '\0';
	out->run_ns = strtoull(at, &at, 10);
	out->wait_ns = strtoull(at, &at, 10);
	out->times = strtoull(at, &at, 10);
}

static uint64_t draw(struct worker *w, uint64_t low, uint64_t high)
{
	/* xorshift64*: uniform enough for a sleep */
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return low + (w->random * 0x2545f4914f6cdd1dull >> 16) % (high - low + 1);
}

static int measured(uint64_t at_ns)
{
	return at_ns >= begin_ns && at_ns < end_ns;
}

/* ---- threads ----------------------------------------------------------------------------------*/

/* Between `before` and `now` this hog did no work. */
static uint64_t hog_gap(struct worker *w, struct sched_stat *stat, uint64_t before, uint64_t now)
{
	pid_t other = seen_by;
	uint64_t other_ns = seen_ns;
	struct sched_stat s;

	read_stat(w->stat_fd, &s);
	if (measured(now)) {
		if (s.times == stat->times)
			add(&w->irqs, now - before);
		else
			add(&w->waits, s.wait_ns - stat->wait_ns);
		if (s.times > stat->times + 1)
			w->many++;
		if (s.times != stat->times && other != w->tid && other_ns > before)
			add(&w->switches, now - other_ns);
	}
	*stat = s;
	return now_ns();
}

static void hog(struct worker *w)
{
	struct sched_stat stat;
	uint64_t before = now_ns();

	read_stat(w->stat_fd, &stat);
	for (;;) {
		uint64_t now;

		burn(PIECE_NS);
		now = now_ns();
		if (now - before > GAP_NS)
			now = hog_gap(w, &stat, before, now);
		if (now >= end_ns)
			return;
		seen_by = w->tid;
		seen_ns = now;
		before = now;
	}
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec t = {(time_t)(at_ns / S), (long)(at_ns % S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		continue;
}

/* Sleeps until `due`; records how late it is, and how long the kernel says it waited. */
static void wake_at(struct worker *w, struct sched_stat *stat, uint64_t due_ns)
{
	struct sched_stat s;
	uint64_t now;

	sleep_until(due_ns);
	now = now_ns();
	read_stat(w->stat_fd, &s);
	if (measured(due_ns)) {
		add(&w->wakeups, now - due_ns);
		add(&w->waits, s.wait_ns - stat->wait_ns);
	}
	*stat = s;
}

static void sleeper(struct worker *w)
{
	struct sched_stat stat;
	uint64_t due = begin_ns - WARMUP_NS / 2;

	read_stat(w->stat_fd, &stat);
	while (due < end_ns) {
		wake_at(w, &stat, due);
		burn(draw(w, w->run_min_ns, w->run_max_ns));
		read_stat(w->stat_fd, &stat);
		if (w->kind == PERIODIC)
			due += w->period_ns;
		else
			due = now_ns() + draw(w, w->sleep_min_ns, w->sleep_max_ns);
		/* A period that is over already is not waited for: its latency counts. */
	}
}

static void set_policy(struct worker *w)
{
	/* sched_setattr(2): glibc 2.36 has no wrapper */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attr = {.size = sizeof(attr), .nice = w->nice, .runtime = w->slice_ns};

	if (syscall(SYS_sched_setattr, 0, &attr, 0) != 0)
		die("sched_setattr");
	prctl(PR_SET_TIMERSLACK, 1ul);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->tid = (pid_t)syscall(SYS_gettid);
	w->stat_fd = open("/proc/thread-self/schedstat", O_RDONLY);
	if (w->stat_fd < 0)
		die("/proc/thread-self/schedstat");
	set_policy(w);
	pthread_barrier_wait(&ready);
	if (w->kind == HOG)
		hog(w);
	else
		sleeper(w);
	pthread_barrier_wait(&over);
	return NULL;
}

/* ---- printing ---------------------------------------------------------------------------------*/

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank, as everywhere in the lab. */
static uint64_t quantile(const struct samples *s, uint64_t per_mille)
{
	uint64_t rank = (s->count * per_mille + 999) / 1000;

	return s->count ? s->value[rank ? rank - 1 : 0] : 0;
}

static void print_samples(const char *name, struct samples *s, int raw)
{
	uint64_t sum = 0;

	if (raw) {
		printf(", \"%s_raw\": [", name);
		for (uint64_t i = 0; i < s->count; i++)
			printf("%s%llu", i ? "," : "", (unsigned long long)s->value[i]);
		printf("]");
	}
	qsort(s->value, s->count, sizeof(*s->value), by_value);
	for (uint64_t i = 0; i < s->count; i++)
		sum += s->value[i];
	printf(",\n  \"%s\": {\"count\": %llu, \"mean\": %llu, \"p50\": %llu, \"p90\": %llu, "
	       "\"p99\": %llu, \"max\": %llu}", name, (unsigned long long)s->count,
	       (unsigned long long)(s->count ? sum / s->count : 0),
	       (unsigned long long)quantile(s, 500), (unsigned long long)quantile(s, 900),
	       (unsigned long long)quantile(s, 990), (unsigned long long)quantile(s, 1000));
}

static void print_worker(struct worker *w, uint64_t span_ns, int raw)
{
	uint64_t run = w->last.run_ns - w->first.run_ns;

	printf(" {\"name\": \"%s\", \"nice\": %d, \"slice_ns\": %llu, \"run_ns\": %llu, "
	       "\"wait_ns\": %llu, \"share_ppm\": %llu, \"switched_in\": %llu, \"many\": %llu",
	       w->name, w->nice, (unsigned long long)w->slice_ns, (unsigned long long)run,
	       (unsigned long long)(w->last.wait_ns - w->first.wait_ns),
	       (unsigned long long)(run * 1000000 / span_ns),
	       (unsigned long long)(w->last.times - w->first.times), (unsigned long long)w->many);
	print_samples("waits", &w->waits, raw);
	if (w->kind == HOG) {
		print_samples("irqs", &w->irqs, 0);
		print_samples("switches", &w->switches, 0);
	} else {
		print_samples("wakeups", &w->wakeups, raw);
	}
	printf("}");
}

/* What the kernel says of its scheduler: one line of a file, or "". */
static void print_file(const char *key, const char *path)
{
	char text[1024] = "";
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
	printf(" \"%s\": \"%s\",\n", key, text);
}

static void print_kernel(void)
{
	print_file("release", "/proc/sys/kernel/osrelease");
	print_file("features", "/sys/kernel/debug/sched/features");
	print_file("base_slice_ns", "/sys/kernel/debug/sched/base_slice_ns");
	print_file("preempt", "/sys/kernel/debug/sched/preempt");
	print_file("clocksource",
		   "/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

/* ---- scenarios --------------------------------------------------------------------------------*/

static struct worker *worker(const char *name, enum kind kind)
{
	struct worker *w = &workers[worker_count++];

	w->name = name;
	w->kind = kind;
	w->random = 0x9e3779b97f4a7c15ull * worker_count;
	make_samples(&w->waits);
	make_samples(&w->wakeups);
	make_samples(&w->irqs);
	make_samples(&w->switches);
	return w;
}

static struct worker *periodic(const char *name, uint64_t period_ns, uint64_t run_ns)
{
	struct worker *w = worker(name, PERIODIC);

	w->period_ns = period_ns;
	w->run_min_ns = w->run_max_ns = run_ns;
	return w;
}

static struct worker *sleeps(const char *name, uint64_t sleep_min_ns, uint64_t sleep_max_ns,
			     uint64_t run_min_ns, uint64_t run_max_ns)
{
	struct worker *w = worker(name, SLEEPER);

	w->sleep_min_ns = sleep_min_ns;
	w->sleep_max_ns = sleep_max_ns;
	w->run_min_ns = run_min_ns;
	w->run_max_ns = run_max_ns;
	return w;
}

static int set_up(const char *scenario)
{
	if (strcmp(scenario, "hogs") == 0) {
		worker("a", HOG);
		worker("b", HOG);
		worker("nice5", HOG)->nice = 5;
	} else if (strcmp(scenario, "periodic") == 0) {
		periodic("cyclic", 5300 * US, 1 * MS);
		worker("a", HOG);
		worker("b", HOG);
	} else if (strcmp(scenario, "mixed") == 0) {
		sleeps("short", 1 * MS, 9 * MS, 50 * US, 150 * US);
		sleeps("long", 5 * MS, 15 * MS, 500 * US, 2500 * US);
		worker("a", HOG);
		worker("minus5", HOG)->nice = -5;
		worker("slice3", HOG)->slice_ns = 3 * MS;
	} else if (strcmp(scenario, "alone") == 0) {
		worker("a", HOG);
	} else if (strcmp(scenario, "trio") == 0) {
		worker("a", HOG);
		worker("b", HOG);
		worker("c", HOG);
	} else if (strcmp(scenario, "wake") == 0) {
		/* So little work that it may always have the CPU at once. */
		periodic("light", 3100 * US, 20 * US);
		worker("a", HOG);
	} else {
		return -1;
	}
	return 0;
}

static void run(uint64_t seconds_ms)
{
	struct sched_param param = {.sched_priority = MAIN_PRIO};

	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		die("sched_setscheduler");
	pthread_barrier_init(&ready, NULL, worker_count + 1);
	pthread_barrier_init(&over, NULL, worker_count + 1);
	begin_ns = now_ns() + 2 * WARMUP_NS;
	end_ns = begin_ns + seconds_ms * MS;
	for (unsigned i = 0; i < worker_count; i++) {
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			die("pthread_create");
	}
	pthread_barrier_wait(&ready);
	sleep_until(begin_ns);
	for (unsigned i = 0; i < worker_count; i++)
		read_stat(workers[i].stat_fd, &workers[i].first);
	sleep_until(end_ns);
	for (unsigned i = 0; i < worker_count; i++)
		read_stat(workers[i].stat_fd, &workers[i].last);
	pthread_barrier_wait(&over);
	for (unsigned i = 0; i < worker_count; i++)
		pthread_join(workers[i].thread, NULL);
}

int main(int argc, char **argv)
{
	uint64_t ms = argc > 2 ? (uint64_t)(atof(argv[2]) * 1000) : 0;
	int raw = argc > 3;

	if (ms == 0 || set_up(argv[1]) != 0) {
		fprintf(stderr, "usage: pvs-calibrate SCENARIO SECONDS [raw]\n");
		return 2;
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		die("mlockall");
	measure_speed();
	run(ms);
	printf("{\"scenario\": \"%s\", \"measured_ns\": %llu, \"loops_per_ms\": %llu,\n", argv[1],
	       (unsigned long long)(ms * MS), (unsigned long long)loops_per_ms);
	print_kernel();
	printf(" \"threads\": [\n");
	for (unsigned i = 0; i < worker_count; i++) {
		if (i)
			printf(",\n");
		print_worker(&workers[i], ms * MS, raw);
	}
	printf("]}\n");
	return 0;
}
