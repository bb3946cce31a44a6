import type { Mount } from './spec.ts';

/**
 * What every container has in /dev, whoever writes its specification.
 *
 * @param shmSize of its shared memory, as tmpfs takes it
 * @param group5 whether the container has a group 5, tty's by custom: devpts must be told to leave its nodes' group alone where it has not
 */
export function deviceMounts(
  shmSize: string,
  group5: boolean,
): Record<'dev' | 'pts' | 'shm' | 'mqueue', Mount> {
  const strict = ['nosuid', 'noexec', 'nodev'];
  const terminals = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  return {
    dev: {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    pts: {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: group5 ? [...terminals, 'gid=5'] : terminals,
    },
    shm: {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...strict, 'mode=1777', `size=${shmSize}`],
    },
    mqueue: { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: strict },
  };
}
