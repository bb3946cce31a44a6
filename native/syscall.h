/*
 * Raw system calls, without a C library.
 *
 * The code of this folder runs where no library can be trusted: in a process that shares Node's memory and has
 * just been cloned (its thread-local storage is another thread's, so even `errno` would be somebody else's), or
 * as a tiny static program. One inline function a machine is all it needs: the number and six arguments go
 * into the registers that syscall(2) lists under "Architecture calling conventions", the kernel's answer comes back as it is: a result,
 * or a negative errno.
 */
#ifndef TSBOX_SYSCALL_H
#define TSBOX_SYSCALL_H

typedef signed long i64;
typedef unsigned long u64;
typedef int i32;
typedef short i16;
typedef unsigned char u8;

#if defined(__x86_64__)

static inline i64 raw_syscall(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r9 __asm__("r9") = f;
    i64 result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline i64 raw_syscall(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register i64 x8 __asm__("x8") = number;
    register u64 x0 __asm__("x0") = a;
    register u64 x1 __asm__("x1") = b;
    register u64 x2 __asm__("x2") = c;
    register u64 x3 __asm__("x3") = d;
    register u64 x4 __asm__("x4") = e;
    register u64 x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return (i64)x0;
}

#else
#error "tsbox is written for x86-64 and arm64"
#endif

#endif
