import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { layerPath } from '../store/index.ts';

/** Notes beside a layer how many bytes its files have, for the images to come that share it. */
export function writeLayerSize(directory: string, bytes: number): void {
  writeFileSync(join(directory, NAME), `${bytes}\n`, { mode: 0o600 });
}

/** Undefined where nobody has noted it. */
export function readLayerSize(diffId: string): number | undefined {
  try {
    const text = readFileSync(join(dirname(layerPath(diffId)), NAME), 'latin1');
    return /^\d{1,15}\n$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

const NAME = 'size';
