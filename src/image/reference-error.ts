/** What is wrong with a reference, for people. Called only for those that are wrong. */
export function explainReference(text: string): { message: string; advice: string } {
  const shown = `\`${text}\` is not a name for an image`;
  return { message: shown, advice: 'a name looks like alpine, alpine:3.20 or ghcr.io/owner/app:1.0' };
}
