import { median } from './median.mjs';
import { ratioOf } from './pairs.mjs';

export const HEADING = '## Under other engines';

const VERBS = ['create', 'state', 'start', 'kill', 'delete', 'create, start, delete', 'run'];

/** The section, in Markdown. */
export function formatOci({ rounds, times, memory, podman, runtimes, limited }) {
  const over = (verb) => median(times[`over ${verb}`]);
  const aims = ['create', 'state', 'start', 'kill', 'delete'].map((verb) => [
    `\`${verb}\`, over \`node -e 0\``,
    `${over(verb).toFixed(0)} ms`,
    '30 ms',
    over(verb) <= 30,
  ]);
  for (const [name, what] of [
    ['tsbox-oci', ''],
    ['tsbox-oci, executable', ', as one executable'],
  ]) {
    if (!podman?.runc || !podman[name]) continue;
    const ratio = ratioOf({ one: podman[name], other: podman.runc });
    aims.push([
      `\`podman run\`${what}, of the same with runc`,
      `× ${ratio.toFixed(2)}`,
      '× 1.3',
      ratio <= 1.3,
    ]);
  }
  aims.push(['a created container that waits, PSS', `${memory} KiB`, '1024 KiB', memory <= 1024]);
  const cell = (numbers) =>
    numbers ? `${median(numbers).toFixed(0)} (${Math.min(...numbers).toFixed(0)})` : '';
  return `${HEADING}

Written by bench/oci.mjs: medians of ${rounds} rounds, each in turn, the best in brackets, in milliseconds. What a verb takes more than \`node -e 0\`, and what
podman takes with one runtime of what it takes with another, is the median of what it was in each round, one right after the other. One bundle, with the configuration
and the filter that Docker gives${
    limited
      ? ', and limits of memory, processor and processes'
      : '; runc and crun also keep limits of memory, processor and processes, by cgroup v1, which tsbox does not use'
  }. \`node -e 0\` takes ${cell(times['node -e 0'])}: each verb
of \`tsbox-oci\` is a Node that boots. The first of a kind are not counted: what they are made with is kept (docs/decisions/0007-kept-plans.md), and for the fourth nothing need be planned; without,
\`create\` takes 9 ms more. Podman has five kinds of each container, since it lists mounts in an order of Go's, so it is asked forty times before.

| | measured | at most | |
|---|---:|---:|---|
${aims.map(([what, value, most, reached]) => `| ${what} | ${value} | ${most} | ${reached ? 'reached' : 'missed'} |`).join('\n')}

| | ${runtimes.join(' | ')} |
|---|${runtimes.map(() => '---:|').join('')}
${VERBS.map((verb) => `| \`${verb}\` | ${runtimes.map((name) => cell(times[`${name} ${verb}`])).join(' | ')} |`).join('\n')}
${podman ? `| \`podman run --rm\` | ${runtimes.map((name) => cell(podman[name])).join(' | ')} |\n` : ''}`;
}
