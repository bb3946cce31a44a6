/**
 * Which seccomp filter a container gets: Docker's default profile as our own data, or a user's file in Docker's format, resolved
 * for the container's capabilities, this processor and this kernel, and compiled once: filters are kept on disk.
 */
export { compileDefault, compiledDefault, defaultFilterName, seccompFilter } from './compiled.ts';
export { defaultProfile, RELEVANT_CAPABILITIES } from './default-profile.data.ts';
export { loadProfile } from './load.ts';
export { type Profile, type ProfileHost, resolveProfile } from './profile.ts';
