import type { Attributes } from '../../network/link/describe.ts';
import type { Json } from '../../network/nat/json.ts';

/** What tsbox itself does for a container's network at its start, in this order, while the container makes its mounts. Nothing of it is done by the plan's own calls. */
export interface NetworkWork {
  /** What is not certain before the container starts, a line each. */
  notes: string[];
  parts: NetworkPart[];
}

export type NetworkPart = LinkMessages | RuleCommands | Settings;

/** Messages of rtnetlink(7) that are sent at once. */
export interface LinkMessages {
  by: 'netlink';
  what: string;
  /** To whose network namespace. */
  namespace: 'host' | 'container';
  messages: { message: string; flags: string[]; attributes: Attributes; why: string }[];
}

/** What nft does in one transaction. */
export interface RuleCommands {
  by: 'nft';
  what: string;
  /** As nft(8) takes it, and as libnftables-json(5) has it, which is what nft gets. */
  commands: { text: string; json: Json; why: string }[];
}

/** Files of /proc/sys that are written. */
export interface Settings {
  by: 'sysctl';
  what: string;
  settings: { path: string; value: string; why: string }[];
}
