import { CLONE, closeDescriptor, KernelError, syscall } from '../../kernel/index.ts';
import {
  IFLA,
  IFLA_INFO,
  inNetworkNamespace,
  NetlinkSocket,
  openNetworkNamespace,
} from '../../kernel/netlink/index.ts';
import { makeLink } from '../../network/link/requests.ts';
import { checkRules } from '../../network/nat/index.ts';

/** Makes a link of the kind where nobody sees it; the errno, 0 where the kernel does it. macvlan and ipvlan have the other end of a veth pair to share. */
export function linkProbe(kind: 'bridge' | 'veth' | 'macvlan' | 'ipvlan'): number {
  try {
    return inEmptyNamespace(() => {
      const socket = NetlinkSocket.open();
      try {
        const shares = kind === 'macvlan' || kind === 'ipvlan';
        // `lo` is link 1 of every namespace; a pair made after it is 2 and 3.
        if (shares) socket.batch([link('parent', 'veth')], TRYING);
        socket.batch([link('probe', kind, shares ? PARENT : undefined)], TRYING);
      } finally {
        socket.close();
      }
      return 0;
    });
  } catch (error) {
    if (error instanceof KernelError) return -error.errno;
    throw error;
  }
}

/** What is wrong with our table in this kernel. Undefined where nothing is. */
export function rulesProbe(): string | undefined {
  try {
    return inEmptyNamespace(checkRules);
  } catch (error) {
    return (error as Error).message;
  }
}

/** In a network namespace of its own, which ends with that. Only this thread goes there; `inNetworkNamespace` brings it back from wherever it is then. */
function inEmptyNamespace<T>(work: () => T): T {
  const own = openNetworkNamespace(process.pid);
  try {
    return inNetworkNamespace(own, () => {
      syscall('unshare', [CLONE.CLONE_NEWNET], { doing: TRYING });
      return work();
    });
  } finally {
    closeDescriptor(own);
  }
}

function link(name: string, kind: string, parent?: number) {
  return makeLink({
    attributes: [
      [IFLA.IFLA_IFNAME, name],
      ...(parent === undefined ? [] : [[IFLA.IFLA_LINK, parent] as const]),
      [IFLA.IFLA_LINKINFO, [[IFLA_INFO.IFLA_INFO_KIND, kind]]],
    ],
  });
}

const TRYING = 'try a network';
const PARENT = 2;
