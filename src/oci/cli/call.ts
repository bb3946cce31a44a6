import type { Place } from '../state.ts';
import type { Log } from './log.ts';

/** What every verb is given. */
export interface Call {
  place: Place;
  args: string[];
  log: Log;
  /** Whether groups that are made are to be scopes of systemd's. */
  systemd: boolean;
}
