import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type BoundPort,
  checkRules,
  ensureTable,
  publish,
  removeNetworkRules,
  unpublish,
} from '../../../src/network/nat/index.ts';
import { ip, nft } from './support/lab.ts';
import { network } from './support/nat-network.ts';

const isRoot = process.geteuid?.() === 0;
const [web, db] = ['a'.repeat(64), 'b'.repeat(64)];

describe.skipIf(!isRoot)(
  isRoot ? 'the table of nftables' : 'the table of nftables (skipped: needs root)',
  () => {
    beforeEach(() => {
      ip('link add tsbox0 type bridge');
      ensureTable([network('tsbox0')]);
    });

    afterEach(() => {
      nft('flush', 'ruleset');
      ip('link delete tsbox0');
    });

    test('made again where it is there already, it stays as it is', () => {
      publish(web, [port(8080)], ['10.87.0.2'], 'tsbox0');
      const before = nft('list', 'ruleset');
      expect(ensureTable([network('tsbox0')])).toBe('there');
      publish(web, [port(8080)], ['10.87.0.2'], 'tsbox0');
      expect(nft('list', 'ruleset')).toBe(before);
    });

    test("others' tables are as they were, to the last handle, at whatever happens to ours", () => {
      nft(
        '-f',
        file(`
        table ip filter {
          chain DOCKER-USER { return; }
          chain FORWARD {
            type filter hook forward priority filter; policy drop;
            counter packets 7 bytes 9 jump DOCKER-USER
          }
        }
        table inet firewalld {
          set tsbox { type ipv4_addr; elements = { 192.0.2.1 }; }
          chain forward { ip daddr @tsbox accept; }
        }
        table ip tsbox {
          chain c { accept; }
        }
        table inet tsbox2 {
          chain c { drop; }
        }
      `),
      );
      const others = () =>
        ['ip filter', 'inet firewalld', 'ip tsbox', 'inet tsbox2']
          .map((table) => nft('-a', '-j', 'list', 'table', ...table.split(' ')))
          .join('\n');
      const before = others();
      ensureTable([network('br-1', { internal: true }), network('br-2')]);
      publish(web, [port(8080), port(53, 'udp')], ['10.87.0.2', 'fd87::2'], 'tsbox0');
      unpublish([web]);
      nft('flush', 'table', 'inet', 'tsbox');
      ensureTable([network('tsbox0')]);
      removeNetworkRules(['tsbox0', 'br-1', 'br-2']);
      expect(others()).toBe(before);
      expect(nft('list', 'tables')).not.toContain('table inet tsbox\n');
    });

    test("another store's networks and containers stay when one's go", () => {
      ensureTable([network('br-other', { internal: true })]);
      publish(web, [port(8080)], ['10.87.0.2'], 'tsbox0');
      publish(db, [port(5432)], ['10.99.0.2'], 'tsbox0');
      expect(unpublish([web, 'c'.repeat(64)])).toBe(true);
      expect(nft('list', 'map', 'inet', 'tsbox', 'any4')).toContain(`tcp . 5432 : goto container-${db}`);
      expect(nft('list', 'map', 'inet', 'tsbox', 'any4')).not.toContain('8080');
      expect(removeNetworkRules(['tsbox0'])).toBe(true);
      for (const set of ['bridges', 'internal'])
        expect(nft('list', 'set', 'inet', 'tsbox', set)).toContain('elements = { "br-other" }');
      expect(nft('list', 'set', 'inet', 'tsbox', 'masquerade4')).not.toContain('elements');
      expect(nft('list', 'chains')).toContain(`chain container-${db}`);
    });

    test('a port that a dead container still has goes to who holds it now, and the sweep of the dead one leaves it', () => {
      publish(web, [port(8080), port(8081)], ['10.87.0.2'], 'tsbox0');
      publish(db, [port(8080)], ['10.87.0.3'], 'tsbox0');
      expect(unpublish([web])).toBe(true);
      expect(nft('list', 'map', 'inet', 'tsbox', 'any4')).toContain(
        `elements = { tcp . 8080 : goto container-${db} }`,
      );
      expect(nft('list', 'chain', 'inet', 'tsbox', `container-${db}`)).toContain(
        'tcp dport 8080 dnat ip to 10.87.0.3:80',
      );
      expect(nft('list', 'chains')).not.toContain(web);
    });

    test('published again, a container has what was said last', () => {
      publish(web, [port(8080), port(8081)], ['10.87.0.2'], 'tsbox0');
      publish(web, [port(8081), port(8082)], ['10.87.0.7'], 'tsbox0');
      const chain = nft('list', 'chain', 'inet', 'tsbox', `container-${web}`);
      expect(chain.match(/dnat ip to \S+/g)).toEqual(['dnat ip to 10.87.0.7:80', 'dnat ip to 10.87.0.7:80']);
      const map = nft('list', 'map', 'inet', 'tsbox', 'any4');
      expect(map.match(/tcp \. \d+/g)?.sort()).toEqual(['tcp . 8081', 'tcp . 8082']);
    });

    describe('somebody has removed', () => {
      const lost: [what: string, words: string][] = [
        ['all rules of the machine', 'flush ruleset'],
        ['the table', 'delete table inet tsbox'],
        ['the rules of the table', 'flush table inet tsbox'],
        ['the rules of one chain', 'flush chain inet tsbox postrouting'],
      ];
      test.each(lost)(
        '%s: they are there again with the next start, with the ports of those that run',
        (_, words) => {
          publish(web, [port(8080)], ['10.87.0.2'], 'tsbox0');
          const before = nft('list', 'ruleset');
          nft(...words.split(' '));
          expect(nft('list', 'ruleset')).not.toBe(before);
          const restore = () => ({
            networks: [network('tsbox0')],
            publications: [{ id: web, ports: [port(8080)], addresses: ['10.87.0.2/16'] }],
          });
          expect(ensureTable([network('tsbox0')], { restore })).toBe('repaired');
          expect(nft('list', 'ruleset')).toBe(before);
          expect(ensureTable([network('tsbox0')], { restore })).toBe('there');
        },
      );

      test('one network from the set of bridges', () => {
        nft('delete', 'element', 'inet', 'tsbox', 'bridges', '{ tsbox0 }');
        expect(ensureTable([network('tsbox0')])).toBe('added');
        expect(nft('list', 'set', 'inet', 'tsbox', 'bridges')).toContain('"tsbox0"');
      });
    });

    describe('nft itself', () => {
      const path = process.env.PATH;
      let directory: string;
      const log = () => readFileSync(join(directory, 'log'), 'utf8');

      /** Another nft, before the real one. */
      function nftIs(script: string): void {
        directory = mkdtempSync(join(tmpdir(), 'tsbox-nft-'));
        writeFileSync(join(directory, 'log'), '');
        writeFileSync(join(directory, 'nft'), `#!/bin/sh\n${script}\n`);
        chmodSync(join(directory, 'nft'), 0o755);
        process.env.PATH = `${directory}:${path}`;
      }

      afterEach(() => {
        process.env.PATH = path;
        rmSync(directory, { recursive: true, force: true });
      });

      test('is not started where there is nothing to do', () => {
        nftIs(`echo called >> "$(dirname "$0")/log"; exec /usr/sbin/nft "$@"`);
        ensureTable([network('tsbox0')]);
        publish(web, [], ['10.87.0.2'], 'tsbox0');
        unpublish([web, db]);
        removeNetworkRules(['br-never']);
        expect(log()).toBe('');
        publish(web, [port(8080)], ['10.87.0.2'], 'tsbox0');
        unpublish([web, db]);
        expect(log()).toBe('called\ncalled\n');
      });

      test.each([
        [
          'fails: its own words, without what a terminal would do with them',
          "printf 'internal:0:0-0: Error: No\\033[31m such thing\\nmore' >&2; exit 1",
          'No?[31m such thing',
        ],
        ['fails without a word', 'exit 3', 'exit code 3'],
        ['is killed', 'kill -9 $$', 'killed by SIGKILL'],
      ])('%s', (_, script, problem) => {
        const before = nft('list', 'ruleset');
        nftIs(script);
        let error: unknown;
        try {
          publish(web, [port(8080)], ['10.87.0.2'], 'tsbox0');
        } catch (thrown) {
          error = thrown;
        }
        expect(error).toMatchObject({
          code: 'NFT_FAILED',
          exitCode: 125,
          message: `cannot publish ports: nft: ${problem}`,
          advice: 'see what `tsbox doctor` says of nftables',
        });
        process.env.PATH = path;
        expect(nft('list', 'ruleset')).toBe(before);
      });

      test('checks the rules without making them, for the doctor', () => {
        nft('flush', 'ruleset');
        expect(checkRules()).toBeUndefined();
        expect(nft('list', 'ruleset')).toBe('');
        nftIs('echo "Error: Could not process rule: Operation not supported" >&2; exit 1');
        expect(checkRules()).toBe('Could not process rule: Operation not supported');
      });
    });

    test('twenty processes that publish and unpublish at once', async () => {
      const script = `
      import { publish, unpublish } from ${JSON.stringify(bundle())};
      const [from] = process.argv.slice(2).map(Number);
      for (let at = 0; at < 5; at++) {
        const id = String(from + at).padStart(64, '0');
        publish(id, [{ hostAddress: '0.0.0.0', hostPort: from + at, containerPort: 80, protocol: 'tcp' }], ['10.87.0.2'], 'tsbox0');
        if (at % 2 === 1) unpublish([id]);
      }`;
      const program = file(script, '.mjs');
      const before = nft('list', 'ruleset').length;
      const ended = Array.from({ length: 20 }, (_, number) => {
        const child = spawn(process.execPath, [program, String(10_000 + number * 5)], { stdio: 'inherit' });
        return once(child, 'exit');
      });
      expect((await Promise.all(ended)).map(([code]) => code)).toEqual(Array(20).fill(0));
      const map = nft('list', 'map', 'inet', 'tsbox', 'any4');
      expect(map.match(/tcp \. \d+/g)).toHaveLength(60);
      expect(unpublish(Array.from({ length: 100 }, (_, at) => String(10_000 + at).padStart(64, '0')))).toBe(
        true,
      );
      expect(nft('list', 'ruleset').length).toBe(before);
    });
  },
);

function port(hostPort: number, protocol: BoundPort['protocol'] = 'tcp'): BoundPort {
  return { hostAddress: '0.0.0.0', hostPort, containerPort: 80, protocol };
}

const files = mkdtempSync(join(tmpdir(), 'tsbox-rules-'));
process.on('exit', () => rmSync(files, { recursive: true, force: true }));

function file(text: string, end = '.nft'): string {
  const path = join(files, `${text.length}${end}`);
  writeFileSync(path, text);
  return path;
}

/** Our functions for a program of its own. It must lie in the package, by which the native library is found. */
function bundle(): string {
  const root = join(import.meta.dirname, '..', '..', '..');
  const path = join(files, 'nat.mjs');
  execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), [
    join(root, 'src/network/nat/index.ts'),
    '--bundle',
    '--platform=node',
    '--format=esm',
    `--define:import.meta.dirname=${JSON.stringify(join(root, 'src', 'kernel'))}`,
    `--outfile=${path}`,
    '--log-level=error',
  ]);
  return path;
}
