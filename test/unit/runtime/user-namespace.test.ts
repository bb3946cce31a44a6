import { expect, test } from 'vitest';
import { planContainer } from '../../../src/runtime/index.ts';
import { Listing, mapped, sampleInput, sampleSpec } from './sample.ts';

const input = () => sampleInput(() => {}, sampleSpec(mapped));
const listing = new Listing(input());
const at = listing.at.bind(listing);

test('a process holds it while its maps are written, and is killed and reaped', () => {
  const clone = at('holder = clone3', 'CLONE_NEWUSER');
  expect(listing.stage('Map users (holder)')).toEqual([
    'prctl(PR_SET_PDEATHSIG, SIGKILL)',
    'write(23, ., 1)',
    'ppoll(NULL, 0, NULL, NULL, 8)',
  ]);
  expect(listing.stage('Map users').slice(1)).toEqual([
    'decimal(holder, holder)',
    'proc_host = openat(AT_FDCWD, /proc, O_PATH|O_DIRECTORY|O_CLOEXEC)',
    'proc_holder = openat(proc_host, holder, O_PATH|O_DIRECTORY|O_CLOEXEC)',
    'uid_map = openat(proc_holder, uid_map, O_WRONLY|O_CLOEXEC)',
    'write(uid_map, 0 100000 65536\n, 15)',
    'close(uid_map)',
    'gid_map = openat(proc_holder, gid_map, O_WRONLY|O_CLOEXEC)',
    'write(gid_map, 0 200000 5\n5 300000 1\n, 22)',
    'close(gid_map)',
    'userns = openat(proc_holder, ns/user, O_RDONLY|O_CLOEXEC)',
    'pidfd_send_signal(holder_pidfd, SIGKILL, NULL, 0)',
    'waitid(P_PIDFD, holder_pidfd, NULL, WEXITED|__WALL, NULL)',
    'close(holder_pidfd)',
    'close(proc_holder)',
    'close(proc_host)',
  ]);
  expect(clone).toBeLessThan(at('helper = clone3'));
});

test('the layers are shown with their owners mapped before the overlay takes them', () => {
  for (const layer of ['/store/base', '/store/top']) {
    const view = at(`mapped = open_tree(AT_FDCWD, ${layer},`);
    expect(listing.lines[view + 1]).toContain('{attr_set=MOUNT_ATTR_IDMAP, userns_fd=userns}');
    expect(listing.lines[view + 2]).toBe(`move_mount(mapped, , AT_FDCWD, ${layer}, MOVE_MOUNT_F_EMPTY_PATH)`);
    expect(view).toBeLessThan(at('fsopen(overlay'));
    // In a mount namespace of the helper's own, from which nothing reaches the host.
    expect(view).toBeGreaterThan(
      listing.all('mount_setattr(AT_FDCWD, /, AT_RECURSIVE, {propagation=MS_SLAVE}')[0] as number,
    );
  }
});

test('the helper, still root on the host, enters it and makes the container as its sibling', () => {
  expect(listing.lines[at('helper = clone3')]).toContain('CLONE_NEWNS');
  const clone = at('pid = clone3');
  expect(listing.lines[clone - 1]).toBe('setns(userns, CLONE_NEWUSER)');
  expect(listing.lines[clone]).toContain(
    'CLONE_VM|CLONE_VFORK|CLONE_PARENT|CLONE_CLEAR_SIGHAND|CLONE_INTO_CGROUP|CLONE_NEWNS|CLONE_NEWPID',
  );
  // The kernel refuses a signal together with CLONE_PARENT (clone(2)).
  expect(listing.lines[clone]).not.toContain('exit_signal');
  const plan = planContainer(input());
  expect([plan.pidfd, plan.helper?.pidfd.name, plan.holder?.pidfd.name]).toEqual([
    undefined,
    'helper_pidfd',
    'holder_pidfd',
  ]);
});

test('it becomes root there first, which clears the request to die with tsbox: it is made again', () => {
  const arrived = listing.stage('Arrive');
  const ids = arrived.indexOf('setresuid(0, 0, 0)');
  expect(arrived.slice(ids - 2, ids + 2)).toEqual([
    'setgroups(0, NULL)',
    'setresgid(0, 0, 0)',
    'setresuid(0, 0, 0)',
    'prctl(PR_SET_PDEATHSIG, SIGKILL)',
  ]);
});

test('files of its own in /proc are written before its ids change: they belong to the host’s root, as the memory does', () => {
  const spec = sampleSpec((each) => {
    mapped(each);
    each.process.oomScoreAdj = 500;
    each.linux.namespaces.push({ type: 'time' });
    each.linux.timeOffsets = { monotonic: { secs: -1, nanosecs: 5 } };
  });
  const both = new Listing(sampleInput(() => {}, spec));
  const ids = both.all('setresuid(0, 0, 0)')[0] as number;
  expect(both.at('/proc/self/oom_score_adj')).toBeLessThan(ids);
  expect(both.at('/proc/self/timens_offsets')).toBeLessThan(ids);
  expect(both.lines[both.at('/proc/self/timens_offsets') + 1]).toBe('write(proc_file, monotonic -1 5\n, 15)');
});

test('no device node is made: the host’s are shown', () => {
  expect(listing.all('mknodat', '020')).toEqual([]);
  for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty']) {
    expect(at(`dev_${name} = open_tree(AT_FDCWD, /dev/${name},`)).toBeLessThan(at('setns'));
    expect(at(`move_mount(dev_${name}, , AT_FDCWD, /dev/${name}, MOVE_MOUNT_F_EMPTY_PATH)`)).toBeGreaterThan(
      at('pivot_root'),
    );
  }
});

test('every descriptor of tsbox’s own list is closed in it', () => {
  const plan = planContainer(input());
  const saved = plan.steps.flatMap(({ save, call }) => (save && call !== 'clone3' ? save : []));
  const closed = plan.steps.flatMap(({ call, args }) => (call === 'close' ? args[0] : []));
  for (const slot of saved) expect(closed).toContain(slot);
});

test('a kernel that would not say why it refuses is refused with a reason', () => {
  const old = (minor: number) => ({ ...input(), kernel: { major: 5, minor } });
  expect(() => planContainer(old(18))).toThrow(
    "a user namespace over an image's layers needs Linux 5.19 or newer; this is 5.18",
  );
  expect(() => planContainer(old(19))).not.toThrow();
  const clocks = sampleSpec((spec) => spec.linux.namespaces.push({ type: 'time' }));
  expect(() => planContainer({ ...input(), spec: clocks, kernel: { major: 6, minor: 1 } })).toThrow(
    'a clock of its own needs Linux 6.2 or newer; this is 6.1',
  );
});
