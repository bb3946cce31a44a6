/** What the library has to say besides errors (process.emitWarning), as a line of this command's and not as Node shows warnings of its own. */
export function showWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ message }) => process.stderr.write(`tsbox: ${message}\n`));
}
