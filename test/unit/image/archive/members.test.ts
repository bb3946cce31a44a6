import { describe, expect, it } from 'vitest';
import { type Member, Members } from '../../../../src/image/archive/members.ts';

const member = (digest: string): Member => ({
  path: `/spool/${digest}`,
  digest,
  size: 1,
  start: Buffer.alloc(0),
});
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('members of an archive', () => {
  it('finds a file by each way to write its name', () => {
    const members = new Members();
    members.addFile('./a//b.tar', member('one'));
    for (const name of ['a/b.tar', './a/b.tar', 'x/../a/b.tar', 'a/./b.tar'])
      expect(members.file(name, 'layer').digest).toBe('one');
    expect(members.has('a/b.tar')).toBe(true);
    expect(members.has('b.tar')).toBe(false);
  });

  it('takes names as bytes, and those from JSON as text', () => {
    const members = new Members();
    members.addFile(Buffer.from('größe').toString('latin1'), member('one'));
    expect(members.file('größe', 'layer').digest).toBe('one');
  });

  it('follows links to other members, from the directory of a symbolic one and from the root for a hard one', () => {
    const members = new Members();
    members.addFile('layers/one.tar', member('one'));
    members.addLink('a/layer.tar', '../layers/one.tar', true);
    members.addLink('b/layer.tar', 'layers/one.tar', false);
    members.addLink('c/layer.tar', '../b/layer.tar', true);
    for (const name of ['a', 'b', 'c'])
      expect(members.file(`${name}/layer.tar`, 'layer').path).toBe('/spool/one');
  });

  it.each(['/etc/passwd', '../../etc/passwd', '../a/../../etc/passwd'])('follows no link to %s', (target) => {
    const members = new Members();
    members.addLink('a/layer.tar', target, true);
    expect(() => members.file('a/layer.tar', 'layer')).toThrow(code('UNSAFE_ARCHIVE'));
  });

  it('ends where links go round in a circle', () => {
    const members = new Members();
    members.addLink('a', 'b', true);
    members.addLink('b', 'a', true);
    expect(() => members.file('a', 'layer')).toThrow(code('BAD_ARCHIVE'));
  });

  it('takes the same file twice, but not two files of one name', () => {
    const members = new Members();
    members.addFile('a', member('one'));
    members.addFile('./a', member('one'));
    expect(() => members.addFile('b/../a', member('two'))).toThrow(code('BAD_ARCHIVE'));
    expect(() => members.addLink('a', 'b', true)).toThrow(code('BAD_ARCHIVE'));
    members.addLink('l', 'a', true);
    members.addLink('l', './a', true);
    expect(() => members.addLink('l', 'b', true)).toThrow(code('BAD_ARCHIVE'));
    expect(() => members.addFile('l', member('one'))).toThrow(code('BAD_ARCHIVE'));
  });

  it.each(['/a', '..', '../a', 'a/../../b', '.', 'a/..'])('refuses a member called %s', (name) => {
    expect(() => new Members().addFile(name, member('one'))).toThrow(code('UNSAFE_ARCHIVE'));
  });

  it('reads no JSON of more than 4 MiB', () => {
    const large = { ...member('one'), size: 4 * 2 ** 20 + 1 };
    expect(() => new Members().text(large, 'manifest')).toThrow('its manifest has 4194305 bytes');
  });
});
