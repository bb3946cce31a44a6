import { logout } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';

/** `tsbox logout` */
export async function logoutCommand(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'logout [SERVER]',
    description: 'Forget the credentials for a registry; those for Docker Hub where none is named.',
    examples: [['tsbox logout ghcr.io', 'one that tsbox login keeps']],
  })
    .argument('[server]')
    .allowExcessArguments(false)
    .parse(args, { from: 'user' });
  const { server, removed } = await logout(command.args[0] ?? 'docker.io');
  print(removed ? `Removing login credentials for ${safe(server)}\n` : `Not logged in to ${safe(server)}\n`);
  return 0;
}
