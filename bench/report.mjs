import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { basename } from 'node:path';
import { median } from './median.mjs';
import { ratioOf } from './pairs.mjs';

/** docs/performance.md. */
export function report({ setup, contenders, rounds, starts, commands, over, program, floors, many, memory }) {
  const names = contenders.map(({ name }) => name);
  return `# Performance

Written by \`npm run bench\` (bench/), ${new Date().toISOString().slice(0, 10)}, on ${machine()}.

All are measured in one run, in turn within each round, on the same root filesystem (${basename(setup.tar)}), with the
same OCI configuration and the same seccomp profile; where a contender is given less than tsbox does, its line says so.
The columns are medians of ${rounds} rounds and their ratio to tsbox; what matters is the ratio, because the machine has other
work to do. ${setup.hybrid ? HYBRID : ''}

| | version | what it does for a start |
|---|---|---|
${contenders.map(({ name, version, given }) => `| ${name} | ${version} | ${given} |`).join('\n')}

## Aims

${aims(commands, program, over, floors)}

What is *in pairs* is measured apart from the tables below: ${over.pairs} pairs of the two (${floors.one.length} of \`run()\` and the C program) and nothing between them, each first every other time; the median of the ratios
or differences within the pairs. For the command the medians were ${over.one.toFixed(1)} and ${over.other.toFixed(1)} ms, best against best it was ${over.best.toFixed(1)} ms more; for \`run()\` and
the C program ${middle(floors.one)} and ${middle(floors.other)} ms. Beside all the others, in turn, all take longer, since each finds the caches full of somebody else's.

How quiet the machine is decides about what is close to its aim. \`run()\` and the C program: in five series of 100 pairs × 1.34 to 1.41, in four of 40 pairs (as up to now) × 1.33 to 1.62, since
V8 compiles meanwhile. The command over \`node -e 0\`: 26.9 ms on a day when that took 39 ms, 33 to 38 on one when it took 43 to 48.

## Where the command's time goes

Not measured by this run: processor time inside the command, all threads, beyond what \`node -e 0\` takes too, read with \`process.cpuUsage()\` at each
place, lower quartiles of 41 runs of \`tsbox run --rm busybox true\` (without a network) with Node 20 on a machine with two processors that had five times as much to do.

| | ms |
|---|---:|
| read the bundle and V8's code cache, check that the cache is whole and nobody else's | 3.6 |
| V8 makes functions of the cache | 4.4 |
| evaluate the modules | 5.2 |
| flags; find the image; load the FFI library | 5.1 |
| image and options to a specification, limits, seccomp filter | 4.1 |
| the janitor | 1.4 |
| directory, lock, name, record, parents of the cgroup | 2.1 |
| specification to a plan, the plan to memory | 8.6 |
| the launcher's own calls; while the container makes itself, the record and what others left | 3.2 |
| streams to copy from: only where our own are terminals, files or sockets, not pipes or /dev/null | 10.7 |
| waiting | 1.1 |
| after it: status, cgroup, directory, name, lock, janitor | 6.0 |

What it is that takes the time, by a profile: most functions run once, and before V8 has optimised anything. Of Node's own functions about 130 more than in
\`node -e 0\` are compiled at their first call, as Node's snapshot has no code in it (3 ms); a page of new memory costs 2 to 4 µs on a virtual machine, and the
command takes 1,150 more of them than an empty Node (3 ms); V8 collects its first megabyte once (1 ms). Other flags of V8
(\`--single-threaded\`, \`--no-opt\`, a larger \`--min-semi-space-size\`), shorter identifiers or a snapshot gain nothing. A single executable boots without Node's module
loaders: an empty one starts 4 ms sooner and ends 1.5 ms sooner.

A plain \`run --rm\` line that was there twice before has less to do: it carries out the plan that was kept on disk, from a first file without the modules that
make plans (docs/decisions/0007-kept-plans.md). In four series of pairs on a busy machine it took 27 to 33 ms of processor time over \`node -e 0\` in the median,
22 to 29 best against best, where the same line without a kept plan took 49 to 52. The table is of a line without one, and from before networks; the figures for \`tsbox\` below
are of a line with one, from its third run on. Since then the command ends at once (stopping Node's threads took 2 ms), and what a container leaves is removed by one call of
native code. \`tsbox run -d\`, \`exec\` and \`ps\` have code caches of their own: 8 to 12 ms of processor time less than with those of \`run\` in the foreground.

A fifth of podman's time is out of reach of any program in Node: podman takes about 211 ms here, of which a fifth is 42; \`node -e 0\` takes 37
and the C program 6.6.

From a running program the JavaScript before the first call is what the C program has not: about 2 ms for the first container of a kind, 1 for those after
it. They take image, specification and plan from the one before, with another id: index.json must be the same file, and the host must
give the same answers to all that was asked of it. What remains is asking that, of thirty files by one call of native code (0.1 to 0.3 ms less than
one by one), and making the directory, lock, name and record, without which a crash would leave something behind.

## \`true\` in a new container, as a command

${table(commands, ['node -e 0', ...names], 'tsbox')}

## From a running Node program

\`run()\` is done when the program has been exec'd; \`wait()\` when nothing is left of the container. The C program makes the same
system calls with the same interpreter (bench/floor.c). The others are child processes of the same program, to their end.

${table(program, ['exec', 'C, exec', 'end', 'C, end', ...names.filter((name) => name in program)], 'end', LABELS)}

## Many

Milliseconds a start: ${starts} one after another, and 200 four at a time (a tenth of both for podman).

| | one after another | ratio | four at a time | ratio |
|---|---:|---:|---:|---:|
${Object.keys(many.sequence)
  .map(
    (name) => `| ${name} | ${cells(many.sequence, name, 'tsbox')} | ${cells(many.parallel, name, 'tsbox')} |`,
  )
  .join('\n')}

## Memory

The most that the command takes for \`true\` (maximum resident set), and what stays beside a running program (proportional set
size of all processes but the program). In MiB. Of tsbox, the janitor takes ${memory.parts.janitor} KiB; the reaper of \`--init\` ${memory.parts.init} KiB.

| | at most | while it runs |
|---|---:|---:|
${names.map((name) => `| ${name} | ${mebibytes(memory.peaks[name])} | ${mebibytes(memory.resident[name])} |`).join('\n')}
`;
}

