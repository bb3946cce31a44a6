/**
 * Numbers of netlink and of rtnetlink under the kernel's names, from linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h,
 * linux/veth.h and linux/if_bridge.h: those that tsbox uses.
 */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

export const NLM_F = {
  NLM_F_REQUEST: 1,
  NLM_F_MULTI: 2,
  NLM_F_ACK: 4,
  NLM_F_DUMP_INTR: 0x10,
  NLM_F_REPLACE: 0x100,
  NLM_F_EXCL: 0x200,
  NLM_F_DUMP: 0x300,
  NLM_F_CREATE: 0x400,
  /** In an answer: attributes follow the error. The same bit as NLM_F_EXCL. */
  NLM_F_ACK_TLVS: 0x200,
} as const;

export const NLMSG = { NLMSG_NOOP: 1, NLMSG_ERROR: 2, NLMSG_DONE: 3, NLMSG_OVERRUN: 4 } as const;

export const RTM = {
  RTM_NEWLINK: 16,
  RTM_DELLINK: 17,
  RTM_GETLINK: 18,
  RTM_SETLINK: 19,
  RTM_NEWADDR: 20,
  RTM_DELADDR: 21,
  RTM_GETADDR: 22,
  RTM_NEWROUTE: 24,
  RTM_DELROUTE: 25,
  RTM_GETROUTE: 26,
} as const;

/** NFNL_SUBSYS_NFTABLES and the message, linux/netfilter/nf_tables.h: on a socket of NETLINK_NETFILTER. */
export const NFT_MSG = {
  NFT_MSG_GETTABLE: 0xa01,
  NFT_MSG_GETCHAIN: 0xa04,
  NFT_MSG_GETRULE: 0xa07,
  NFT_MSG_GETSET: 0xa0a,
  NFT_MSG_GETSETELEM: 0xa0d,
  NFT_MSG_GETGEN: 0xa10,
} as const;

/** NFNL_SUBSYS_CTNETLINK and the message, linux/netfilter/nfnetlink_conntrack.h. */
export const IPCTNL_MSG = { IPCTNL_MSG_CT_GET: 0x101, IPCTNL_MSG_CT_DELETE: 0x102 } as const;

export const IFF = { IFF_UP: 1 } as const;

export const IFLA = {
  IFLA_ADDRESS: 1,
  IFLA_IFNAME: 3,
  IFLA_MTU: 4,
  IFLA_LINK: 5,
  IFLA_MASTER: 10,
  IFLA_LINKINFO: 18,
  IFLA_IFALIAS: 20,
  IFLA_AF_SPEC: 26,
  IFLA_NET_NS_FD: 28,
  IFLA_EXT_MASK: 29,
  IFLA_NUM_TX_QUEUES: 31,
  IFLA_NUM_RX_QUEUES: 32,
} as const;

/** A value of IFLA_EXT_MASK: without the counters of packets, which nobody here reads. */
export const RTEXT_FILTER_SKIP_STATS = 8;

/** In IFLA_LINKINFO. */
export const IFLA_INFO = {
  IFLA_INFO_KIND: 1,
  IFLA_INFO_DATA: 2,
  IFLA_INFO_SLAVE_KIND: 4,
  IFLA_INFO_SLAVE_DATA: 5,
} as const;

/** What the kinds of links have in IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA. */
export const VETH_INFO_PEER = 1;
export const IFLA_MACVLAN_MODE = 1;
export const IFLA_IPVLAN_MODE = 1;
export const IFLA_BRPORT_MODE = 4;
export const IFLA_BRPORT_ISOLATED = 33;

/** In IFLA_AF_SPEC, in AF_INET6. */
export const IFLA_INET6_ADDR_GEN_MODE = 8;
export const IN6_ADDR_GEN_MODE_NONE = 1;

export const IFA = { IFA_ADDRESS: 1, IFA_LOCAL: 2, IFA_BROADCAST: 4, IFA_FLAGS: 8 } as const;
/** No duplicate address detection, which takes a second or two until an address can be used (RFC 4862). */
export const IFA_F_NODAD = 2;

export const RTA = {
  RTA_DST: 1,
  RTA_OIF: 4,
  RTA_GATEWAY: 5,
  RTA_METRICS: 8,
  RTA_MULTIPATH: 9,
  RTA_TABLE: 15,
} as const;
export const RTAX_MTU = 2;
export const RTN_UNICAST = 1;
export const RT_TABLE_MAIN = 254;
export const RT_TABLE_LOCAL = 255;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RTPROT_BOOT = 3;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;
