import { expect, test } from 'vitest';
import { Listing, mapped, sampleInput, sampleSpec } from './sample.ts';

const connected = (spec = sampleSpec()) =>
  new Listing(
    sampleInput((input) => {
      input.networkSocket = 30;
      input.files = [{ path: '/etc/hosts', content: 'x', source: '/store/containers/x/hosts', mode: 0o644 }];
    }, spec),
  );

test.each([
  ['a plain container', sampleSpec()],
  ['one in a user namespace', sampleSpec(mapped)],
])('%s asks for its network at once and waits for it before it could run anything', (_, spec) => {
  const listing = connected(spec);
  const ask = listing.at('sendto(30, ?, 1, MSG_NOSIGNAL');
  const wait = listing.at('read(30, byte, 1)');
  const alive = listing.at('sendto(30, !, 1, MSG_NOSIGNAL');
  const pivot = listing.at('pivot_root');
  expect([ask < pivot, pivot < wait, alive === wait + 1]).toEqual([true, true, true]);
  expect(
    Math.min(...listing.all('close_range'), ...listing.all('capset'), ...listing.all('execve')),
  ).toBeGreaterThan(alive);
});

test('who clones it lets go of its end, so that the death of either is noticed by the other', () => {
  expect(connected().stage('Let go')).toContain('close(30)');
});

test('a file of the host is shown as it is, without anything that could be run or be a device', () => {
  const listing = connected();
  listing.at('open_tree(AT_FDCWD, /store/containers/x/hosts, OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)');
  expect(listing.lines.join('\n')).toMatch(/NOSUID\|MOUNT_ATTR_NODEV\|MOUNT_ATTR_NOEXEC/);
  expect(listing.last('move_mount(bind_etc_hosts')).toBeGreaterThan(listing.at('pivot_root'));
});

test('a setting of an interface is written once that is there, and `default`, which it begins with, before', () => {
  const spec = sampleSpec(({ linux }) => {
    linux.sysctl = { 'net.ipv4.conf.eth0.rp_filter': '2', 'net.ipv4.conf.default.rp_filter': '1' };
  });
  const listing = connected(spec);
  const wait = listing.at('read(30, byte, 1)');
  expect(listing.at('openat', 'conf/default/rp_filter')).toBeLessThan(wait);
  expect(listing.at('openat', 'conf/eth0/rp_filter')).toBeGreaterThan(wait);
});

test('the network of another container is entered by the process itself, before sysfs shows it', () => {
  const listing = new Listing(sampleInput((input) => (input.networkNamespace = 31)));
  const enter = listing.at('setns(31, CLONE_NEWNET)');
  expect(enter).toBeGreaterThan(listing.at('CLONE_INTO_CGROUP'));
  expect(listing.at('fsopen(sysfs')).toBeGreaterThan(enter);
});
