import { fchownSync } from 'node:fs';
import { AT, cString, O, pipe, socketPair, syscall } from '../../kernel/index.ts';
import type { Spec } from '../../runtime/index.ts';
import type { ContainerRecord } from '../record.ts';
import { mappedOwner } from '../writable-layer.ts';

/** The streams between a program and its monitor, by the numbers that the monitor knows: 8 to 10 the program's ends, 11 to 13 its own. */
export interface MonitorStreams {
  tty: boolean;
  descriptors: ReadonlyMap<number, number>;
}

/** @param keep is told of each descriptor, so that it is closed whatever happens */
export function openMonitorStreams(
  record: ContainerRecord,
  spec: Spec,
  keep: (fd: number) => number,
): MonitorStreams {
  if (spec.process.terminal) {
    const [ours, theirs] = socketPair();
    return {
      tty: true,
      descriptors: new Map([
        [8, keep(theirs)],
        [11, keep(ours)],
      ]),
    };
  }
  const owner = mappedOwner(spec);
  const newPipe = (program: 'read' | 'write') => {
    const ends = pipe();
    keep(ends.read);
    keep(ends.write);
    // So that a program that is not root can open /dev/stdout.
    if (owner !== 0) fchownSync(ends[program], owner, owner);
    return ends;
  };
  const input = record.options?.interactive ? newPipe('read') : undefined;
  const [output, errors] = [newPipe('write'), newPipe('write')];
  return {
    tty: false,
    descriptors: new Map([
      [8, input?.read ?? keep(openNull())],
      [9, output.write],
      [10, errors.write],
      ...(input === undefined ? [] : ([[11, input.write]] as const)),
      [12, output.read],
      [13, errors.read],
    ]),
  };
}

function openNull(): number {
  return syscall('openat', [AT.AT_FDCWD, cString('/dev/null'), O.O_RDONLY | O.O_CLOEXEC], {
    doing: 'open /dev/null',
  });
}
