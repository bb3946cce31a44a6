export { parseJson } from '../../kernel/json.ts';
