/*
 * What is traced: a fixed list of operations, each between two markers, with tracing on for its
 * duration only. Build it statically for the guest: gcc -O2 -static -o ops ops.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define BASE ((void *)0x200000000000UL)
#define TRACING "/sys/kernel/tracing/"

static int marker, on;

static void put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		perror(text);
}

static void begin(const char *what, unsigned long pages)
{
	char text[128];

	snprintf(text, sizeof(text), "BEGIN %s-%lu", what, pages);
	put(on, "1");
	put(marker, text);
}

static void end(void)
{
	put(marker, "END");
	put(on, "0");
}

static char *pages(unsigned long n)
{
	char *at = mmap(BASE, n * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	madvise(at, n * PAGE, MADV_NOHUGEPAGE);
	for (unsigned long i = 0; i < n; i++)
		at[i * PAGE] = 1;
	return at;
}

static void of(unsigned long n)
{
	char *at = pages(n);
	int status;
	pid_t child;

	begin("mprotect", n);
	mprotect(at, n * PAGE, PROT_READ);
	end();
	at = pages(n);
	begin("fork", n);
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, &status, 0);
	end();
	at = pages(n);
	begin("dontneed", n);
	madvise(at, n * PAGE, MADV_DONTNEED);
	end();
	at = pages(n);
	begin("cold", n);
	madvise(at, n * PAGE, MADV_COLD);
	end();
	begin("mremap", n);
	at = mremap(at, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)BASE + (1UL << 30));
	end();
	begin("munmap", n);
	munmap(at, n * PAGE);
	end();
}

static void vmalloc(unsigned long n)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = PAGE;
	attr.max_entries = n;
	begin("vmalloc", n);
	fd = syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	end();
	begin("vfree", n);
	close(fd);
	usleep(300000);
	end();
}

int main(void)
{
	static const unsigned long sizes[] = { 1, 2, 31, 32, 192, 193, 512, 1300 };

	marker = open(TRACING "trace_marker", O_WRONLY);
	on = open(TRACING "tracing_on", O_WRONLY);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		of(sizes[i]);
	vmalloc(16);
	vmalloc(512);
	return 0;
}
