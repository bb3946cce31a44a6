import type { Slot } from '../launch/index.ts';

/** A process that a plan makes besides the container's. Its pidfd means something only where its PID is there: the kernel writes it before it knows that the clone succeeds. */
export interface Bystander {
  pid: Slot;
  pidfd: Slot;
}
