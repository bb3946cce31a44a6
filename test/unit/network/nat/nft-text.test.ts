import { expect, test } from 'vitest';
import { likelyPorts } from '../../../../src/network/nat/likely-ports.ts';
import { nftText } from '../../../../src/network/nat/nft-text.ts';
import { parsePublish } from '../../../../src/network/nat/parse-publish.ts';
import { publicationCommands } from '../../../../src/network/nat/publication.ts';
import { tableCommands } from '../../../../src/network/nat/table.ts';

const published = (...words: string[]) =>
  publicationCommands(
    [{ id: '1', ports: likelyPorts(words.flatMap(parsePublish)), addresses: ['10.87.0.2/16', 'fd87::2/64'] }],
    [],
  ).map(nftText);

// As nft(8) has it. test/integration/network/explain.test.ts has nft read it.
test('the table', () => {
  const text = tableCommands().map(nftText);
  expect(text).toEqual(
    expect.arrayContaining([
      'add table inet tsbox',
      'add set inet tsbox hairpin { type ifname . ifname; }',
      'add map inet tsbox at4 { type inet_proto . ipv4_addr . inet_service : verdict; }',
      'add chain inet tsbox forward { type filter hook forward priority 0; policy accept; }',
      'add chain inet tsbox published',
      'flush chain inet tsbox forward',
      'add rule inet tsbox raw ip daddr 127.0.0.0/8 iifname @bridges drop comment "CVE-2020-8558"',
      'add rule inet tsbox forward ct state established,related accept',
      'add rule inet tsbox published ip6 daddr != ::1 fib daddr type local meta l4proto . th dport vmap @any6',
      'add rule inet tsbox output jump published',
    ]),
  );
  expect(text.join('\n')).not.toMatch(/[[{]"|undefined|object/);
});

test('ports: each one, a range, one that the kernel chooses', () => {
  expect(published('127.0.0.1:53:5353/udp', '8000-8001:8000-8001', '[::]:9000-9001:80-81', '443')).toEqual([
    'add chain inet tsbox container-1',
    'flush chain inet tsbox container-1',
    'add rule inet tsbox container-1 ip daddr 127.0.0.1 udp dport 53 dnat ip to 10.87.0.2:5353',
    'add rule inet tsbox container-1 tcp dport 8000-8001 dnat ip to 10.87.0.2',
    'add rule inet tsbox container-1 tcp dport 8000-8001 dnat ip6 to fd87::2',
    'add rule inet tsbox container-1 tcp dport 9000-9001 dnat ip6 to [fd87::2]:tcp dport map { 9000 : 80, 9001 : 81 }',
    'add rule inet tsbox container-1 tcp dport <port> dnat ip to 10.87.0.2:443',
    'add rule inet tsbox container-1 tcp dport <port> dnat ip6 to [fd87::2]:443',
    'add chain inet tsbox self-1',
    'flush chain inet tsbox self-1',
    'add rule inet tsbox self-1 masquerade',
    'add element inet tsbox any4 { 6 . 8000 : goto container-1, 6 . 8001 : goto container-1, 6 . <port> : goto container-1 }',
    'add element inet tsbox any6 { 6 . 8000 : goto container-1, 6 . 8001 : goto container-1, 6 . 9000 : goto container-1, 6 . 9001 : goto container-1, 6 . <port> : goto container-1 }',
    'add element inet tsbox at4 { 17 . 127.0.0.1 . 53 : goto container-1 }',
    'add element inet tsbox self4 { 10.87.0.2 . 10.87.0.2 : goto self-1 }',
    'add element inet tsbox self6 { fd87::2 . fd87::2 : goto self-1 }',
  ]);
});

test('two ports that the kernel chooses are no range', () => {
  const rules = published('0.0.0.0::80', '0.0.0.0::81').filter((text) => text.includes('dport'));
  expect(rules).toHaveLength(2);
});
