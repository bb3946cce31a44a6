import { printable } from './printable.ts';
import type { ProfileEntry } from './run.ts';

/** Where the time went, as a bar chart: one line a call, in order, with its start, its length and a bar in proportion. `width` is the terminal's. */
export function formatProfile(entries: readonly ProfileEntry[], width = 100): string {
  const first = entries[0];
  if (first === undefined) return 'nothing was timed\n';
  const end = entries.reduce((latest, entry) => (entry.ended > latest ? entry.ended : latest), first.ended);
  const total = milliseconds(end - first.began);
  const longest = entries.reduce((most, entry) => Math.max(most, milliseconds(entry.ended - entry.began)), 0);
  const columns = Math.max(10, width - 72);
  const lines = [`  start ms  took ms  ${'call'.padEnd(16)} why`];
  let stage = '';
  for (const entry of entries) {
    if (entry.stage !== stage) {
      stage = entry.stage;
      const spent = entries
        .filter((e) => e.stage === stage)
        .reduce((sum, e) => sum + milliseconds(e.ended - e.began), 0);
      lines.push(`${stage} (${spent.toFixed(2)} ms)`);
    }
    const took = milliseconds(entry.ended - entry.began);
    const bar = longest === 0 ? '' : '█'.repeat(Math.round((took / longest) * columns));
    const start = milliseconds(entry.began - first.began)
      .toFixed(3)
      .padStart(10);
    lines.push(
      `${start} ${took.toFixed(3).padStart(8)}  ${entry.call.padEnd(16)} ${printable(entry.why).slice(0, 32).padEnd(32)} ${bar}`.trimEnd(),
    );
  }
  lines.push(`${total.toFixed(2)} ms in all`);
  return `${lines.join('\n')}\n`;
}

function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}
