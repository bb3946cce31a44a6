import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { eventually, type Output, store, tsbox } from '../support/tsbox.ts';

/** What a command prints; any failure is an error with all that was said. */
export function said(...args: string[]): string {
  const { status, stdout, stderr } = tsbox(args);
  if (status !== 0) throw new Error(`tsbox ${args.join(' ')}: exit code ${status}\n${stdout}\n${stderr}`);
  return stdout.trimEnd();
}

/** Removes all containers after each test, whatever it left. */
export function removesAll(): void {
  afterEach(async () => {
    const ids = tsbox(['ps', '-aq', '--no-trunc']).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) said('rm', '-f', ...ids);
    await eventually(() => monitors().length === 0, 'no monitor left');
  });
}

export function record(id: string) {
  return JSON.parse(readFileSync(join(store, 'containers', id, 'container.json'), 'utf8'));
}

/** `State` and `Status` of `ps -a`. */
export function stateOf(name: string): string {
  const line = said('ps', '-a', '--format', '{{.Names}}\t{{.State}}').split('\n');
  return line.find((each) => each.startsWith(`${name}\t`))?.split('\t')[1] ?? 'gone';
}

export function statusOf(name: string): string {
  const line = said('ps', '-a', '--format', '{{.Names}}\t{{.Status}}').split('\n');
  return line.find((each) => each.startsWith(`${name}\t`))?.split('\t')[1] ?? 'gone';
}

/** PIDs of the monitors of this store. */
export function monitors(): number[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const comm = readFileSync(`/proc/${pid}/comm`, 'latin1');
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      return comm === 'tsbox-monitor\n' && environment.includes(`TSBOX_ROOT=${store}`) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

export const failed = (output: Output) => ({ status: output.status, stderr: output.stderr.split('\n')[0] });
