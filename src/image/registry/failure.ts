import { TsboxError } from '../../kernel/index.ts';
import { type HttpResponse, readBody, type TransportError } from './http/index.ts';
import { parseJsonObject } from './json.ts';
import { parseRetryAfter } from './retry-after.ts';

/** The registry answered, and said no. */
export class Refusal extends TsboxError {
  override name = 'Refusal';
  readonly status: number;
  /** In how many milliseconds it wants to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(
    code: string,
    message: string,
    options: { status: number; retryAfter?: number | undefined; advice?: string | undefined },
  ) {
    super(code, message, options.advice === undefined ? {} : { advice: options.advice });
    this.status = options.status;
    this.retryAfter = options.retryAfter;
  }
}

/**
 * What an answer that is none means, in one line. Reads its body.
 *
 * @param what what was asked for: "docker.io/library/alpine:3.20"
 * @param login the name that `tsbox login` takes
 */
export async function refusal(response: HttpResponse, what: string, login: string): Promise<Refusal> {
  const { status, headers, url } = response;
  const said = await reason(response);
  const because = said === undefined ? '' : `: ${said}`;
  const answers = `${url.host} answers ${status}`;
  if (status === 401)
    return new Refusal('REGISTRY_DENIED', `${what}: ${url.host} gives no access${because}`, {
      status,
      advice: `check the name; if it is private: tsbox login ${login}`,
    });
  if (status === 403)
    return new Refusal('REGISTRY_DENIED', `${what}: ${answers} (forbidden)${because}`, {
      status,
      advice: `whoever is logged in may not do this; tsbox login ${login} as somebody else`,
    });
  if (status === 404)
    return new Refusal('NOT_FOUND', `${what}: ${answers} (not found)${because}`, { status });
  const retryAfter = parseRetryAfter(headers['retry-after'], Date.now());
  if (status === 429)
    return new Refusal('REGISTRY_BUSY', `${what}: ${answers} (too many requests)${because}`, {
      status,
      retryAfter,
      advice: `wait a while; tsbox login ${login} may raise the limit`,
    });
  return new Refusal('REGISTRY_FAILED', `${what}: ${answers}${because}`, { status, retryAfter });
}

/** The same for what never answered. */
export function unreachable(error: TransportError, what: string): TsboxError {
  const message = error.connected
    ? `the answer of ${error.host} broke off: ${error.message}`
    : `cannot reach ${error.host}: ${error.message}`;
  const about = what === error.host ? '' : `${what}: `;
  return new TsboxError('REGISTRY_UNREACHABLE', `${about}${message}`, { ...advice(error), cause: error });
}

function advice(error: TransportError): { advice?: string } {
  if (error.certificate)
    return {
      advice: `put the authority's certificate into /etc/docker/certs.d/${error.host}/ca.crt, or give --tls-verify=false to trust whoever answers`,
    };
  if (error.noTls) return { advice: 'a registry without TLS needs --tls-verify=false' };
  if (error.unknownHost) return { advice: 'check the name and the network; behind a proxy, set https_proxy' };
  return {};
}

/** `errors[0]` of the distribution specification, or `message` or `details`, which some give instead; or that it is a web page. */
async function reason(response: HttpResponse): Promise<string | undefined> {
  const body = await readBody(response, ERROR_BYTES, 10_000).catch(() => undefined);
  if (body === undefined) return undefined;
  const type = response.headers['content-type'] ?? '';
  if (/^text\/html/i.test(type) || /^\s*<(?:!doctype|html)/i.test(body.toString('latin1', 0, 200)))
    return 'a web page, not the answer of a registry';
  const object = parseJsonObject(body);
  const first = Array.isArray(object?.errors) ? object.errors[0] : object;
  const texts = [first?.code, first?.message ?? first?.details ?? first?.error].filter(
    (text) => typeof text === 'string' && text !== '',
  );
  return texts.length === 0 ? undefined : oneLine(texts.join(': '));
}

/** Others' words in a message of ours: no line breaks, nothing that a terminal obeys, and not many. */
export function oneLine(text: string): string {
  return text
    .slice(0, 300)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}

const ERROR_BYTES = 64 * 1024;
