import { Endpoint } from './endpoint.ts';
import { Refusal } from './failure.ts';
import { hostsOf } from './hosts.ts';
import { Connections, discard } from './http/index.ts';
import { SETTINGS, type Settings } from './settings.ts';
import type { Credentials, RegistryOptions } from './types.ts';

/**
 * Whether a registry takes these credentials: asks for `/v2/`, as the specification has it for checking who one is.
 *
 * @throws {TsboxError} whatever else goes wrong
 */
export async function checkCredentials(
  registry: string,
  credentials: Credentials,
  options: Omit<RegistryOptions, 'credentials'> = {},
  settings: Partial<Settings> = {},
): Promise<boolean> {
  const all = { ...SETTINGS, ...settings };
  const connections = new Connections(all);
  try {
    const [host] = hostsOf(registry, options, all).slice(-1);
    if (host === undefined) return false;
    const endpoint = new Endpoint(host, connections, all, { ...options, credentials });
    await discard(await endpoint.request({ method: 'GET', path: '', scopes: [], what: registry }));
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (error instanceof Refusal && error.status === 401) return false;
    if (code === 'REGISTRY_DENIED') return false;
    throw error;
  } finally {
    connections.close();
  }
}
