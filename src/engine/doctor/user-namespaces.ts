import { errnoName } from '../../kernel/index.ts';
import type { Check, Machine } from './check.ts';

/** What distributions put in the way of user namespaces: Ubuntu's AppArmor restriction, and an older switch of Debian's. */
export function userNamespaceChecks(machine: Machine): Check[] {
  return [appArmor(machine), ...debian(machine), tried(machine)];
}

/** Root is exempt from all of them; what they cost is said for those who are not. */
const COST =
  'programs other than root cannot make user namespaces, also those inside a container (browsers, bubblewrap); tsbox as root is not affected';

function appArmor(machine: Machine): Check {
  const name = "AppArmor's user-namespace restriction";
  const setting = 'kernel.apparmor_restrict_unprivileged_userns';
  const value = machine.read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns')?.trim();
  if (value === undefined) return { name, ok: true, detail: 'none on this kernel' };
  if (value === '0') return { name, ok: true, detail: `off (${setting} is 0)` };
  return {
    name,
    ok: false,
    detail: `on (${setting} is ${value})`,
    cost: COST,
    fix: `sysctl -w ${setting}=0, and the same line in /etc/sysctl.d/60-userns.conf to keep it`,
  };
}

function debian(machine: Machine): Check[] {
  const setting = 'kernel.unprivileged_userns_clone';
  const value = machine.read('/proc/sys/kernel/unprivileged_userns_clone')?.trim();
  if (value !== '0') return [];
  const fix = `sysctl -w ${setting}=1, and the same line in /etc/sysctl.d/60-userns.conf to keep it`;
  return [
    { name: 'unprivileged user namespaces', ok: false, detail: `off (${setting} is 0)`, cost: COST, fix },
  ];
}

/** The proof of it, for whoever asks: a process in a new user namespace, which ends at once. */
function tried(machine: Machine): Check {
  const name = 'making a user namespace';
  const error = machine.probe('user namespace');
  if (error === 0) return { name, ok: true, detail: `tried, as user ${machine.uid}: it works` };
  return {
    name,
    ok: false,
    detail: `tried, as user ${machine.uid}: ${errnoName(error)}`,
    cost: "`--userns` does not work: a container's root is the host's",
    fix: 'see the lines on user namespaces above; inside a container, start the outer one with `--privileged`; in a chroot there are none (clone(2)), so run tsbox outside',
  };
}
