import type { RunOptions } from '../../../../src/engine/run-options.ts';
import { type BuiltSpec, buildSpec, type ImageConfig } from '../../../../src/engine/spec/index.ts';
import { type FakeFiles, fakeHost } from '../fake-host.ts';

const files: Record<string, string> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/ash\nguest:x:405:100:guest:/dev/null:/sbin/nologin\n',
  '/etc/group':
    'root:x:0:root\nbin:x:1:root,bin,daemon\nwheel:x:10:root\nusers:x:100:games\nvideo:x:27:guest\n',
};

/** What the Alpine image says, as far as it matters here. */
export const alpine = {
  config: {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/bin/sh'],
    WorkingDir: '/',
  } satisfies ImageConfig,
  readImageFile: (path: string) => (files[path] === undefined ? undefined : Buffer.from(files[path])),
};

export interface Circumstances {
  config?: object;
  command?: string[];
  host?: FakeFiles;
  inUse?: { hostID: number; size: number }[];
}

/** `tsbox run OPTIONS alpine COMMAND` on a host that has two CPUs and nothing else. */
export function build(options: RunOptions, circumstances: Circumstances = {}): BuiltSpec {
  return buildSpec({
    id: 'f00dcafe1234567890abcdef',
    options,
    image: { config: (circumstances.config ?? alpine.config) as ImageConfig },
    command: circumstances.command ?? [],
    readImageFile: alpine.readImageFile,
    idRangesInUse: () => circumstances.inUse ?? [],
    host: fakeHost(circumstances.host),
  });
}
