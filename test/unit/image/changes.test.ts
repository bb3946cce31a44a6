import { describe, expect, it } from 'vitest';
import { applyChanges } from '../../../src/image/changes.ts';

describe('applyChanges', () => {
  it('knows the instructions that docker import knows', () => {
    const changes = [
      'CMD ["sh", "-c", "echo \\"hi\\""]',
      'entrypoint tini --',
      'ENV PATH=/bin A="two words" B=\'single\' C=esc\\ aped',
      'ENV OLD the old form',
      'EXPOSE 80 53/udp',
      'LABEL a=1 "b c"="d e"',
      'STOPSIGNAL SIGINT',
      'USER nobody:nogroup',
      'VOLUME ["/data"]',
      'VOLUME /a /b',
      'WORKDIR /srv',
    ];
    expect(applyChanges({ Env: ['PATH=/usr/bin', 'KEEP=1'], User: 'root' }, changes)).toEqual({
      Cmd: ['sh', '-c', 'echo "hi"'],
      Entrypoint: ['/bin/sh', '-c', 'tini --'],
      Env: ['KEEP=1', 'PATH=/bin', 'A=two words', 'B=single', 'C=esc aped', 'OLD=the old form'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Labels: { a: '1', 'b c': 'd e' },
      StopSignal: 'SIGINT',
      User: 'nobody:nogroup',
      Volumes: { '/data': {}, '/a': {}, '/b': {} },
      WorkingDir: '/srv',
    });
  });

  it.each([
    ['RUN make', 'it is none of CMD, ENTRYPOINT'],
    ['CMD', 'it is none of'],
    ['', 'it is none of'],
    ['CMD ["sh"', 'not a JSON array of strings'],
    ['CMD [1]', 'not a JSON array of strings'],
    ['EXPOSE 70000', 'not a port'],
    ['EXPOSE http', 'not a port'],
    ['LABEL a=1 =2', 'it is not NAME=VALUE'],
  ])('refuses %j', (change, message) => {
    expect(() => applyChanges({}, [change])).toThrow(
      expect.objectContaining({ code: 'BAD_CHANGE', message: expect.stringContaining(message) }),
    );
  });
});
