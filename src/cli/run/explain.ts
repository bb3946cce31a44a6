import {
  explain,
  explainNetwork,
  formatPlan,
  type LinkMessages,
  type NetworkPart,
  type NetworkWork,
  planToJson,
} from '../../index.ts';
import { print } from '../output.ts';
import type { RunArguments } from './arguments.ts';

/** `tsbox run --explain`: the system calls that make the container, and what tsbox does meanwhile for its network. */
export async function explainOnly({
  image,
  command,
  options,
  explain: format,
}: RunArguments): Promise<number> {
  const plan = explain(image, command, options);
  const network = await explainNetwork(image, options);
  if (format === 'json')
    print(`${JSON.stringify({ ...planToJson(plan), ...(network && { network }) }, null, 2)}\n`);
  else print(`${formatPlan(plan)}${network ? `\n${formatWork(network)}` : ''}`);
  return 0;
}

/** Names in it were checked when they were given: there is nothing in them that a terminal would not print. */
function formatWork({ notes, parts }: NetworkWork): string {
  const lines = [HEADING, ...notes.map((note) => `  ${note}`)];
  for (const part of parts) lines.push(`  ${headingOf(part)}`, ...linesOf(part).flatMap(withReason));
  return `${lines.join('\n')}\n`;
}

const HEADING =
  'Meanwhile, by tsbox itself: the network, while the container makes its mounts; then it tells the container to go on';

function headingOf(part: NetworkPart): string {
  if (part.by === 'netlink')
    return `${part.what} (netlink, ${part.namespace === 'host' ? 'on the host' : 'inside'})`;
  return part.by === 'nft' ? `${part.what} (nft, all at once)` : `${part.what} (/proc/sys)`;
}

function linesOf(part: NetworkPart): { text: string; why: string }[] {
  if (part.by === 'nft') return part.commands;
  if (part.by === 'sysctl')
    return part.settings.map(({ path, value, why }) => ({ text: `write ${path} ${value}`, why }));
  return part.messages.map((message) => ({ text: messageText(message), why: message.why }));
}

function withReason({ text, why }: { text: string; why: string }): string[] {
  return [`    ${text}`, ...(why === '' ? [] : [`       ${why}`])];
}

function messageText({ message, flags, attributes }: LinkMessages['messages'][number]): string {
  return [message, ...(flags.length === 0 ? [] : [flags.join('|')]), attributesText(attributes)].join(' ');
}

function attributesText(attributes: LinkMessages['messages'][number]['attributes']): string {
  return Object.entries(attributes)
    .map(([name, value]) => {
      if (value === true) return name;
      return `${name}=${typeof value === 'object' ? `{${attributesText(value)}}` : value}`;
    })
    .join(' ');
}
