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

/**
 * Each asks `tsbox __complete` with the words before the cursor and the one at it, and leaves files to the shell where there is no answer. Nothing of an answer is
 * expanded by a shell. Bash takes a colon for the beginning of a word of its own, in `alpine:latest` too: hence its two more lines.
 */
const SCRIPTS: Record<string, string> = {
  bash: `_tsbox() {
  local line=\${COMP_LINE:0:COMP_POINT} words at index
  read -ra words <<<"$line"
  [[ $line == *' ' ]] && words+=('')
  at=\${words[-1]}
  mapfile -t COMPREPLY < <(tsbox __complete "\${words[@]:1}" 2>/dev/null)
  [[ $at == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
  for index in "\${!COMPREPLY[@]}"; do COMPREPLY[index]=\${COMPREPLY[index]#"\${at%"\${at##*:}"}"}; done
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
  set -l found (tsbox __complete $words[2..-1] 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c tsbox -f -a '(__tsbox_complete)'
`,
};
