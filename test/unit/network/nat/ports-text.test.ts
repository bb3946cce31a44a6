import { expect, test } from 'vitest';
import { type BoundPort, describePorts, portLines, portMap } from '../../../../src/network/nat/index.ts';

const port = (hostAddress: string, hostPort: number, containerPort: number, protocol = 'tcp') =>
  ({ hostAddress, hostPort, containerPort, protocol }) as BoundPort;

const ports = [
  port('::', 8080, 80),
  port('0.0.0.0', 8080, 80),
  port('127.0.0.1', 5353, 53, 'udp'),
  port('0.0.0.0', 8000, 7000),
  port('0.0.0.0', 8001, 7001),
  port('0.0.0.0', 8002, 7002),
  port('::', 8000, 7000),
  port('::', 8002, 7002),
];

test('as docker ps has them: ports one after the other as a range, those that are only exposed last', () => {
  expect(describePorts(ports)).toBe(
    '0.0.0.0:8080->80/tcp, 0.0.0.0:8000-8002->7000-7002/tcp, 127.0.0.1:5353->53/udp, [::]:8080->80/tcp, [::]:8000->7000/tcp, [::]:8002->7002/tcp',
  );
  expect(describePorts([port('0.0.0.0', 32768, 80)], ['80/tcp', '443/tcp', '444/tcp', '53/udp'])).toBe(
    '0.0.0.0:32768->80/tcp, 443-444/tcp, 53/udp',
  );
  expect(describePorts([])).toBe('');
});

test('as docker port has them', () => {
  expect(portLines(ports.slice(0, 3))).toEqual([
    '53/udp -> 127.0.0.1:5353',
    '80/tcp -> 0.0.0.0:8080',
    '80/tcp -> [::]:8080',
  ]);
});

test('as docker inspect has them', () => {
  expect(portMap(ports.slice(0, 3), ['80/tcp', '443/tcp'])).toEqual({
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
    '443/tcp': null,
    '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }],
  });
});
