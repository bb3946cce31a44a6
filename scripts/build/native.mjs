import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { newerThan, root } from './files.mjs';

export const architectures = ['x64', 'arm64'];

/** Debian's names of the compilers, native and cross: gcc-aarch64-linux-gnu, gcc-x86-64-linux-gnu. */
const compilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };

/**
 * No C library, no start files, no stack protector (it keeps its canary in thread-local storage, which a clone shares with its parent),
 * and no loop turned into a call of memset, which is nowhere. The paths and the build id are left out so that the same source
 * gives the same bytes everywhere.
 */
const common = [
  ...['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-ffreestanding', '-nostdlib'],
  ...['-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables'],
  ...['-fno-tree-loop-distribute-patterns'],
  ...['-Wl,--build-id=none', '-Wl,-z,noexecstack', '-Wl,-s'],
];
const library = ['-fPIC', '-shared', '-Wl,-z,defs', '-Wl,-z,relro', '-Wl,-z,now'];
/** One page of code and no more: without separate segments init and janitor take 2 KB on disk and 8 in memory. */
const program = ['-static', '-fno-pie', '-no-pie', '-Wl,-z,noseparate-code', '-Wl,-z,norelro'];

const targets = [
  {
    output: 'tsbox.so',
    source: 'tsbox.c',
    headers: ['launch.c', 'look.h', 'plan.h', 'remove.h', 'syscall.h'],
    flags: library,
  },
  { output: 'init', source: 'init.c', headers: ['program.h', 'syscall.h'], flags: program },
  { output: 'janitor', source: 'janitor.c', headers: ['program.h', 'syscall.h'], flags: program },
  {
    output: 'enter',
    source: 'enter.c',
    headers: ['enter-keep.h', 'launch.c', 'plan.h', 'program.h', 'syscall.h'],
    flags: program,
  },
  {
    output: 'monitor',
    source: 'monitor.c',
    headers: [
      ...['monitor.h', 'monitor-log.h', 'monitor-attach.h', 'monitor-start.h'],
      ...['launch.c', 'plan.h', 'program.h', 'syscall.h'],
    ],
    flags: program,
  },
];

/** Compiles native/ into dist/native/linux-ARCHITECTURE/. */
export function compileNative(architecture) {
  const directory = join('dist', 'native', `linux-${architecture}`);
  for (const { output, source, headers, flags } of targets) {
    const to = join(directory, output);
    const sources = [source, ...headers].map((name) => join('native', name));
    if (newerThan(to, [...sources, 'scripts/build/native.mjs'])) continue;
    mkdirSync(directory, { recursive: true });
    const aside = `${to}.${process.pid}`;
    compile(compilerFor(architecture), [...common, ...flags, '-o', aside, join('native', source)]);
    // A running container may have the old file mapped: replaced, not overwritten.
    renameSync(aside, to);
    console.log(`compiled ${to}`);
  }
}

function compilerFor(architecture) {
  return architecture === process.arch ? (process.env.CC ?? 'cc') : compilers[architecture];
}

function compile(compiler, args) {
  try {
    execFileSync(compiler, args, { cwd: root, stdio: 'inherit' });
  } catch (error) {
    if (error.code !== 'ENOENT') process.exit(1);
    const debian = compiler === 'cc' ? 'gcc' : `gcc-${compiler.slice(0, -4).replace('x86_64', 'x86-64')}`;
    console.error(`build: no compiler \`${compiler}\`: apt-get install ${debian}`);
    process.exit(1);
  }
}
