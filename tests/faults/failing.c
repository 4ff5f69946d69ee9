/* Preloaded into dipbench by served.py. Fails calls of the system on files under one folder, and moves the clock.

   `fail` says which kinds of calls, from which one on and how; `failed_call` names the one that failed first, and
   `calls_seen` counts those that could have. `jump` sets the clock of the day off by some seconds, ahead at one look
   and back at the next where it swings. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MAKE = 1, WRITE = 2, SYNC = 4, NAME = 8, REMOVE = 16, CLOSE = 32, READ = 64 };
enum { ONCE = 0, FROM_THEN_ON = 1 };
enum { KILLED = -1, SLOW = -2 }; /* in place of a number of errno */

static char under[PATH_MAX], failed[PATH_MAX + 32];
static int kinds, number, lasting;
static long at, seen;
static double off;
static int swings, looks;

void fail(const char *folder, int which, long call, int how, int error) {
    snprintf(under, sizeof under, "%s", folder);
    kinds = which, at = call, lasting = how, number = error, seen = 0, failed[0] = 0;
}
long calls_seen(void) { return seen; }
const char *failed_call(void) { return failed; }
void jump(double seconds, int back_and_forth) { off = seconds, swings = back_and_forth; }

/* Whether a call fails now; `name` is relative to the folder `place`, or without it the file is `place`. */
static int fails(int kind, const char *call, int place, const char *name) {
    char path[PATH_MAX] = "", link[64];
    if (!(kinds & kind)) return 0;
    if (!name || (name[0] != '/' && place != AT_FDCWD)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", place);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length < 0) return 0;
        path[length] = 0;
    }
    if (name) snprintf(path + strlen(path), sizeof path - strlen(path), "%s%s", path[0] ? "/" : "", name);
    if (strncmp(path, under, strlen(under))) return 0;
    long turn = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (lasting ? turn < at : turn != at) return 0;
    if (number == KILLED) raise(SIGKILL);
    if (number == SLOW) return usleep(5000);
    if (!failed[0]) snprintf(failed, sizeof failed, "%s %s", call, path + strlen(under));
    errno = number;
    return 1;
}

#define NEXT(call) ((__typeof__(&call))dlsym(RTLD_NEXT, #call))
#define CALL(type, call, kind, place, name, wanted, given) \
    type call wanted { return fails(kind, #call, place, name) ? -1 : NEXT(call) given; }

CALL(ssize_t, write, WRITE, file, NULL, (int file, const void *what, size_t size), (file, what, size))
CALL(ssize_t, pwrite, WRITE, file, NULL, (int file, const void *what, size_t size, off_t to), (file, what, size, to))
CALL(ssize_t, pwrite64, WRITE, file, NULL, (int file, const void *what, size_t size, off64_t to),
     (file, what, size, to))
CALL(ssize_t, read, READ, file, NULL, (int file, void *into, size_t size), (file, into, size))
CALL(ssize_t, pread, READ, file, NULL, (int file, void *into, size_t size, off_t from), (file, into, size, from))
CALL(ssize_t, pread64, READ, file, NULL, (int file, void *into, size_t size, off64_t from), (file, into, size, from))
CALL(int, fsync, SYNC, file, NULL, (int file), (file))
CALL(int, mkdir, MAKE, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode))
CALL(int, mkdirat, MAKE, place, path, (int place, const char *path, mode_t mode), (place, path, mode))
CALL(int, link, NAME, AT_FDCWD, to, (const char *from, const char *to), (from, to))
CALL(int, linkat, NAME, there, to, (int here, const char *from, int there, const char *to, int how),
     (here, from, there, to, how))
CALL(int, rename, NAME, AT_FDCWD, to, (const char *from, const char *to), (from, to))
CALL(int, renameat, NAME, there, to, (int here, const char *from, int there, const char *to), (here, from, there, to))
CALL(int, renameat2, NAME, there, to, (int here, const char *from, int there, const char *to, unsigned how),
     (here, from, there, to, how))
CALL(int, unlink, REMOVE, AT_FDCWD, path, (const char *path), (path))
CALL(int, unlinkat, REMOVE, place, path, (int place, const char *path, int how), (place, path, how))
CALL(int, rmdir, REMOVE, AT_FDCWD, path, (const char *path), (path))

int close(int file) { /* a file is closed also where that says that its content was lost, as NFS does */
    int lost = (fcntl(file, F_GETFL) & O_ACCMODE) != O_RDONLY && fails(CLOSE, "close", file, NULL);
    int answer = NEXT(close)(file);
    if (lost) errno = number;
    return lost ? -1 : answer;
}

#define OPEN(call, place, wanted, given) \
    int call wanted { \
        mode_t mode = 0; \
        if (how & (O_CREAT | __O_TMPFILE)) { \
            va_list more; \
            va_start(more, how); \
            mode = va_arg(more, mode_t); \
            va_end(more); \
        } \
        return fails((how & O_ACCMODE) == O_RDONLY ? READ : MAKE, #call, place, path) ? -1 : NEXT(call) given; \
    }

OPEN(open, AT_FDCWD, (const char *path, int how, ...), (path, how, mode))
OPEN(open64, AT_FDCWD, (const char *path, int how, ...), (path, how, mode))
OPEN(openat, place, (int place, const char *path, int how, ...), (place, path, how, mode))
OPEN(openat64, place, (int place, const char *path, int how, ...), (place, path, how, mode))

int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = NEXT(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += (time_t)(swings && looks++ % 2 ? -off : off);
    return answer;
}
