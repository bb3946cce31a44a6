import type { BoundPort, PublishedPort } from '../../network/nat/port.ts';
import type { Lease } from '../../network/store/lease.ts';

/** A network that a container is to be connected to when it starts, and what it wants there. */
export interface Endpoint {
  /** The network's name, or as it was asked for. */
  network: string;
  ip?: string;
  ip6?: string;
  mac?: string;
  aliases?: string[];
}

/** What a container has in a network while it runs. */
export interface Connection extends Lease {
  /** Inside: `eth0`. */
  interface: string;
}

/** A container's network, as its record has it. Records of older versions have none, which is `none`, or `host` where the options say so. */
export interface RecordedNetwork {
  /** `none`, `host`, `container:<id>`, or the name of the first network. */
  mode: string;
  /** To be connected to at the next start. */
  endpoints: Endpoint[];
  /** To be published at each start. */
  published?: PublishedPort[];
  /** `80/tcp`: what it, or its image, says is served, whether it is published or not. */
  exposed?: string[];
  /** While it runs. */
  leases: Connection[];
  /** While it runs, those of the host that lead to it. */
  ports: BoundPort[];
  /** The network through which they do. */
  publishing?: string;
}
