/*
 * The part of a guest that talks to lazymmu: records out, requests in, and what goes wrong.
 * It is a translation unit of its own, so that the guest itself sees no header of the system.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

void lz_run(void);

static unsigned char out[1 << 16], stack[1 << 16];
static size_t len;
static int to;
static sigjmp_buf begin;

void lz_flush(void)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(to, out + at, len - at);

		if (n <= 0)
			_exit(3);
		at += (size_t)n;
	}
	len = 0;
}

/* A record goes out in one piece, so that a crash never cuts one. */
void lz_put(const void *from, unsigned n)
{
	if (len + n > sizeof(out))
		lz_flush();
	memcpy(out + len, from, n);
	len += n;
}

/* The end of the requests is the end of the guest. */
void lz_get(void *into, unsigned n)
{
	lz_flush();
	for (unsigned at = 0; at < n;) {
		ssize_t got = read(0, (char *)into + at, n - at);

		if (got <= 0)
			_exit(0);
		at += (unsigned)got;
	}
}

/* Seconds of computing until the watchdog barks; 0 sends it to sleep. */
void lz_watch(int seconds)
{
	struct itimerval timer = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_VIRTUAL, &timer, 0);
}

/* Runs f, which may leave by lz_leave(). Returns whether it did. */
int lz_try(void (*f)(void))
{
	if (sigsetjmp(begin, 0))
		return 1;
	f();
	return 0;
}

void lz_leave(void)
{
	siglongjmp(begin, 1);
}

static void crashed(int sig, siginfo_t *info, void *context)
{
	struct { uint8_t tag, sig; uint8_t pc[8]; } record = { 'X', (uint8_t)sig, { 0 } };
	uint64_t pc = 0;

	(void)info;
#if defined(__x86_64__)
	pc = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	pc = ((ucontext_t *)context)->uc_mcontext.pc;
#endif
	memcpy(record.pc, &pc, sizeof(pc));
	lz_put(&record, sizeof(record));
	lz_flush();
	_exit(4);
}

int main(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGVTALRM };
	stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&other, 0);
	for (unsigned at = 0; at < sizeof(signals) / sizeof(signals[0]); at++)
		sigaction(signals[at], &action, 0);
	/* What the guest itself prints is for the user. */
	to = dup(1);
	if (to < 0 || dup2(2, 1) < 0)
		return 3;
	lz_run();
	return 0;
}
