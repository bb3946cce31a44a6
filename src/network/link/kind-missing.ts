import { Errno, KernelError, TsboxError } from '../../kernel/index.ts';

/** Does what makes links of a kind. @throws {TsboxError} NO_BRIDGES, NO_VETH, NO_MACVLAN or NO_IPVLAN where the kernel has no such links */
export function makingLinks<T>(kind: keyof typeof CODES, work: () => T): T {
  try {
    return work();
  } catch (error) {
    // There is none, and no module that the kernel could load by itself. Other things that are not supported have other words, or none.
    if (!(error instanceof KernelError) || error.errno !== -Errno.EOPNOTSUPP) throw error;
    if (!error.message.endsWith('Unknown device type')) throw error;
    const message = `this kernel has no links of the kind \`${kind}\`: ${error.message}`;
    const advice = `load the module (modprobe ${kind}), or take a kernel with CONFIG_${kind.toUpperCase()}`;
    throw new TsboxError(CODES[kind], message, { advice, cause: error });
  }
}

const CODES = { bridge: 'NO_BRIDGES', veth: 'NO_VETH', macvlan: 'NO_MACVLAN', ipvlan: 'NO_IPVLAN' } as const;
