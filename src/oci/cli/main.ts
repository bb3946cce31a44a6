import { tsboxOci } from './index.ts';

tsboxOci(process.argv.slice(2)).then((code) => process.exit(code));
