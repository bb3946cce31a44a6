import { fields } from '../../kernel/index.ts';
import {
  AF_INET6,
  attributeList,
  encodeAttributes,
  IFA,
  IFA_F_NODAD,
  IFF,
  IFLA,
  IFLA_BRPORT_ISOLATED,
  IFLA_BRPORT_MODE,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO,
  IFLA_IPVLAN_MODE,
  IFLA_MACVLAN_MODE,
  IN6_ADDR_GEN_MODE_NONE,
  NLM_F,
  numberOf,
  type Request,
  RT_SCOPE_LINK,
  RTA,
  textOf,
  VETH_INFO_PEER,
} from '../../kernel/netlink/index.ts';
import { formatAddress } from '../address/index.ts';
import { IPVLAN_MODES, MACVLAN_MODES } from './kinds.ts';
import { addressOf } from './requests.ts';

/** A message of rtnetlink(7) in words. */
export interface Described {
  /** `RTM_NEWLINK` */
  message: string;
  /** `NLM_F_CREATE`; without those that every request has. */
  flags: string[];
  /** What its struct and its attributes say, under the names that ip(8) has for them. What is only there or not is `true`. */
  attributes: Attributes;
}

export interface Attributes {
  [name: string]: string | number | boolean | Attributes;
}

/** Read from the very bytes that the kernel would get. @param nameOf the interface that a number means */
export function describeRequest(request: Request, nameOf: (index: number) => string): Described {
  const { type, flags = 0, header } = request;
  const bytes = encodeAttributes(request.attributes ?? []);
  return {
    message: type,
    flags: Object.entries(FLAGS).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : name)),
    attributes: READERS[type.slice(-4)]?.(header, bytes, nameOf) ?? {},
  };
}

type NameOf = (index: number) => string;
type Value = Attributes[string];
/** What an attribute is called, and what is in it; without a name, what is in it stands for itself. */
type Table = Record<number, [name: string, read: (bytes: Uint8Array, nameOf: NameOf) => Value]>;

/** By the end of the message's name. */
const READERS: Record<string, (header: Uint8Array, bytes: Uint8Array, nameOf: NameOf) => Attributes> = {
  LINK: readLink,
  ADDR: readAddress,
  OUTE: readRoute,
};

function readLink(header: Uint8Array, bytes: Uint8Array, nameOf: NameOf): Attributes {
  const words = fields(header);
  const index = words.getInt32(4, true);
  const isUp = (words.getUint32(8, true) & IFF.IFF_UP) !== 0;
  const isMeant = (words.getUint32(12, true) & IFF.IFF_UP) !== 0;
  return {
    ...(index !== 0 && { dev: nameOf(index) }),
    ...read(bytes, LINK, nameOf),
    ...(isMeant && { [isUp ? 'up' : 'down']: true }),
  };
}

function readAddress(header: Uint8Array, bytes: Uint8Array, nameOf: NameOf): Attributes {
  const { local, address, ...more } = read(bytes, ADDRESS, nameOf);
  return {
    dev: nameOf(fields(header).getUint32(4, true)),
    local: `${local}/${header[1]}`,
    ...(address !== local && { address: `${address}/${header[1]}` }),
    ...more,
    ...(((header[2] ?? 0) & IFA_F_NODAD) !== 0 && { nodad: true }),
  };
}

function readRoute(header: Uint8Array, bytes: Uint8Array, nameOf: NameOf): Attributes {
  const [family, length] = header;
  return {
    family: family === AF_INET6 ? 'inet6' : 'inet',
    ...(length === 0 && { to: 'default' }),
    ...read(bytes, ROUTE, nameOf),
    ...(header[6] === RT_SCOPE_LINK && { scope: 'link' }),
  };
}

function read(bytes: Uint8Array, table: Table, nameOf: NameOf): Attributes {
  const found: Attributes = {};
  for (const [type, value] of attributeList(bytes)) {
    const [name, reader] = table[type] ?? [`attribute ${type}`, hex];
    const what = reader(value, nameOf);
    if (name === '' && typeof what === 'object') Object.assign(found, what);
    else found[name] = what;
  }
  return found;
}

