import { realpathSync, rmSync } from 'node:fs';
import { killCgroup, removeCgroup } from '../cgroup/index.ts';
import { TsboxError } from '../kernel/error.ts';
import { prepareCgroup, prepareScope } from './cgroup.ts';
import { type Config, OCI_VERSION, readConfig } from './config/index.ts';
import { runHooks } from './hooks.ts';
import { lifeOf } from './life.ts';
import { lockContainer } from './lock.ts';
import { makeContainer } from './make.ts';
import { publicState } from './public-state.ts';
import {
  checkId,
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
  const config = readConfig(bundle);
  checkTerminal(config, options.consoleSocket);
  const directory = makeDirectory(place, id);
  const lock = lockContainer(place, id);
  let state: StateRecord | undefined;
  let scope: Awaited<ReturnType<typeof prepareScope>> | undefined;
  try {
    process.chdir(bundle);
    const { linux, annotations = {} } = config;
    const said: string[] = [];
    const warn = (message: string) => {
      said.push(message);
      options.warn(message);
    };
    const wanted = [linux.cgroupsPath, id, linux.resources ?? {}, warn] as const;
    if (options.systemd) scope = await prepareScope(...wanted);
    const cgroup = scope?.group ?? prepareCgroup(...wanted);
    const maker = lifeOf(process.pid);
    state = {
      ociVersion: OCI_VERSION,
      id,
      bundle,
      rootfs: config.root.path,
      created: new Date().toISOString(),
      uid: process.getuid?.() ?? 0,
      annotations: { ...annotations },
      cgroup: cgroup.path,
      ...(scope && { unit: scope.unit }),
      ...(maker && { maker }),
      ...(said.length > 0 && { warnings: said }),
      poststart: (config.hooks.poststart?.length ?? 0) > 0,
      poststop: (config.hooks.poststop?.length ?? 0) > 0,
    };
    // Before anything is made: whoever finds this after a kill -9 knows what to remove.
    writeState(place, state);
    writeConfig(place, id, config);
    let known: StateRecord = state;
    makeContainer({
      id,
      config: withListeners(config, options.listenFds ?? 0),
      cgroup,
      directory,
      consoleSocket: options.consoleSocket,
      noPivot: options.noPivot ?? false,
      keepKeyring: options.noNewKeyring ?? false,
      preserve: options.preserveFds ?? 0,
      born: (pid) => {
        const init = lifeOf(pid);
        known = { ...known, ...(init && { init }) };
        // For the hooks of the container itself, which run while it is created (runtime.md, "Lifecycle").
        return publicState(known, 'created');
      },
      hooks: () => {
        const shown = publicState(known, 'creating');
        runHooks('prestart', config.hooks.prestart, shown, bundle);
        runHooks('createRuntime', config.hooks.createRuntime, shown, bundle);
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
    scope?.release();
    lock.release();
  }
}

/** Every process of it is in the group from its first instruction on. */
async function undo({ cgroup, unit }: StateRecord): Promise<void> {
  killCgroup(cgroup);
  await removeCgroup(cgroup);
  if (unit !== undefined) await (await import('./systemd/index.ts')).stopScope(unit);
}

/** sd_listen_fds(3). What is executed later gets none. */
function withListeners(config: Config, count: number): Config {
  if (count === 0) return config;
  const { env } = config.process;
  return {
    ...config,
    process: { ...config.process, env: [...env, `LISTEN_FDS=${count}`, 'LISTEN_PID=1'] },
  };
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

function checkTerminal({ process }: Config, socket: string | undefined): void {
  if (process.terminal && socket === undefined)
    throw failure('BAD_OPTION', 'cannot allocate tty if runc will detach without setting console socket');
  if (!process.terminal && socket !== undefined)
    throw failure('BAD_OPTION', 'cannot use console socket if runc will not detach or allocate tty');
}
