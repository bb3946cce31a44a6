import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, hostFile, inside } from '../support/tsbox.ts';

describeRoot('/etc/hosts, hostname and resolv.conf', () => {
  leavesNothing();

  test('are there, and the name of the container is in them', () => {
    const [name, file, ...hosts] = inside(['-h', 'box'], 'hostname; cat /etc/hostname /etc/hosts')
      .trim()
      .split('\n');
    expect([name, file]).toEqual(['box', 'box']);
    expect(hosts).toContain('127.0.0.1\tlocalhost');
    expect(hosts).toContain('::1\tlocalhost ip6-localhost ip6-loopback');
  });

  test('are readable by everybody and writable by root, read-only root or not', () => {
    const script =
      'cd /etc; stat -c "%a %u:%g %n" hosts hostname resolv.conf; echo "10.0.0.1 other" >> hosts; tail -n 1 hosts';
    for (const flags of [[], ['--read-only']]) {
      expect(inside(flags, script)).toBe(
        '644 0:0 hosts\n644 0:0 hostname\n644 0:0 resolv.conf\n10.0.0.1 other\n',
      );
    }
  });

  test("resolv.conf has a server, and none that is the host's own loopback", () => {
    const servers = inside([], 'grep ^nameserver /etc/resolv.conf').trim().split('\n');
    expect(servers.length).toBeGreaterThanOrEqual(1);
    for (const server of servers) expect(server).toMatch(/^nameserver (?!127\.|::1$)[0-9a-f.:]+$/);
  });

  test("with the host's network they are the host's", () => {
    const flags = ['--network', 'host'];
    expect(inside(flags, 'cat /etc/hosts')).toBe(hostFile('/etc/hosts'));
    expect(inside(flags, 'cat /etc/resolv.conf')).toBe(hostFile('/etc/resolv.conf'));
  });

  test('localhost is found by its name', () => {
    expect(inside([], 'ping -c 1 -W 2 localhost | head -n 1')).toMatch(
      /^PING localhost \((127\.0\.0\.1|::1)\)/,
    );
  });
});
