import { editDistance } from '../../suggest.ts';

/** The name that was most likely meant: the nearest one, if no more than a third of its letters are wrong. A tag that is not there means another. */
export function similarName(wanted: string, names: readonly string[]): string | undefined {
  const near = names
    .map((name) => ({
      name,
      distance: editDistance(untagged(wanted), untagged(name)),
      tag: editDistance(wanted.slice(0, 200), name.slice(0, 200)),
    }))
    .filter(({ name, distance }) => {
      const length = Math.max(untagged(wanted).length, untagged(name).length);
      return untagged(wanted) !== '' && distance <= Math.max(1, length / 3);
    })
    .sort((a, b) => a.distance - b.distance || a.tag - b.tag);
  const best = near[0]?.name;
  // `latest` need not be said.
  return best !== undefined && !hasTag(wanted) ? best.replace(/:latest$/, '') : best;
}

function untagged(name: string): string {
  return name.replace(/:[^:/]*$/, '').slice(0, 64);
}

function hasTag(name: string): boolean {
  return /:[^:/]*$/.test(name);
}
