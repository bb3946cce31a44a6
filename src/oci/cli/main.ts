import { tsboxOci } from './index.ts';
import { leave } from './leave.ts';

tsboxOci(process.argv.slice(2)).then(leave);
