import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, image, tsbox } from '../support/tsbox.ts';
import { removesAll, said } from './support.ts';

/** Flags and exit codes that scripts written for Docker rely on. */
describeRoot('ps, rm and inspect', () => {
  leavesNothing();
  removesAll();

  test('ps: --size, before and since, and the fields of --format', () => {
    const flags = ['--label', 'a=b', '-v', 'listed:/v', '-v', '/srv:/srv:ro'];
    const older = said('create', '--name', 'older', image, 'true');
    said('run', '--name', 'newer', ...flags, image, 'sh', '-c', 'head -c 50000 /dev/zero > /written');
    const names = (...filter: string[]) => said('ps', '-a', '--format', '{{.Names}}', ...filter);
    expect(names()).toBe('newer\nolder');
    expect(names('--filter', 'since=older')).toBe('newer');
    expect(names('--filter', `before=${older.slice(0, 12)}`)).toBe('');
    expect(names('--filter', 'before=newer')).toBe('older');
    expect(tsbox(['ps', '--filter', 'since=nobody'])).toMatchObject({ status: 125, stdout: '' });
    const format = '{{.Labels}} {{.LocalVolumes}} {{.Mounts}} {{.CreatedAt}}';
    expect(said('ps', '-a', '--filter', 'name=newer', '--format', format)).toMatch(
      /^a=b 1 listed,\/srv \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/,
    );
    const labels = '{{.Label "a"}}|{{.Label "not-there"}}|';
    expect(said('ps', '-a', '--filter', 'name=newer', '--format', labels)).toBe('b||');
    const [headings = '', ...rows] = said('ps', '-as').split('\n');
    expect(headings).toMatch(/ {3}SIZE$/);
    // A file of 50,000 bytes takes whole blocks on the disk.
    expect(rows.find((row) => row.includes('newer'))).toMatch(
      / (5\d(\.\d)?|6\d(\.\d)?)kB \(virtual [\d.]+MB\)$/,
    );
    expect(said('ps', '-a', '--filter', 'name=older', '--format', '{{.Size}}')).toMatch(/^\d.*B \(virtual /);
    said('rm', '-f', 'newer');
    said('volume', 'rm', 'listed');
  });

  test('rm -f of what is not there is said, and is no failure', () => {
    said('create', '--name', 'there', image, 'true');
    const { status, stdout, stderr } = tsbox(['rm', '-f', 'not-there', 'there']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'there\n' });
    expect(stderr).toContain('there is no container `not-there`');
    expect(tsbox(['rm', 'not-there']).status).toBe(125);
  });

  test.each([['inspect'], ['image', 'inspect'], ['volume', 'inspect']])(
    '%s %s: 1 for what is not there',
    (...command) => {
      expect(tsbox([...command, 'not-there'])).toMatchObject({ status: 1, stdout: '[]\n' });
    },
  );
});
