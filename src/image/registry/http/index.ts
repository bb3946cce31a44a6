/**
 * HTTP as a registry's client needs it: one request and its answer, over connections that are kept, through proxies, with time-outs
 * for each phase. Redirects, authentication and retries are not known here.
 */
export { discard, readBody } from './body.ts';
export { Connections, type TlsSettings } from './connections.ts';
export { exchange, type HttpRequest, type HttpResponse } from './exchange.ts';
export { isLoopback, proxyFor } from './proxy.ts';
export { TransportError } from './transport-error.ts';
