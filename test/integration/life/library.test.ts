import { afterAll, beforeAll, expect, it } from 'vitest';
import { attach, container, create, listContainers, runDetached, TsboxError } from '../../../src/index.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, store } from '../support/tsbox.ts';

describeRoot('containers that outlive the program, as a library', () => {
  leavesNothing();
  let usual: string | undefined;
  beforeAll(() => {
    usual = process.env.TSBOX_ROOT;
    process.env.TSBOX_ROOT = store;
  });
  afterAll(async () => {
    for (const { id } of listContainers()) await (await container(id)).remove({ force: true });
    if (usual === undefined) delete process.env.TSBOX_ROOT;
    else process.env.TSBOX_ROOT = usual;
  });

  it('one is made, started, found by name, read, waited for and removed', async () => {
    const made = await create(image, ['sh', '-c', 'echo one; echo two >&2; sleep 0.3; echo three; exit 3'], {
      name: 'lib',
    });
    expect(made.record().status).toBe('created');
    await made.start();
    const found = await container('lib');
    expect(found.id).toBe(made.id);
    const lines: string[] = [];
    for await (const { stream, text } of found.logs({ follow: true })) lines.push(`${stream} ${text}`);
    expect(lines).toEqual(['stdout one', 'stderr two', 'stdout three']);
    expect(await found.wait()).toEqual({ code: 3, oomKilled: false });
    await found.remove();
    expect(() => found.record()).toThrow(TsboxError);
    await expect(container('lib')).rejects.toMatchObject({ code: 'NO_CONTAINER' });
  });

  it('its streams can be connected to', async () => {
    const box = await runDetached(image, ['sh', '-c', 'while read x; do echo "<$x>"; done; exit 2'], {
      name: 'talk',
      interactive: true,
    });
    const attachment = await attach('talk');
    attachment.stdin?.write('a\nb\n');
    attachment.stdin?.end();
    attachment.stderr?.resume();
    let said = '';
    for await (const chunk of attachment.stdout ?? []) said += chunk;
    expect(said).toBe('<a>\n<b>\n');
    expect(await attachment.wait()).toMatchObject({ code: 2 });
    await box.remove();
  });

  it('kill, stop and restart', async () => {
    const box = await runDetached(image, ['sleep', '60'], { stopTimeout: 0 });
    const { pid } = box.record();
    await box.restart();
    expect(box.record().pid).not.toBe(pid);
    await box.kill();
    expect(await box.wait()).toEqual({ code: 137, signal: 'SIGKILL', oomKilled: false });
    await expect(box.kill()).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await box.start();
    expect((await box.stop()).code).toBe(137);
    await box.remove();
  });

  it('a start that fails leaves nothing of runDetached', async () => {
    const before = listContainers().length;
    await expect(runDetached(image, ['nosuch'])).rejects.toMatchObject({
      code: 'PROGRAM_NOT_FOUND',
      exitCode: 127,
    });
    expect(listContainers().length).toBe(before);
  });

  it('leaves this program free: no descriptor, no child', async () => {
    const { readdirSync } = await import('node:fs');
    const open = () => readdirSync('/proc/self/fd').length;
    const box = await runDetached(image, ['sleep', '60'], { stopTimeout: 0 });
    await box.stop();
    const before = open();
    for (let i = 0; i < 3; i++) {
      await box.start();
      await box.stop();
    }
    await eventually(
      () => open() <= before,
      () => `${open()} descriptors, not ${before}`,
    );
    await box.remove();
  });
});
