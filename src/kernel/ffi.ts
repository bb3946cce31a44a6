import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nativeFile, packageRoot } from './native.ts';

/**
 * The only file that knows which FFI library is used (koffi, see docs/decisions/0001-ffi.md), so that Node's own `node:ffi` can take
 * its place once that is stable everywhere.
 *
 * One foreign function carries nearly everything: `tsbox_syscall` of native/launch.c, which makes any system call and returns
 * the kernel's own answer. There is no `errno` to read afterwards, and so none to lose between two calls.
 */

/** An argument of a system call: a number, an address, memory that the kernel reads or writes, or null. */
export type SyscallArgument = number | bigint | NodeJS.ArrayBufferView | null;

export interface Native {
  /** Makes the system call; the result, or a negative errno. */
  syscall(number: number, ...args: SyscallArgument[]): number;
  /** The same on a thread of libuv's pool, for calls that wait. The memory must be kept alive by the caller until then. */
  syscallAsync(number: number, ...args: SyscallArgument[]): Promise<number>;
  /** Carries out the plan in `arena` from step `index` on, in this thread. 0, or the errno of the step that failed. */
  runPlan(arena: NodeJS.ArrayBufferView, index: number): number;
  /** Removes what is in the directory of a descriptor, as far as that goes at once. */
  empty(directory: number): void;
  /** See `lookInto`. */
  look(
    directory: number,
    names: Buffer,
    count: number,
    files: Buffer,
    looks: BigInt64Array,
    bytes: Buffer,
  ): void;
  /** Where the memory of a buffer lies. It stays there for as long as the buffer is referenced. */
  address(buffer: NodeJS.ArrayBufferView): bigint;
}

/** Loads the library at the first call: a program that only lists images never pays for it. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

/** Whether that was ever needed. */
export function isNativeLoaded(): boolean {
  return loaded !== undefined;
}

let loaded: Native | undefined;

interface ForeignFunction {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

interface Koffi {
  load(path: string): { func(name: string, result: string, args: string[]): ForeignFunction };
  address(buffer: NodeJS.ArrayBufferView): bigint;
}

function load(): Native {
  const koffi = loadKoffi();
  const library = koffi.load(nativeFile('tsbox.so'));
  // koffi takes a number, a BigInt, a buffer or null where `void *` is declared, and keeps a buffer alive during the call.
  const word = 'void *';
  const syscall = library.func('tsbox_syscall', 'int64_t', ['int64_t', word, word, word, word, word, word]);
  const runPlan = library.func('tsbox_run', 'int64_t', [word, 'int64_t']);
  let empty: ForeignFunction | undefined;
  let look: ForeignFunction | undefined;
  return {
    syscall: (number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => syscall(number, a, b, c, d, e, f),
    syscallAsync: (number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) =>
      new Promise((resolve, reject) =>
        syscall.async(number, a, b, c, d, e, f, (error: Error | null, result: number) =>
          error ? reject(error) : resolve(result),
        ),
      ),
    runPlan: (arena, index) => runPlan(arena, index),
    empty(directory) {
      // Not before somebody needs it.
      empty ??= library.func('tsbox_empty', 'void', ['int64_t']);
      empty(directory);
    },
    look(directory, names, count, files, looks, bytes) {
      look ??= library.func('tsbox_look', 'void', ['int64_t', word, 'int64_t', word, word, word, 'int64_t']);
      look(directory, names, count, files, looks, bytes, bytes.length);
    },
    address: (buffer) => koffi.address(buffer),
  };
}

/** koffi's package index looks for its binary in a dozen places, which takes 10 ms; we know where it is, which takes 2. */
function loadKoffi(): Koffi {
  const directory = koffiDirectory();
  const module = { exports: {} };
  try {
    process.dlopen(module, join(directory, `linux_${process.arch}`, 'koffi.node'));
  } catch {
    process.dlopen(module, join(directory, `musl_${process.arch}`, 'koffi.node'));
  }
  return module.exports as Koffi;
}

/** Where npm puts it: in `node_modules` of this package or of a directory above. Asking Node instead takes 3 ms. */
function koffiDirectory(): string {
  const name = `@koromix/koffi-linux-${process.arch}`;
  for (let above = packageRoot(); above !== dirname(above); above = dirname(above)) {
    const directory = join(above, 'node_modules', name);
    if (existsSync(directory)) return directory;
  }
  const { createRequire } = process.getBuiltinModule('node:module');
  const require = createRequire(join(packageRoot(), 'package.json'));
  // Package managers that do not hoist (pnpm) let only koffi itself see its binaries.
  return dirname(createRequire(require.resolve('koffi')).resolve(`${name}/package.json`));
}
