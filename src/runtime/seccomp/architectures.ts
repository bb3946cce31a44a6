import type { Architecture } from './syscalls.ts';

/** The processors tsbox runs on, as `process.arch` names them. */
export type Machine = 'x64' | 'arm64';

/** x32 calls arrive as AUDIT_ARCH_X86_64 with this bit in the number (arch/x86/include/uapi/asm/unistd.h, __X32_SYSCALL_BIT). */
export const X32_BIT = 0x40000000;

/** The `arch` of `struct seccomp_data` (linux/audit.h). */
export const AUDIT_ARCH = {
  x86_64: 0xc000003e,
  x86: 0x40000003,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
} as const;

/** What a process of this machine can call the kernel as; the first is the machine's own. */
export const RUNS: Record<Machine, Architecture[]> = {
  x64: ['x86_64', 'x86', 'x32'],
  arm64: ['aarch64', 'arm'],
};

/** OCI's name of each architecture; the ones without a value no process of our machines can be. */
export const OCI_ARCHITECTURES: Record<string, Architecture | undefined> = {
  SCMP_ARCH_X86_64: 'x86_64',
  SCMP_ARCH_X86: 'x86',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_AARCH64: 'aarch64',
  SCMP_ARCH_ARM: 'arm',
  SCMP_ARCH_LOONGARCH64: undefined,
  SCMP_ARCH_M68K: undefined,
  SCMP_ARCH_MIPS: undefined,
  SCMP_ARCH_MIPS64: undefined,
  SCMP_ARCH_MIPS64N32: undefined,
  SCMP_ARCH_MIPSEL: undefined,
  SCMP_ARCH_MIPSEL64: undefined,
  SCMP_ARCH_MIPSEL64N32: undefined,
  SCMP_ARCH_PARISC: undefined,
  SCMP_ARCH_PARISC64: undefined,
  SCMP_ARCH_PPC: undefined,
  SCMP_ARCH_PPC64: undefined,
  SCMP_ARCH_PPC64LE: undefined,
  SCMP_ARCH_RISCV64: undefined,
  SCMP_ARCH_S390: undefined,
  SCMP_ARCH_S390X: undefined,
  SCMP_ARCH_SH: undefined,
  SCMP_ARCH_SHEB: undefined,
};

/** The architectures that the filter must know on this machine: its own always, as in libseccomp, and those that the profile names. */
export function architecturesOf(names: string[] | undefined, machine: Machine): Architecture[] {
  const named = new Set((names ?? []).map((name) => OCI_ARCHITECTURES[name]));
  return RUNS[machine].filter((architecture, index) => index === 0 || named.has(architecture));
}
