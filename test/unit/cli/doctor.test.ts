import { describe, expect, it } from 'vitest';
import { formatChecks } from '../../../src/cli/doctor.ts';

const checks = [
  { name: 'root', ok: true, detail: 'user 0', cost: 'never said' },
  { name: 'overlayfs', ok: false, detail: 'not there', cost: 'no containers', fix: 'modprobe overlay' },
  { name: 'eBPF', ok: 'unknown', detail: 'only root can try', fix: 'sudo tsbox doctor' },
] as const;

describe('formatChecks', () => {
  it('says cost and fix of what is not right', () => {
    expect(formatChecks(checks, false)).toBe(
      [
        '✓ root       user 0',
        '✗ overlayfs  not there',
        '             cost: no containers',
        '             fix:  modprobe overlay',
        '? eBPF       only root can try',
        '             fix:  sudo tsbox doctor',
        '',
        '1 right, 1 wrong, 1 not known',
        '',
      ].join('\n'),
    );
  });

  it('colours the marks only', () => {
    const text = formatChecks(checks, true);
    expect(text).toContain('\x1b[31m✗\x1b[0m overlayfs');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are such
    expect(text.replace(/\x1b\[\d+m/g, '')).toBe(formatChecks(checks, false));
  });
});
