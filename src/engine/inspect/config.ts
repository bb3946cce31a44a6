import { signalName } from '../../kernel/index.ts';
import type { Spec } from '../../runtime/spec.ts';
import type { ContainerRecord } from '../record.ts';

/** `Config` of Docker's API: what of a container does not depend on the host. */
export function describeConfig(record: ContainerRecord, spec: Spec): Record<string, unknown> {
  const { options = {} } = record;
  const entrypoint = options.entrypoint;
  return {
    Hostname: spec.hostname ?? '',
    Domainname: spec.domainname ?? '',
    User: options.user ?? '',
    ...{ AttachStdin: false, AttachStdout: true, AttachStderr: true },
    Tty: options.tty ?? false,
    OpenStdin: options.interactive ?? false,
    StdinOnce: options.interactive ?? false,
    Env: spec.process.env,
    Cmd: record.command,
    Image: record.image,
    Volumes: null,
    WorkingDir: spec.process.cwd,
    Entrypoint: entrypoint === undefined ? null : [entrypoint].flat().filter((word) => word !== ''),
    OnBuild: null,
    Labels: record.labels ?? {},
    ...(record.stopSignal !== undefined && { StopSignal: signalName(record.stopSignal) }),
    ...(record.stopTimeout !== undefined && { StopTimeout: record.stopTimeout }),
  };
}
