export { bootId, identify, openProcess, type ProcessIdentity } from '../kernel/process-identity.ts';
