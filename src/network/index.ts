/**
 * The networks of containers: addresses (`address/`), bridges and interfaces (`link/`), the firewall's rules and published ports (`nat/`), and what is on disk:
 * networks, and who has which address (`store/`). It knows containers by their ids and by descriptors of their namespaces only.
 *
 * Each of the four has a face of its own, and whoever is in a hurry imports just that: a start without ports needs no rules.
 */
export * from './address/index.ts';
export * from './link/index.ts';
export * from './nat/index.ts';
export * from './store/index.ts';
