import { unlinkSync } from 'node:fs';
import { closeDescriptor, native, pipe, TsboxError } from '../../kernel/index.ts';
import type { Stdio } from '../../runtime/index.ts';
import { type KeptFile, readKept } from '../../runtime/kept-file.ts';
import type { Container, StartOptions } from '../container.ts';
import { newContainerId } from '../container-directory.ts';
import type { NetworkStart } from '../network/network-start.ts';
import type { Startable } from '../prepare.ts';
import { runPrepared } from '../run.ts';
import { launch, type Started } from '../start.ts';
import type { Streams } from '../streams.ts';
import { factsNow } from './facts.ts';
import type { KeptHeader } from './header.ts';
import type { KeptRequest } from './request.ts';
import { fillTemplate, type Places } from './template.ts';

/** A command line whose plan is there. */
export interface KeptRun {
  request: KeptRequest;
  /** @throws whatever goes wrong. As long as `started` is false, nothing has happened that anybody could have seen */
  run(options: StartOptions): Promise<Container>;
  readonly started: boolean;
}

/** The plan in that file, if it is of this command line and the host is as it was. One that is not, is forgotten. */
export function openKept(file: string, key: string): KeptRun | undefined {
  const kept = readKept(file);
  const id = newContainerId();
  const header = kept && headerFor(kept, id, key);
  if (kept === undefined || header === undefined) {
    forget(file);
    return undefined;
  }
  const { image, built, network, cgroup: path, places, request } = header;
  const prepared: Startable = {
    image,
    built,
    network,
    input: { id, cgroup: { path, writes: [] } },
    makeCgroupParents() {},
  };
  let started = false;
  const begin = async (streams: Streams, cloned: (pid: number) => void, network?: NetworkStart) => {
    const program = await launchKept({ id, arena: kept.arena, places }, streams, cloned, network);
    started = true;
    return program;
  };
  return {
    request,
    get started() {
      return started;
    },
    async run(options) {
      try {
        return await runPrepared(prepared, request.image, options, begin);
      } catch (error) {
        if (!started) forget(file);
        throw error;
      }
    },
  };
}

/** As of another container: an id is in it in two forms, all of it and its beginning. Undefined where anything has changed. Exported for tests. */
export function headerFor(
  { id: from, text }: Pick<KeptFile, 'id' | 'text'>,
  id: string,
  key: string,
): KeptHeader | undefined {
  try {
    const renamed = text.replaceAll(from, id).replaceAll(from.slice(0, SHORT), id.slice(0, SHORT));
    const header = JSON.parse(renamed) as KeptHeader;
    if (header.key !== key) return undefined;
    return factsNow(header.questions, header.built.spec, id) === header.facts ? header : undefined;
  } catch {
    return undefined;
  }
}

const SHORT = 12;

async function launchKept(
  { id, arena, places }: { id: string; arena: Buffer; places: Places },
  streams: Streams,
  cloned: (pid: number) => void,
  network: NetworkStart | undefined,
): Promise<Started> {
  const ready = pipe();
  const base = Number(native().address(arena));
  const filled = fillTemplate(arena, places, {
    id,
    stdio: streams.child as Stdio,
    ready: ready.write,
    reader: ready.read,
    network: network?.input.networkSocket,
    base,
  });
  if (filled === undefined) {
    network?.abandon();
    closeDescriptor(ready.read);
    closeDescriptor(ready.write);
    throw new TsboxError('START_FAILED', 'the kept plan is for other descriptors');
  }
  const program = await launch(filled, ready, { mayBlock: true }, cloned, network);
  if (program === undefined) throw new TsboxError('START_FAILED', 'the kept plan did not succeed');
  return { ...program, arena: undefined };
}

function forget(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It is gone, or on a read-only disk; then the next one has to look again.
  }
}
