import { beforeEach, describe, expect, it } from 'vitest';
import * as faults from '../../fixtures/faults.ts';
import type { Route } from '../../fixtures/faulty-registry.ts';
import { describeRoot } from '../support/tsbox.ts';
import { useFaultyPull } from './support/faulty-pull.ts';

describeRoot('tsbox pull from a registry that', () => {
  const at = useFaultyPull();
  const { pull, succeeds, fails, contents } = at;

  const big = () => at.layout.layers[0]?.digest as string;
  /** A fault for one blob only. */
  const of =
    (digest: string, fault: faults.Fault): faults.Fault =>
    (context) =>
      context.request.url?.endsWith(digest) ? fault(context) : context.whole();

  it('does everything right', succeeds);

  describe('recovers', () => {
    const size = () => at.layout.layers[0]?.size as number;
    it.each<[string, () => number]>([
      ['before the first byte', () => 0],
      ['after one', () => 1],
      ['after the header of gzip', () => 10],
      ['in the middle', () => Math.floor(size() / 2)],
      ['before the last byte', () => size() - 1],
    ])('a connection that breaks %s', async (_, offset) => {
      at.registry.break('blob', of(big(), faults.cutAfter(offset())), 3);
      await succeeds();
    });

    it.each<[string, Route]>([
      ['manifest', 'manifest'],
      ['blob', 'blob'],
    ])('answers 503 and 429 for a %s first', async (_, route) => {
      at.registry.break(route, faults.status(503), 1);
      at.registry.break(route, faults.status(429, { 'retry-after': '1' }), 1);
      await succeeds();
    });

    it('ignores Range', async () => {
      at.registry.break('blob', of(big(), faults.cutAfter(1000)), 2);
      at.registry.break('blob', of(big(), faults.rangeIgnored));
      await succeeds();
    });

    it('is slow', async () => {
      at.registry.break('blob', of(big(), faults.slow(Math.ceil(size() / 20), 50)));
      await succeeds();
    });

    it('sends to another host, which sees no credentials (CVE-2020-15157)', async () => {
      at.registry.realm = `${at.registry.url}/token`;
      at.registry.break('blob', (context) =>
        context.answer.status === 401
          ? context.whole()
          : faults.redirectTo((path) => `${at.other.url}${path}`)(context),
      );
      await succeeds();
      expect(at.other.seen('blob').length).toBeGreaterThanOrEqual(3);
      expect(at.other.received.map(({ authorization }) => authorization)).toEqual(
        at.other.received.map(() => undefined),
      );
    });
  });

  describe('lies', () => {
    const flip = faults.body((bytes) => {
      bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1;
      return bytes;
    });
    const blob = (fault: faults.Fault, message: RegExp) => async () => {
      at.registry.break('blob', of(big(), fault));
      await fails(message);
    };
    it('other content of a layer', blob(flip, /digest|sha256/));
    it(
      'a layer that is shorter',
      blob(
        faults.body((bytes) => bytes.subarray(0, -1)),
        /bytes|size/,
      ),
    );
    it(
      'a layer that is longer',
      blob(
        faults.body((bytes) => Buffer.concat([bytes, bytes])),
        /bytes|size/,
      ),
    );
    it('a layer without end', blob(faults.endless, /bytes|size/));
    it('an answer in the middle of another', blob(faults.noise, /HTTP|answer/i));
    it('a header without end', blob(faults.endlessHeader, /head of its answer is too long/));
    it('another part than was asked for', async () => {
      at.registry.break('blob', of(big(), faults.cutAfter(1000)), 1);
      at.registry.break('blob', of(big(), faults.contentRange('bytes 5-10/11')));
      await fails(/part|range|bytes|middle/i);
    });
    it('other content of the configuration', async () => {
      at.registry.break(
        'blob',
        of(
          at.layout.config.digest,
          faults.body((bytes) => bytes.fill(' ')),
        ),
      );
      await fails(/digest|sha256/);
    });
    it(
      'a redirect to itself',
      blob(
        faults.redirectTo((path) => path),
        /redirects more than 10 times/,
      ),
    );
    it(
      'a Retry-After of a year',
      blob(faults.status(429, { 'retry-after': '31536000' }), /31536000 seconds|asked again/),
    );
    it('a layer that is not there', blob(faults.status(404), /not found|404|has no/));
  });

  describe('wants a token', () => {
    beforeEach(() => {
      at.registry.realm = `${at.registry.url}/token`;
    });
    it('and gives a web page for one', async () => {
      at.registry.break(
        'token',
        faults.body(() => Buffer.from('<html>')),
      );
      await fails(/token/);
    });
    it('and gives none', async () => {
      at.registry.break('token', faults.status(401));
      await fails(/access|login|token/);
    });
    it('without end', async () => {
      at.registry.break('token', faults.endless);
      await fails(/token|large|bytes/);
    });
    it('and says nothing: Ctrl-C ends it, and the next pull leaves nothing of it', async () => {
      at.registry.break('token', faults.hang);
      const { signal, stdout } = await pull(async (kill) => {
        while (at.registry.seen('token').length === 0)
          await new Promise((resolve) => setTimeout(resolve, 10));
        kill('SIGINT');
      });
      expect([signal, stdout]).toEqual(['SIGINT', '']);
      const left = () => Object.keys(contents()).filter((path) => path.includes('unfinished'));
      at.registry.mend();
      await succeeds();
      expect(left()).toEqual([]);
    });
  });
});
