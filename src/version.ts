import manifest from '../package.json' with { type: 'json' };

/** The version of tsbox, as in its package.json. A file of its own, so that `tsbox --version` loads nothing else. */
export const version: string = manifest.version;
