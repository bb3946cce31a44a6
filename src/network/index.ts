/**
 * The networks of containers: addresses (`address/`), bridges and interfaces (`link/`), the firewall's rules and published ports (`nat/`), and what is on disk:
 * networks, and who has which address (`store/`). It knows containers by their ids and by descriptors of their namespaces only.
 */
export * from './address/index.ts';
export * from './link/index.ts';
