/**
 * Seccomp: from the `linux.seccomp` of an OCI configuration to the filter program that the kernel takes. A compiler of our own,
 * a binary search over system call numbers, checked against libseccomp's verdicts call by call (docs/decisions/0003-seccomp.md).
 */

export { filterFlags, notifies } from './actions.ts';
export type { Machine } from './architectures.ts';
export { absent, checkRule, checkSeccomp, list, object, quote, refuse, strings } from './check.ts';
export { compileSeccomp, type Filter } from './compile.ts';
