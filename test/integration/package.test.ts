import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const crossCompiler = process.arch === 'x64' ? 'aarch64-linux-gnu-gcc' : 'x86_64-linux-gnu-gcc';
const hasCrossCompiler = spawnSync(crossCompiler, ['--version']).status === 0;

describe.skipIf(!hasCrossCompiler)(
  `the package (skipped without ${crossCompiler}: scripts/setup --test)`,
  () => {
    let directory: string;
    let installed: string;

    // As `npm install tsbox.tgz` does, except that the dependencies are those of the checkout, so that no network is needed.
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'tsbox-package-'));
      execFileSync('npm', ['pack', '--pack-destination', directory], { cwd: root, stdio: 'pipe' });
      installed = join(directory, 'node_modules', 'tsbox');
      mkdirSync(installed, { recursive: true });
      execFileSync(
        'tar',
        ['-xzf', `tsbox-${manifest.version}.tgz`, '--strip-components=1', '-C', installed],
        { cwd: directory },
      );
      for (const name of ['@koromix', '@types', 'undici-types', ...Object.keys(manifest.dependencies)])
        symlinkSync(join(root, 'node_modules', name), join(directory, 'node_modules', name));
    });
    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    /** Runs it where there is no compiler, and nothing else but Node. */
    function node(...args: string[]) {
      const env = { PATH: '/nowhere', HOME: directory, TSBOX_ROOT: join(directory, 'store') };
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: directory,
        env,
        encoding: 'utf8',
      });
      return { status, stdout, stderr };
    }

    test('has the native programs of both architectures', () => {
      for (const [architecture, machine] of [
        ['x64', 62],
        ['arm64', 183],
      ] as const) {
        const native = join(installed, 'dist', 'native', `linux-${architecture}`);
        expect(readdirSync(native).sort()).toEqual(['enter', 'init', 'janitor', 'monitor', 'tsbox.so']);
        // e_machine of the ELF header: EM_X86_64, EM_AARCH64.
        for (const name of readdirSync(native))
          expect(readFileSync(join(native, name)).readUInt16LE(18)).toBe(machine);
      }
    });

    test('has no code cache, which would be of another Node, and nothing that is only for building', () => {
      expect(readdirSync(join(installed, 'dist')).sort()).toEqual([
        'again-network.cjs',
        'again.cjs',
        'cli.cjs',
        'images',
        'index.js',
        'more.cjs',
        'native',
        'oci-more.cjs',
        'oci.cjs',
        'seccomp',
        'tsbox-oci.cjs',
        'tsbox.cjs',
        'types',
        'unpack-worker.cjs',
      ]);
      expect(readdirSync(installed).sort()).toEqual(
        expect.arrayContaining([
          'CHANGELOG.md',
          'LICENSE',
          'SECURITY.md',
          'dist',
          'package.json',
          'packaging',
        ]),
      );
      expect(readdirSync(installed)).not.toContain('src');
    });

    test('the command says its version', () => {
      expect(node(join(installed, manifest.bin.tsbox), '--version')).toEqual({
        status: 0,
        stdout: `tsbox ${manifest.version}\n`,
        stderr: '',
      });
    });

    test('the library loads', () => {
      writeFileSync(
        join(directory, 'load.mjs'),
        "import * as tsbox from 'tsbox'; console.log(typeof tsbox.run);",
      );
      expect(node('load.mjs')).toEqual({ status: 0, stdout: 'function\n', stderr: '' });
    });

    test('the types are found, and refuse what is wrong', () => {
      writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
      const check = (source: string) => {
        writeFileSync(join(directory, 'check.ts'), source);
        const options = [
          '--strict',
          '--module',
          'nodenext',
          '--target',
          'es2023',
          '--lib',
          'es2023,esnext.disposable',
        ];
        return spawnSync(
          join(root, 'node_modules', '.bin', 'tsc'),
          ['--noEmit', ...options, '--types', 'node', 'check.ts'],
          {
            cwd: directory,
            encoding: 'utf8',
          },
        );
      };
      expect(
        check("import { run } from 'tsbox'; await run('busybox', ['true'], { memory: '64m' });").stdout,
      ).toBe('');
      expect(
        check("import { run } from 'tsbox'; await run('busybox', ['true'], { memory: true });").stdout,
      ).toContain('TS2322');
    });
  },
);
