/**
 * What a token is to be good for: our own scopes, and what the registry asked for besides.
 *
 * @param own `repository:library/alpine:pull`
 * @param asked the challenge's `scope`: several, with spaces between them
 */
export function mergeScopes(own: readonly string[], asked: string | undefined): string[] {
  const merged = new Map<string, Set<string>>();
  for (const scope of [...own, ...(asked ?? '').split(' ')]) {
    // The resource has colons in it where its name has a host with a port.
    const end = scope.lastIndexOf(':');
    if (end <= 0) continue;
    const resource = scope.slice(0, end);
    const actions = merged.get(resource) ?? new Set();
    for (const action of scope.slice(end + 1).split(',')) actions.add(action);
    merged.set(resource, actions);
  }
  return [...merged].map(([resource, actions]) => `${resource}:${[...actions].join(',')}`).slice(0, 20);
}
