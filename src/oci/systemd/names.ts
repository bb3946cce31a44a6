import { failure } from '../state.ts';

/** Which unit a container has. */
export interface UnitName {
  slice: string;
  unit: string;
}

/** `slice:prefix:name`, as runc and crun take it with --systemd-cgroup. @throws {TsboxError} BAD_CONFIG */
export function unitName(cgroupsPath: string | undefined, id: string): UnitName {
  const [slice = '', prefix = '', name = '', ...more] = (cgroupsPath ?? `:tsbox-oci:${id}`).split(':');
  const parts = [slice, prefix, name];
  if (name === '' || more.length > 0 || parts.some((part) => !/^[A-Za-z0-9_.@\\:-]*$/.test(part)))
    throw failure(
      'BAD_CONFIG',
      `linux.cgroupsPath: expected slice:prefix:name for systemd, found ${JSON.stringify(cgroupsPath)}`,
    );
  if (slice !== '' && !slice.endsWith('.slice'))
    throw failure('BAD_CONFIG', `linux.cgroupsPath: ${JSON.stringify(slice)} is not the name of a slice`);
  const unit = name.endsWith('.slice') ? name : `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  if (unit.length > 255) throw failure('BAD_CONFIG', 'linux.cgroupsPath: longer than the name of a unit');
  return { slice: slice || 'system.slice', unit };
}
