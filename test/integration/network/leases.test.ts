import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removesAll, said } from '../life/support.ts';
import {
  cli,
  describeRoot,
  environment,
  eventually,
  image,
  Running,
  sleep,
  store,
  tsbox,
} from '../support/tsbox.ts';

const addresses = (network: string) => readdirSync(join(store, 'networks', network, 'addresses')).sort();

/** Several commands at once: what each prints. */
async function atOnce(
  commands: readonly (readonly string[])[],
): Promise<{ status: number; stdout: string; stderr: string }[]> {
  return await Promise.all(
    commands.map(async (args) => {
      const process = spawn(cli, args, { env: environment() });
      let stdout = '';
      let stderr = '';
      process.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      process.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      const [status] = await once(process, 'close');
      return { status, stdout: stdout.trim(), stderr };
    }),
  );
}

describeRoot('addresses of containers', () => {
  removesAll();
  beforeAll(() => said('network', 'create', '--subnet', '10.9.0.0/28', 'leases'));
  afterAll(() => said('network', 'rm', 'leases'));

  test('eight that start at once have one each, and there is nothing left when they have ended', async () => {
    const show = 'ip -o -4 addr show eth0 | grep -o "10[.0-9]*/"';
    const started = await atOnce(
      Array.from({ length: 8 }, () => [
        'run',
        '--rm',
        '--network',
        'leases',
        image,
        'sh',
        '-c',
        `${show}; sleep 0.5`,
      ]),
    );
    expect(started.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      Array(8).fill({ status: 0, stderr: '' }),
    );
    expect(new Set(started.map(({ stdout }) => stdout)).size).toBe(8);
    expect(addresses('leases')).toEqual([]);
  });

  test('networks that are made at once overlap nowhere', async () => {
    const names = Array.from({ length: 6 }, (_, at) => `at-once-${at}`);
    const made = await atOnce(names.map((name) => ['network', 'create', '--ipv6', name]));
    expect(made.map(({ status }) => status)).toEqual(Array(6).fill(0));
    const shown = said(
      'network',
      'inspect',
      '-f',
      '{{range .IPAM.Config}}{{.Subnet}}{{"\\n"}}{{end}}',
      ...names,
    );
    const subnets = shown.split('\n').filter(Boolean);
    expect(subnets).toHaveLength(12);
    expect(new Set(subnets).size).toBe(12);
    const twice = await atOnce([
      ['network', 'create', 'twice'],
      ['network', 'create', 'twice'],
    ]);
    expect(twice.map(({ status }) => status).sort()).toEqual([0, 125]);
    expect(said('network', 'rm', ...names, 'twice').split('\n')).toHaveLength(7);
  });

  test('are free again after kill -9 of whoever started them, at whatever moment', {
    timeout: 120_000,
  }, async () => {
    for (let round = 0; round < 8; round++) {
      const running = new Running(['--network', 'leases', '--ip', '10.9.0.9'], ['sleep', '100']);
      // Before, while and after it is made.
      await sleep(round * 60);
      running.process.kill('SIGKILL');
      await running.ended;
      // Whoever wants just this address gets it, without a sweep by anybody.
      const next = tsbox(['run', '--rm', '--network', 'leases:ip=10.9.0.9', image, 'true']);
      if (next.status !== 0) {
        // Its processes may need a moment to end.
        await eventually(
          () => tsbox(['run', '--rm', '--network', 'leases:ip=10.9.0.9', image, 'true']).status === 0,
          () =>
            `${next.stderr}; ${addresses('leases').map((each) => readlinkSync(join(store, 'networks/leases/addresses', each)))}`,
        );
      }
    }
    said('ps');
    expect(addresses('leases')).toEqual([]);
  });

  test('in a full network, of those that were killed', async () => {
    const ids = Array.from({ length: 13 }, () =>
      said('run', '-d', '--network', 'leases', image, 'sleep', '1000'),
    );
    expect(addresses('leases')).toHaveLength(13);
    expect(tsbox(['run', '--rm', '--network', 'leases', image, 'true']).stderr).toMatch(
      /^tsbox: network leases: no address is left in 10\.9\.0\.0\/28\n/,
    );
    said('rm', '-f', ids[4] as string);
    expect(tsbox(['run', '--rm', '--network', 'leases', image, 'true'])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});
