import { leave } from '../leave.ts';
import { tsbox } from './index.ts';
import { showWarnings } from './warnings.ts';

showWarnings();

// Not process.exitCode: a container has ended, and nothing that is still open should keep the person waiting. In the next tick, after
// those in which Node prints warnings (process.emitWarning).
tsbox(process.argv.slice(2)).then((code) => process.nextTick(() => leave(code)));
