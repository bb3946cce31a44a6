export type Protocol = 'tcp' | 'udp' | 'sctp';

/** A port of a container as it is to be published. */
export interface PublishedPort {
  /** The host's address. Undefined: all of both families. */
  hostAddress?: string;
  /** Undefined: any that is free, from 49153 to 65535. */
  hostPort?: number;
  /** With `hostPort`: any one from that to this will do. */
  hostPortEnd?: number;
  containerPort: number;
  /** Default tcp. */
  protocol: Protocol;
}

/** A port of the host that is held for a container. */
export interface BoundPort {
  /** `0.0.0.0` for all of IPv4, `::` for all of IPv6. */
  hostAddress: string;
  hostPort: number;
  containerPort: number;
  protocol: Protocol;
}
