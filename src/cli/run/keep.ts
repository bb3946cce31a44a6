import { keepPlan } from '../../kept.ts';
import type { RunArguments } from './arguments.ts';

/** Has the plan of what has just run kept for the next time, where src/start/tsbox.ts says where. */
export function keepForNextTime({ image, command, options, attach, profile }: RunArguments): void {
  const place = (globalThis as { [KEPT]?: { file: string; key: string } })[KEPT];
  if (place === undefined || profile) return;
  keepPlan(place.file, place.key, { image, command, options, attach: [...attach] });
}

const KEPT = Symbol.for('tsbox.kept');
