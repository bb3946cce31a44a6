import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { TsboxError } from '../../kernel/index.ts';

/** Where an archive comes from. */
export interface Source {
  chunks: AsyncIterable<Buffer>;
  /** What messages and the image's history call it. */
  name: string;
  /** Its size in bytes, where that is known beforehand. */
  size: number | undefined;
}

/**
 * Opens a file, an http or https URL, or takes a stream as it is.
 *
 * @param doing what is to be done with it, for messages
 * @throws {TsboxError} SOURCE_UNREADABLE
 */
export async function openSource(source: string | Readable, doing = 'import'): Promise<Source> {
  if (typeof source !== 'string') return { chunks: source, name: '-', size: undefined };
  return /^https?:\/\//i.test(source) ? await openUrl(source, doing) : openFile(source, doing);
}

function openFile(path: string, doing: string): Source {
  try {
    const status = statSync(path);
    if (status.isDirectory()) {
      throw new TsboxError('SOURCE_UNREADABLE', `cannot ${doing} \`${path}\`: it is a directory`, {
        advice:
          doing === 'import'
            ? `tar -C '${path}' -c . | tsbox import - NAME`
            : `tar -C '${path}' -c . | tsbox load`,
      });
    }
    const chunks = createReadStream(path, { highWaterMark: 256 * 1024 });
    return {
      chunks: reading(chunks, path, doing),
      name: path,
      size: status.isFile() ? status.size : undefined,
    };
  } catch (error) {
    throw unreadable(path, error, doing);
  }
}

async function openUrl(url: string, doing: string): Promise<Source> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  } catch (error) {
    throw unreadable(url, error, doing);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const advice = 'try the address in a browser or with curl';
    throw new TsboxError(
      'SOURCE_UNREADABLE',
      `cannot ${doing} \`${url}\`: the server answers ${response.status}`,
      { advice },
    );
  }
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  return {
    chunks: reading(body, url, doing),
    name: url,
    size: Number.isSafeInteger(length) ? length : undefined,
  };
}

async function* reading(chunks: AsyncIterable<Buffer>, name: string, doing: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of chunks) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  } catch (error) {
    throw unreadable(name, error, doing);
  }
}

/** fetch says only "fetch failed"; what failed is its cause. */
function unreadable(name: string, error: unknown, doing: string): unknown {
  if (error instanceof TsboxError) return error;
  const { code, message, cause } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  const reason =
    code === 'ENOENT' ? 'there is no such file' : (cause?.message || cause?.code || message).split('\n')[0];
  return new TsboxError('SOURCE_UNREADABLE', `cannot ${doing} \`${name}\`: ${reason}`, { cause: error });
}
