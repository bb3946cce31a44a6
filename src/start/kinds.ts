/** Which code cache: nothing for `run` in the foreground and for all that have none of their own. */
export function kindOfCommand([command, ...options]: readonly string[]): string {
  if (command === 'exec' || command === 'ps') return `-${command}`;
  // It may be one of the container's program: then it is the wrong cache, and takes a few milliseconds longer.
  return command === 'run' && options.some((word) => /^(--detach|-[it]*d[it]*)$/.test(word)) ? '-run-d' : '';
}

/** The same of the runtime: engines ask for the same few verbs again and again. One may be the name of a container. */
export function kindOfVerb(args: readonly string[]): string {
  const verb = args.find((word) => /^(create|start|state|kill|delete|exec)$/.test(word));
  return verb === undefined ? '' : `-${verb}`;
}

/** Whether the container is in no network, as far as can be told from here: the bundle for those is half as large. With the wrong one it runs in the usual way. */
export function isAlone(args: readonly string[]): boolean {
  return /\n--network[=\n](none|host)\n/.test(`\n${args.join('\n')}`);
}
