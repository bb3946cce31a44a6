/** The name that was most likely meant: the nearest one, if no more than a third of its letters are wrong. Tags count only where both have one. */
export function similarName(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const candidate = wanted.includes(':') ? name : name.replace(/:[^:/]*$/, '');
    const distance = editDistance(wanted.slice(0, 64), candidate.slice(0, 64));
    if (distance < least && distance <= Math.max(1, Math.max(wanted.length, candidate.length) / 3)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column++) {
      const changed = (row[column - 1] as number) + (to[column - 1] === letter ? 0 : 1);
      next.push(Math.min(changed, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
