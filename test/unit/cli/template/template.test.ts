import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../../src/cli/template/index.ts';

/** What Go 1.22's text/template prints for these, with Docker's functions: literal, not computed by anything of ours. */
const data = {
  Id: 'sha256:0123456789abcdef',
  Name: '/web',
  State: { Pid: 42, Running: true, Health: null },
  Config: {
    Env: ['PATH=/bin', 'LANG=C'],
    Cmd: null,
    Labels: { b: '2', 'a.b': 'x y' },
    Volumes: null,
  },
  Mounts: [
    { Source: '/srv', Destination: '/data' },
    { Source: '/tmp', Destination: '/t' },
  ],
  Size: 1500,
  Ratio: 0.25,
  Empty: '',
  None: [],
};
const labelled = { Name: 'web', Label: (name: string) => (name === 'a.b' ? 'x y' : '') };
const fill = (template: string) => compileTemplate(template)(data);

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['{{.Name}}', '/web'],
    ['{{ .State.Pid }}/{{.State.Running}}', '42/true'],
    ['{{$.Name}}', '/web'],
    ['{{.Config.Env}}', '[PATH=/bin LANG=C]'],
    ['{{.Config.Labels}}', 'map[a.b:x y b:2]'],
    ['{{.Config.Cmd}} {{.Config.Volumes}}', '[] map[]'],
    ['{{.State.Health}}', '<no value>'],
    ['{{.Config.Labels.b}} {{.Config.Labels.nope}}', '2 <no value>'],
    ['{{index .Config.Labels "a.b"}}', 'x y'],
    ['[{{index .Config.Labels "nope"}}]', '[]'],
    ['{{index .Config.Env 1}}', 'LANG=C'],
    ['{{(index .Mounts 0).Source}}', '/srv'],
    ['{{json .Config.Env}}', '["PATH=/bin","LANG=C"]'],
    ['{{json .Config.Labels}}', '{"a.b":"x y","b":"2"}'],
    ['{{json .Config.Cmd}}', 'null'],
    ['{{.State | json}}', '{"Pid":42,"Running":true,"Health":null}'],
    ['{{json "<a&b>"}}', '"<a&b>"'],
    ['{{range .Config.Env}}{{.}};{{end}}', 'PATH=/bin;LANG=C;'],
    ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}', 'a.b=x y b=2 '],
    ['{{range $i, $e := .Config.Env}}{{$i}}{{$e}} {{end}}', '0PATH=/bin 1LANG=C '],
    ['{{range $e := .Config.Env}}{{$e}} {{end}}', 'PATH=/bin LANG=C '],
    ['{{range .None}}x{{else}}none{{end}}', 'none'],
    ['{{range .Mounts}}{{.Source}}:{{.Destination}} {{$.Name}} {{end}}', '/srv:/data /web /tmp:/t /web '],
    ['{{if .Empty}}a{{else if .None}}b{{else}}c{{end}}', 'c'],
    ['{{if .State.Running}}up{{end}}', 'up'],
    ['{{if and .State.Running (eq .Size 1500)}}y{{else}}n{{end}}', 'y'],
    ['{{with .State}}{{.Pid}}{{end}}{{with .Empty}}x{{else}}-{{end}}', '42-'],
    ['{{with $x := .Name}}{{$x}}{{end}}', '/web'],
    ['{{$n := 0}}{{range .Config.Env}}{{$n = len .}}{{end}}{{$n}}', '6'],
    ['{{slice .Id 7 12}}', '01234'],
    ['{{truncate .Id 9}}', 'sha256:01'],
    ['{{len .Config.Env}} {{len "ä"}}', '2 2'],
    ['{{upper .Name}} {{lower "AB"}} {{title "two words"}}', '/WEB ab Two Words'],
    ['{{title "it\'s ab-cd"}}', "It'S Ab-Cd"],
    ['{{printf "%q" .Config.Env}}', '["PATH=/bin" "LANG=C"]'],
    ['{{json "<é>&\\u2028"}}', '"<é>&\\u2028"'],
    ['{{join .Config.Env ", "}}', 'PATH=/bin, LANG=C'],
    ['{{index (split .Id ":") 1}}', '0123456789abcdef'],
    ['[{{pad .Name 1 2}}] [{{pad .Empty 3 3}}]', '[ /web  ] []'],
    ['{{println "a" 1}}', 'a 1\n'],
    ['{{print "a" "b" 1 2 true}}', 'ab1 2 true'],
    [
      '{{printf "%s-%d %v %q %5d|%-4s|%05.1f %x %t%%" "a" 7 .Config.Env "q" 42 "l" 2.25 255 true}}',
      'a-7 [PATH=/bin LANG=C] "q"    42|l   |002.3 ff true%',
    ],
    ['{{printf "%d" "x"}} {{printf "%s"}} {{printf "" 1}}', '%!d(string=x) %!s(MISSING) %!(EXTRA int=1)'],
    ['{{.Size | printf "%08d"}}', '00001500'],
    [
      '{{eq .Name "a" "/web"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1 2}}',
      'true true true true true false',
    ],
    ['{{not .Empty}} {{or .Empty "x"}} {{and .Name 0}}', 'true x 0'],
    ['{{or true (index .None 5)}}', 'true'],
    ['a  {{- .Size -}}  b', 'a1500b'],
    ['a {{/* said */}}b{{- /* x */ -}} c', 'a bc'],
    ["{{.Ratio}} {{1e3}} {{-3}} {{'a'}}", '0.25 1000 -3 97'],
    ['{{"q\\"\\u0041\\x42"}}{{`raw\\n`}}', 'q"ABraw\\n'],
    ['{{.Size}}\\t{{.Name}}\\n', '1500\t/web\n'],
    ['{{"{{"}}}', '{{}'],
  ])('%s', (template, text) => expect(fill(template)).toBe(text));

  it.each([
    ['{{.Nmae}}', 'there is no {{.Nmae}}; did you mean Name?'],
    ['{{.State.Pidd}}', 'there is no {{.State.Pidd}}; did you mean Pid?'],
    ['{{range .Mounts}}{{.Xyz}}{{end}}', 'there is no {{.Xyz}}, only .Source .Destination'],
    ['{{.Name.First}}', 'there is no {{.Name.First}}: a string has no fields'],
    ['{{jsn .}}', 'there is no function jsn; did you mean json?'],
    ['{{constructor .}}', 'there is no function constructor'],
    ['{{.constructor}}', 'there is no {{.constructor}}'],
    ['{{.__proto__}}', 'there is no {{.__proto__}}'],
    ['{{.Name', '`{{.Name` has no }}'],
    ['{{}}', 'the action {{}} has nothing in it'],
    ['{{"open}}', 'is not understood'],
    ['{{if .Name}}', '{{if .Name}} has no {{end}}'],
    ['{{end}}', '{{end}} ends nothing'],
    ['{{if .Name}}{{else}}{{else}}{{end}}', 'more than one {{else}}'],
    ['{{if}}{{end}}', '{{if}}: a value is missing'],
    ['{{.Name .Id}}', 'only a function takes arguments'],
    ['{{(.Name}}', 'a ) is missing'],
    ['{{.Name | .Id}}', 'after | comes a function'],
    ['{{$x}}', 'there is no variable $x'],
    ['{{index .Config.Env 2}}', 'index: 2 is not in 0…1'],
    ['{{upper .Size}}', 'upper: int 1500 is no string'],
    ['{{eq .Name 1}}', 'eq: string and int cannot be compared'],
    ['{{eq .Name}}', 'eq takes 2 or more values, not 1'],
    ['{{range .Name}}{{end}}', 'range: a string has no items'],
    ['{{define "x"}}{{end}}', '{{define}} is not supported'],
    ['{{printf "%999999d" 1}}', 'printf: 999999 is wider than 10000'],
    ['{{pad "x" 1000000000 0}}', 'pad: 1000000000 is wider than 10000'],
  ])('refuses %s', (template, message) => expect(() => fill(template)).toThrow(message));

  it.each([
    ['{{.Label "a.b"}}|{{.Label "nope"}}|', 'x y||'],
    ['{{.Label "a.b" | upper}} {{"a.b" | .Label}} {{eq (.Label "a.b") "x y"}}', 'X Y x y true'],
    ['{{with .Label "nope"}}has{{else}}none{{end}}', 'none'],
    ['{{$.Label "a.b"}}', 'x y'],
  ])('call a field that is a function: %s', (template, text) =>
    expect(compileTemplate(template)(labelled)).toBe(text),
  );

  it.each([
    ['{{.Label}}', '.Label takes 1 value, not 0'],
    ['{{eq .Label "x"}}', '.Label takes 1 value, not 0'],
    ['{{.Label "a" "b"}}', '.Label takes 1 value, not 2'],
    ['{{.Label 5}}', '.Label: int is no string'],
    ['{{.Label nil}}', '.Label: nil is no string'],
    ['{{.Label.x}}', 'there is no {{.Label.x}}: a function has no fields'],
    ['{{.Name.Label "x"}}', 'there is no {{.Name.Label}}: a string has no fields'],
  ])('refuse %s', (template, message) => expect(() => compileTemplate(template)(labelled)).toThrow(message));

  it('bounds what a template may be', () => {
    expect(() => fill('{{if 1}}'.repeat(300))).toThrow('blocks are nested deeper than 100');
    expect(() => fill(`{{${'('.repeat(300)}1}}`)).toThrow('parentheses are nested deeper than 100');
    expect(() => fill(`{{if 1}}${'{{else if 1}}'.repeat(300)}`)).toThrow('blocks are nested deeper than 100');
    expect(() => fill('x'.repeat(70_000))).toThrow('the template is longer than 65536 characters');
  });

  it('bounds what ranges in ranges cost', () => {
    const list = Array.from({ length: 2000 }, () => 0);
    const nested = compileTemplate('{{range $}}{{range $}}{{range $}}{{end}}{{end}}{{end}}');
    expect(() => nested(list)).toThrow('it takes too many steps');
    expect(() => compileTemplate('{{json .}}')(deep(100_000))).toThrow('nested too deep');
    expect(() => compileTemplate('{{.}}')(deep(100_000))).toThrow('nested too deep');
  });

  it('lets no escape sequence of the data through, and no tab', () => {
    const rows = { A: 'a\x1b[2J\tb' };
    expect(compileTemplate('{{.A}}\t{{json .A}}')(rows)).toBe('a\\u001b[2J  b\t"a\\u001b[2J\\tb"');
    expect(compileTemplate('{{printf "%s\\t%s" .A "c"}}')({ A: 'a' })).toBe('a\tc');
  });
});

function deep(levels: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}
