import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, processesOf, tsbox } from '../support/tsbox.ts';

describeRoot('what is done to containers that exist', () => {
  leavesNothing();
  let id: string;
  beforeAll(() => {
    const flags = ['--name', 'manage-box', '-e', 'A=1', '-l', 'role=test', '--stop-timeout', '3'];
    id = tsbox(['run', '-d', ...flags, image, 'sleep', '1000']).stdout.trim();
  });
  afterAll(() => tsbox(['rm', '-f', 'manage-box']));

  const inspect = (format: string) => tsbox(['inspect', '-f', format, 'manage-box']).stdout.trim();

  test('pause and unpause: the kernel says so, and so do the commands', () => {
    const events = () => readFileSync(join(findCgroup().mountPoint, 'tsbox', id, 'cgroup.events'), 'utf8');
    expect(tsbox(['pause', 'manage-box'])).toEqual({ status: 0, stdout: 'manage-box\n', stderr: '' });
    expect(events()).toContain('frozen 1');
    expect(inspect('{{.State.Status}} {{.State.Running}} {{.State.Paused}}')).toBe('paused true true');
    expect(tsbox(['pause', 'manage-box'])).toMatchObject({ status: 125, stdout: '' });
    expect(tsbox(['unpause', 'manage-box']).status).toBe(0);
    expect(events()).toContain('frozen 0');
    expect(tsbox(['unpause', 'manage-box']).stderr).toBe('tsbox: container manage-box is not paused\n');
  });

  test('top: the host’s PIDs, by several options of ps', () => {
    const [pid] = processesOf(id);
    const [head, line] = tsbox(['top', 'manage-box']).stdout.split('\n');
    expect(head?.split(/\s+/)).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    expect(line).toMatch(
      new RegExp(`^root\\s+${pid}\\s+\\d+\\s+\\d+\\s+\\S+\\s+\\?\\s+00:00:00\\s+sleep 1000$`),
    );
    expect(tsbox(['top', 'manage-box', '-o', 'pid,cmd']).stdout).toBe(
      `PID${' '.repeat(Math.max(3, `${pid}`.length))}CMD\n${pid}   sleep 1000\n`,
    );
    expect(tsbox(['top', 'manage-box', 'aux']).stdout).toContain('%CPU');
    expect(tsbox(['top', 'manage-box', '-o', 'pdi']).stderr).toContain('did you mean pid?');
  });

  test('stats: a row a container, what is not counted as --', () => {
    const { stdout } = tsbox(['stats', '--no-stream', 'manage-box']);
    const [head, row] = stdout.split('\n');
    expect(head).toMatch(
      /^CONTAINER ID {3,}NAME {3,}CPU % {3,}MEM USAGE \/ LIMIT {3,}MEM % {3,}NET I\/O {3,}BLOCK I\/O {3,}PIDS {3,}THROTTLED {3,}PRESSURE C\/M\/I$/,
    );
    expect(row).toMatch(
      new RegExp(`^${id.slice(0, 12)} +manage-box +\\d+\\.\\d\\d% .* \\S+B / \\S+B .* 1 +`),
    );
    const json = JSON.parse(tsbox(['stats', '--no-stream', '--format', 'json', 'manage-box']).stdout);
    expect(json).toMatchObject({ ID: id.slice(0, 12), Name: 'manage-box', PIDs: '1' });
    expect(tsbox(['stats', '--no-stream', '--format', '{{.Nope}}']).status).toBe(125);
  });

  test('inspect: Docker’s names for what was asked for', () => {
    const [described] = JSON.parse(tsbox(['inspect', 'manage-box']).stdout);
    expect(described).toMatchObject({
      Id: id,
      Path: 'sleep',
      Args: ['1000'],
      Name: '/manage-box',
      State: { Status: 'running', Running: true, Pid: processesOf(id)[0], ExitCode: 0 },
      HostConfig: {
        NetworkMode: 'bridge',
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        AutoRemove: false,
      },
      Config: { Labels: { role: 'test' }, StopTimeout: 3, StopSignal: 'SIGTERM', Cmd: ['sleep', '1000'] },
    });
    expect(described.Config.Env).toContain('A=1');
    expect(inspect('{{json .Config.Labels}}')).toBe('{"role":"test"}');
    expect(tsbox(['inspect', '--type', 'image', '-f', '{{.Os}}', image]).stdout).toBe('linux\n');
    expect(tsbox(['inspect', 'no-such-thing'])).toMatchObject({ status: 1, stdout: '[]\n' });
    expect(tsbox(['inspect', '--type', 'container', image]).status).toBe(1);
  });

  test('rename: the old name is free at once', () => {
    expect(tsbox(['rename', 'manage-box', 'renamed-box'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(tsbox(['exec', 'renamed-box', 'true']).status).toBe(0);
    const other = tsbox(['create', '--name', 'manage-box', image, 'true']);
    expect(other.status).toBe(0);
    expect(tsbox(['rename', 'renamed-box', 'manage-box']).stderr).toContain('already used by container');
    expect(tsbox(['rename', 'renamed-box', 'a/b']).status).toBe(125);
    expect(tsbox(['rm', 'manage-box']).status).toBe(0);
    expect(tsbox(['rename', 'renamed-box', 'manage-box']).status).toBe(0);
  });

  test('update: the restart policy; a limit that this host cannot keep changes nothing', () => {
    expect(tsbox(['update', '--restart', 'on-failure:3', 'manage-box']).stdout).toBe('manage-box\n');
    expect(
      inspect('{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}'),
    ).toBe('on-failure:3');
    if (!findCgroup().controllers.includes('memory')) {
      expect(tsbox(['update', '-m', '64m', 'manage-box']).stderr).toContain(
        'the memory limit cannot be kept',
      );
      expect(inspect('{{.HostConfig.Memory}}')).toBe('0');
    }
    expect(tsbox(['update', 'manage-box']).stderr).toContain('nothing to change');
    expect(tsbox(['update', '--restart', 'sometimes', 'manage-box']).status).toBe(125);
    expect(tsbox(['update', '--restart', 'no', 'manage-box']).status).toBe(0);
  });

  test('port: nothing is published', () => {
    expect(tsbox(['port', 'manage-box'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(tsbox(['port', 'manage-box', '80']).stderr).toContain(
      "no public port '80/tcp' published for manage-box",
    );
  });

  test('what has ended: refused in Docker’s words, and inspected', async () => {
    expect(tsbox(['stop', '-t', '0', 'manage-box']).status).toBe(0);
    await eventually(() => inspect('{{.State.Status}}') === 'exited', 'its end');
    for (const command of [['pause'], ['unpause'], ['top'], ['exec']]) {
      const rest = command[0] === 'exec' ? ['true'] : [];
      expect(tsbox([...command, 'manage-box', ...rest]).stderr).toBe(
        'tsbox: container manage-box is not running\n',
      );
    }
    expect(inspect('{{.State.ExitCode}} {{.State.Pid}}')).toBe('137 0');
    expect(tsbox(['stats', '--no-stream', '-a', '--format', '{{.Name}} {{.CPUPerc}}']).stdout).toContain(
      'manage-box --',
    );
  });
});
