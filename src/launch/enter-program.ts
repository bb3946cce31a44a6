import { readFileSync } from 'node:fs';
import { cString, Errno, nativeFile, syscall } from '../kernel/index.ts';

/**
 * native/enter.c as a file in memory that is sealed: /proc/PID/exe of a process that runs it leads to this, and nobody can write to it, not
 * even root in the container (CVE-2019-5736). Made once a process (and once a worker thread) and kept.
 */
export function enterProgram(): number {
  program ??= makeProgram();
  return program;
}

let program: number | undefined;

function makeProgram(): number {
  const content = readFileSync(nativeFile('enter'));
  const fd = memoryFile('tsbox-enter', MFD_ALLOW_SEALING, MFD_EXEC);
  writeAll(fd, content);
  syscall('fcntl', [fd, F_ADD_SEALS, ALL_SEALS], { doing: 'seal the program that enters containers' });
  return fd;
}

/** A plan in memory, for that program to carry out. */
export function planFile(plan: Buffer): number {
  const fd = memoryFile('tsbox-plan', 0, MFD_NOEXEC_SEAL);
  writeAll(fd, plan);
  return fd;
}

/**
 * memfd_create(2).
 *
 * @param newer a flag that kernels from 6.3 on want to be told, and older ones refuse
 */
function memoryFile(name: string, flags: number, newer: number): number {
  const make = (word: number, allow: number[]) =>
    syscall('memfd_create', [cString(name), word | MFD_CLOEXEC], { doing: 'make a file in memory', allow });
  const fd = make(flags | newer, [Errno.EINVAL]);
  return fd === -Errno.EINVAL ? make(flags, []) : fd;
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) {
    const rest = bytes.subarray(written);
    written += syscall('write', [fd, rest, rest.length], { doing: 'write a file in memory' });
  }
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_NOEXEC_SEAL = 8;
const MFD_EXEC = 16;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE. */
const ALL_SEALS = 15;
