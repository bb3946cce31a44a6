import { describe, expect, it } from 'vitest';
import { tsbox } from '../../fixtures/tsbox.ts';
import { busyboxMissing } from './support/layout.ts';
import { isRoot, needsRoot } from './support/store.ts';
import { short, useThreeImages, WEB } from './support/three-images.ts';

describe.skipIf(!isRoot || busyboxMissing !== '')(
  `commands that show images${needsRoot}${busyboxMissing}`,
  () => {
    const three = useThreeImages();
    const { out, fails } = three;

    it('images: a table, the newest first', () => {
      const rows = out('images')
        .split('\n')
        .map((line) => line.split(/ {2,}/));
      expect(rows.map((cells) => cells.slice(0, 3))).toEqual([
        ['REPOSITORY', 'TAG', 'IMAGE ID'],
        ['localhost:5000/team/web', '1.0', short(three.ids.web)],
        ['base', 'latest', short(three.ids.base)],
        ['<none>', '<none>', short(three.ids.old)],
        [''],
      ]);
      expect(rows[0]?.slice(3)).toEqual(['CREATED', 'SIZE']);
      expect(rows[1]?.[3]).toMatch(/^\d+ years ago$/);
      expect(out('images', '--digests').split('\n')[0]).toMatch(
        /^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$/,
      );
      expect(out('images', '-q')).toBe(
        `${short(three.ids.web)}\n${short(three.ids.base)}\n${short(three.ids.old)}\n`,
      );
      expect(out('images', '-aq', '--no-trunc')).toBe(
        `${three.ids.web}\n${three.ids.base}\n${three.ids.old}\n`,
      );
      expect(out('image', 'ls', '-q')).toBe(out('images', '-q'));
    });

    it.each([
      [['base'], ['base']],
      [['base:latest'], ['base']],
      [['base:nope'], []],
      [['b*'], ['base']],
      [['localhost:5000/*/web'], ['localhost:5000/team/web']],
      [['docker.io/library/base'], ['base']],
      [['--filter', 'dangling=true'], ['<none>']],
      [
        ['--filter', 'dangling=false'],
        ['localhost:5000/team/web', 'base'],
      ],
      [
        ['--filter', 'label=kind'],
        ['localhost:5000/team/web', 'base'],
      ],
      [['--filter', 'label=kind=base'], ['base']],
      [['--filter', 'label=kind', '--filter', 'label=a.b=c'], ['localhost:5000/team/web']],
      [
        ['--filter', 'before=localhost:5000/team/web:1.0'],
        ['base', '<none>'],
      ],
      [['--filter', 'since=base'], ['localhost:5000/team/web']],
      [['--filter', 'until=2019-12-31'], ['<none>']],
      [
        ['--filter', 'until=1577923200'],
        ['base', '<none>'],
      ],
      [['--filter', 'reference=ba[rs]e', '--filter', 'reference=nope'], ['base']],
    ])('images %j: %j', (args, repositories) => {
      expect(
        out('images', ...args, '--format', '{{.Repository}}')
          .split('\n')
          .slice(0, -1),
      ).toEqual(repositories);
    });

    it('images: what it does not understand', () => {
      expect(fails('images', '--filter', 'lable=x')).toBe(
        'tsbox: --filter lable=x: there is no filter lable; did you mean label?; known are before, dangling, label, reference, since, until',
      );
      expect(fails('images', '--filter', 'dangling')).toContain('not of the form KEY=VALUE');
      expect(fails('images', '--filter', 'dangling=maybe')).toContain('true or false is expected');
      expect(fails('images', '--filter', 'until=soon')).toContain('not a time');
      expect(fails('images', '--filter', 'since=nope')).toContain('there is no image `nope`');
      expect(fails('images', '--filter', 'reference=[')).toContain('not a pattern');
      expect(fails('images', '--format', '{{.Repo}}')).toContain('there is no {{.Repo}}');
      expect(fails('images', '--format', '{{range .}}')).toContain('{{range .}} has no {{end}}');
    });

    it('images: templates and JSON', () => {
      expect(out('images', 'base', '--format', '{{.Repository}}:{{.Tag}}\\t{{.ID}} {{.CreatedAt}}')).toBe(
        `base:latest\t${short(three.ids.base)} 2020-01-01 00:00:00 +0000 UTC\n`,
      );
      expect(out('images', 'base', '--format', 'table {{.Tag}}\\t{{.Repository}}')).toBe(
        'TAG      REPOSITORY\nlatest   base\n',
      );
      expect(JSON.parse(out('images', 'base', '--format', 'json'))).toMatchObject({
        Repository: 'base',
        Tag: 'latest',
        ID: short(three.ids.base),
      });
    });

    it('history: the newest step first, with the sizes of its layers', () => {
      const rows = out('history', WEB)
        .split('\n')
        .map((line) => line.split(/ {3,}/));
      expect(rows[0]).toEqual(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT']);
      expect(rows.slice(1, 4).map(([id, , by, size]) => [id, by, size])).toEqual([
        [short(three.ids.web), 'COPY x /x', '1.5kB'],
        ['<missing>', 'ENV A=1', '0B'],
        ['<missing>', 'ADD file:0123456789 in / with some more words', expect.stringMatching(/MB$/)],
      ]);
      expect(rows[3]?.[4]).toBe('base');
      expect(out('history', '-q', '--no-trunc', WEB)).toBe(`${three.ids.web}\n<missing>\n<missing>\n`);
      expect(
        out('history', '--human=false', '--format', '{{.CreatedAt}} {{.Size}}', WEB).split('\n')[0],
      ).toBe('2020-01-03T00:00:00Z 1500');
      expect(out('history', '-H=false', 'base').split('\n')[0]).toBe(
        'IMAGE   CREATED AT   CREATED BY   SIZE   COMMENT',
      );
    });

    it('image inspect: several, and those that are not there', () => {
      const { status, stdout, stderr } = tsbox(three.place, [
        'image',
        'inspect',
        'base',
        'nope',
        three.ids.web.slice(7, 20),
      ]);
      expect(status).toBe(1);
      expect(stderr).toContain('there is no image `nope`');
      expect(JSON.parse(stdout).map(({ Id }: { Id: string }) => Id)).toEqual([three.ids.base, three.ids.web]);
      expect(out('image', 'inspect', '-f', '{{.Id}} {{.RepoTags}} {{len .RootFS.Layers}}', 'base')).toBe(
        `${three.ids.base} [base:latest] 1\n`,
      );
    });

    it('the groups say what they have, and what was meant', () => {
      for (const word of [
        'ls, list',
        'pull',
        'push',
        'tag',
        'rm, remove',
        'inspect',
        'history',
        'prune',
        'import',
        'save',
        'load',
      ])
        expect(out('image', '--help')).toMatch(new RegExp(`^  ${word} +\\S`, 'm'));
      expect(out('system')).toMatch(/^ {2}df +\S/m);
      expect(out('image', 'help', 'prune')).toContain('Usage: tsbox image prune [OPTIONS]');
      expect(fails('image', 'inspct', 'x')).toBe(
        'tsbox: no such command: "image inspct"; did you mean inspect?',
      );
      expect(fails('system', 'constructor')).toContain('no such command');
      expect(out('--help')).toMatch(/^ {2}history +\S/m);
    });
  },
);
