/** Who we are to a registry: its challenges, and the tokens or passwords that answer them. */
export { Authorizer } from './authorizer.ts';
