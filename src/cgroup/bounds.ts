import { TsboxError } from '../kernel/error.ts';

/** @throws {TsboxError} BAD_LIMIT: `the memory limit is -5: must be …` */
export function badLimit(limit: string, value: unknown, must: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
  throw new TsboxError('BAD_LIMIT', `${limit} is ${shown}: must be ${must}`);
}

/** An integer that JavaScript holds exactly. A config.json can contain anything, so the type is checked too. */
export function integer(value: unknown, limit: string): asserts value is number {
  if (!Number.isSafeInteger(value)) badLimit(limit, value, 'a whole number');
}

/** `max` for -1, which is how the OCI specification says "unlimited"; otherwise the number, which must not be negative. */
export function limitOrMax(value: number, limit: string): string {
  integer(value, limit);
  if (value < -1) badLimit(limit, value, 'positive, or -1 for unlimited');
  return value === -1 ? 'max' : String(value);
}

export function within(value: number, least: number, most: number, limit: string, unit = ''): void {
  integer(value, limit);
  if (value < least || value > most) badLimit(limit, value, `from ${least} to ${most}${unit}`);
}
