/** What is wrong with a template, or with what it asks for: one line, for the end of `--format: `. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/** Far above what anybody types, far below what hurts: templates come from scripts, and their data from images. */
export const LIMITS = {
  /** Characters of a template. */
  length: 64 * 1024,
  /** Blocks and parentheses in each other. */
  depth: 100,
  /** Nodes evaluated: ranges in ranges multiply. */
  steps: 2_000_000,
  /** Characters printed. */
  output: 64 * 1024 * 1024,
  /** Columns that `pad` and a width of `printf` may ask for. */
  width: 10_000,
};
