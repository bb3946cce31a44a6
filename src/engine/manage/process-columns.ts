import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { badOption, didYouMean } from '../options/index.ts';

/** What /proc says of a process. proc_pid_stat(5), proc_pid_status(5) */
export interface ProcessFacts {
  pid: number;
  ppid: number;
  uid: number;
  gid: number;
  name: string;
  command: string;
  state: string;
  nice: number;
  threads: number;
  /** Device number; 0 for none. */
  terminal: number;
  /** Seconds of processor time, and since it began. */
  time: number;
  elapsed: number;
  /** Bytes. */
  resident: number;
  virtual: number;
}

export interface Column {
  title: string;
  show(process: ProcessFacts): string;
}

/** @throws {TsboxError} BAD_OPTION for what is not among the few options of ps that are known here */
export function chooseColumns(options: readonly string[]): Column[] {
  const text = options.join(' ').trim();
  const format = /^(?:-?e\s*|-e\s+|-A\s+)?-?o\s*(.+)$/.exec(text)?.[1];
  if (format !== undefined) return format.split(/[\s,]+/).map(column);
  if (text === '' || /^-?(ef|fe)$/.test(text)) return EF.map(column);
  if (/^-?(aux|axu|ux)$/.test(text)) return AUX.map(column);
  throw badOption('ps options', text, 'not -ef, aux or -o COLUMN[,COLUMN…]');
}

const EF = ['uid_name', 'pid', 'ppid', 'c', 'stime', 'tty_name', 'time', 'cmd'];
const AUX = ['user', 'pid', '%cpu', '%mem', 'vsz', 'rss', 'tty', 'stat', 'start', 'time', 'command'];

/** `pid`, or `pid=NUMBER` for a title of one's own. */
function column(asked: string): Column {
  const equals = asked.indexOf('=');
  const name = equals < 0 ? asked : asked.slice(0, equals);
  const found = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
  if (found === undefined)
    throw badOption('-o', name, `ps has no such column here${didYouMean(name, Object.keys(COLUMNS))}`);
  return { title: equals < 0 ? found[0] : asked.slice(equals + 1), show: found[1] };
}

const COLUMNS: Record<string, [title: string, show: (process: ProcessFacts) => string]> = {
  uid_name: ['UID', ({ uid }) => userName(uid)],
  user: ['USER', ({ uid }) => userName(uid)],
  uid: ['UID', ({ uid }) => String(uid)],
  gid: ['GID', ({ gid }) => String(gid)],
  pid: ['PID', ({ pid }) => String(pid)],
  ppid: ['PPID', ({ ppid }) => String(ppid)],
  c: ['C', (process) => String(Math.min(99, Math.floor(share(process))))],
  '%cpu': ['%CPU', (process) => share(process).toFixed(1)],
  pcpu: ['%CPU', (process) => share(process).toFixed(1)],
  '%mem': ['%MEM', ({ resident }) => ((100 * resident) / totalmem()).toFixed(1)],
  pmem: ['%MEM', ({ resident }) => ((100 * resident) / totalmem()).toFixed(1)],
  rss: ['RSS', ({ resident }) => String(Math.round(resident / 1024))],
  vsz: ['VSZ', ({ virtual }) => String(Math.round(virtual / 1024))],
  stime: ['STIME', ({ elapsed }) => began(elapsed)],
  start: ['START', ({ elapsed }) => began(elapsed)],
  etime: ['ELAPSED', ({ elapsed }) => duration(elapsed, false)],
  time: ['TIME', ({ time }) => duration(time, true)],
  tty_name: ['TTY', ({ terminal }) => terminalName(terminal)],
  tty: ['TTY', ({ terminal }) => terminalName(terminal)],
  stat: ['STAT', ({ state }) => state],
  state: ['S', ({ state }) => state],
  s: ['S', ({ state }) => state],
  ni: ['NI', ({ nice }) => String(nice)],
  nlwp: ['NLWP', ({ threads }) => String(threads)],
  comm: ['COMMAND', ({ name }) => name],
  cmd: ['CMD', ({ command }) => command],
  command: ['COMMAND', ({ command }) => command],
  args: ['COMMAND', ({ command }) => command],
};

/** Undefined where it has ended meanwhile. */
export function readFacts(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ');
    // The name, in parentheses, may have spaces and parentheses in it.
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const [state = '?', ...numbers] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const number = (field: number) => Number(numbers[field - 4] ?? 0);
    const id = (which: string) =>
      Number(new RegExp(`^${which}:\\s+\\d+\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    // Not the pages of `stat`, whose size depends on the kernel. One of the kernel itself has none.
    const size = (which: string) =>
      1024 * Number(new RegExp(`^${which}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return {
      ...{ pid, name, state, command: words === '' ? `[${name}]` : words },
      ...{ ppid: number(4), terminal: number(7), nice: number(19), threads: number(20) },
      ...{ uid: id('Uid'), gid: id('Gid'), virtual: size('VmSize'), resident: size('VmRSS') },
      time: (number(14) + number(15)) / TICKS,
      elapsed: Math.max(0, upTime() - number(22) / TICKS),
    };
  } catch {
    return undefined;
  }
}

/** USER_HZ, the same on both machines: what /proc counts in, whatever the kernel does. */
const TICKS = 100;

function upTime(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
}

function share({ time, elapsed }: ProcessFacts): number {
  return elapsed > 0 ? (100 * time) / elapsed : 0;
}

/** As ps: the time of a day ago at most, then the day. */
function began(elapsed: number): string {
  const moment = new Date(Date.now() - elapsed * 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  if (elapsed < 86_400) return `${two(moment.getHours())}:${two(moment.getMinutes())}`;
  return `${moment.toLocaleString('en', { month: 'short' })}${two(moment.getDate())}`;
}

/** `[DD-]HH:MM:SS`; without `hours`, these are left out where they are none. */
function duration(seconds: number, hours: boolean): string {
  const whole = Math.floor(seconds);
  const two = (number: number) => String(number).padStart(2, '0');
  const days = Math.floor(whole / 86_400);
  const hour = Math.floor(whole / 3600) % 24;
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  if (days > 0) return `${days}-${two(hour)}:${rest}`;
  return hour > 0 || hours ? `${two(hour)}:${rest}` : rest;
}

/** Minor number in bits 7 to 0 and 31 to 20, major number in 15 to 8. */
function terminalName(device: number): string {
  if (device === 0) return '?';
  const major = (device >> 8) & 0xff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : `tty${minor}`;
}

/** The host's name of an id, as for ps: that is whose the process is here. */
function userName(uid: number): string {
  users ??= readUsers();
  return users.get(uid) ?? String(uid);
}

let users: Map<number, string> | undefined;

function readUsers(): Map<number, string> {
  const names = new Map<number, string>();
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name, , uid] = line.split(':');
      if (name && uid && !names.has(Number(uid))) names.set(Number(uid), name);
    }
  } catch {
    // Numbers will do.
  }
  return names;
}
