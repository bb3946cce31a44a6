import { cpus } from 'node:os';
import { median } from './median.mjs';
import { differences as differencesOf, ratioOf } from './pairs.mjs';

export const HEADING = '## Containers with a network';

/** The section, in Markdown. */
export function formatNetwork({ rounds, megabytes, many, own, starts, traffic, paths, crowd }) {
  const [inProgram] = starts;
  const more = { end: ownDifferences(own, 'end'), exec: ownDifferences(own, 'exec') };
  const podman = starts.find(({ name }) => name === 'podman run');
  const aims = [
    `| a start with a network over one without, from a program, in pairs, ms | ${more.end.difference.toFixed(1)} | 10 | ${verdict(more.end.difference <= 10)} |`,
    `| the same, \`run()\` only | ${more.exec.difference.toFixed(1)} | 10 | ${verdict(more.exec.difference <= 10)} |`,
    ...aim('between containers, of a plain pair', paths.direct),
    ...aim('through a published port, of a plain pair that has one rule of DNAT', paths.published),
    ...aim(`with ${many} containers on the bridge, of a plain pair`, crowd.paths),
  ];
  return `${HEADING}

Written by bench/network.mjs, in network namespaces of its own: ${rounds} rounds of starts and of traffic, each in turn (a third of the starts for podman and Docker), and
${own.one.length} pairs of starts and ${paths.direct.one.length} of traffic of each two that an aim is about, with nothing between them, each first every other time; the median of the ratios or differences within the pairs.
Traffic is ${megabytes} MB of iperf3 and 5000 round trips of one byte over TCP (bench/round-trip.c) each time, on ${cpus().length} processors. iperf3's two ends have one each, those of the
round trips share one, all before other work of the machine (SCHED_FIFO). *Plain* is a bridge with two veth pairs made with \`ip\`; from outside it is routed to, without any
rule or address translation, or with the one rule that a published port needs at least. Outside is a namespace with a cable (veth) of its own to the machine.

But for the table of all, the traffic is measured without br_netfilter, as on a host where nobody has asked for it. ${
    paths.filtered
      ? `With it (it is part of this kernel) what goes from
one container to another goes through the rules and the connection tracking, which a plain bridge without a rule has none of: throughput ${spread(paths.filtered, 'bits')}, latency
${spread(paths.filtered, 'microseconds')} of the plain pair's.`
      : ''
  }

Two plain pairs that are the same, beside each other: throughput ${spread(paths.same, 'bits')}, latency ${spread(paths.same, 'microseconds')}. So much is the machine's own
doing: which memory and which of its caches each has. What is routed to without any rule has not the kernel's connection tracking, which every translated address needs; of
that, tsbox's published port has ${spread(paths.routed, 'bits')} of the throughput and ${spread(paths.routed, 'microseconds')} of the latency. In brackets the middle half of the pairs.

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

\`run -d\` from a program with a network takes ${median(crowd.starts.slice(0, 20)).toFixed(1)} ms for the first twenty and ${median(crowd.starts.slice(-20)).toFixed(1)} ms for the last twenty of ${many} on one bridge.`;
}

/** Both of a path, as ratios to another one. */
function aim(what, path) {
  return [
    ['throughput', 'bits', (value) => value >= 0.97, '≥ 0.97'],
    ['latency', 'microseconds', (value) => value <= 1.03, '≤ 1.03'],
  ].map(([name, unit, reached, wanted]) => {
    const value = ratioOf(path, (one) => one[unit]);
    return `| ${name} ${what} | ${spread(path, unit)} | ${wanted} | ${verdict(reached(value))} |`;
  });
}

/** The median of the ratios, and between what half of them are. */
function spread({ one, other }, unit) {
  const ratios = one.map((result, pair) => result[unit] / other[pair][unit]).sort((a, b) => a - b);
  const [low, high] = [0.25, 0.75].map((part) => ratios[Math.floor(ratios.length * part)].toFixed(2));
  return `× ${median(ratios).toFixed(3)} (${low} to ${high})`;
}

function ownDifferences({ one, other }, what) {
  const only = (results) => results.map((result) => result[what]);
  return differencesOf({ one: only(one), other: only(other) });
}

function verdict(reached) {
  return reached ? 'reached' : 'missed';
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
