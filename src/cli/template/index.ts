/**
 * Go templates (pkg.go.dev/text/template), as far as people use them after Docker's `--format`: fields, pipes, variables, `if`, `with`,
 * `range`, and Docker's functions. A lexer makes words of the text, a parser makes a tree of them, an evaluator walks it. What a template
 * may cost is bounded, and a wrong one is refused in one line.
 */
export { compileTemplate, type Template } from './evaluate.ts';
export { TemplateError } from './limits.ts';
