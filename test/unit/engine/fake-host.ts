import type { FileStatus, Host } from '../../../src/engine/host.ts';

export interface FakeFiles {
  texts?: Record<string, string>;
  statuses?: Record<string, Partial<FileStatus> & { type: FileStatus['type'] }>;
  /** Symbolic links: where a path really is. */
  links?: Record<string, string>;
  environment?: Record<string, string>;
}

/** A host with two CPUs that has only the files it is given. */
export function fakeHost(files: FakeFiles = {}): Host {
  const texts: Record<string, string> = {
    '/sys/devices/system/cpu/online': '0-1\n',
    '/sys/devices/system/cpu/possible': '0-1\n',
    ...files.texts,
  };
  const statuses = files.statuses ?? {};
  const links = files.links ?? {};
  const real = (path: string) => links[path] ?? path;
  return {
    hostname: () => 'tower',
    workingDirectory: () => '/home/ada/project',
    environment: (name) => files.environment?.[name],
    readText: (path) => texts[path],
    status: (path) => {
      const found = statuses[real(path)];
      return found && { mode: 0o644, uid: 0, gid: 0, major: 0, minor: 0, ...found };
    },
    list: (path) => {
      const below = [...Object.keys(statuses), ...Object.keys(links)].filter((each) =>
        each.startsWith(`${path}/`),
      );
      return [...new Set(below.map((each) => each.slice(path.length + 1).split('/')[0] as string))].sort();
    },
    realPath: (path) => (statuses[real(path)] ? real(path) : undefined),
    exists: (path) => path in texts || real(path) in statuses,
  };
}

/** The message of the error that `act` throws, which must have the code. */
export function refusal(act: () => unknown, code = 'BAD_OPTION'): string {
  try {
    act();
  } catch (error) {
    const { code: given, message } = error as { code?: string; message: string };
    if (given !== code) throw error;
    return message;
  }
  throw new Error(`expected ${code}, but nothing was thrown`);
}
