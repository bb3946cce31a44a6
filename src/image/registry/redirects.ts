import { TsboxError } from '../../kernel/index.ts';
import { discard, type HttpRequest, type HttpResponse } from './http/index.ts';

export interface RedirectRules {
  /** The only origin (scheme, host and port) that sees the header Authorization. */
  origin: string;
  /** Whether an answer over plain HTTP will do though the question went over TLS. */
  plain: boolean;
  /** What was asked for, for messages. */
  what: string;
}

/**
 * Sends a request and goes where the answers point, ten times at most. By hand, because what leads to another host must not take our
 * credentials with it: curl (CVE-2018-1000007), follow-redirects (CVE-2022-0155) and others learnt it one by one.
 *
 * @throws {TsboxError} REGISTRY_FAILED
 */
export async function followRedirects(
  request: HttpRequest,
  send: (request: HttpRequest) => Promise<HttpResponse>,
  rules: RedirectRules,
): Promise<HttpResponse> {
  let { url } = request;
  for (let hops = 0; hops <= MOST; hops++) {
    const response = await send({ ...request, url, headers: headersFor(url, request.headers, rules.origin) });
    const { location } = response.headers;
    if (!isRedirect(response.status, request.method) || location === undefined) return response;
    // So that the connection can be used again.
    await discard(response);
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next?.protocol !== 'http:' && next?.protocol !== 'https:')
      throw failed(`${rules.what}: ${url.host} redirects to something that is no web address`);
    if (next.protocol === 'http:' && url.protocol === 'https:' && !rules.plain)
      throw failed(
        `${rules.what}: ${url.host} redirects from HTTPS to plain HTTP`,
        'only with --tls-verify=false is that done',
      );
    next.username = '';
    next.password = '';
    url = next;
  }
  throw failed(`${rules.what}: ${request.url.host} redirects more than ${MOST} times`);
}

function headersFor(url: URL, headers: Record<string, string>, origin: string): Record<string, string> {
  if (url.origin === origin) return headers;
  const { authorization: _, ...others } = headers;
  return others;
}

/** 301 to 303 make a GET of anything else, which would lose what we send. */
function isRedirect(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD');
}

function failed(message: string, advice?: string): TsboxError {
  return new TsboxError('REGISTRY_FAILED', message, advice === undefined ? {} : { advice });
}

const MOST = 10;
