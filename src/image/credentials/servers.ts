/** What a server is called in a reference: `docker.io` for all that Docker Hub goes by, otherwise host and port. */
export function serverName(text: string): string {
  // Docker's key for the Hub is a URL; so are those of old configurations.
  const host = text.replace(/^https?:\/\//i, '').replace(/\/.*$/s, '');
  return HUB.has(host) ? 'docker.io' : host;
}

/** The key in `auths`, and what helpers are asked for: Docker's own for the Hub. */
export function serverKey(server: string): string {
  return server === 'docker.io' ? 'https://index.docker.io/v1/' : server;
}

const HUB = new Set(['', 'docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);
