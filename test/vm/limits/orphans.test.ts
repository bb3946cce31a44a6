import { afterAll, afterEach, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { printed } from '../../fixtures/tsbox.ts';

const place = makePlace();

afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

test('with --init, orphans without number do not fill the limit of processes: none stays a zombie', {
  timeout: 300_000,
}, () => {
  // What `( … & )` leaves has lost its parent. Each takes a PID until somebody waits for it.
  const script = 'i=0; while [ $i -lt 2000 ]; do ( : & ) || exit 1; i=$((i+1)); done; sleep 1';
  const output = printed(
    place,
    ...['--init', '--pids-limit', '200', 'busybox', 'sh', '-c'],
    `${script}; echo $i; cat /sys/fs/cgroup/pids.current /sys/fs/cgroup/pids.events`,
  );
  const [made, left, events] = output.trim().split('\n');
  expect(made).toBe('2000');
  // The reaper, the shell, cat, and whoever is just being reaped.
  expect(Number(left)).toBeLessThan(20);
  expect(events).toBe('max 0');
});
