import type { RunOptions } from '../run-options.ts';

/** What kind of network a container has: `container` is another one's, `networks` are networks of tsbox. */
export type NetworkKind = 'none' | 'host' | 'container' | 'networks';

/** What `--network` asks for, as a list: several networks, or one of the words. */
export function askedNetworks({ network }: Pick<RunOptions, 'network'>): readonly string[] {
  const asked = typeof network === 'string' ? [network] : (network ?? []);
  return asked.length === 0 ? [DEFAULT_MODE] : asked.map((name) => (name === 'default' ? 'bridge' : name));
}

/** Known from the words alone; whether they can be had together is checked where they are read. */
export function networkKind(options: Pick<RunOptions, 'network'>): NetworkKind {
  const [first = ''] = askedNetworks(options);
  if (first === 'none' || first === 'host') return first;
  return first.startsWith('container:') ? 'container' : 'networks';
}

const DEFAULT_MODE = 'bridge';
