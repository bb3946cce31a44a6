import { CAPABILITIES, RLIMIT } from '../../kernel/index.ts';
import { IOPRIO_CLASSES, MOST_CPUS, SCHED_FLAGS, SCHED_POLICIES } from '../../runtime/schedule.ts';
import type { Capabilities, Process } from '../../runtime/spec.ts';
import { bool, listOf, path, quote, type Reader, refuse, shape, text, U16, U64, whole } from './readers.ts';

/** What `process` may be; also that of `exec --process` (config.md, "Process"). @throws {TsboxError} BAD_CONFIG */
export function readProcess(value: unknown, at: string): Process {
  const found = PROCESS(value, at);
  const { args, user, rlimits = [], selinuxLabel, oomScoreAdj, scheduler } = found;
  if (args.length === 0) refuse(`${at}.args`, 'must not be empty');
  if (args[0] === '') refuse(`${at}.args[0]`, 'is empty');
  if (selinuxLabel) refuse(`${at}.selinuxLabel`, 'SELinux labels are not supported');
  const seen = new Set<string>();
  for (const [index, { type, soft, hard }] of rlimits.entries()) {
    const where = `${at}.rlimits[${index}]`;
    if (seen.has(type)) refuse(`${where}.type`, `${type} is given twice`);
    seen.add(type);
    if (soft > hard) refuse(`${where}.soft`, `${soft} is more than the hard limit, ${hard}`);
  }
  if (scheduler?.policy === 'SCHED_DEADLINE' && !scheduler.runtime)
    refuse(`${at}.scheduler.runtime`, 'SCHED_DEADLINE needs it');
  if (found.commandLine !== undefined) refuse(`${at}.commandLine`, 'is for Windows only');
  return {
    ...(found.terminal !== undefined && { terminal: found.terminal }),
    ...(found.consoleSize && { consoleSize: found.consoleSize }),
    user: {
      uid: user.uid,
      gid: user.gid,
      ...(user.umask !== undefined && { umask: user.umask }),
      additionalGids: user.additionalGids ?? [],
    },
    args,
    env: found.env ?? [],
    cwd: found.cwd,
    capabilities: withPossibleAmbient(found.capabilities ?? {}),
    rlimits,
    noNewPrivileges: found.noNewPrivileges ?? false,
    ...(found.apparmorProfile && { apparmorProfile: found.apparmorProfile }),
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
    ...(scheduler && { scheduler }),
    ...(found.ioPriority && { ioPriority: found.ioPriority }),
    ...(found.execCPUAffinity && { execCPUAffinity: found.execCPUAffinity }),
  };
}

/** Only what is permitted and inheritable can be ambient (capabilities(7)). Buildah asks for more, and runc and crun let it. */
function withPossibleAmbient(sets: Capabilities): Capabilities {
  const { permitted = [], inheritable = [], ambient = [] } = sets;
  const possible = ambient.filter((name) => permitted.includes(name) && inheritable.includes(name));
  return { ...sets, ambient: possible };
}

const KNOWN = new Set<string>(CAPABILITIES);

/** One that this kernel, or tsbox, does not know cannot be given, and so is left out, as runc does with a warning. */
const capabilities: Reader<string[]> = (value, at) =>
  listOf(text({ most: 64 }), 1024)(value, at).filter((name, index) => {
    if (!/^CAP_[A-Z0-9_]+$/.test(name)) refuse(`${at}[${index}]`, `there is no capability ${quote(name)}`);
    return KNOWN.has(name);
  });

const cpuList: Reader<string> = (value, at) => {
  const found = text({ most: 4096 })(value, at);
  const bad = !/^(\d{1,5}(-\d{1,5})?)(,\d{1,5}(-\d{1,5})?)*$/.test(found);
  if (found !== '' && (bad || found.split(/[,-]/).some((cpu) => Number(cpu) >= MOST_CPUS)))
    refuse(at, `expected a list of CPUs such as 0-3,7, found ${quote(found)}`);
  return found;
};

const variable: Reader<string> = (value, at) => {
  const found = text()(value, at);
  if (!found.includes('=') || found.startsWith('=')) refuse(at, `expected NAME=VALUE, found ${quote(found)}`);
  return found;
};

const id = whole(0, 2 ** 32 - 2);

const PROCESS = shape(
  {
    args: listOf(text()),
    cwd: path({ absolute: true }),
    user: shape(
      { uid: id, gid: id },
      { umask: whole(0, 0o7777), additionalGids: listOf(id), username: text() },
    ),
  },
  {
    terminal: bool,
    consoleSize: shape({ height: U16, width: U16 }, {}),
    env: listOf(variable),
    commandLine: text(),
    capabilities: shape(
      {},
      {
        bounding: capabilities,
        effective: capabilities,
        inheritable: capabilities,
        permitted: capabilities,
        ambient: capabilities,
      },
    ),
    rlimits: listOf(shape({ type: text({ oneOf: Object.keys(RLIMIT) }), soft: U64, hard: U64 }, {})),
    noNewPrivileges: bool,
    apparmorProfile: text({ most: 4095 }),
    oomScoreAdj: whole(-1000, 1000),
    selinuxLabel: text(),
    scheduler: shape(
      { policy: text({ oneOf: Object.keys(SCHED_POLICIES) }) },
      {
        nice: whole(-20, 19),
        priority: whole(0, 99),
        flags: listOf(text({ oneOf: Object.keys(SCHED_FLAGS) })),
        runtime: U64,
        deadline: U64,
        period: U64,
      },
    ),
    ioPriority: shape({ class: text({ oneOf: Object.keys(IOPRIO_CLASSES) }), priority: whole(0, 7) }, {}),
    execCPUAffinity: shape({}, { initial: cpuList, final: cpuList }),
  },
);