const HYBRID = `This host has both versions of cgroups, and v1 the controllers: the
others' limits are v1's, which tsbox does not use, so \`crun, no cgroup\` is the nearest to it.`;

const LABELS = {
  exec: 'tsbox, `run()`',
  end: 'tsbox, `run()` and `wait()`',
  'C, exec': 'the C program, to the exec',
  'C, end': 'the C program, to the end',
};

function middle(starts) {
  return median(starts.map(({ exec }) => exec)).toFixed(1);
}

function aims(commands, program, over, floors) {
  const rows = [
    ['`run()` to the exec, of the whole of `crun run`', ratio(program.exec, program.crun), 1 / 4],
    ['the same, of `crun run` without a cgroup', ratio(program.exec, program['crun, no cgroup']), 1 / 4],
    ['`run()` to the exec, of the C program, in pairs', ratioOf(floors, ({ exec }) => exec), 1.5],
    ['`tsbox run`, of `podman run --network=none`', ratio(commands.tsbox, commands.podman), 1 / 5],
  ]
    .filter(([, value]) => value !== undefined)
    .map(
      ([what, value, most]) => `| ${what} | × ${value.toFixed(2)} | × ${most} | ${verdict(value <= most)} |`,
    );
  rows.push(
    `| \`tsbox run\`, over \`node -e 0\`, in pairs | ${over.difference.toFixed(1)} ms | 30 ms | ${verdict(over.difference <= 30)} |`,
  );
  return `| | measured | at most | |\n|---|---:|---:|---|\n${rows.join('\n')}`;
}

function verdict(good) {
  return good ? 'reached' : 'missed';
}

function ratio(these, those) {
  return those && median(these) / median(those);
}

function table(results, names, one, labels = {}) {
  const rows = names.map((name) => {
    const middle = median(results[name]);
    return `| ${labels[name] ?? name} | ${middle.toFixed(1)} | ${(middle / median(results[one])).toFixed(2)} | ${Math.min(...results[name]).toFixed(1)} |`;
  });
  return `| | median, ms | ratio | best, ms |\n|---|---:|---:|---:|\n${rows.join('\n')}`;
}

function cells(results, name, one) {
  const { milliseconds, failed, count } = results[name];
  const failures = failed === 0 ? '' : ` (${failed} of ${count} failed)`;
  return `${milliseconds.toFixed(1)}${failures} | ${(milliseconds / results[one].milliseconds).toFixed(2)}`;
}

function mebibytes(kibibytes) {
  return (kibibytes / 1024).toFixed(1);
}

function machine() {
  const [cpu] = cpus();
  const debian = execFileSync('sh', ['-c', '. /etc/os-release && echo "$PRETTY_NAME"'], { encoding: 'utf8' });
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu.model}, ${memory} GiB, Linux ${release()}, ${debian.trim()}, Node ${process.version}`;
}
