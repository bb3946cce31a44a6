import { execFileSync, spawn } from 'node:child_process';
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextId } from './starts.mjs';

/**
 * For each contender the most that its command takes while it runs `true` (maximum resident set, KiB), and what stays of it next to a
 * container that runs (proportional set sizes, KiB, without the program itself); of tsbox, its parts too.
 */
export async function measureMemory(contenders, { peak }) {
  const peaks = {};
  const resident = {};
  for (const contender of contenders) {
    peaks[contender.name] = peakOf(peak, contender);
    resident[contender.name] = total(await besideProgram(contender));
  }
  const tsbox = contenders.find(({ name }) => name === 'tsbox');
  const processes = await besideProgram({ ...tsbox, command: (id) => withInit(tsbox.command(id, true)) });
  const part = (word) => total(processes.filter(({ command }) => command[0].includes(word)));
  return { peaks, resident, parts: { janitor: part('janitor'), init: part('init') } };
}

function peakOf(peak, { command, fourth }) {
  const fd = fourth?.();
  const stdio = ['ignore', 'pipe', 'inherit', ...(fd === undefined ? [] : [fd])];
  const text = execFileSync(peak, command(nextId()), { encoding: 'utf8', stdio });
  if (fd !== undefined) closeSync(fd);
  return Number(text);
}

function withInit(command) {
  const at = command.indexOf('run') + 1;
  return [...command.slice(0, at), '--init', ...command.slice(at)];
}

function total(processes) {
  return processes.reduce((sum, { pss }) => sum + pss, 0);
}

/** The processes of a contender whose container runs `sleep 60`. */
async function besideProgram({ command, fourth }) {
  const id = nextId();
  const line = command(id, true);
  const fd = fourth?.();
  const stdio = ['ignore', 'ignore', 'inherit', ...(fd === undefined ? [] : [fd])];
  const child = spawn(line[0], line.slice(1), { stdio });
  if (fd !== undefined) closeSync(fd);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let found = [];
  for (let attempt = 0; attempt < 100 && !found.some(isProgram); attempt++) {
    await sleep(100);
    found = family(child.pid, id);
  }
  // What the start needed and the wait does not has time to go.
  await sleep(500);
  const beside = family(child.pid, id)
    .filter((one) => !isProgram(one))
    .map((one) => ({ ...one, pss: pss(one.pid) }));
  for (const { pid } of found.filter(isProgram)) process.kill(pid, 'SIGKILL');
  await ended;
  return beside;
}

function isProgram({ command }) {
  return command.at(-2) === 'sleep' && command.at(-1) === '60' && command.length === 2;
}

/** The process, those that carry the id in their command line (podman's monitor leaves its parent), and all below them. */
function family(pid, id) {
  const all = processes();
  const members = new Set(all.filter((one) => one.pid === pid || one.command.includes(id)));
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    for (const one of all) if ([...members].some((member) => member.pid === one.parent)) members.add(one);
  }
  return [...members];
}

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
        return command.length === 0 ? [] : [{ pid: Number(pid), parent, command }];
      } catch {
        return []; // it has just ended
      }
    });
}

function pss(pid) {
  return Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
}
