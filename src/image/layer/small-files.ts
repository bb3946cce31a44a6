import { closeDescriptor, Errno, KernelError, native, type SyscallName } from '../../kernel/index.ts';
import { AGAIN, type Arena, carryOut, layOut, Slot, type Step } from '../../launch/index.ts';
import { plainName } from '../archive-error.ts';
import type { TarEntry } from '../tar/index.ts';
import { writeTimes } from './attributes.ts';
import { NEW_FILE } from './make.ts';
import { RESOLVE_IN_LAYER } from './parents.ts';
import { keyOf, type LayerPath } from './path.ts';

/**
 * Makes many small files with one call out of JavaScript: a plan (src/launch) that is laid out once for each layer, with places for
 * names, contents and attributes. Most files of most images are small, and with six calls a file going in and out of V8 took more time than
 * the kernel did.
 *
 * The kernel resolves the whole path of a file as it does for `Parents`, and makes nothing but new files. Whatever else there is
 * to do about one (a directory is missing, the name is there already) is left to `byHand`.
 */
export class SmallFiles {
  readonly #root: number;
  readonly #owner: Owner | undefined;
  readonly #byHand: (file: SmallFile) => void;
  readonly #waiting: SmallFile[] = [];
  #memory: Memory | undefined;

  /**
   * @param owner whose new files here are, where that is known: then they need not be given away
   * @param byHand makes a file that is not simply new; called in the order of the archive
   */
  constructor(root: number, owner: Owner | undefined, byHand: (file: SmallFile) => void) {
    this.#root = root;
    this.#owner = owner;
    this.#byHand = byHand;
  }

  /** Whether it is for here. Extended attributes are rare. */
  static takes(entry: TarEntry): boolean {
    return entry.type === 'file' && entry.xattrs === undefined && entry.name.length < PATH_MOST;
  }

  /** The file is made at the latest when `flush` returns; until then its content must stay where it is. */
  add(file: SmallFile): void {
    if (this.#waiting.length === MOST) this.flush();
    this.#waiting.push(file);
  }

  /** @throws what is wrong with the first file that could not be made */
  flush(): void {
    const count = this.#waiting.length;
    if (count === 0) return;
    const files = this.#waiting.splice(0);
    this.#memory ??= new Memory(this.#root);
    const { arena, descriptor, written } = this.#memory;
    // The plan ends after the last place, so the last ones are used.
    const first = MOST - count;
    for (const [index, file] of files.entries()) this.#memory.put(first + index, file, this.#owner);
    for (let place = first; place < MOST; ) {
      arena.reset();
      carryOut(arena, place * STEPS);
      const failure = arena.failure();
      const end = failure === undefined ? MOST : Math.floor(arena.failedAt / STEPS);
      for (; place < end; place++) {
        const file = files[place - first] as SmallFile;
        // It says why when it is tried again.
        if (file.content.length > 0 && arena.slot(written[place] as Slot) !== file.content.length)
          this.#byHand(file);
      }
      if (failure === undefined) return;
      const file = files[place - first] as SmallFile;
      if (arena.failedAt % STEPS > 0) {
        closeDescriptor(arena.slot(descriptor));
        const path = plainName(file.entry.name);
        throw new KernelError(failure.step.call as SyscallName, failure.errno, { path, doing: 'unpack' });
      }
      this.#byHand(file);
      place++;
    }
  }
}

interface Owner {
  uid: number;
  gid: number;
}

/** A regular file that has come as a whole. */
export interface SmallFile {
  entry: TarEntry;
  path: LayerPath;
  content: Buffer;
}

/** What the kernel reads: the steps, and beside them paths and times. A content stays where it came. */
class Memory {
  readonly arena: Arena;
  readonly descriptor = new Slot('file');
  readonly written: readonly Slot[];
  readonly #paths = Buffer.alloc(MOST * PATH_ROOM);
  readonly #times = Buffer.alloc(MOST * TIMES);
  #contents: { memory: ArrayBufferLike; address: number } | undefined;

  constructor(root: number) {
    this.written = Array.from({ length: MOST }, () => new Slot('written'));
    const how = Buffer.alloc(24);
    // struct open_how (openat2(2)).
    how.writeUInt32LE(NEW_FILE, 0);
    how.writeUInt32LE(0o600, 8);
    how.writeUInt32LE(RESOLVE_IN_LAYER, 16);
    const shared = { bytes: how, text: 'open_how' };
    const [paths, times] = [this.#paths, this.#times].map((each) => Number(native().address(each))) as [
      number,
      number,
    ];
    const steps = this.written.flatMap((written, place) =>
      stepsOf(root, shared, this.descriptor, written, paths + place * PATH_ROOM, times + place * TIMES),
    );
    this.arena = layOut({ steps });
  }

  put(place: number, { entry, path, content }: SmallFile, owner: Owner | undefined): void {
    const { arena } = this;
    const step = place * STEPS;
    const length = this.#paths.write(keyOf(path), place * PATH_ROOM, 'latin1');
    this.#paths[place * PATH_ROOM + length] = 0;
    writeTimes(this.#times, place * TIMES, entry.mtime);
    const owned = entry.uid === owner?.uid && entry.gid === owner.gid;
    const skip = owned ? 1 : 0;
    arena.setSkipOnSuccess(step, content.length === 0 ? 1 + skip : 0);
    arena.setSkipOnSuccess(step + 1, skip);
    if (content.length > 0) arena.setArgument(step + 1, 1, this.#addressOf(content));
    arena.setArgument(step + 1, 2, content.length);
    arena.setArgument(step + 2, 1, entry.uid);
    arena.setArgument(step + 2, 2, entry.gid);
    arena.setArgument(step + 3, 1, entry.mode);
  }

  #addressOf(content: Buffer): number {
    const { buffer } = content;
    if (this.#contents?.memory !== buffer)
      this.#contents = { memory: buffer, address: Number(native().address(new Uint8Array(buffer))) };
    return this.#contents.address + content.byteOffset;
  }
}

/** As `makeFile` and `setAttributes` do it, and for the same reasons in this order. */
function stepsOf(
  root: number,
  how: { bytes: Buffer; text: string },
  descriptor: Slot,
  written: Slot,
  path: number,
  times: number,
): Step[] {
  const [stage, why] = ['unpack', 'unpack'];
  const again = { tolerate: [Errno.EINTR], skipOnError: AGAIN };
  return [
    { stage, why, call: 'openat2', args: [root, path, how, 24], save: descriptor, ...again },
    { stage, why, call: 'write', args: [descriptor, 0, 0], save: written, ...again },
    { stage, why, call: 'fchown', args: [descriptor, 0, 0] },
    { stage, why, call: 'fchmod', args: [descriptor, 0] },
    { stage, why, call: 'utimensat', args: [descriptor, 0, times, 0] },
    { stage, why, call: 'close', args: [descriptor], tolerate: [Errno.EINTR] },
  ];
}

/** Steps of one file. */
const STEPS = 6;
/** More of them seldom lie in one piece of what was decompressed. */
const MOST = 64;
const PATH_MOST = 1000;
const PATH_ROOM = 1024;
const TIMES = 32;
