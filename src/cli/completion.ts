import { didYouMean } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { usageError } from './usage.ts';

/** `tsbox completion SHELL`: what the shell is to load, so that Tab completes commands and names. */
export async function completion(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'completion bash|zsh|fish',
    description:
      'Print what makes Tab complete commands, and names of containers, images, networks and volumes.',
    examples: [
      ['tsbox completion bash > /etc/bash_completion.d/tsbox', 'for everybody'],
      ['source <(tsbox completion zsh)', 'for now'],
      ['tsbox completion fish > ~/.config/fish/completions/tsbox.fish', 'for you'],
    ],
  })
    .argument('<shell>')
    .parse(args, { from: 'user' });
  const [shell = ''] = command.args;
  if (!Object.hasOwn(SCRIPTS, shell))
    throw usageError(
      'completion',
      `no such shell: ${JSON.stringify(shell)}${didYouMean(shell, Object.keys(SCRIPTS))}`,
    );
  print(SCRIPTS[shell] as string);
  return 0;
}

/** Each asks `tsbox __complete` with the words before the cursor and the one at it, and leaves files to the shell where there is no answer. */
const SCRIPTS: Record<string, string> = {
  bash: `_tsbox() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(tsbox __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tsbox tsbox
`,
  zsh: `#compdef tsbox
_tsbox() {
  local -a found
  found=("\${(@f)$(tsbox __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found[1]" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _tsbox tsbox
`,
  fish: `function __tsbox_complete
  set -l words (commandline -opc) (commandline -ct)
  tsbox __complete $words[2..-1] 2>/dev/null
end
complete -c tsbox -a '(__tsbox_complete)'
`,
};
