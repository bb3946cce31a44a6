/**
 * Links: bridges of the host's, the interfaces of containers with their addresses and routes, and what the host's own network is like, spoken to the kernel in
 * rtnetlink(7). It knows namespaces, but no containers, and nothing that is on disk.
 */
export { type Attachment, attachInterfaces, detachInterface } from './attach.ts';
export { type Bridge, ensureBridge, removeBridge } from './bridge.ts';
export { isOurs } from './find-link.ts';
export { hostSubnets, uplinkMtu } from './host.ts';
export { addDefaultRoutes } from './routes.ts';
