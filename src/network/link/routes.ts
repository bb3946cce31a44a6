import { inNetworkNamespace, NetlinkSocket } from '../../kernel/netlink/index.ts';
import { findLink } from './find-link.ts';
import { addDefaultRoute } from './requests.ts';

/** Leads what goes to the outside through an interface that a namespace has already. Nothing happens where that is gone. @throws {KernelError} */
export function addDefaultRoutes(namespace: number, name: string, gateways: readonly string[]): void {
  if (gateways.length === 0) return;
  const inside = inNetworkNamespace(namespace, () => NetlinkSocket.open());
  try {
    const index = findLink(inside, name)?.index;
    if (index === undefined) return;
    const routes = gateways.map((gateway) => addDefaultRoute(index, gateway.includes(':') ? 6 : 4, gateway));
    inside.batch(routes, `lead the default routes through ${name}`);
  } finally {
    inside.close();
  }
}
