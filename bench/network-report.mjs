import { cpus } from 'node:os';
import { median } from './median.mjs';

export const HEADING = '## Containers with a network';

/** The section, in Markdown. */
export function formatNetwork({ rounds, megabytes, many, starts, traffic, crowd }) {
  const [inProgram] = starts;
  const more = median(differences(inProgram, 'end'));
  const podman = starts.find(({ name }) => name === 'podman run');
  const aims = [
    `| a start with a network over one without, from a program, ms | ${more.toFixed(1)} | 10 | ${verdict(more <= 10)} |`,
    aim('throughput between containers, of the plain pair', ratio(traffic, 'direct', 'bits'), '≥'),
    aim('latency between containers, of the plain pair', ratio(traffic, 'direct', 'microseconds'), '≤'),
    ...[RULE, 'plain'].flatMap((other) => {
      const what = other === RULE ? 'that has one rule of DNAT' : 'that is routed to, without any rule';
      return [
        aim(
          `throughput through a published port, of a plain pair ${what}`,
          ratio(traffic, 'published', 'bits', other),
          '≥',
        ),
        aim(
          `latency through a published port, of a plain pair ${what}`,
          ratio(traffic, 'published', 'microseconds', other),
          '≤',
        ),
      ];
    }),
    aim(`throughput with ${many} containers on the bridge`, ratio(crowd.traffic, 'direct', 'bits'), '≥'),
    aim(`latency with ${many} containers on the bridge`, ratio(crowd.traffic, 'direct', 'microseconds'), '≤'),
  ];
  return `${HEADING}

Written by bench/network.mjs, in network namespaces of its own: ${rounds} rounds of starts, each in turn (a third of them for podman and Docker), and ${rounds * 3} of traffic:
${megabytes} MB of iperf3 and 5000 round trips of one byte over TCP (bench/round-trip.c) each time, on ${cpus().length} processors. iperf3's two ends have one each, those of the round trips
share one, all before other work of the machine (SCHED_FIFO). *Plain* is a bridge with two veth pairs made with \`ip\`; from outside it is routed to, without any rule or
address translation, or with the one rule that a published port needs at least. Outside is a namespace with a cable (veth) of its own to the machine. Ratios of traffic are of the best rounds, from
which the machine's other work took the least; between the two plain pairs, which are the same for what goes between containers, they are × ${noise(traffic, 'bits')} and × ${noise(traffic, 'microseconds')} in this run.

| | measured | aim | |
|---|---:|---:|---|
${aims.join('\n')}
${podman ? `\npodman adds ${median(differences(podman, 'end')).toFixed(0)} ms for its network.\n` : ''}
| \`true\` in a new container, to its end | without, ms | with a network, ms | more, ms |
|---|---:|---:|---:|
${starts.map(startLine).join('\n')}
${startLine({ name: 'tsbox, from a program, `run()` only', ...execOf(inProgram) })}

| median (best) | between containers, Gbit/s | there and back, µs | through a published port, Gbit/s | there and back, µs |
|---|---:|---:|---:|---:|
${Object.entries(traffic)
  .map(([name, { direct, published }]) => `| ${name} | ${cells(direct)} | ${cells(published)} |`)
  .join('\n')}
| tsbox, ${many} containers | ${cells(crowd.traffic.tsbox.direct)} | ${cells(crowd.traffic.tsbox.published)} |

\`run -d\` from a program with a network takes ${median(crowd.starts.slice(0, 20)).toFixed(1)} ms for the first twenty and ${median(crowd.starts.slice(-20)).toFixed(1)} ms for the last twenty of ${many} on one bridge.`;
}

const RULE = 'plain, one rule of DNAT';

function aim(what, value, relation) {
  const most = relation === '≥' ? 0.97 : 1.03;
  const reached = relation === '≥' ? value >= most : value <= most;
  return `| ${what} | × ${value.toFixed(3)} | ${relation} ${most} | ${verdict(reached)} |`;
}

function verdict(reached) {
  return reached ? 'reached' : 'missed';
}

function ratio(traffic, way, what, other = 'plain') {
  return best(traffic.tsbox[way], what) / best(traffic[other][way], what);
}

/** What equals differ by. */
function noise(traffic, what) {
  return (best(traffic[RULE].direct, what) / best(traffic.plain.direct, what)).toFixed(3);
}

/** Most bits, fewest microseconds. */
function best(measured, what) {
  const values = measured.map((one) => one[what]);
  return what === 'bits' ? Math.max(...values) : Math.min(...values);
}

function differences({ without, within }, what) {
  return within.map((one, round) => one[what] - without[round][what]);
}

function startLine({ name, without, within }) {
  const more = median(differences({ without, within }, 'end'));
  return `| ${name} | ${middle(without)} | ${middle(within)} | ${more.toFixed(1)} |`;
}

function execOf({ without, within }) {
  const only = (times) => times.map(({ exec }) => ({ end: exec }));
  return { without: only(without), within: only(within) };
}

function middle(times) {
  return median(times.map(({ end }) => end)).toFixed(1);
}

function cells(measured) {
  return ['bits', 'microseconds']
    .map((what) => {
      const show = (value) => (what === 'bits' ? value / 1e9 : value).toFixed(1);
      return `${show(median(measured.map((one) => one[what])))} (${show(best(measured, what))})`;
    })
    .join(' | ');
}
