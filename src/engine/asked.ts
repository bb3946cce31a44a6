import { type Host, thisHost } from './host.ts';
import { type Answered, Inquiry } from './inquiry.ts';

/** What the host was asked: which question, and about what; an empty string where there is nothing to choose. */
export type Question = readonly [name: keyof Host, of: string];

/** Asks the host for somebody, and can ask it all again. */
export class Asked {
  readonly host: Host;
  readonly #under: Host;
  readonly #answers = new Map<string, Answered>();
  #inquiry: Inquiry | undefined;

  constructor(host: Host) {
    this.#under = host;
    const recorded =
      (name: keyof Host) =>
      (of = ''): never => {
        const question: Question = [name, of];
        const answer = answerOf(host, question);
        this.#answers.set(`${name} ${of}`, { question, answer });
        return answer as never;
      };
    this.host = {
      hostname: recorded('hostname'),
      workingDirectory: recorded('workingDirectory'),
      environment: recorded('environment'),
      readText: recorded('readText'),
      status: recorded('status'),
      list: recorded('list'),
      realPath: recorded('realPath'),
      exists: recorded('exists'),
    };
  }

  questions(): Question[] {
    return [...this.#answers.values()].map(({ question }) => question);
  }

  answersAlike(): boolean {
    if (this.#inquiry?.answersAlike()) return this.#inquiry.left.every((answered) => this.#isSame(answered));
    if (![...this.#answers.values()].every((answered) => this.#isSame(answered))) return false;
    // Who asks twice will ask again.
    if (this.#under === thisHost) this.#inquiry = new Inquiry([...this.#answers.values()]);
    return true;
  }

  #isSame({ question, answer }: Answered): boolean {
    const now = answerOf(this.#under, question);
    if (now === answer) return true;
    return typeof now === 'object' && JSON.stringify(now) === JSON.stringify(answer);
  }
}

export function answerOf(host: Host, [name, of]: Question): unknown {
  return (host[name] as (of: string) => unknown)(of);
}
