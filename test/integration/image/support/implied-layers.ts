import { archive, directory, file, type Made, symlink } from '../../../fixtures/tar.ts';

const xattr = (name: string, value: string): Partial<Made> => ({ pax: [[`SCHILY.xattr.${name}`, value]] });
/** Of bob: 7 for him, 5 for his group, nothing for others, in the form of acl_ea_header (linux/posix_acl_xattr.h). */
export const ACL = Buffer.from('0200000001000700ffffffff04000500ffffffff20000000ffffffff', 'hex');

/** A base that describes its directories, and layers that do not, as kaniko writes them. */
export const LAYERS = [
  archive(
    directory('tmp', { mode: 0o1777, mtime: 1000 }),
    directory('var', { mode: 0o711, mtime: 2000 }),
    directory('var/lib', { mtime: 3000 }),
    directory('var/lib/app', {
      mode: 0o750,
      uid: 1000,
      gid: 1001,
      mtime: 4000,
      ...xattr('user.note', 'kept'),
    }),
    file('var/lib/app/old'),
    directory('shared', {
      mode: 0o2755,
      gid: 50,
      pax: [['SCHILY.xattr.system.posix_acl_default', ACL]],
    }),
    directory('shared/sub', { mode: 0o700 }),
    directory('emptied', { mode: 0o700, uid: 5 }),
    directory('emptied/sub', { mode: 0o700, uid: 5 }),
    directory('gone', { mode: 0o700 }),
    directory('gone/sub', { mode: 0o700 }),
    directory('again', { mode: 0o700 }),
    file('file'),
    directory('explicit', { mode: 0o700 }),
    symlink('link', 'tmp'),
    directory('café', { mode: 0o711 }),
  ),
  archive(
    file('tmp/x', 'x'),
    file('shared/sub/x'),
    file('emptied/.wh..wh..opq'),
    file('emptied/new/x'),
    file('.wh.gone'),
    file('.wh.again'),
    file('.wh.file'),
    file('explicit/x'),
    file('opt/tool/x'),
    directory('run/foo', { mode: 0o700, uid: 3 }),
  ),
  archive(
    file('var/lib/app/f', 'f'),
    file('tmp/y', 'y'),
    directory('opt', { mode: 0o711, mtime: 77 }),
    file('again/x'),
    file('file/x'),
    directory('explicit', { mode: 0o705 }),
    file('link/x'),
    file('café/x'),
  ),
];
export const DIRECTORIES = [
  ...['tmp', 'var', 'var/lib', 'var/lib/app', 'shared', 'shared/sub', 'emptied', 'emptied/new', 'again'],
  ...['file', 'explicit', 'opt', 'opt/tool', 'run', 'run/foo', 'café'],
];

/** How they are in a container: name, mode, owner. */
export const EXPECTED = [
  'tmp 1777 0:0',
  'var 711 0:0',
  'var/lib 755 0:0',
  'var/lib/app 750 1000:1001',
  'shared 2755 0:50',
  'shared/sub 700 0:0',
  'emptied 700 5:0',
  'emptied/new 755 0:0',
  'again 755 0:0',
  'file 755 0:0',
  'explicit 705 0:0',
  'opt 711 0:0',
  'opt/tool 755 0:0',
  'run 755 0:0',
  'run/foo 700 3:0',
  'café 711 0:0',
];
