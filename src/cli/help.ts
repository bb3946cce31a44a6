import { COMMANDS } from './commands.ts';

/** What `tsbox --help` prints. */
export function overview(): string {
  const lines = [
    'Usage: tsbox COMMAND [OPTIONS]',
    '',
    'Runs programs in containers: no daemon, and every system call can be seen before it is made.',
  ];
  for (const group of ['Containers', 'Images', 'This machine'] as const) {
    lines.push('', `${group}:`);
    for (const [name, command] of Object.entries(COMMANDS)) {
      if (command.group === group) lines.push(`  ${name.padEnd(9)} ${command.summary}`);
    }
  }
  lines.push(
    '',
    'Options:',
    '  -v, --version  Print the version',
    '  -h, --help     Print this help; `tsbox help COMMAND` prints that of a command',
    '',
    'Examples:',
    '  sudo tsbox import alpine-minirootfs.tar.gz alpine   an image from a file',
    '  sudo tsbox run -it alpine sh                        a shell in a container',
    '  sudo tsbox run -m 64m --cpus 0.5 alpine sleep 60    with limits',
    '  tsbox run --explain alpine true                     the system calls it would make',
    '  sudo tsbox doctor                                   whether this machine is ready',
  );
  return `${lines.join('\n')}\n`;
}
