import { Errno } from '../kernel/index.ts';
import { named, Slot, type Struct } from '../launch/index.ts';
import { descriptorMessage } from './descriptor-message.ts';
import type { Stage } from './stage.ts';

/** Where the descriptor of a filter goes by which somebody else decides about calls (seccomp_unotify(2)). Both are descriptors of who installs it. */
export interface SeccompListener {
  /** A Unix socket, connected to `linux.seccomp.listenerPath`. */
  socket: number;
  /** The read end of a pipe: what is told to it, the process that it is about among that, which is known only once that is there. */
  message: number;
  /** Not more than so many bytes. */
  most: number;
}

/** Before the filter, which may not allow it. */
export function readMessage(stage: Stage, listener: SeccompListener) {
  const length = new Slot('message_length');
  const text: Struct = { bytes: Buffer.alloc(listener.most), text: 'container process state' };
  for (const fd of [listener.socket, listener.message])
    stage.call('fcntl', [fd, named('F_SETFD', 2), named('FD_CLOEXEC', 1)], 'the program gets neither');
  stage.call('read', [listener.message, text, listener.most], 'what the listener is told', { save: length });
  return { listener, text, length };
}

/** Behind the filter: with it comes the descriptor. One message, and then the connection ends (config-linux.md, "The Container Process State"). */
export function sendListener(stage: Stage, prepared: ReturnType<typeof readMessage>, descriptor: Slot): void {
  const { listener, text, length } = prepared;
  const vector: Struct = {
    bytes: Buffer.alloc(16),
    text: 'iovec',
    pointers: [{ offset: 0, to: text }],
    slots: [{ offset: 8, slot: length, width: 8 }],
  };
  const message = descriptorMessage(
    vector,
    descriptor,
    '{container process state, SCM_RIGHTS, [seccomp_listener]}',
  );
  const quiet = named('MSG_NOSIGNAL', 0x4000);
  stage.call('sendmsg', [listener.socket, message, quiet], 'who decides gets the descriptor to do so');
  // A filter may refuse even this. They close at exec in any case.
  const tolerate = [Errno.EPERM, Errno.ENOSYS];
  stage.call('close', [descriptor], 'nobody decides about itself', { tolerate });
  for (const fd of [listener.socket, listener.message])
    stage.call('close', [fd], 'this was all that it is told', { tolerate });
}
