// Writes src/runtime/seccomp/syscalls.data.ts: the number of every system call on every architecture that a filter can name.
// Needs Debian's libseccomp2 (the numbers) and libseccomp-dev (the names); what is newer than that release is listed below.
//
//   node scripts/generate-syscalls.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import koffi from 'koffi';

const COLUMNS = ['x86_64', 'x86', 'x32', 'aarch64', 'arm'];
// AUDIT_ARCH_… of linux/audit.h; x32 has libseccomp's own.
const TOKENS = { x86_64: 0xc000003e, x86: 0x40000003, x32: 0x4000003e, aarch64: 0xc00000b7, arm: 0x40000028 };

// Newer than libseccomp 2.5.4. Since 424 a system call has one number everywhere (arch/x86/entry/syscalls/syscall_64.tbl,
// syscall_32.tbl, arch/arm/tools/syscall.tbl, scripts/syscall.tbl of Linux 6.18).
const EVERYWHERE = {
  cachestat: 451,
  fchmodat2: 452,
  map_shadow_stack: 453,
  futex_wake: 454,
  futex_wait: 455,
  futex_requeue: 456,
  statmount: 457,
  listmount: 458,
  lsm_get_self_attr: 459,
  lsm_set_self_attr: 460,
  lsm_list_modules: 461,
  mseal: 462,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  open_tree_attr: 467,
  file_getattr: 468,
  file_setattr: 469,
};
// Return paths of the kernel's probes, on x86-64 alone (Linux 6.11 and 6.18).
const ONLY_X86_64 = { uretprobe: 335, uprobe: 336 };

const library = koffi.load('libseccomp.so.2');
const byName = library.func('int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)');
const byNumber = library.func('const char *seccomp_syscall_resolve_num_arch(uint32_t arch, int number)');
const header = readFileSync('/usr/include/seccomp-syscalls.h', 'utf8');
const version = koffi.decode(library.func('void *seccomp_version()')(), 'uint', 3).join('.');

const names = new Set([...header.matchAll(/^#define __SNR_(\w+)/gm)].map((match) => match[1]));
for (const name of [...Object.keys(EVERYWHERE), ...Object.keys(ONLY_X86_64)]) names.add(name);

// Of a call that i386 also reaches through socketcall(2) or ipc(2), libseccomp gives a negative number by name; its own number
// is found from the other side.
const direct = new Map();
for (let number = 0; number < 512; number++) {
  const name = byNumber(TOKENS.x86, number);
  if (name) direct.set(name, number);
}

const lines = [];
for (const name of [...names].sort()) {
  const numbers = COLUMNS.map((column) => {
    const number = byName(TOKENS[column], name);
    if (number >= 0) return number;
    if (column === 'x86' && direct.has(name)) return direct.get(name);
    if (column === 'x86_64' && name in ONLY_X86_64) return ONLY_X86_64[name];
    if (column === 'x32' && name in EVERYWHERE)
      return name === 'map_shadow_stack' ? -1 : 0x40000000 + EVERYWHERE[name];
    return EVERYWHERE[name] ?? -1;
  });
  if (numbers.every((number) => number < 0)) continue; // of another architecture
  // x32's mark is the same in all of its numbers: left out here, put back by the reader.
  lines.push(
    [
      name,
      ...numbers.map((number, index) => (number < 0 ? '-' : index === 2 ? number - 0x40000000 : number)),
    ].join(' '),
  );
}

writeFileSync(
  new URL('../src/runtime/seccomp/syscalls.data.ts', import.meta.url),
  `/**
 * System call numbers by name: ${COLUMNS.join(', ')}; \`-\` where the architecture has no such call, x32 without its mark 0x40000000.
 * Written by scripts/generate-syscalls.mjs from libseccomp ${version}, with what Linux 6.18 has beyond it (451 to 469, uretprobe, uprobe).
 */
export const SYSCALLS = \`
${lines.join('\n')}
\`;
`,
);
console.log(`${lines.length} system calls`);
