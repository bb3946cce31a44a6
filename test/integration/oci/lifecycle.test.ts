import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeRoot, eventually } from '../support/tsbox.ts';
import { type AnyConfig, Containers, environment, read, runtime } from './support.ts';

describeRoot('a container by the specification', () => {
  const box = new Containers();
  const gone = (id: string) => {
    expect(existsSync(join(box.root, id))).toBe(false);
    expect(existsSync(box.cgroup(id))).toBe(false);
  };
  const stopped = (id: string) => eventually(() => box.state(id).status === 'stopped', `${id} stopped`);

  test('one like others is what it is configured to be, although its plan was kept', () => {
    const plans = join(environment().TSBOX_ROOT, 'cache', 'oci-plans');
    const before = new Set(existsSync(plans) ? readdirSync(plans) : []);
    const script = 'hostname; echo $NAME; cat /etc/hosts; sed -n "s/^0:://p" /proc/self/cgroup';
    const bundle = box.bundle(script, (config) => {
      config.linux.namespaces = config.linux.namespaces.filter(
        ({ type }: { type: string }) => type !== 'cgroup',
      );
    });
    const config = JSON.parse(read(join(bundle, 'config.json')));
    // Noted, kept, compared with another one's, and then used: twice.
    for (let round = 1; round <= 5; round++) {
      const id = randomBytes(32).toString('hex');
      const hosts = join(box.directory, id);
      writeFileSync(hosts, `hosts of ${id}\n`);
      const own = structuredClone(config);
      own.hostname = id.slice(0, 12);
      own.process.env.push(`NAME=${id}`);
      own.mounts.push({ destination: '/etc/hosts', type: 'bind', source: hosts, options: ['bind', 'ro'] });
      own.linux.cgroupsPath = `/tsbox-oci/kept-${id}`;
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(own));
      const { status, stdout, stderr } = box.run('run', '--bundle', bundle, id);
      expect([status, stderr], `container ${round}`).toEqual([0, '']);
      expect(stdout).toBe(`${id.slice(0, 12)}\n${id}\nhosts of ${id}\n/tsbox-oci/kept-${id}\n`);
    }
    const [added, ...more] = readdirSync(plans).filter((name) => !before.has(name));
    expect(more).toEqual([]);
    expect(readFileSync(join(plans, added as string), 'latin1').includes('"proven":[true,true]')).toBe(true);
  });

  describe('one like others, of which nothing is read but that it is like them', () => {
    /** Makes containers of a bundle until one is made from what is kept. */
    const another = (bundle: string, more: (config: AnyConfig) => void = () => {}) => {
      const id = randomBytes(32).toString('hex');
      const config = JSON.parse(read(join(bundle, 'config.json')));
      config.hostname = id;
      more(config);
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
      return { id, ...box.run('run', '--bundle', bundle, id) };
    };
    const usual = (bundle: string) => {
      for (let time = 1; time <= 4; time++) {
        const { id, ...output } = another(bundle);
        expect(output).toMatchObject({ status: 0, stderr: '', stdout: `${id}\n` });
      }
    };

    test('says what is wrong as any other, and leaves nothing', () => {
      const bundle = box.bundle('exit 1', (config) => {
        config.process.args = ['/bin/name'];
      });
      const program = join(bundle, 'rootfs/bin/name');
      const write = () => writeFileSync(program, '#!/bin/sh\nhostname\n', { mode: 0o755 });
      write();
      usual(bundle);
      rmSync(program);
      const { id, status, stderr } = another(bundle);
      expect([status, stderr]).toEqual([1, expect.stringContaining('/bin/name')]);
      expect(stderr).toContain('no such file or directory');
      gone(id);
      // And what was kept is not believed for ever.
      write();
      usual(bundle);
    });

    test('has the root filesystem that its path leads to now', () => {
      const bundle = box.bundle('hostname', (config) => {
        config.root.path = 'link';
      });
      symlinkSync('rootfs', join(bundle, 'link'));
      usual(bundle);
      cpSync(join(bundle, 'rootfs'), join(bundle, 'other'), { recursive: true, verbatimSymlinks: true });
      rmSync(join(bundle, 'other/bin/hostname'));
      writeFileSync(join(bundle, 'other/bin/hostname'), '#!/bin/sh\necho other\n', { mode: 0o755 });
      rmSync(join(bundle, 'link'));
      symlinkSync('other', join(bundle, 'link'));
      expect(another(bundle)).toMatchObject({ status: 0, stdout: 'other\n' });
    });

    test('has a file where one of the host has become a file', () => {
      const source = join(box.directory, 'becomes');
      mkdirSync(source);
      const bundle = box.bundle('hostname; test ! -f /at', (config) => {
        config.mounts.push({ destination: '/at', type: 'bind', source, options: ['bind'] });
      });
      usual(bundle);
      rmSync(source, { recursive: true });
      writeFileSync(source, '');
      rmSync(join(bundle, 'rootfs/at'), { recursive: true });
      expect(another(bundle)).toMatchObject({ status: 1, stderr: '' });
    });

    test('is refused for what any other is refused for', () => {
      const bundle = box.bundle('hostname');
      usual(bundle);
      const bad = another(bundle, (config) => {
        config.process.cwd = 'relative';
      });
      expect(bad).toMatchObject({ status: 1, stderr: expect.stringContaining('process.cwd') });
      gone(bad.id);
    });

    test('runs the hooks of its own configuration, and keeps it for those who need it later', () => {
      const bundle = box.bundle('hostname', (config) => {
        config.hooks = {
          createRuntime: [
            { path: '/bin/sh', args: ['sh', '-c', 'cat >>"$0"', join(box.directory, 'hooked')] },
          ],
          poststop: [{ path: '/bin/sh', args: ['sh', '-c', 'cat >>"$0"', join(box.directory, 'stopped')] }],
        };
      });
      usual(bundle);
      const { id } = another(bundle);
      for (const file of ['hooked', 'stopped'])
        expect(read(join(box.directory, file)).split(`"id":"${id}"`), file).toHaveLength(2);
    });
  });

  test('is created, started, killed and deleted', async () => {
    const bundle = box.bundle('touch /began; sleep 100', (config) => {
      config.annotations = { 'org.example.a': 'b' };
    });
    const pidFile = join(box.directory, 'pid');
    expect(box.create('life', bundle, '--pid-file', pidFile)).toMatchObject({ status: 0, stderr: '' });
    const created = box.state('life');
    expect(created).toMatchObject({
      status: 'created',
      id: 'life',
      bundle,
      annotations: { 'org.example.a': 'b' },
    });
    expect(created.pid).toBe(Number(read(pidFile)));
    expect(existsSync(join(bundle, 'rootfs/began'))).toBe(false);
    expect(box.create('life', bundle).stderr).toContain('container with given ID already exists');

    expect(box.run('start', 'life')).toMatchObject({ status: 0, stderr: '' });
    expect(box.state('life').status).toBe('running');
    await eventually(() => existsSync(join(bundle, 'rootfs/began')), 'began');
    expect(box.run('start', 'life')).toMatchObject({ status: 1 });
    const refused = box.run('delete', 'life');
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain('cannot delete container life that is not stopped: running');

    expect(box.run('kill', 'life', 'KILL')).toMatchObject({ status: 0, stderr: '' });
    await stopped('life');
    expect(box.run('kill', 'life', '9').stderr).toContain('container not running');
    expect(box.run('delete', 'life')).toMatchObject({ status: 0, stderr: '' });
    gone('life');
    expect(box.run('state', 'life')).toMatchObject({ status: 1 });
    expect(box.run('state', 'life').stderr).toContain('does not exist');
    expect(box.run('delete', '--force', 'life').status).toBe(0);
  });

  test('waits in little memory, outside of Node, and in a file that nobody can write to (CVE-2019-5736)', () => {
    box.create('waits', box.bundle('true'));
    const { pid } = box.state('waits');
    const pss = Number(/^Pss: +(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1]);
    expect(pss).toBeLessThan(1024);
    // F_SEAL_WRITE is what ETXTBSY or EPERM is for.
    expect(() => openSync(`/proc/${pid}/exe`, 'r+')).toThrow();
    box.run('delete', '--force', 'waits');
    gone('waits');
  });

  test('run: the status of the program, its streams, no descriptor of ours', () => {
    const bundle = box.bundle('cat; ls /proc/self/fd; echo e >&2; exit 7');
    const ran = box.with({ input: 'in\n', cwd: bundle }, 'run', 'once');
    // 3 is the directory that ls reads.
    expect(ran).toEqual({ status: 7, stdout: 'in\n0\n1\n2\n3\n', stderr: 'e\n' });
    gone('once');
    const killed = box.with({ cwd: box.bundle('kill -9 $$') }, 'run', 'once');
    // PID 1 cannot kill itself.
    expect(killed.status).toBe(0);
  });

  test('run --preserve-fds gives descriptors from 3 on', () => {
    const bundle = box.bundle('cat <&3; cat <&4; cat <&5 2>/dev/null || echo no fifth');
    const files = ['three\n', 'four\n', 'five\n'].map((text, index) => {
      writeFileSync(join(box.directory, `fd${index}`), text);
      return openSync(join(box.directory, `fd${index}`), 'r');
    });
    const out = openSync(join(box.directory, 'out'), 'w');
    box.with({ cwd: bundle, stdio: ['ignore', out, 'pipe', ...files] }, 'run', '--preserve-fds', '2', 'kept');
    expect(read(join(box.directory, 'out'))).toBe('three\nfour\nno fifth\n');
  });

  test.each([
    ['nosuch', 'exec: "nosuch": executable file not found in $PATH'],
    ['/no/such', 'exec: "/no/such": stat /no/such: no such file or directory'],
    ['/etc/passwd', 'exec: "/etc/passwd": permission denied'],
  ])('a program that cannot be: %s', (program, message) => {
    const bundle = box.bundle('', (config) => {
      config.process.args = [program];
    });
    const log = join(box.directory, 'log.json');
    const { status, stderr } = box.run(
      '--log',
      log,
      '--log-format',
      'json',
      'create',
      '--bundle',
      bundle,
      'bad',
    );
    expect({ status, stderr }).toEqual({ status: 1, stderr: `${message}\n` });
    const last = JSON.parse(read(log).trim().split('\n').at(-1) ?? '');
    expect(last).toEqual({ level: 'error', msg: message, time: expect.stringMatching(/^\d{4}-.*Z$/) });
    gone('bad');
  });

  test('exec: its own streams, status, user, environment; not where nothing runs', () => {
    box.create('host', box.bundle('sleep 100'));
    box.run('start', 'host');
    const args = [
      '--cwd',
      '/tmp',
      '--env',
      'A=b',
      '--user',
      '7:8',
      'host',
      'sh',
      '-c',
      'id -u; id -g; pwd; echo $A; cat; exit 9',
    ];
    expect(box.with({ input: 'in\n' }, 'exec', ...args)).toEqual({
      status: 9,
      stdout: '7\n8\n/tmp\nb\nin\n',
      stderr: '',
    });
    const file = join(box.directory, 'process.json');
    const process = {
      user: { uid: 0, gid: 0 },
      args: ['sh', '-c', 'grep CapEff /proc/self/status'],
      cwd: '/',
      env: ['PATH=/bin:/usr/bin'],
    };
    writeFileSync(file, JSON.stringify(process));
    expect(box.run('exec', '--process', file, 'host').stdout).toContain('0000000000000000');
    expect(box.run('exec', 'host', 'nosuch').stderr).toContain('executable file not found in $PATH');
    const pidFile = join(box.directory, 'exec.pid');
    const detached = ['exec', '--detach', '--pid-file', pidFile, 'host', 'sleep', '50'];
    expect(box.with({ stdio: ['ignore', 'ignore', 'ignore'] }, ...detached).status).toBe(0);
    expect(read(`/proc/${read(pidFile)}/cmdline`)).toBe('sleep\x0050\0');
    expect(JSON.parse(box.run('ps', '--format', 'json', 'host').stdout)).toEqual(
      [box.state('host').pid, Number(read(pidFile))].sort((a, b) => a - b),
    );
    expect(box.run('pause', 'host').status).toBe(0);
    expect(box.state('host').status).toBe('paused');
    expect(box.run('exec', 'host', 'true').stderr).toContain('cannot exec in a paused container');
    expect(box.run('resume', 'host').status).toBe(0);
    expect(box.run('list', '-q').stdout).toBe('host\n');
    box.run('delete', '--force', 'host');
    expect(box.run('exec', 'host', 'true').stderr).toContain('does not exist');
    gone('host');
  });

  test('kill --all: every process of it gets the signal', async () => {
    const script =
      'trap "" TERM; (trap "echo below > /told; exit" TERM; while :; do sleep 0.1; done) & wait; sleep 100';
    const bundle = box.bundle(script);
    box.create('all', bundle);
    box.run('start', 'all');
    await eventually(() => JSON.parse(box.run('ps', '-f', 'json', 'all').stdout).length > 1, 'its child');
    await eventually(() => {
      box.run('kill', '--all', 'all', 'TERM');
      return existsSync(join(bundle, 'rootfs/told'));
    }, 'the signal');
    expect(box.state('all').status).toBe('running');
    expect(box.run('delete', '--force', 'all').status).toBe(0);
    gone('all');
  });

  test('without root nothing but spec, features and help, whatever --rootless says', () => {
    for (const args of [
      ['state', 'x'],
      ['--rootless', 'true', 'list'],
    ]) {
      const ids = { uid: 65534, gid: 65534 };
      const all = ['--root', '/tmp/nobody', ...args];
      const env = environment({ HOME: '/tmp/nobody' });
      const { status, stderr } = spawnSync(runtime, all, { ...ids, env, encoding: 'utf8', cwd: '/' });
      expect({ status, stderr }).toMatchObject({ status: 1 });
      expect(stderr).toContain('tsbox-oci must run as root: it is not rootless');
    }
  });

  test('sockets that somebody has opened for it (LISTEN_FDS)', () => {
    const bundle = box.bundle('cat <&3; echo $LISTEN_FDS $LISTEN_PID');
    const file = join(box.directory, 'three');
    writeFileSync(file, 'third\n');
    const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3< "$FILE"';
    const args = ['-c', script, runtime, '--root', box.root, 'run', 'listens'];
    const env = { ...environment(), FILE: file };
    const { stdout, stderr } = spawnSync('sh', args, { cwd: bundle, env, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'third\n1 1\n', stderr: '' });
  });

  test('exec --cgroup: a group below the container’s own, and no other', () => {
    box.create('nested', box.bundle('sleep 100'));
    box.run('start', 'nested');
    mkdirSync(join(box.cgroup('nested'), 'below'));
    const inside = ['nested', 'grep', '0::', '/proc/self/cgroup'];
    expect(box.run('exec', '--cgroup', 'below', ...inside).stdout).toMatch(/\/below$/m);
    for (const path of ['../..', '/nosuch'])
      expect(box.run('exec', '--cgroup', path, ...inside).stderr).toContain('the container has no group');
    expect(box.run('delete', '--force', 'nested').status).toBe(0);
    gone('nested');
  });

  test('joins namespaces that are there', () => {
    box.create('first', box.bundle('sleep 100'));
    box.run('start', 'first');
    const { pid } = box.state('first');
    const bundle = box.bundle(
      'for n in net ipc uts; do readlink /proc/self/ns/$n; done; ps | grep -c sleep',
      (config) => {
        config.hostname = undefined;
        const kinds: Record<string, string> = { network: 'net', ipc: 'ipc', uts: 'uts', pid: 'pid' };
        for (const namespace of config.linux.namespaces)
          if (kinds[namespace.type]) namespace.path = `/proc/${pid}/ns/${kinds[namespace.type]}`;
      },
    );
    const links = ['net', 'ipc', 'uts'].map(
      (kind) => box.run('exec', 'first', 'readlink', `/proc/self/ns/${kind}`).stdout,
    );
    const { stdout } = box.with({ cwd: bundle }, 'run', 'second');
    expect(stdout).toContain(links.join(''));
    box.run('delete', '--force', 'first');
  });

  describe('hooks', () => {
    const record = (name: string, inside = false) => ({
      path: '/bin/sh',
      args: ['sh', '-c', `echo ${name} $(cat) >> ${inside ? '/hooks' : '"$OUT"'}`],
      env: [`OUT=${join(box.directory, 'hooks')}`],
      timeout: 10,
    });
    const all = () => ({
      prestart: [record('prestart')],
      createRuntime: [record('createRuntime')],
      createContainer: [record('createContainer')],
      startContainer: [record('startContainer', true)],
      poststart: [record('poststart')],
      poststop: [record('poststop')],
    });

    test('run where the specification says, with the state on their standard input', async () => {
      const bundle = box.bundle('cat /hooks > /seen', (config) => {
        config.hooks = all();
      });
      const said = () =>
        read(join(box.directory, 'hooks'))
          .trim()
          .split('\n')
          .map((line) => {
            const [name, ...json] = line.split(' ');
            const { status, id } = JSON.parse(json.join(' '));
            return `${name} ${status} ${id}`;
          });
      expect(box.create('hooked', bundle)).toMatchObject({ status: 0, stderr: '' });
      const { pid } = box.state('hooked');
      const created = [
        'prestart creating hooked',
        'createRuntime creating hooked',
        'createContainer created hooked',
      ];
      expect(said()).toEqual(created);
      expect(read(join(box.directory, 'hooks'))).toContain(`"pid":${pid}`);
      box.run('start', 'hooked');
      expect(said()).toEqual([...created, 'poststart running hooked']);
      await stopped('hooked');
      expect(read(join(bundle, 'rootfs/seen'))).toContain('startContainer {');
      box.run('delete', 'hooked');
      expect(said().at(-1)).toBe('poststop stopped hooked');
    });

    test.each([
      ['prestart', 'false', 'hooks.prestart[0] (/bin/sh): exited with status 1'],
      [
        'createRuntime',
        'echo why >&2; exit 3',
        'hooks.createRuntime[0] (/bin/sh): exited with status 3: why',
      ],
      ['createRuntime', 'sleep 50', 'timed out after 1 s'],
      ['createContainer', 'exit 4', 'the hook /bin/sh: exited with status 4'],
      ['createContainer', 'sleep 50', 'the hook /bin/sh: timed out and was killed'],
    ])('%s that fails (%s) is the end of the container', (kind, script, message) => {
      const bundle = box.bundle('true', (config) => {
        config.hooks = { [kind]: [{ path: '/bin/sh', args: ['sh', '-c', script], timeout: 1 }] };
      });
      const { status, stderr } = box.create('unhooked', bundle);
      expect(status).toBe(1);
      expect(stderr).toContain(message);
      gone('unhooked');
    });

    test('startContainer that fails is told by start', () => {
      const bundle = box.bundle('true', (config) => {
        config.hooks = { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'exit 5'] }] };
      });
      box.create('late', bundle);
      expect(box.run('start', 'late').stderr).toContain('exited with status 5');
      box.run('delete', '--force', 'late');
      gone('late');
    });

    test.each([
      ['pivot', []],
      ['chroot', ['--no-pivot']],
    ])(
      'createContainer comes after all that is mounted, at the path of the host, and before the %s',
      (_, options) => {
        const file = join(box.directory, 'mounted');
        writeFileSync(file, 'of the host\n');
        const seen = join(box.directory, `seen${options.length}`);
        const look = [
          'cat rootfs/etc/mounted; ls rootfs/dev/null; ls rootfs/proc/version; cat rootfs/sys/fs/cgroup/cgroup.type',
          'pwd; test -r /proc/version && echo proc; test -r /etc/passwd && ls -d "$0"; ln -s made rootfs/linked; echo x > rootfs/scratch/x',
        ].join('; ');
        const script = 'cut -d" " -f5- /proc/self/mountinfo; ls -l /proc/1/fd /proc/1/cwd /proc/1/root';
        const make = (hooks: object) =>
          box.bundle(`${script}; readlink /linked; cat /scratch/x`, (config) => {
            config.mounts.push(
              { destination: '/etc/mounted', type: 'bind', source: file, options: ['bind', 'ro'] },
              { destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] },
            );
            config.hooks = hooks;
          });
        const plain = box.run('run', ...options, '--bundle', make({}), 'plain');
        const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
        const args = ['sh', '-c', `{ ${look}; } > ${seen} 2>&1`, box.directory];
        const bundle = make({ createContainer: [{ path: '/bin/sh', args, env }] });
        const hooked = box.with({ cwd: bundle }, 'run', ...options, 'after');
        expect(read(seen)).toBe(
          [
            'of the host',
            'rootfs/dev/null',
            'rootfs/proc/version',
            'domain',
            bundle,
            'proc',
            box.directory,
            '',
          ].join('\n'),
        );
        // The same mounts and descriptors, and what the hook has done.
        const general = (text: string) =>
          text
            .replaceAll(/bundle\d+/g, 'BUNDLE')
            .replaceAll(/\S+ +\S+ +\d+ +\d\d:\d\d/g, '')
            .replaceAll(/:\[\d+\]/g, '');
        expect(general(hooked.stdout)).toBe(`${general(plain.stdout)}made\nx\n`);
        expect(hooked.stdout).not.toContain('made\nmade');
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(bundle);
      },
    );

    test('a mount that a hook makes under the root is in the container', () => {
      const bundle = box.bundle('cat /mnt/from-hook', (config) => {
        const script = 'mount -t tmpfs none rootfs/mnt && echo yes > rootfs/mnt/from-hook';
        config.hooks = {
          createContainer: [
            { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
          ],
        };
      });
      mkdirSync(join(bundle, 'rootfs/mnt'), { recursive: true });
      expect(box.with({ cwd: bundle }, 'run', 'mounted').stdout).toBe('yes\n');
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(bundle);
    });
  });

  describe('a rootfs that becomes a symlink to the host gains nothing', () => {
    test('after it was looked at, and before it is opened', async () => {
      const bundle = box.bundle('touch /escaped', (config) => {
        config.process.terminal = true;
      });
      // Somebody who takes two connections and then none, so that it waits between the two.
      const socket = join(box.directory, 'console');
      const listen = `require('net').createServer().listen({ path: '${socket}', backlog: 1 }, () => console.log())`;
      const server = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'ignore'] });
      await once(server.stdout, 'data');
      server.kill('SIGSTOP');
      const clients = [connect(socket), connect(socket)];
      await Promise.all(clients.map((client) => once(client, 'connect')));
      const args = ['--root', box.root, 'create', '--console-socket', socket, '--bundle', bundle, 'raced'];
      const create = spawn(runtime, args, { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
      const said = create.stderr.setEncoding('utf8').toArray();
      const ended = once(create, 'exit');
      await eventually(() => existsSync(join(box.root, 'raced', 'result.fifo')), 'waiting');
      renameSync(join(bundle, 'rootfs'), join(bundle, 'was'));
      symlinkSync('/', join(bundle, 'rootfs'));
      server.kill('SIGCONT');
      expect(await ended).toEqual([1, null]);
      expect((await said).join('')).toMatch(/openat2.*ELOOP/);
      expect(existsSync('/escaped')).toBe(false);
      gone('raced');
      for (const client of clients) client.destroy();
      server.kill();
    });

    test('after it was opened', () => {
      const bundle = box.bundle('touch /escaped', (config) => {
        const swap = 'mv rootfs was; ln -s / rootfs';
        config.hooks = {
          createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', swap], env: ['PATH=/usr/bin:/bin'] }],
        };
      });
      expect(box.with({ cwd: bundle }, 'run', 'swapped')).toMatchObject({ status: 0, stderr: '' });
      expect(existsSync('/escaped')).toBe(false);
      expect(existsSync(join(bundle, 'was/escaped'))).toBe(true);
    });
  });

  test('what cannot be made leaves nothing', async () => {
    const ours = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return read(`/proc/${pid}/comm`).startsWith('tsbox-');
        } catch {
          return false;
        }
      });
    const before = ours();
    for (const change of [
      { process: { cwd: '/etc/passwd' } },
      {
        linux: { namespaces: [{ type: 'mount' }, { type: 'network', path: '/no/such' }] },
        hostname: undefined,
      },
    ]) {
      const bundle = box.bundle('true', (config) => {
        for (const [part, value] of Object.entries(change))
          config[part] = typeof value === 'object' ? { ...config[part], ...value } : value;
      });
      expect(box.create('never', bundle).status).toBe(1);
      gone('never');
    }
    await eventually(() => ours().every((pid) => before.includes(pid)), 'no process left');
  });

  test.each([
    [['checkpoint', 'x'], 'checkpoint is not supported'],
    [['restore', 'x'], 'restore is not supported'],
    [['create', '../x'], 'invalid container ID format'],
    [['frobnicate'], 'unknown command'],
    [['create', '--frobnicate', 'x'], 'flag provided but not defined: -frobnicate'],
  ])('%j is refused', (args, message) => {
    const { status, stderr } = box.run(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  test.skipIf(existsSync('/run/systemd/system'))('--systemd-cgroup without systemd is refused', () => {
    const bundle = box.bundle('true', (config) => {
      config.linux.cgroupsPath = 'system.slice:tsbox:x';
    });
    const { status, stderr } = box.run('--systemd-cgroup', 'create', '--bundle', bundle, 'x');
    expect(status).toBe(1);
    expect(stderr).toContain('--systemd-cgroup: systemd does not run here');
    gone('x');
  });

  test('features says what is true of it', () => {
    const features = JSON.parse(box.run('features').stdout);
    expect(features.linux.cgroup).toEqual({
      v1: false,
      v2: true,
      systemd: true,
      systemdUser: false,
      rdma: true,
    });
    expect(features.hooks).toContain('startContainer');
    expect(features.mountOptions).toEqual(expect.arrayContaining(['rro', 'idmap', 'rslave']));
  });
});
