import { AT, O } from '../kernel/index.ts';
import { flags, octal, type Slot } from '../launch/index.ts';
import type { Stage } from './stage.ts';

/** A file that a new file system begins with. */
export interface CopiedUp {
  kind: 'directory' | 'file' | 'symlink';
  /** Relative, directories before what is in them. */
  name: string;
  mode: number;
  uid: number;
  gid: number;
  /** Of a symlink: where it leads. */
  content?: Uint8Array | string;
}

/** Writes files into a file system that is nowhere yet. */
export function copyUp(stage: Stage, fileSystem: Slot, files: readonly CopiedUp[]): void {
  for (const { kind, name, mode, uid, gid, content = '' } of files) {
    if (kind === 'directory')
      stage.call('mkdirat', [fileSystem, name, octal(mode & 0o777)], 'as the image has it');
    else if (kind === 'symlink')
      stage.call('symlinkat', [String(content), fileSystem, name], 'as the image has it');
    else {
      const how = flags(O, 'O_WRONLY', 'O_CREAT', 'O_EXCL', 'O_CLOEXEC');
      const fd = stage.open('copied', 'openat', [fileSystem, name, how, octal(0o600)], 'as the image has it');
      const bytes = Buffer.from(content);
      if (bytes.length > 0)
        stage.call('write', [fd, { bytes, text: `"…${bytes.length} bytes"` }, bytes.length], 'its content');
      stage.call('close', [fd], 'done');
    }
    const own = flags(AT, 'AT_SYMLINK_NOFOLLOW');
    if (uid !== 0 || gid !== 0) stage.call('fchownat', [fileSystem, name, uid, gid, own], 'its owner');
    // Last: a change of owner takes set-user-ID bits away.
    if (kind !== 'symlink') stage.call('fchmodat', [fileSystem, name, octal(mode)], 'its mode');
  }
}
