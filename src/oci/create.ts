import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { killCgroup, removeCgroup } from '../cgroup/index.ts';
import { TsboxError } from '../kernel/error.ts';
import { readBounded } from './config/read-file.ts';
import { OCI_VERSION } from './config/version.ts';
import { fromKept } from './from-kept.ts';
import { runHooks } from './hooks.ts';
import { lifeOf } from './life.ts';
import { likenessOf } from './likeness.ts';
import { lockContainer } from './lock.ts';
import { makeContainer } from './make.ts';
import type { Group, Making, Wanted } from './making.ts';
import { publicState } from './public-state.ts';
import {
  checkId,
  directoryOf,
  failure,
  makeDirectory,
  type Place,
  type StateRecord,
  writeConfig,
  writeState,
  writeWhole,
} from './state.ts';

export interface CreateOptions {
  /** Default: the working directory. */
  bundle?: string | undefined;
  pidFile?: string | undefined;
  consoleSocket?: string | undefined;
  noPivot?: boolean;
  noNewKeyring?: boolean;
  preserveFds?: number;
  /** How many of them the program is told of as sockets that it listens on. */
  listenFds?: number;
  /** Whether its group is a scope of systemd's. */
  systemd?: boolean;
  /** Is told, in one line, of what is done otherwise than asked. */
  warn: (message: string) => void;
}

/**
 * Makes a container from a bundle: all but the program, which `start` lets go. Where it fails, nothing of it stays.
 *
 * @throws {TsboxError} BAD_CONFIG, ID_IN_USE, and whatever the kernel says
 */
export async function create(place: Place, id: string, options: CreateOptions): Promise<StateRecord> {
  checkId(id);
  const bundle = realBundle(options.bundle ?? '.');
  const { preserveFds: preserve = 0, consoleSocket } = options;
  const wanted: Wanted = {
    id,
    bundle,
    terminal: consoleSocket !== undefined,
    noPivot: options.noPivot ?? false,
    keepKeyring: options.noNewKeyring ?? false,
    preserve,
    listenFds: options.listenFds ?? 0,
    systemd: options.systemd ?? false,
  };
  const making = await makingOf(join(bundle, 'config.json'), wanted, existsSync(directoryOf(place, id)));
  const directory = makeDirectory(place, id);
  const lock = lockContainer(place, id);
  let state: StateRecord | undefined;
  let group: Group | undefined;
  try {
    process.chdir(bundle);
    const said: string[] = [];
    group = await making.group((message) => {
      said.push(message);
      options.warn(message);
    });
    const maker = lifeOf(process.pid);
    state = {
      ociVersion: OCI_VERSION,
      id,
      bundle,
      rootfs: making.rootfs,
      created: new Date().toISOString(),
      uid: process.getuid?.() ?? 0,
      annotations: making.annotations,
      cgroup: group.path,
      ...(group.unit !== undefined && { unit: group.unit }),
      ...(maker && { maker }),
      ...(said.length > 0 && { warnings: said }),
      poststart: making.poststart,
      poststop: making.poststop,
    };
    // Before anything is made: whoever finds this after a kill -9 knows what to remove.
    writeState(place, state);
    writeConfig(place, id, making.json);
    let known: StateRecord = state;
    await makeContainer({
      plan: making.plan(),
      directory,
      consoleSocket,
      preserve,
      born: (pid) => {
        const init = lifeOf(pid);
        known = { ...known, ...(init && { init }) };
        // For the hooks of the container itself, which run while it is created (runtime.md, "Lifecycle").
        return publicState(known, 'created');
      },
      hooks: () => {
        const shown = publicState(known, 'creating');
        runHooks('prestart', making.hooks.prestart, shown, bundle);
        runHooks('createRuntime', making.hooks.createRuntime, shown, bundle);
      },
    });
    const { maker: _, ...made } = known;
    state = made;
    if (made.init === undefined) throw failure('CREATE_FAILED', 'the container was killed while it was made');
    if (options.pidFile !== undefined) writeWhole(options.pidFile, String(made.init.pid), 0o644);
    writeState(place, made);
    return made;
  } catch (error) {
    if (state !== undefined) await undo(state);
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    group?.release?.();
    lock.release();
  }
}

/** What is not like others is made from its configuration, by all that it takes to check one and to plan. */
async function makingOf(file: string, wanted: Wanted, taken: boolean): Promise<Making> {
  // Read once: what was compared is what is used.
  const config = readBounded(file);
  const likeness = likenessOf(config, wanted);
  // Whose name is taken is not made: then nothing is prepared for it.
  const kept = likeness && !taken ? fromKept(config, wanted, likeness) : undefined;
  return kept ?? (await import('./from-config.ts')).fromConfig(config, file, wanted, likeness);
}

/** Every process of it is in the group from its first instruction on. */
async function undo({ cgroup, unit }: StateRecord): Promise<void> {
  killCgroup(cgroup);
  await removeCgroup(cgroup);
  if (unit !== undefined) await (await import('./systemd/index.ts')).stopScope(unit);
}

function realBundle(bundle: string): string {
  try {
    return realpathSync(bundle);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TsboxError(
      'BAD_BUNDLE',
      `the bundle ${bundle}: ${code === 'ENOENT' ? 'no such file or directory' : code}`,
      {
        exitCode: 1,
        cause: error,
      },
    );
  }
}
