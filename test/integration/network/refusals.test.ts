import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { failed, removesAll, said, stateOf } from '../life/support.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, image, store, tsbox } from '../support/tsbox.ts';

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
const sleeps = ['sleep', '1000'];

/** In both ways, what cannot be connected is one line and exit code 125. */
function refusesToStart(flags: readonly string[], problem: string): void {
  for (const way of [['--rm'], ['-d'], ['-d', '--name', 'refused']])
    expect(failed(tsbox(['run', ...way, ...flags, image, 'true']))).toEqual({
      status: 125,
      stderr: `tsbox: ${problem}`,
    });
  expect(stateOf('refused')).toBe('gone');
}

describeRoot('a container that cannot be connected does not start, and leaves nothing', () => {
  leavesNothing();
  afterEach(() => {
    for (const name of readdirSync(join(store, 'networks')).filter((each) => each !== 'bridge')) {
      expect(readdirSync(join(store, 'networks', name, 'addresses'))).toEqual([]);
      said('network', 'rm', name);
    }
  });
  removesAll();

  test('somebody else’s interface has the name of our bridge', () => {
    ip('link', 'add', 'tsbox0', 'type', 'bridge');
    refusesToStart([], 'there is a bridge tsbox0 already, which this network has not made');
    ip('link', 'delete', 'tsbox0');
    expect(tsbox(['run', '--rm', image, 'true']).status).toBe(0);
  });

  test('no address is left, and a second network is given back what it gave', () => {
    said('network', 'create', '--subnet', '10.9.0.0/30', 'tiny');
    said('network', 'create', 'other');
    said('run', '-d', '--network', 'tiny', image, ...sleeps);
    for (const flags of [
      ['--network', 'tiny'],
      ['--network', 'other', '--network', 'tiny'],
    ])
      refusesToStart(flags, 'network tiny: no address is left in 10.9.0.0/30');
    expect(readdirSync(join(store, 'networks', 'other', 'addresses'))).toEqual([]);
  });

  test('what the kernel refuses while it makes itself is told in the kernel’s words', () => {
    ip('link', 'add', 'parent0', 'type', 'veth', 'peer', 'name', 'parent1');
    said('network', 'create', '-d', 'macvlan', '-o', 'parent=parent0', '--subnet', '10.10.0.0/24', 'lan');
    ip('link', 'set', 'parent0', 'down');
    ip('link', 'delete', 'parent0');
    refusesToStart(['--network', 'lan'], 'there is no interface parent0 to connect the container to');
    refusesToStart(
      ['--userns', 'auto', '--network', 'lan'],
      'there is no interface parent0 to connect the container to',
    );
  });

  test('a port is taken: by another container, which is named', () => {
    said('run', '-d', '--name', 'first', '-p', '8080:80', image, ...sleeps);
    refusesToStart(['-p', '8080:81'], 'port 0.0.0.0:8080/tcp is already in use by container first');
  });

  test('one that was made stays, and says why it did not start', () => {
    said('network', 'create', 'vanished');
    said('create', '--name', 'late', '--network', 'vanished', image, 'true');
    said('network', 'rm', 'vanished');
    expect(failed(tsbox(['start', 'late']))).toEqual({
      status: 125,
      stderr: 'tsbox: no such network: vanished',
    });
    expect(said('inspect', '-f', '{{.State.Status}} {{.State.Error}}', 'late')).toBe(
      'created no such network: vanished',
    );
    said('rm', 'late');
  });

  test('its network’s bridge and rules are made anew where somebody took them away', () => {
    const reach = () => tsbox(['run', '--rm', image, 'ping', '-c', '1', '-W', '2', '10.87.0.1']).status;
    expect(reach()).toBe(0);
    ip('link', 'delete', 'tsbox0');
    execFileSync('nft', ['flush', 'ruleset']);
    expect(reach()).toBe(0);
    expect(execFileSync('nft', ['list', 'set', 'inet', 'tsbox', 'bridges'], { encoding: 'utf8' })).toContain(
      'tsbox0',
    );
  });
});
