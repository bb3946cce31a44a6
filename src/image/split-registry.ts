/** What stands before the first `/`, where that is a registry and no part of the path, and the rest. */
export function splitRegistry(name: string): { registry: string | undefined; rest: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, slash);
  const isRegistry = slash > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  return isRegistry ? { registry: first, rest: name.slice(slash + 1) } : { registry: undefined, rest: name };
}
