/** For the command only: how it ends. */
export { leave } from './kernel/leave.ts';
