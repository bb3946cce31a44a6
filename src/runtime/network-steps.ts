import { CLONE } from '../kernel/index.ts';
import { flags, named } from '../launch/index.ts';
import type { Stage } from './stage.ts';

/*
 * A network namespace is made with the process, by clone3, so that it belongs to the container's user namespace; what is in it (interfaces, addresses, routes) is
 * put there from outside, by tsbox (src/engine/network/), while the process makes its mounts. The two speak over a socket pair, a byte each way.
 */

/** Says that there is a namespace. In the foreground tsbox knows; who starts a monitor, or has a helper clone the container, does not. */
export function askForNetwork(stage: Stage, socket: number): void {
  stage.call(
    'sendto',
    [socket, '?', 1, NO_SIGNAL, null, 0],
    'its network namespace is there, to be connected',
  );
}

/**
 * Waits until the network is up, so that the program finds it at its first instruction. At the socket's end (tsbox was killed, or could not connect it) `read`
 * succeeds with no byte, but then writing fails with EPIPE, and the plan with it.
 */
export function waitForNetwork(stage: Stage, socket: number): void {
  const byte = { bytes: Buffer.alloc(8), text: 'byte' };
  stage.call('read', [socket, byte, 1], 'until it has its interfaces, addresses and routes');
  stage.call('sendto', [socket, '!', 1, NO_SIGNAL, null, 0], 'unless nobody connects it: then this fails');
}

/** Enters another container's namespace. By the process itself: a thread of Node could not be sure to come back. */
export function joinNetwork(stage: Stage, namespace: number): void {
  stage.call('setns', [namespace, flags(CLONE, 'CLONE_NEWNET')], "the other container's network is its own");
}

/** Those of one interface can only be written when that is there; all others before, since an interface begins with what `default` says. */
export function splitSysctls(
  sysctls: Record<string, string>,
  connected: boolean,
): [early: Record<string, string>, late: Record<string, string>] {
  const entries = Object.entries(sysctls);
  const late = ([name]: [string, string]) =>
    connected && /^net[./]ipv[46][./](conf|neigh)[./]eth\d+[./]/.test(name);
  return [
    Object.fromEntries(entries.filter((entry) => !late(entry))),
    Object.fromEntries(entries.filter(late)),
  ];
}

const NO_SIGNAL = named('MSG_NOSIGNAL', 0x4000);
