/**
 * Addresses of IPv4 and IPv6 and the subnets they are in, as numbers: what is in what, which overlap, and which is the n-th. It knows neither the kernel nor any
 * network.
 */
export * from './address.ts';
export * from './mac.ts';
export * from './prefix.ts';
