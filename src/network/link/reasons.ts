import type { Described } from './describe.ts';

/** Half a line: why a message is sent. Empty for one that has no reason here yet. @param inside whether it goes to the container's namespace */
export function reasonFor({ message, flags, attributes }: Described, inside: boolean): string {
  if (message === 'RTM_NEWADDR')
    return inside
      ? `its address${attributes.nodad ? ', without waiting whether somebody has it already' : ''}`
      : "the host's own address in the network, and its containers' gateway";
  if (message === 'RTM_NEWROUTE')
    return `the way to everywhere else${attributes.via ? '' : ': everybody is on the link itself'}`;
  if (message !== 'RTM_NEWLINK') return '';
  if (flags.includes('NLM_F_CREATE')) return MADE[String(attributes.kind)] ?? '';
  if (attributes.alias) return "up, and marked as tsbox's own";
  if (attributes.up) return inside ? 'it sends and receives from now on' : hostEnd(attributes.addrgenmode);
  return attributes.addrgenmode ? 'its network has no IPv6, so it has no address of it either' : '';
}

function hostEnd(addrgenmode: unknown): string {
  return addrgenmode === 'none' ? 'up, without an IPv6 address that nobody needs' : 'up again';
}

const ON_A_LINK = "a second interface on a link of the host's, straight in the container's namespace";

const MADE: Record<string, string> = {
  bridge: 'a switch, with an Ethernet address of its own that stays as containers come and go',
  veth: "a cable: one end a port of the bridge, the other straight in the container's namespace",
  macvlan: ON_A_LINK,
  ipvlan: ON_A_LINK,
};
