import { type Attachment, runDetached } from '../../index.ts';
import { stayAttached } from '../attached.ts';
import { print } from '../output.ts';
import { reportPull } from '../report-pull.ts';
import { usageError } from '../usage.ts';
import type { RunArguments } from './arguments.ts';
import { requireTerminal, windowSize } from './terminal.ts';

/**
 * `tsbox run` of a container that may outlive this process, so with a monitor as its parent: `-d` prints its id and leaves; `--detach-keys` and
 * `--restart` stay attached to it. The exit code is the program's, and 0 where somebody let go of it.
 */
export async function runMonitored(request: RunArguments): Promise<number> {
  const { image, command, attach } = request;
  const options = { ...request.options, onPull: reportPull(image, request.options.quiet) };
  if (request.profile)
    throw usageError('run', 'conflicting options: --profile is for containers in the foreground');
  const size = options.tty ? windowSize() : undefined;
  if (request.detach) {
    const { id } = await runDetached(image, command, options, { size });
    print(`${id}\n`);
    return 0;
  }
  if (options.tty && attach.has('stdin')) requireTerminal();
  let attachment: Attachment | undefined;
  const connected = (connection: Attachment) => {
    attachment = connection;
  };
  try {
    await runDetached(image, command, options, { size, connected });
  } catch (error) {
    attachment?.detach();
    throw error;
  }
  return stayAttached(attachment as Attachment, {
    streams: attach,
    detachKeys: request.detachKeys,
    sigProxy: request.sigProxy,
    closeInput: true,
  });
}
