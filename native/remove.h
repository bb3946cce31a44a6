/*
 * Removing what is in a directory: the quick part of src/kernel/remove-tree.ts, which does the rest and says what is wrong.
 *
 * A container leaves a dozen files and directories, and a call from JavaScript for each of four system calls takes longer than the kernel does. By descriptor and by
 * bytes, following no symbolic link and entering no mount, as there. What cannot be removed, or lies too deep for this stack, stays.
 */
#pragma once
#include "syscall.h"

#if defined(__x86_64__)
#define NR_getdents64 217
#define NR_unlinkat 263
#else
#define NR_getdents64 61
#define NR_unlinkat 35
#endif
#define NR_openat2 437

#define DEEPEST 16
#define TYPE_DIRECTORY 4
#define REMOVE_DIRECTORY 0x200
/* O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, of which two differ between architectures */
#if defined(__x86_64__)
#define OPEN_DIRECTORY (0200000 | 0400000 | 02000000)
#else
#define OPEN_DIRECTORY (040000 | 0100000 | 02000000)
#endif
/* RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH */
#define RESOLVE_INSIDE (0x01 | 0x04 | 0x08)

struct directory_entry {
    u64 inode;
    i64 offset;
    unsigned short length;
    u8 type;
    char name[];
};

static int is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

static void empty_directory(i64 directory, int depth)
{
    u64 entries[512];
    u64 how[3] = {OPEN_DIRECTORY, 0, RESOLVE_INSIDE};
    i64 length;
    while ((length = raw_syscall(NR_getdents64, directory, (u64)entries, sizeof entries, 0, 0, 0)) > 0) {
        struct directory_entry *entry;
        for (i64 at = 0; at < length; at += entry->length) {
            i64 child;
            entry = (struct directory_entry *)((char *)entries + at);
            if (is_dots(entry->name))
                continue;
            if (entry->type != TYPE_DIRECTORY) {
                raw_syscall(NR_unlinkat, directory, (u64)entry->name, 0, 0, 0, 0);
                continue;
            }
            /* Most are empty, and then this is all. */
            if (raw_syscall(NR_unlinkat, directory, (u64)entry->name, REMOVE_DIRECTORY, 0, 0, 0) == 0 || depth == DEEPEST)
                continue;
            child = raw_syscall(NR_openat2, directory, (u64)entry->name, (u64)how, sizeof how, 0, 0);
            if (child < 0)
                continue;
            empty_directory(child, depth + 1);
            raw_syscall(NR_close, child, 0, 0, 0, 0, 0);
            raw_syscall(NR_unlinkat, directory, (u64)entry->name, REMOVE_DIRECTORY, 0, 0, 0);
        }
    }
}

/* Removes what it can of what is in the directory of that descriptor. */
void tsbox_empty(i64 directory)
{
    empty_directory(directory, 0);
}
