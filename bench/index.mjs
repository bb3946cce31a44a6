/**
 * `npm run bench`: tsbox beside crun, runc, bubblewrap and podman (those that are installed), on the same root filesystem, with the
 * same OCI configuration and seccomp profile; then containers that live on (life.mjs), containers with a network (network.mjs), and pulling an image (pull.mjs). Writes docs/performance.md. Needs root, and `npm run build` before.
 *
 *   --rounds N    interleaved rounds of single starts (25); networks have six tenths of them
 *   --starts N    starts one after another (1000; a tenth of it for podman)
 *   --tar FILE    the root filesystem: a tar in any form that tsbox imports (the embedded busybox)
 *   --output FILE (docs/performance.md)
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findContenders } from './contenders.mjs';
import { startFloor } from './floor.mjs';
import { HEADING as LIFE, lifeSection } from './life.mjs';
import { measureMemory } from './memory.mjs';
import { HEADING as NETWORK, networkSection } from './network.mjs';
import { HEADING as OCI, ociSection } from './oci.mjs';
import { inPairs, measurePairs } from './pairs.mjs';
import { inPlace } from './place.mjs';
import { HEADING, pullSection } from './pull.mjs';
import { report } from './report.mjs';
import { prepareBench, root } from './setup.mjs';
import { measureCommands, measureMany, measureProgram, NODE, startInProgram } from './starts.mjs';

const number = (value) => {
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`not a number of starts: ${value}`);
  return Number(value);
};
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    starts: { type: 'string', default: '1000' },
    tar: { type: 'string', default: join(root, 'dist', 'images', `busybox-linux-${process.arch}.tar`) },
    output: { type: 'string', default: join(root, 'docs', 'performance.md') },
  },
});
const rounds = number(values.rounds);
const starts = number(values.starts);

process.exitCode = await inPlace(bench);

async function bench(directory) {
  const setup = await prepareBench(directory, values.tar);
  const contenders = findContenders(setup);
  console.error(`${contenders.map(({ name }) => name).join(', ')}: ${rounds} rounds, ${starts} starts`);
  const floor = startFloor(setup);
  const floors = await inPairs(() => startInProgram(setup), floor.start, Math.max(100, 2 * rounds));
  const program = await measureProgram(contenders, { floor, setup }, rounds);
  floor.end();
  const commands = await measureCommands(contenders, rounds);
  const command = contenders.find(({ name }) => name === 'tsbox');
  const over = await measurePairs(command, NODE, Math.max(40, 2 * rounds));
  const many = await measureMany(contenders, setup, starts);
  const memory = await measureMemory(contenders, setup);
  const starting = report({
    setup,
    contenders,
    rounds,
    starts,
    commands,
    over,
    program,
    floors,
    many,
    memory,
  });
  const living = await lifeSection(setup).catch((error) => `${LIFE}\n\nNot measured: ${error.message}\n`);
  const networking = networkOf(directory);
  const serving = await ociSection(setup, { rounds }).catch(
    (error) => `${OCI}\n\nNot measured: ${error.message}\n`,
  );
  const pulling = await pullSection().catch((error) => `${HEADING}\n\nNot measured: ${error.message}\n`);
  writeFileSync(values.output, `${starting}\n${living}\n${serving}\n${networking}\n${pulling}`);
  console.error(`wrote ${values.output}`);
  return 0;
}

function networkOf(directory) {
  try {
    return `${networkSection(directory, ['--rounds', String(Math.ceil(rounds * 0.6))])}\n`;
  } catch (error) {
    return `${NETWORK}\n\nNot measured: ${error.message}\n`;
  }
}
