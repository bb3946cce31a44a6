import { expect, test } from 'vitest';
import { parseExpose, publishAll } from '../../../../src/network/nat/index.ts';

test('ports that are exposed', () => {
  expect(parseExpose('80')).toEqual([{ port: 80, protocol: 'tcp' }]);
  expect(parseExpose('53/udp')).toEqual([{ port: 53, protocol: 'udp' }]);
  expect(parseExpose('3000-3002/tcp').map(({ port }) => port)).toEqual([3000, 3001, 3002]);
  for (const text of ['0', '', '80:80', '65536', '90-80', '80/ftp', '127.0.0.1:80'])
    expect(() => parseExpose(text)).toThrow(/^--expose .*(not a port|invalid protocol)/);
});

test('an image’s names are not trusted', () => {
  expect(() => parseExpose('80\u001b]0;title', "the image's ExposedPorts")).toThrow(
    'the image\'s ExposedPorts "80\\u001b]0;title": not a port from 1 to 65535',
  );
});

test('--publish-all publishes what is exposed and not published yet, once each', () => {
  const asked = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' as const }];
  const exposed = ['443', '80', '80/udp', '443/tcp'].flatMap((text) => parseExpose(text));
  expect(publishAll(asked, exposed)).toEqual([
    { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { containerPort: 443, protocol: 'tcp' },
    { containerPort: 80, protocol: 'udp' },
  ]);
});
