import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A descriptor that nobody else will have; the next three are the program's streams. See bench/floor.c. */
const READY = 200;

/** Starts bench/floor.c with the plan of the container that tsbox starts too. Each `start()` gives the milliseconds to the exec and to the end. */
export function startFloor({ directory, prepared, internals, floor }) {
  const id = internals.newContainerId();
  const { input, makeCgroupParents } = prepared(id);
  makeCgroupParents();
  const place = join(directory, 'floor-container');
  const plan = internals.planContainer({
    ...input,
    overlay: { ...input.overlay, directory: place },
    stdio: { stdin: READY + 1, stdout: READY + 2, stderr: READY + 3 },
    ready: READY,
  });
  const { bytes } = internals.layOut(plan);
  const header = Buffer.alloc(16);
  header.writeBigUInt64LE(internals.native().address(bytes), 0);
  header.writeBigUInt64LE(BigInt(bytes.length), 8);
  const file = join(directory, 'plan');
  writeFileSync(file, Buffer.concat([header, bytes]));

  const child = spawn(floor, [file, place, input.cgroup.path, String(READY)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async start() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('bench/floor.c has failed');
      const [exec, end] = value.split(' ').map(Number);
      return { exec, end };
    },
    end: () => child.stdin.end(),
  };
}
