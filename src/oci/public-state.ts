import type { StateRecord, Status } from './state.ts';

/** The state as the specification has it (runtime.md, "State"): what `state` prints, and hooks read. */
export function publicState(state: StateRecord, status: Status): object {
  return {
    ociVersion: state.ociVersion,
    id: state.id,
    status,
    ...(status !== 'stopped' && state.init && { pid: state.init.pid }),
    bundle: state.bundle,
    ...(Object.keys(state.annotations).length > 0 && { annotations: state.annotations }),
  };
}
