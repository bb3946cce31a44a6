/** Signal names and numbers of Linux on x86-64 and arm64 (signal(7)). Node's own table, which lacks the real-time signals, is `os.constants.signals`. */

/** 15 for `TERM`, `SIGTERM`, `sigterm` or `15`; `RTMIN+3` too. Undefined for what is no signal. */
export function signalNumber(name: string | number): number | undefined {
  const text = String(name).toUpperCase();
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 64 ? Number(text) : undefined;
  const bare = text.startsWith('SIG') ? text.slice(3) : text;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(bare);
  if (realTime) {
    // 34, not 32: the C library keeps the first two for itself, and the names in use everywhere count from there.
    const base = realTime[1] === 'MIN' ? 34 : 64;
    const number = base + (realTime[2] === '-' ? -1 : 1) * Number(realTime[3] ?? 0);
    return number >= 34 && number <= 64 ? number : undefined;
  }
  return table()[`SIG${bare}`];
}

/** `SIGTERM` for 15; `SIG40` for one without a name. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(table())) if (value === number) return name;
  return `SIG${number}`;
}

/** Loaded when asked: few commands know a signal by its name. */
function table(): Record<string, number> {
  return process.getBuiltinModule('node:os').constants.signals;
}
