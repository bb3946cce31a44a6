import { median } from './median.mjs';

export const HEADING = '## Containers that live on';
/** What is no command among the commands. */
export const FROM_PROGRAM = 'tsbox, `runDetached()` in a Node program';

/** The section, in Markdown. */
export function formatLife({ rounds, many, commands, exec, lists, starts, few, all, late, podman }) {
  const node = median(lists[many]['node -e 0']);
  const first = median(starts.slice(0, 20));
  const last = median(starts.slice(-20));
  const aims = [
    ['`exec`, from a program, of the C program', median(exec.tsbox) / median(exec.c), 2],
    ['`tsbox run -d`, of `podman run -d`', ratio(commands, 'tsbox run -d', 'podman run -d'), 1 / 4],
    [
      '`runDetached()` from a program, of `podman run -d`',
      ratio(commands, FROM_PROGRAM, 'podman run -d'),
      1 / 4,
    ],
    [`start number ${many}, of the first (medians of 20)`, last / first, 1.2],
    [`\`ps\` with ${many} containers, of \`node -e 0\``, median(lists[many].ps) / node, 4],
  ]
    .filter(([, value]) => value !== undefined)
    .map(
      ([what, value, most]) =>
        `| ${what} | × ${value.toFixed(2)} | × ${most} | ${value <= most ? 'reached' : 'missed'} |`,
    );
  aims.push(
    `| the monitor, PSS, with ${many} of them | ${all.toFixed(0)} KiB | 150 KiB | ${all <= 150 ? 'reached' : 'missed'} |`,
  );
  return `${HEADING}

Written by bench/life.mjs: medians of ${rounds} rounds, each in turn (a third of them for podman, which is slow). crun and runc start no monitor and keep
no log; podman starts conmon. None has a network. The C program (bench/enter.c) joins the cgroup and the namespaces, forks and execs.
A quarter of podman's time is \`node -e 0\` and little more: no command in Node can be as fast.

| | measured | at most | |
|---|---:|---:|---|
${aims.join('\n')}

| as a command | median, ms | best, ms |
|---|---:|---:|
${Object.entries(commands).map(line).join('\n')}
${line([`tsbox run -d, with ${many} others`, late['tsbox run -d']])}
${line(['tsbox exec, in one of them', late['tsbox exec']])}

| \`exec\` from a running program, to the end of \`true\` | median, ms | best, ms |
|---|---:|---:|
${line(['tsbox', exec.tsbox])}
${line(['the C program', exec.c])}

| containers | \`ps\`, ms | \`ps -q\`, ms | \`stats --no-stream\`, ms (1000 of them it waits) |
|---|---:|---:|---:|
${Object.entries(lists)
  .map(([count, times]) => `| ${count} | ${cells(times)} |`)
  .join('\n')}
${podman ? `| podman, 20 | ${middle(podman.ps)} | | ${middle(podman.stats)} |` : ''}

Equal \`exec\`s of one program share what they are made of: record, configuration and lock are looked at each time, but as long as they are what they were, the plans
are too, laid out once. A list looks at all containers by one call of native code (record, lock and exit of each), and follows no name that is in a record.

A start in a program takes ${first.toFixed(1)} ms for the first twenty and ${last.toFixed(1)} ms for the last twenty of ${many}. Beside each container stays ${few.toFixed(0)} KiB
(PSS) with 20 of them and ${all.toFixed(0)} KiB with ${many}${podman ? `; podman's conmon takes ${podman.memory.toFixed(0)} KiB` : ''}.
`;
}

function cells(times) {
  return [times.ps, times['ps -q'], times.stats].map(middle).join(' | ');
}

function middle(times) {
  return median(times).toFixed(0);
}

function line([name, times]) {
  return `| ${name} | ${median(times).toFixed(1)} | ${Math.min(...times).toFixed(1)} |`;
}

function ratio(times, one, other) {
  return times[other] && median(times[one]) / median(times[other]);
}
