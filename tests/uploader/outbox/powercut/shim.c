/* Preloaded under the process whose disk is to be cut: writes down what it does to the files below
 * POWERCUT_FOLDER, in order, into POWERCUT_TRACE. It changes nothing, and stops the process where it meets a
 * call that it could not write down.
 *
 * One entry: kind (1 byte), inode (8), offset or size (8), length (4), then so many bytes; little-endian.
 * Kinds: C created (path), W write (data), T truncate, S sync, D directory sync, U unlink (path), R rename
 * (path NUL path). The process itself appends M (mark).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 4096
#define REAL(name) ((__typeof__(&name))real(#name))

static char kind_of[MOST]; /* of a descriptor: 0 not ours, 'F' file, 'D' directory */
static char folder[PATH_MAX];
static int trace = -1;

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

static void give_up(const char *call)
{
    fprintf(stderr, "powercut: %s on a recorded file is not recorded\n", call);
    abort();
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("POWERCUT_TRACE"), *below = getenv("POWERCUT_FOLDER");
    if (!path || !below || strlen(below) >= sizeof folder)
        return;
    strcpy(folder, below);
    trace = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0)
        give_up("open");
}

static void note(char kind, uint64_t inode, uint64_t at, const void *data, size_t length)
{
    char head[21];
    uint32_t short_length = (uint32_t)length;
    int before = errno;
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &at, 8);
    memcpy(head + 17, &short_length, 4);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, length}};
    if (writev(trace, parts, 2) != (ssize_t)(sizeof head + length))
        give_up("writing the trace");
    errno = before;
}

static int ours(const char *path)
{
    size_t length = strlen(folder);
    return trace >= 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

static uint64_t inode_of(int fd)
{
    struct stat found;
    if (fstat(fd, &found))
        give_up("fstat");
    return found.st_ino;
}

static char known(int fd) { return fd >= 0 && fd < MOST ? kind_of[fd] : 0; }

static int opened(const char *path, int flags, int existed, int fd)
{
    struct stat found;
    if (fd < 0)
        return fd;
    if (fd >= MOST) /* beyond the table: only what is not ours may be there */
        return ours(path) ? (give_up("a high descriptor"), fd) : fd;
    kind_of[fd] = 0;
    if (!ours(path) || fstat(fd, &found))
        return fd;
    kind_of[fd] = S_ISDIR(found.st_mode) ? 'D' : 'F';
    if (!existed)
        note('C', found.st_ino, 0, path, strlen(path));
    else if ((flags & O_TRUNC) && kind_of[fd] == 'F')
        note('T', found.st_ino, 0, "", 0);
    return fd;
}

static int there(const char *path) { struct stat found; return !ours(path) || !lstat(path, &found); }

#define OPEN(name)                                            \
    int name(const char *path, int flags, ...)                \
    {                                                         \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = va_arg(rest, mode_t);                   \
        va_end(rest);                                         \
        int existed = there(path);                            \
        return opened(path, flags, existed, REAL(name)(path, flags, mode)); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                          \
    int name(int at, const char *path, int flags, ...)        \
    {                                                         \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = va_arg(rest, mode_t);                   \
        va_end(rest);                                         \
        int existed = there(path);                            \
        return opened(path, flags, existed, REAL(name)(at, path, flags, mode)); \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    if (known(fd))
        kind_of[fd] = 0;
    return REAL(close)(fd);
}

static ssize_t wrote(int fd, const void *data, off64_t at, ssize_t done)
{
    if (done > 0)
        note('W', inode_of(fd), (uint64_t)at, data, (size_t)done);
    return done;
}

#define PWRITE(name, offset)                                              \
    ssize_t name(int fd, const void *data, size_t length, offset at)      \
    {                                                                     \
        ssize_t done = REAL(name)(fd, data, length, at);                  \
        return known(fd) == 'F' ? wrote(fd, data, at, done) : done;       \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t length)
{
    ssize_t done = REAL(write)(fd, data, length);
    if (known(fd) != 'F' || done <= 0)
        return done;
    return wrote(fd, data, lseek64(fd, 0, SEEK_CUR) - done, done);
}

#define TRUNCATE(name, offset)                                            \
    int name(int fd, offset size)                                         \
    {                                                                     \
        int failed = REAL(name)(fd, size);                                \
        if (!failed && known(fd) == 'F')                                  \
            note('T', inode_of(fd), (uint64_t)size, "", 0);               \
        return failed;                                                    \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                        \
    int name(int fd)                                                      \
    {                                                                     \
        int failed = REAL(name)(fd);                                      \
        if (!failed && known(fd))                                         \
            note(known(fd) == 'D' ? 'D' : 'S', inode_of(fd), 0, "", 0);   \
        return failed;                                                    \
    }
SYNC(fsync)
SYNC(fdatasync)

static int unlinked(const char *path, int failed)
{
    if (!failed && ours(path))
        note('U', 0, 0, path, strlen(path));
    return failed;
}

int unlink(const char *path) { return unlinked(path, REAL(unlink)(path)); }
int unlinkat(int at, const char *path, int flags) { return unlinked(path, REAL(unlinkat)(at, path, flags)); }

static int renamed(const char *from, const char *to, int failed)
{
    char both[2 * PATH_MAX];
    if (failed || (!ours(from) && !ours(to)))
        return failed;
    size_t length = strlen(from) + 1;
    if (length + strlen(to) > sizeof both)
        give_up("a long name");
    memcpy(both, from, length);
    memcpy(both + length, to, strlen(to));
    note('R', 0, 0, both, length + strlen(to));
    return failed;
}

int rename(const char *from, const char *to) { return renamed(from, to, REAL(rename)(from, to)); }
int renameat(int at, const char *from, int to_at, const char *to)
{
    return renamed(from, to, REAL(renameat)(at, from, to_at, to));
}

/* What nobody uses on these files today must not be used unseen tomorrow. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (known(fd))
        give_up("writev");
    return REAL(writev)(fd, parts, count);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
    if (known(fd) && (protection & PROT_WRITE) && (flags & MAP_SHARED))
        give_up("a writable map");
    return REAL(mmap64)(at, length, protection, flags, fd, offset);
}

int fallocate64(int fd, int mode, off64_t at, off64_t length)
{
    if (known(fd))
        give_up("fallocate");
    return REAL(fallocate64)(fd, mode, at, length);
}

int posix_fallocate64(int fd, off64_t at, off64_t length)
{
    if (known(fd))
        give_up("posix_fallocate");
    return REAL(posix_fallocate64)(fd, at, length);
}
