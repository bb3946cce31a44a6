import { TsboxError } from '../../kernel/index.ts';
import type { ContainerRecord } from '../record.ts';

/** What `--restart` says. */
export interface RestartPolicy {
  name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** Of `on-failure`: how often at most; 0 for any number. */
  maximum: number;
}

/** @throws {TsboxError} BAD_OPTION */
export function parseRestartPolicy(text = 'no'): RestartPolicy {
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d{1,9}))?$/.exec(text || 'no');
  const name = match?.[1] as RestartPolicy['name'] | undefined;
  if (name === undefined || (match?.[2] !== undefined && name !== 'on-failure')) {
    throw new TsboxError(
      'BAD_OPTION',
      `--restart ${JSON.stringify(text)}: not no, on-failure[:MAXIMUM], always or unless-stopped`,
    );
  }
  return { name, maximum: Number(match?.[2] ?? 0) };
}

/**
 * How long a container that has just ended waits before it is started again, in milliseconds; undefined where it is not. Docker's rules: 100 ms at first, twice as long
 * each time, a minute at most, and from the beginning after a run of ten seconds.
 *
 * @param ended what is known of the end, and `ranFor` in milliseconds
 */
export function restartDelay(
  record: Pick<ContainerRecord, 'options' | 'stopRequested' | 'restartCount' | 'restartDelay'>,
  ended: { code: number; ranFor: number },
): number | undefined {
  const { name, maximum } = parseRestartPolicy(record.options?.restart);
  if (name === 'no' || record.stopRequested) return undefined;
  if (name === 'on-failure') {
    const exhausted = maximum > 0 && (record.restartCount ?? 0) >= maximum;
    if (ended.code === 0 || exhausted) return undefined;
  }
  const last = ended.ranFor >= LONG_ENOUGH ? 0 : (record.restartDelay ?? 0);
  return last === 0 ? FIRST : Math.min(last * 2, LONGEST);
}

/** Whether it is to run after a boot, as it did before: as Docker's daemon decides when it comes up. */
export function runsAfterBoot(record: ContainerRecord): boolean {
  const { name } = parseRestartPolicy(record.options?.restart);
  if (record.detached !== true || record.status === 'created') return false;
  if (name === 'always') return true;
  return name === 'unless-stopped' && (record.stopRequested !== true || record.resume === true);
}

const FIRST = 100;
const LONGEST = 60_000;
const LONG_ENOUGH = 10_000;
