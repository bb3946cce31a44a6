import type { BoundPort } from './port.ts';

/** As `docker port` has them: `80/tcp -> 0.0.0.0:8080`, in the order of the container's ports. */
export function portLines(ports: readonly BoundPort[]): string[] {
  return inOrder(ports).map((port) => `${inside(port)} -> ${outside(port)}`);
}

/** `0.0.0.0:8080`, `[::]:8080`. */
export function outside({ hostAddress, hostPort }: Pick<BoundPort, 'hostAddress' | 'hostPort'>): string {
  return `${bracketed(hostAddress)}:${hostPort}`;
}

/**
 * As `docker inspect` has them in `NetworkSettings.Ports`: by port of the container; null for one that is only exposed.
 *
 * @param exposed such as `80/tcp`
 */
export function portMap(
  ports: readonly BoundPort[],
  exposed: readonly string[] = [],
): Record<string, { HostIp: string; HostPort: string }[] | null> {
  const map = new Map<string, { HostIp: string; HostPort: string }[] | null>();
  for (const name of exposed) map.set(name, null);
  for (const port of inOrder(ports)) {
    const bindings = map.get(inside(port)) ?? [];
    bindings.push({ HostIp: port.hostAddress, HostPort: String(port.hostPort) });
    map.set(inside(port), bindings);
  }
  return Object.fromEntries(map);
}

/**
 * As `docker ps` has them: `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp`; ports one after the other as a range.
 *
 * @param exposed such as `80/tcp`; those that are published are not said again
 */
export function describePorts(ports: readonly BoundPort[], exposed: readonly string[] = []): string {
  const published = new Set(ports.map(inside));
  const only = exposed
    .filter((name) => !published.has(name))
    .map((name) => {
      const [port = '', protocol = 'tcp'] = name.split('/');
      return { hostAddress: '', hostPort: 0, containerPort: Number(port), protocol } as BoundPort;
    });
  const words: string[] = [];
  // Ports of one address and protocol beside each other, so that they can become ranges.
  for (const run of runs([...ports, ...only].sort(byAddress))) words.push(describeRun(run));
  return words.join(', ');
}

interface Run {
  first: BoundPort;
  length: number;
}

function runs(sorted: readonly BoundPort[]): Run[] {
  const runs: Run[] = [];
  for (const port of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && continues(run, port)) run.length++;
    else runs.push({ first: port, length: 1 });
  }
  return runs;
}

function continues({ first, length }: Run, port: BoundPort): boolean {
  return (
    port.hostAddress === first.hostAddress &&
    port.protocol === first.protocol &&
    port.containerPort === first.containerPort + length &&
    (port.hostAddress === '' || port.hostPort === first.hostPort + length)
  );
}

function describeRun({ first, length }: Run): string {
  const range = (port: number) => (length === 1 ? `${port}` : `${port}-${port + length - 1}`);
  const inside = `${range(first.containerPort)}/${first.protocol}`;
  if (first.hostAddress === '') return inside;
  return `${bracketed(first.hostAddress)}:${range(first.hostPort)}->${inside}`;
}

function inside({ containerPort, protocol }: BoundPort): string {
  return `${containerPort}/${protocol}`;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Those that are only exposed have no address, and come last. */
function byAddress(a: BoundPort, b: BoundPort): number {
  return (
    Number(a.hostAddress === '') - Number(b.hostAddress === '') ||
    family(a) - family(b) ||
    compare(a.hostAddress, b.hostAddress) ||
    compare(a.protocol, b.protocol) ||
    a.containerPort - b.containerPort ||
    a.hostPort - b.hostPort
  );
}

function inOrder(ports: readonly BoundPort[]): BoundPort[] {
  return [...ports].sort(
    (a, b) =>
      a.containerPort - b.containerPort ||
      compare(a.protocol, b.protocol) ||
      family(a) - family(b) ||
      a.hostPort - b.hostPort ||
      compare(a.hostAddress, b.hostAddress),
  );
}

/** IPv4 before IPv6. */
function family({ hostAddress }: BoundPort): number {
  return hostAddress.includes(':') ? 6 : 4;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
