import type { Request } from '../../kernel/netlink/index.ts';
import type { Attachment } from './attach.ts';
import { withoutLinkLocal } from './kinds.ts';
import { addAddress, addDefaultRoute, changeLink } from './requests.ts';

/** What makes an interface in the container's namespace ready: up, its addresses, its routes. */
export function setUpInterface(attachment: Attachment, index: number): Request[] {
  const { addresses, gateways, driver, mode } = attachment;
  const isIpv6 = (address: string) => address.includes(':');
  // Before it is up, or it has a link-local address already. A network without IPv6 has none of it at all.
  const before = addresses.some(isIpv6) ? [] : [changeLink({ index, attributes: [withoutLinkLocal()] })];
  // With l3 and l3s the parent's side routes, and nobody would answer for a gateway.
  const routed = driver === 'ipvlan' && (mode === 'l3' || mode === 'l3s');
  return [
    ...before,
    changeLink({ index, up: true }),
    ...addresses.map((address) => addAddress(index, address)),
    ...gateways.map((gateway) =>
      addDefaultRoute(index, isIpv6(gateway) ? 6 : 4, routed ? undefined : gateway),
    ),
  ];
}

/** `lo` is the first interface of each namespace, and down in a new one. */
export function setUpLoopback(): Request {
  return changeLink({ index: 1, up: true });
}
