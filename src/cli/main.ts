import { tsbox } from './index.ts';

// Not process.exitCode: a container has ended, and nothing that is still open should keep the person waiting.
tsbox(process.argv.slice(2)).then((code) => process.exit(code));
