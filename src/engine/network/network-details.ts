import type { Network } from '../../network/store/index.ts';

/** A network as it is. `host` and `none` are there too, with nothing of their own. */
export interface NetworkDetails extends Omit<Network, 'driver'> {
  /** `null` is that of `none`, as in Docker. */
  driver: Network['driver'] | 'host' | 'null';
  /** Who is in it just now. */
  containers: NetworkMember[];
}

/** A container in a network. */
export interface NetworkMember {
  id: string;
  name: string;
  /** With the length of the prefix, IPv4 first; none where the network is not the container's own. */
  addresses: string[];
  /** Empty where there is none. */
  mac: string;
  aliases: string[];
  /** What Docker calls an endpoint, a container in a network: always the same of two. 64 hexadecimal digits. */
  endpoint: string;
}
