/** A function that computes something from text, and remembers the last few answers: containers of one program are mostly alike. */
export function remember<T>(compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const there = known.get(text);
    if (there !== undefined) return there;
    const value = compute(text);
    known.set(text, value);
    // A Map keeps the order in which its keys came.
    if (known.size > MOST) known.delete(known.keys().next().value as string);
    return value;
  };
}

const MOST = 16;
