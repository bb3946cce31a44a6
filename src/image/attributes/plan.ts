/** A layer, as much of it as the plan needs. */
export interface LayerView {
  /** The directories that its tar does not describe. */
  implied: ReadonlySet<string>;
  /** What it has under a name, without following symbolic links. It is asked only for names in a directory that it has. */
  look(path: string): 'nothing' | 'directory' | 'opaque directory' | 'other';
}

/**
 * Which directories of a stack of layers do not show the attributes that are meant, and all directories that those lie in.
 *
 * Meant are, as containerd has it, the attributes in the highest layer that describes the directory, if none of the layers above it has taken
 * the directory away. An opaque mark takes away what is in a directory, and not the directory itself.
 *
 * @param layers the lowest first
 * @returns for each path the layer whose attributes it should have; a directory comes before what is in it, the root being ''. Empty where all is right.
 */
export function planAttributes(layers: readonly LayerView[]): Map<string, number> {
  const stack = new Stack(layers);
  const plan = new Map<string, number>();
  for (const { implied } of layers.slice(1)) {
    for (const path of implied) {
      const merged = stack.find(path);
      if (merged !== undefined && merged.source !== merged.layers[0]) add(path, stack, plan);
    }
  }
  return plan;
}

function add(path: string, stack: Stack, plan: Map<string, number>): void {
  const merged = stack.find(path);
  if (merged === undefined || plan.has(path)) return;
  if (path !== '') add(parentOf(path), stack, plan);
  plan.set(path, merged.source);
}

/** A directory as overlayfs shows it. */
interface Merged {
  /** The layers whose content is seen in it, the highest first: that one's attributes overlayfs shows. */
  layers: readonly number[];
  /** The layer whose attributes are meant. */
  source: number;
}

class Stack {
  readonly #layers: readonly LayerView[];
  readonly #found = new Map<string, Merged | undefined>();

  constructor(layers: readonly LayerView[]) {
    this.#layers = layers;
    const all = layers.map((_, index) => index).reverse();
    // A layer need not describe its root; nobody sees that of an image, as the container's own directory is over it.
    this.#found.set('', { layers: all, source: layers.length - 1 });
  }

  /** Undefined where there is no directory. */
  find(path: string): Merged | undefined {
    if (this.#found.has(path)) return this.#found.get(path);
    const above = this.find(parentOf(path));
    const found = above && this.#merge(path, above.layers);
    this.#found.set(path, found);
    return found;
  }

  #merge(path: string, candidates: readonly number[]): Merged | undefined {
    const merged: number[] = [];
    let source: number | undefined;
    let covered = false;
    for (const index of candidates) {
      const layer = this.#layers[index] as LayerView;
      const kind = layer.look(path);
      if (kind === 'nothing') continue;
      if (kind === 'other') break;
      if (!covered) merged.push(index);
      covered ||= kind === 'opaque directory';
      if (!layer.implied.has(path)) source ??= index;
      if (covered && source !== undefined) break;
    }
    const highest = merged[0];
    // Where no layer describes it, one is as good as the other.
    return highest === undefined ? undefined : { layers: merged, source: source ?? highest };
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
