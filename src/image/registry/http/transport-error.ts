/** There was no answer, or it broke off: the network's fault or the server's, not the request's. */
export class TransportError extends Error {
  override name = 'TransportError';
  /** Node's or OpenSSL's: `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly code: string;
  /** Whether there was a connection, TLS included. Without one, nothing of the request has been sent. */
  readonly connected: boolean;
  /** Who was asked: `registry.example:5000`. */
  host = '';

  /** @param message why, for the end of a sentence: "connection refused" */
  constructor(code: string, message: string, options: { connected: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.connected = options.connected;
  }

  /** The server is not who it should be, or we do not trust who says so. Trying again, or without TLS, is no remedy. */
  get certificate(): boolean {
    return /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERROR_IN_CERT|INVALID_CA|CRL_|HOSTNAME_MISMATCH)/.test(
      this.code,
    );
  }

  get noTls(): boolean {
    return this.message === NO_TLS;
  }

  /** There is no such host. */
  get unknownHost(): boolean {
    return this.code === 'ENOTFOUND' || this.code === 'EAI_AGAIN';
  }
}

/** Node's error, in words. */
export function transportError(error: unknown, connected: boolean): TransportError {
  if (error instanceof TransportError) return error;
  const { code = '', message = '' } = first(error);
  const known = code === 'ECONNRESET' && !connected ? 'the server closed the connection' : word(code);
  return new TransportError(code, known ?? plain(message, code), { connected, cause: error });
}

function word(code: string): string | undefined {
  // llhttp's, of which there are many.
  return WORDS[code] ?? (code.startsWith('HPE_') ? 'what it says is not HTTP' : undefined);
}

/** Where several addresses were tried, Node gives an AggregateError without a message. */
function first(error: unknown): NodeJS.ErrnoException {
  const several = error as AggregateError;
  return (several.message === '' && several.errors?.[0]) || (error as NodeJS.ErrnoException);
}

/** OpenSSL's are long: `C0D7…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/…:355:\n`. */
function plain(message: string, code: string): string {
  const openssl = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  if (openssl === 'wrong version number' || openssl === 'packet length too long') return NO_TLS;
  return openssl ?? ((message.split('\n')[0] as string).slice(0, 200) || code || 'the connection failed');
}

const NO_TLS = 'it does not speak TLS';

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'its name cannot be looked up: the name server does not answer',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  // Newer Nodes have codes for what OpenSSL says.
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
  HPE_HEADER_OVERFLOW: 'the head of its answer is too long',
};
