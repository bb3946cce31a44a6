import { badLimit } from './bounds.ts';
import type { LimitWrite } from './limit-write.ts';

/**
 * `unified` of the OCI specification: files of cgroup v2 by name, written as they are.
 *
 * The names come from a config that may be anybody's, and the writes are made by root. So a name must be that of a file in the group itself, and
 * of a controller's: the core's own files (`cgroup.procs`, `cgroup.subtree_control`, …) move processes and give control away, they limit nothing,
 * but for the two that do.
 */
export function unifiedWrites(unified: Record<string, string> = {}): LimitWrite[] {
  const writes: LimitWrite[] = [];
  for (const [file, text] of Object.entries(unified)) {
    if (!/^[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+$/.test(file) || file.length > 255) {
      badLimit('a name in `unified`', file, 'a file of cgroup v2, such as memory.high');
    }
    const controller = file.slice(0, file.indexOf('.'));
    if (controller === 'cgroup' && !CORE_LIMITS.has(file)) {
      badLimit('a name in `unified`', file, "a controller's file; the core's own are not limits");
    }
    if (typeof text !== 'string' || text.length > 4096 || text.includes('\0')) {
      badLimit(`\`unified\` ${file}`, text, 'text of at most 4096 characters');
    }
    // A file such as io.max has a line a device, and takes one in each write.
    for (const value of text.split('\n')) {
      if (value !== '') writes.push({ file, value, controller, limit: `\`unified\` ${file}` });
    }
  }
  return writes;
}

const CORE_LIMITS = new Set(['cgroup.max.descendants', 'cgroup.max.depth']);
