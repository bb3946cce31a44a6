/** What is known of a network, as it is in its `network.json`. */
export interface Network {
  name: string;
  /** 64 hexadecimal digits. */
  id: string;
  driver: 'bridge' | 'macvlan' | 'ipvlan';
  /** The host's interface: the bridge, or of macvlan and ipvlan the link that the containers share. */
  interface: string;
  /** At most one of IPv4 and one of IPv6, in that order. */
  subnets: Subnet[];
  /** Without a way out: no default route, nothing forwarded. */
  internal: boolean;
  ipv6: boolean;
  /** As they were given to `network create -o`. {@link networkSettings} says what they mean. */
  options: Record<string, string>;
  labels: Record<string, string>;
  /** RFC 3339. */
  created: string;
}

export interface Subnet {
  /** `10.87.0.0/16` */
  subnet: string;
  /** The host's own address in it. */
  gateway?: string;
  /** The part of it that addresses are taken from; default: all of it. */
  range?: string;
  /** Addresses that no container is given, by the names of who has them. */
  auxiliaryAddresses?: Record<string, string>;
}

/** The one that is there without being made, and where containers are that ask for none. */
export const DEFAULT_NETWORK = 'bridge';
