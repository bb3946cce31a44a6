import { Errno, fields, TsboxError } from '../../kernel/index.ts';
import {
  decodeAttributes,
  IFF,
  IFLA,
  IFLA_INFO,
  NetlinkSocket,
  numberOf,
  type Reply,
  RTEXT_FILTER_SKIP_STATS,
  textOf,
} from '../../kernel/netlink/index.ts';
import { linkHeader } from './requests.ts';

export interface Link {
  index: number;
  name: string;
  up: boolean;
  mtu: number;
  /** `02:42:0a:57:00:02` */
  mac: string;
  /** `bridge`, `veth`; undefined for one of hardware, and for lo. */
  kind: string | undefined;
  alias: string;
}

/** Undefined where the namespace of the socket has none of that name. @throws {TsboxError} BAD_INTERFACE for what cannot be a name */
export function findLink(socket: Pick<NetlinkSocket, 'get'>, name: string): Link | undefined {
  return ask(socket, 0, checkInterfaceName(name));
}

/** Whether there is a link of that name that tsbox has made, for whichever store. */
export function isOurs(name: string): boolean {
  const socket = NetlinkSocket.open();
  try {
    return findLink(socket, name)?.alias.startsWith('tsbox:') === true;
  } finally {
    socket.close();
  }
}

export function linkByIndex(socket: Pick<NetlinkSocket, 'get'>, index: number): Link | undefined {
  return ask(socket, index);
}

/**
 * Besides what dev_valid_name() of the kernel refuses: a name with `%` is a pattern, which the kernel would fill in, and control characters could write anything to a
 * terminal.
 *
 * @throws {TsboxError} BAD_INTERFACE
 */
export function checkInterfaceName(name: string): string {
  if (!/^[\x21-\x7e]{1,15}$/.test(name) || /[/:%]/.test(name) || name === '.' || name === '..') {
    const problem = 'is no name of an interface: 1 to 15 characters, without spaces and / : %';
    throw new TsboxError('BAD_INTERFACE', `${JSON.stringify(name.slice(0, 40))} ${problem}`);
  }
  return name;
}

function ask(socket: Pick<NetlinkSocket, 'get'>, index: number, name?: string): Link | undefined {
  const reply = socket.get(
    {
      type: 'RTM_GETLINK',
      header: linkHeader({ index }),
      attributes: [
        [IFLA.IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS],
        ...(name === undefined ? [] : ([[IFLA.IFLA_IFNAME, name]] as const)),
      ],
      allow: [Errno.ENODEV],
    },
    `look for the interface ${name ?? index}`,
  );
  return reply && linkOf(reply);
}

function linkOf({ payload }: Reply): Link {
  const attributes = decodeAttributes(payload, linkHeader({}).length);
  const info = attributes.get(IFLA.IFLA_LINKINFO);
  return {
    index: fields(payload).getInt32(4, true),
    name: textOf(attributes.get(IFLA.IFLA_IFNAME)) ?? '',
    up: (fields(payload).getUint32(8, true) & IFF.IFF_UP) !== 0,
    mtu: numberOf(attributes.get(IFLA.IFLA_MTU)) ?? 0,
    mac: [...(attributes.get(IFLA.IFLA_ADDRESS) ?? [])]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join(':'),
    kind: info && textOf(decodeAttributes(info).get(IFLA_INFO.IFLA_INFO_KIND)),
    alias: textOf(attributes.get(IFLA.IFLA_IFALIAS)) ?? '',
  };
}
