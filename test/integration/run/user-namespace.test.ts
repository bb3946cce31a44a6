import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import {
  describeRoot,
  eventually,
  field,
  hostFile,
  image,
  inside,
  processesOf,
  Running,
  refused,
  run,
  scratch,
  store,
  tsbox,
} from '../support/tsbox.ts';

/** Lines of uid_map or gid_map as numbers: container, host, size. */
const maps = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));

describeRoot('user namespaces', () => {
  leavesNothing();
  const directory = scratch();

  test('none by default: its root is ours', () => {
    expect(inside([], 'cat /proc/self/uid_map').trim().split(/\s+/)).toEqual(['0', '0', '4294967295']);
  });

  test('auto: 65536 ids that belong to no user of the host', () => {
    const [uid, gid] = inside(['--userns', 'auto'], 'cat /proc/self/uid_map /proc/self/gid_map')
      .trim()
      .split('\n')
      .map((line) => maps(line)[0]);
    expect(uid).toEqual([0, expect.any(Number), 65536]);
    expect(uid?.[1]).toBeGreaterThanOrEqual(524_288);
    expect(uid?.[1]).toBeLessThanOrEqual(1_879_048_192 - 65_536);
    expect(gid).toEqual(uid);
  });

  test('on the host its root is nobody, and two at once have no id in common', async () => {
    const boxes = [0, 1].map((number) => {
      const cidfile = join(directory, `cid${number}`);
      return {
        cidfile,
        box: new Running(['--userns', 'auto', '--cidfile', cidfile], ['sh', '-c', 'id -u; exec sleep 60']),
      };
    });
    const owners = [];
    for (const { cidfile, box } of boxes) {
      await box.says('0\n');
      const [pid] = processesOf(readFileSync(cidfile, 'utf8'));
      owners.push(Number(field(hostFile(`/proc/${pid}/status`), 'Uid')?.split('\t')[0]));
      expect(maps(hostFile(`/proc/${pid}/uid_map`))).toEqual([[0, owners.at(-1), 65536]]);
    }
    expect(Math.min(...owners)).toBeGreaterThanOrEqual(524_288);
    expect(Math.abs((owners[0] ?? 0) - (owners[1] ?? 0))).toBeGreaterThanOrEqual(65_536);
    for (const { box } of boxes) box.process.kill('SIGKILL');
    for (const { box } of boxes) await box.ended;
  });

  test("the image's files are its root's, and those it makes are not ours on disk", () => {
    const name = 'tsbox-test-userns';
    const flags = ['--userns', '300000:400000:65536', '--name', name];
    const script =
      'stat -c "%u:%g" / /bin /bin/busybox /etc/passwd; echo x > /made; echo y >> /etc/passwd; stat -c "%u:%g" /made';
    expect(tsbox(['run', ...flags, image, 'sh', '-ec', script])).toEqual({
      status: 0,
      stdout: '0:0\n0:0\n0:0\n0:0\n0:0\n',
      stderr: '',
    });
    const { ID } = JSON.parse(tsbox(['ps', '-a', '--no-trunc', '--format', 'json']).stdout);
    for (const path of ['made', 'etc/passwd']) {
      const { uid, gid } = statSync(join(store, 'containers', ID, 'upper', path));
      expect({ uid, gid }).toEqual({ uid: 300_000, gid: 400_000 });
    }
    expect(tsbox(['rm', name]).status).toBe(0);
  });

  test('a volume is shown with the ids of the host: its root is a stranger there', () => {
    const ours = join(directory, 'ours');
    mkdirSync(ours);
    expect(run(['--userns', 'auto', '-v', `${ours}:/v`], ['touch', '/v/x'])).toMatchObject({
      status: 1,
      stderr: 'touch: /v/x: Permission denied\n',
    });
    chmodSync(ours, 0o777);
    inside(['--userns', '300000:400000:1000', '-v', `${ours}:/v`], 'touch /v/x');
    expect(statSync(join(ours, 'x'))).toMatchObject({ uid: 300_000, gid: 400_000 });
  });

  test('UID:GID:SIZE, and maps as the kernel has them', () => {
    const both = 'cat /proc/self/uid_map /proc/self/gid_map';
    expect(maps(inside(['--userns', '100000:200000:1000'], both))).toEqual([
      [0, 100_000, 1000],
      [0, 200_000, 1000],
    ]);
    expect(maps(inside(['--userns', '0:100000:1000,5000:300000:10'], both))).toEqual([
      [0, 100_000, 1000],
      [5000, 300_000, 10],
      [0, 100_000, 1000],
      [5000, 300_000, 10],
    ]);
  });

  test('its devices, mounts, name, network and other users work', () => {
    const script = [
      'echo > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c',
      'echo hi > /dev/shm/x; cat /dev/shm/x; hostname',
      'ping -c 1 -W 2 127.0.0.1 | grep -o "1 packets received"',
      'su -s /bin/sh nobody -c "id -u; touch /tmp/mine; stat -c %u /tmp/mine"',
      'chown 1000:1000 /tmp/mine; stat -c %u:%g /tmp/mine',
    ].join('\n');
    expect(inside(['--userns', 'auto', '-h', 'mapped'], script)).toBe(
      '4\n4\nhi\nmapped\n1 packets received\n65534\n65534\n1000:1000\n',
    );
    expect(inside(['--userns', 'auto', '-u', 'nobody'], 'id -u')).toBe('65534\n');
  });

  test('it cannot touch the host even with all capabilities', () => {
    const flags = ['--userns', 'auto', '--cap-add', 'ALL', '--security-opt', 'seccomp=unconfined'];
    const made = run(flags, ['mknod', '/tmp/disk', 'b', '254', '0']);
    expect(made).toMatchObject({ status: 1, stderr: 'mknod: /tmp/disk: Operation not permitted\n' });
    const set = run(flags, ['date', '-s', '2020-01-01']);
    expect(set.stderr).toBe("date: can't set date: Operation not permitted\n");
  });

  test('is killed with its tsbox', async () => {
    const cidfile = join(directory, 'killed');
    const box = new Running(
      ['--userns', 'auto', '--cidfile', cidfile],
      ['sh', '-c', 'echo up; exec sleep 60'],
    );
    await box.says('up');
    const [pid] = processesOf(readFileSync(cidfile, 'utf8'));
    box.process.kill('SIGKILL');
    await box.ended;
    await eventually(() => {
      try {
        return process.kill(pid ?? 0, 0) === undefined;
      } catch {
        return true;
      }
    }, 'the container is gone');
  });

  test('what is no map is refused', () => {
    expect(refused(['--userns', 'atuo'])).toMatch(/--userns "?atuo.*did you mean auto\?/);
    expect(refused(['--userns', '0:100000'])).toMatch(/--userns/);
    expect(refused(['--userns', '0:1:10,5:100:10'])).toMatch(/overlap/);
    expect(refused(['--userns', '5:1000:10,90:90:1'])).toMatch(/root \(id 0\) is not mapped/);
    expect(refused(['--userns', 'auto', '--privileged'])).toMatch(/--userns.*--privileged/);
    expect(refused(['--userns', 'auto', '--network', 'host'])).toMatch(/--userns.*--network host/);
  });

  test('a user outside the map is refused', () => {
    expect(refused(['--userns', '100000:100000:1000', '-u', 'nobody'])).toMatch(/65534|nobody/);
  });
});
