import { closeDescriptor } from '../../kernel/index.ts';

/** The sockets that keep the ports of containers that this process is the parent of. */
const held = new Map<string, readonly number[]>();

export function holdPorts(id: string, descriptors: readonly number[]): void {
  if (descriptors.length > 0) held.set(id, descriptors);
}

/** Closes them. Another process may have them too, and then the ports stay taken. */
export function letGoOfPorts(id: string): void {
  for (const fd of held.get(id) ?? []) closeDescriptor(fd);
  held.delete(id);
}
