import { errnoName } from '../../kernel/index.ts';
import type { Check, Machine, Probe } from './check.ts';

/** What networks with bridges and published ports need: links, nftables, forwarding, and a firewall that lets them. */
export function networkChecks(machine: Machine): Check[] {
  return [
    ...LINKS.map((link) => linkCheck(machine, link)),
    nft(machine),
    rules(machine),
    forwarding(machine),
    ipv6(machine),
    firewall(machine),
  ];
}

const BRIDGED = 'only --network none and host work';
const LINKS: { kind: string; probe: Probe; cost: string }[] = [
  { kind: 'bridge', probe: 'bridge link', cost: BRIDGED },
  { kind: 'veth', probe: 'veth link', cost: BRIDGED },
  { kind: 'macvlan', probe: 'macvlan link', cost: '`network create --driver macvlan` is refused' },
  { kind: 'ipvlan', probe: 'ipvlan link', cost: '`network create --driver ipvlan` is refused' },
];

function linkCheck(machine: Machine, { kind, probe, cost }: (typeof LINKS)[number]): Check {
  const name = `links of the kind ${kind}`;
  if (machine.uid !== 0) return onlyRoot(name);
  const error = machine.probe(probe);
  if (error === 0) return { name, ok: true, detail: 'tried: the kernel makes them' };
  const fix = `modprobe ${kind}, or a kernel with CONFIG_${kind.toUpperCase()} (those of the distributions have it)`;
  return { name, ok: false, detail: `tried: ${errnoName(error)}`, cost, fix };
}

function nft(machine: Machine): Check {
  const path = machine.nft();
  if (path !== undefined) return { name: 'nft', ok: true, detail: path };
  const fix = 'install the package nftables (apt-get, dnf, apk)';
  return { name: 'nft', ok: false, detail: 'not installed', cost: BRIDGED, fix };
}

function rules(machine: Machine): Check {
  const name = 'nftables in the kernel';
  if (machine.uid !== 0) return onlyRoot(name);
  const problem = machine.nft() === undefined ? 'it cannot be tried without nft' : machine.rulesProblem();
  if (problem === undefined)
    return { name, ok: true, detail: 'tried: it takes the rules, in a namespace of their own' };
  return {
    name,
    ok: false,
    detail: problem,
    cost: BRIDGED,
    fix: 'modprobe -a nf_tables nft_chain_nat nft_masq nft_ct nft_fib_inet, or a kernel with CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT, CONFIG_NFT_MASQ, CONFIG_NFT_CT and CONFIG_NFT_FIB_INET',
  };
}

/** Off is no fault: it is switched on when it is needed. But that must be possible. */
function forwarding(machine: Machine): Check {
  const name = 'forwarding';
  const value = machine.read('/proc/sys/net/ipv4/ip_forward')?.trim();
  if (value === '1') return { name, ok: true, detail: 'on (net.ipv4.ip_forward is 1)' };
  const fix =
    'sysctl -w net.ipv4.ip_forward=1 where /proc/sys can be written: inside a container, on the outer host';
  if (value === undefined)
    return { name, ok: false, detail: 'there is no /proc/sys/net/ipv4/ip_forward', cost: BRIDGED, fix };
  const mounts = machine.read('/proc/self/mountinfo') ?? '';
  if (/^(?:\S+ ){4}\/proc\/sys(?:\/net)? (?:\S*,)?ro[, ]/m.test(mounts))
    return {
      name,
      ok: false,
      detail: 'off (net.ipv4.ip_forward is 0), and /proc/sys is read-only',
      cost: BRIDGED,
      fix,
    };
  return {
    name,
    ok: true,
    detail: 'off; the first container in a bridge network switches it on, and says so',
  };
}

function ipv6(machine: Machine): Check {
  const name = 'IPv6';
  const value = machine.read('/proc/sys/net/ipv6/conf/all/disable_ipv6')?.trim();
  if (value === '0') return { name, ok: true, detail: 'on' };
  const cost = '`network create --ipv6` is refused, and ports are published for IPv4 only';
  return value === undefined
    ? {
        name,
        ok: false,
        detail: 'the kernel has none',
        cost,
        fix: 'take `ipv6.disable=1` out of the kernel’s command line',
      }
    : {
        name,
        ok: false,
        detail: `off (net.ipv6.conf.all.disable_ipv6 is ${value})`,
        cost,
        fix: 'sysctl -w net.ipv6.conf.all.disable_ipv6=0, and see what sets it in /etc/sysctl.d',
      };
}

/** A packet must pass every chain there is: our own rules cannot let through what another firewall drops. */
function firewall(machine: Machine): Check {
  const name = 'other firewalls';
  if (machine.uid !== 0) return onlyRoot(name);
  const chains = machine.forwardChains();
  const cost = 'containers do not reach the outside, nor are they reached by published ports';
  // firewalld's chain accepts by policy and rejects in its last rule.
  const dropping = chains.filter(({ policy, table }) => policy === 'drop' || table === 'inet firewalld');
  const unaware = dropping.find(({ knows }) => !knows);
  if (unaware !== undefined) {
    const { table, name: chain, policy } = unaware;
    const what = policy === 'drop' ? 'drops what is forwarded' : 'rejects what is forwarded between zones';
    return { name, ok: false, detail: `${table} ${chain} ${what}`, cost, fix: remedy(machine, table) };
  }
  if (dropping.length > 0)
    return {
      name,
      ok: true,
      detail: `${dropping[0]?.table} drops what is forwarded, but has rules for ${BRIDGE}`,
    };
  if (/^filter$/m.test(machine.read('/proc/net/ip_tables_names') ?? '')) {
    return {
      name,
      ok: 'unknown',
      detail: 'iptables-legacy has a table filter, whose policy cannot be seen from here',
      fix: `iptables-legacy -S FORWARD | head -1; where it is DROP: ${iptables('iptables-legacy', 'FORWARD')}`,
    };
  }
  return { name, ok: true, detail: 'none that drops what is forwarded' };
}

function remedy(machine: Machine, table: string): string {
  if (table === 'inet firewalld')
    return `firewall-cmd --permanent --zone=trusted --add-interface=${BRIDGE} && firewall-cmd --reload`;
  if (machine.exists('/etc/ufw/ufw.conf'))
    return `ufw route allow in on ${BRIDGE} && ufw route allow out on ${BRIDGE}`;
  if (table === 'ip filter' || table === 'ip6 filter') {
    const docker = machine.exists('/var/run/docker.sock') || machine.exists('/etc/docker');
    const command = table === 'ip filter' ? 'iptables' : 'ip6tables';
    return iptables(command, docker ? 'DOCKER-USER' : 'FORWARD');
  }
  return `rules that accept \`iifname ${BRIDGE}\` and \`oifname ${BRIDGE}\` in that chain`;
}

function iptables(command: string, chain: string): string {
  return `${command} -I ${chain} -i ${BRIDGE} -j ACCEPT && ${command} -I ${chain} -o ${BRIDGE} -j ACCEPT`;
}

function onlyRoot(name: string): Check {
  return { name, ok: 'unknown', detail: 'only root can try', cost: BRIDGED, fix: 'sudo tsbox doctor' };
}

/** Of the default network. */
const BRIDGE = 'tsbox0';