const text = (bytes: Uint8Array) => textOf(bytes) ?? '';
const number = (bytes: Uint8Array) => numberOf(bytes) ?? hex(bytes);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const mac = (bytes: Uint8Array) => hex(bytes).replace(/..(?=.)/g, '$&:');
const ip = (bytes: Uint8Array) => formatAddress(addressOf(bytes));
const link = (bytes: Uint8Array, nameOf: NameOf) => nameOf(numberOf(bytes) ?? 0);
const isSet = (bytes: Uint8Array) => numberOf(bytes) !== 0;
const nested = (table: Table) => (bytes: Uint8Array, nameOf: NameOf) => read(bytes, table, nameOf);

const IPV6: Table = {
  [IFLA_INET6_ADDR_GEN_MODE]: [
    'addrgenmode',
    (bytes) => (numberOf(bytes) === IN6_ADDR_GEN_MODE_NONE ? 'none' : number(bytes)),
  ],
};

const PORT: Table = { [IFLA_BRPORT_MODE]: ['hairpin', isSet], [IFLA_BRPORT_ISOLATED]: ['isolated', isSet] };

const DATA: Record<string, Table> = {
  veth: {
    [VETH_INFO_PEER]: [
      'peer',
      (bytes, nameOf) => readLink(bytes.subarray(0, 16), bytes.subarray(16), nameOf),
    ],
  },
  macvlan: {
    [IFLA_MACVLAN_MODE]: [
      'mode',
      (bytes) =>
        Object.entries(MACVLAN_MODES).find(([, mode]) => mode === numberOf(bytes))?.[0] ?? hex(bytes),
    ],
  },
  ipvlan: { [IFLA_IPVLAN_MODE]: ['mode', (bytes) => IPVLAN_MODES[numberOf(bytes) ?? -1] ?? hex(bytes)] },
};

/** What is in IFLA_INFO_DATA depends on the kind. */
function readKind(bytes: Uint8Array, nameOf: NameOf): Attributes {
  const kind = text(new Map(attributeList(bytes)).get(IFLA_INFO.IFLA_INFO_KIND) ?? new Uint8Array());
  return read(
    bytes,
    {
      [IFLA_INFO.IFLA_INFO_KIND]: ['kind', text],
      [IFLA_INFO.IFLA_INFO_DATA]: ['', nested(DATA[kind] ?? {})],
      [IFLA_INFO.IFLA_INFO_SLAVE_KIND]: ['slavekind', text],
      [IFLA_INFO.IFLA_INFO_SLAVE_DATA]: ['', nested(PORT)],
    },
    nameOf,
  );
}

const LINK: Table = {
  [IFLA.IFLA_IFNAME]: ['name', text],
  [IFLA.IFLA_ADDRESS]: ['address', mac],
  [IFLA.IFLA_MTU]: ['mtu', number],
  [IFLA.IFLA_LINK]: ['link', link],
  [IFLA.IFLA_MASTER]: ['master', link],
  [IFLA.IFLA_LINKINFO]: ['', readKind],
  [IFLA.IFLA_IFALIAS]: ['alias', text],
  [IFLA.IFLA_AF_SPEC]: ['', nested({ [AF_INET6]: ['', nested(IPV6)] })],
  [IFLA.IFLA_NET_NS_FD]: ['netns', () => 'container'],
  [IFLA.IFLA_NUM_TX_QUEUES]: ['numtxqueues', number],
  [IFLA.IFLA_NUM_RX_QUEUES]: ['numrxqueues', number],
};

const ADDRESS: Table = {
  [IFA.IFA_LOCAL]: ['local', ip],
  [IFA.IFA_ADDRESS]: ['address', ip],
  [IFA.IFA_BROADCAST]: ['broadcast', ip],
};

const ROUTE: Table = {
  [RTA.RTA_DST]: ['to', ip],
  [RTA.RTA_GATEWAY]: ['via', ip],
  [RTA.RTA_OIF]: ['dev', link],
};

const { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } = NLM_F;
const FLAGS = { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE };
