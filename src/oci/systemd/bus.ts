import { connect, type Socket } from 'node:net';
import { failure } from '../state.ts';
import { marshal } from './marshal.ts';
import { bad, unmarshal } from './unmarshal.ts';

/** A message that has come (D-Bus specification, "Message Format"). */
export interface Message {
  kind: 'return' | 'error' | 'signal' | 'call';
  replyTo?: number;
  path?: string;
  interface?: string;
  member?: string;
  error?: string;
  body: unknown[];
}

/** A connection to a D-Bus, or to a program that speaks it: calls, and signals that somebody waits for. */
export class Bus {
  readonly #socket: Socket;
  readonly #listeners = new Set<(message: Message) => void>();
  #received = Buffer.alloc(0);
  #serial = 0;
  #authenticated = false;
  #ended: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws whatever the socket says, or {TsboxError} where the other end does not want us */
  static async open(path: string): Promise<Bus> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    const bus = new Bus(socket);
    socket.on('error', (error) => bus.#end(error));
    socket.on('close', () => bus.#end(failure('BUS_CLOSED', 'the D-Bus has closed the connection')));
    socket.on('data', (data) => bus.#receive(data));
    // SASL EXTERNAL: who we are the socket says (SCM_CREDENTIALS); the id is in decimal digits, in hexadecimal.
    const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex');
    // BEGIN at once, as systemd's own clients do: with a message right behind it, systemd's private socket (252) would not look at that.
    socket.write(`\0AUTH EXTERNAL ${uid}\r\nBEGIN\r\n`);
    await bus.wait((message) => message.kind === 'call' && message.member === AUTHENTICATED, 'its welcome');
    return bus;
  }

  /** @throws {TsboxError} BUS_ERROR with what the other end says */
  async call(
    destination: string,
    path: string,
    [face, member]: readonly [string, string],
    signature = '',
    values: readonly unknown[] = [],
  ): Promise<unknown[]> {
    const serial = ++this.#serial;
    const body = marshal(signature, values);
    const fields: [number, { signature: string; value: string }][] = [
      [1, { signature: 'o', value: path }],
      [2, { signature: 's', value: face }],
      [3, { signature: 's', value: member }],
      [6, { signature: 's', value: destination }],
    ];
    if (signature !== '') fields.push([8, { signature: 'g', value: signature }]);
    const header = marshal('yyyyuua(yv)', [0x6c, METHOD_CALL, 0, 1, body.length, serial, fields]);
    this.#socket.write(Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8), body]));
    const answer = await this.wait(({ replyTo }) => replyTo === serial, `an answer to ${member}`);
    if (answer.kind === 'error')
      throw failure('BUS_ERROR', `${member}: ${String(answer.body[0] ?? answer.error)}`);
    return answer.body;
  }

  /** The next message of that kind. @throws {TsboxError} BUS_TIMEOUT */
  wait(wanted: (message: Message) => boolean, what: string, seconds = 25): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const done = () => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const listener = (message: Message) => {
        if (this.#ended) {
          done();
          reject(this.#ended);
        } else if (wanted(message)) {
          done();
          resolve(message);
        }
      };
      const late = () => {
        done();
        reject(failure('BUS_TIMEOUT', `the D-Bus has not sent ${what} within ${seconds} s`));
      };
      const timer = setTimeout(late, seconds * 1000);
      this.#listeners.add(listener);
    });
  }

  close(): void {
    this.#socket.removeAllListeners().on('error', () => {});
    this.#socket.destroy();
    this.#end(failure('BUS_CLOSED', 'the connection to the D-Bus was closed'));
  }

  #receive(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    try {
      if (!this.#authenticated) this.#welcome();
      while (this.#authenticated) {
        const message = this.#next();
        if (message === undefined) return;
        this.#tell(message);
      }
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #welcome(): void {
    const line = this.#received.indexOf('\r\n');
    if (line < 0) return;
    const said = this.#received.toString('latin1', 0, line);
    this.#received = this.#received.subarray(line + 2);
    if (!said.startsWith('OK ')) throw failure('BUS_REFUSED', `the D-Bus refuses us: ${said.slice(0, 80)}`);
    this.#authenticated = true;
    this.#tell({ kind: 'call', member: AUTHENTICATED, body: [] });
  }

  #next(): Message | undefined {
    const bytes = this.#received;
    if (bytes.length < 16) return undefined;
    if (bytes[0] !== 0x6c) throw bad('it is not little-endian');
    const fieldsEnd = 16 + bytes.readUInt32LE(12);
    const bodyStart = Math.ceil(fieldsEnd / 8) * 8;
    const end = bodyStart + bytes.readUInt32LE(4);
    if (end > MOST) throw bad('it is too long');
    if (bytes.length < end) return undefined;
    this.#received = bytes.subarray(end);
    const header = unmarshal('yyyyuua(yv)', bytes.subarray(0, fieldsEnd));
    const fields = new Map(
      (header[6] as [number, { value: unknown }][]).map(([code, { value }]) => [code, value]),
    );
    const signature = String(fields.get(8) ?? '');
    return {
      kind: KINDS[header[1] as number] ?? 'call',
      replyTo: fields.get(5) as number,
      path: fields.get(1) as string,
      interface: fields.get(2) as string,
      member: fields.get(3) as string,
      error: fields.get(4) as string,
      body: unmarshal(signature, bytes.subarray(bodyStart, end)),
    };
  }

  #tell(message: Message): void {
    for (const listener of [...this.#listeners]) listener(message);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#tell({ kind: 'error', body: [] });
  }
}

const METHOD_CALL = 1;
const KINDS: Record<number, Message['kind']> = { 2: 'return', 3: 'error', 4: 'signal' };
/** No name that a message can have. */
const AUTHENTICATED = ' authenticated';
/** The specification's own limit is 128 MiB; nothing that we ask for is near that. */
const MOST = 16 << 20;
