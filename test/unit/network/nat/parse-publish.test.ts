import { describe, expect, test } from 'vitest';
import { parsePublish } from '../../../../src/network/nat/index.ts';

// What Docker makes of each is in docker-run(1) and in the tests of docker/go-connections, nat.
describe('--publish', () => {
  const single: [text: string, port: object][] = [
    ['8080:80', { hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    ['80', { containerPort: 80, protocol: 'tcp' }],
    [':80', { containerPort: 80, protocol: 'tcp' }],
    ['0:80', { containerPort: 80, protocol: 'tcp' }],
    ['5353:53/udp', { hostPort: 5353, containerPort: 53, protocol: 'udp' }],
    ['5353:53/UDP', { hostPort: 5353, containerPort: 53, protocol: 'udp' }],
    ['36412:36412/sctp', { hostPort: 36412, containerPort: 36412, protocol: 'sctp' }],
    ['8080:80/', { hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    ['127.0.0.1:8080:80', { hostAddress: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    ['127.0.0.1::80', { hostAddress: '127.0.0.1', containerPort: 80, protocol: 'tcp' }],
    ['0.0.0.0:8080:80', { hostAddress: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    ['[::]:8080:80', { hostAddress: '::', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    [
      '[2001:DB8:0::1]:8080:80',
      { hostAddress: '2001:db8::1', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    ],
    [
      '2001:db8::1:8080:80',
      { hostAddress: '2001:db8::1', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    ],
    ['[::1]::80', { hostAddress: '::1', containerPort: 80, protocol: 'tcp' }],
    ['[::ffff:192.0.2.1]:1:2', { hostAddress: '192.0.2.1', hostPort: 1, containerPort: 2, protocol: 'tcp' }],
    ['8000-8010:80', { hostPort: 8000, hostPortEnd: 8010, containerPort: 80, protocol: 'tcp' }],
    ['published=8080,target=80', { hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    ['target=53,protocol=udp', { containerPort: 53, protocol: 'udp' }],
    ['65535:65535', { hostPort: 65535, containerPort: 65535, protocol: 'tcp' }],
  ];
  test.each(single)('%s', (text, port) => {
    expect(parsePublish(text)).toEqual([port]);
  });

  test('ranges of as many ports on both sides, one to one', () => {
    expect(parsePublish('192.0.2.1:8000-8002:80-82/udp')).toEqual(
      [0, 1, 2].map((at) => ({
        hostAddress: '192.0.2.1',
        hostPort: 8000 + at,
        containerPort: 80 + at,
        protocol: 'udp',
      })),
    );
  });

  test('a range of the container only: any free ports of the host', () => {
    expect(parsePublish('80-81')).toEqual([
      { containerPort: 80, protocol: 'tcp' },
      { containerPort: 81, protocol: 'tcp' },
    ]);
  });

  const wrong: [text: string, problem: string][] = [
    ['', 'the port of the container is missing'],
    ['8080:', 'the port of the container is missing'],
    ['127.0.0.1:8080:', 'the port of the container is missing'],
    ['8080:0', "the container's port is not a number from 1 to 65535, or a range of them"],
    ['8080:65536', "the container's port is not a number from 1 to 65535, or a range of them"],
    ['80x:80', "the host's port is not a number from 0 to 65535, or a range of them"],
    ['-1:80', "the host's port is not a number from 0 to 65535, or a range of them"],
    ['8010-8000:80', "the host's port is not a number from 0 to 65535, or a range of them"],
    ['8000-8001:80-82', 'invalid ranges for the container and the host: 3 ports inside, 2 outside'],
    ['0-3:80-83', 'port 0 is any free one, and cannot be in a range'],
    ['localhost:8080:80', 'invalid IP address: "localhost"; localhost is 127.0.0.1'],
    ['256.0.0.1:8080:80', 'invalid IP address: "256.0.0.1"'],
    // CVE-2021-29923: to some, a leading zero means octal.
    ['127.0.0.010:8080:80', 'invalid IP address: "127.0.0.010"'],
    ['[127.0.0.1]:8080:80', 'invalid IP address: "[127.0.0.1]"'],
    ['[fe80::1%eth0]:8080:80', 'invalid IP address: "[fe80::1%eth0]"'],
    ['8080:80/tpc', 'invalid protocol: tpc; did you mean tcp?; there are tcp, udp and sctp'],
    ['8080:80/tcp/udp', 'invalid protocol: tcp/udp; there are tcp, udp and sctp'],
    ['published=8080', 'the port of the container is missing: target=80'],
    ['target=80,mode=host', 'no field "mode"'],
    ['8080:80\u001b[31m', "the container's port is not a number from 1 to 65535, or a range of them"],
    [`${'8'.repeat(300)}:80`, 'too long'],
  ];
  test.each(wrong)('%j is refused: %s', (text, problem) => {
    let error: unknown;
    try {
      parsePublish(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'BAD_OPTION', exitCode: 125 });
    const { message } = error as Error;
    expect(message).toContain(problem);
    expect(message).toMatch(/^--publish [\x20-\x7e…]+$/);
  });
});
