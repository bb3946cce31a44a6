import { AGAIN, type Argument, allSteps, type Plan, Slot, type Step } from './plan.ts';
import { printable } from './printable.ts';

/** The plan for a person: numbered calls under the stage they belong to, each with its reason. */
export function formatPlan(plan: Plan): string {
  const steps = allSteps(plan);
  const lines: string[] = [];
  let stage = '';
  for (const [index, step] of steps.entries()) {
    if (step.stage !== stage) {
      stage = step.stage;
      lines.push(`${lines.length === 0 ? '' : '\n'}${stage}`);
    }
    const number = String(index + 1).padStart(String(steps.length).length);
    lines.push(printable(`${number}. ${formatCall(step)}`));
    lines.push(printable(`${' '.repeat(number.length + 2)}  ${remark(step)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** The same for a program. `result` names the slot that keeps the result; an argument `{fd}` is such a result. */
export function planToJson(plan: Plan): object {
  return {
    steps: allSteps(plan).map((step, index) => ({
      number: index + 1,
      stage: step.stage,
      call: step.call,
      arguments: step.args.map(jsonArgument),
      ...(step.save && { result: step.save.name }),
      ...(step.tolerate && { tolerated: [...step.tolerate] }),
      why: step.why,
    })),
  };
}

function formatCall(step: Step): string {
  const call = `${step.call}(${step.args.map(formatArgument).join(', ')})`;
  return step.save ? `${call} = ${step.save.name}` : call;
}

function remark(step: Step): string {
  const conditional = step.tolerate === undefined || step.skipOnError === AGAIN ? '' : ' (may fail)';
  return `${step.why}${conditional}`;
}

/** Escaped as JSON has it, so that the end of a string is seen. */
const quote = (text: string) => JSON.stringify(text);

function formatArgument(argument: Argument): string {
  if (argument === null) return 'NULL';
  if (typeof argument === 'string') return quote(argument);
  if (argument instanceof Slot) return argument.name;
  if (typeof argument === 'number' || typeof argument === 'bigint') return String(argument);
  if ('slotAddress' in argument) return `&${argument.slotAddress.name}`;
  if ('strings' in argument) return `[${argument.strings.map(quote).join(', ')}]`;
  return argument.text;
}

function jsonArgument(argument: Argument): unknown {
  if (argument === null || typeof argument === 'string' || typeof argument === 'number') return argument;
  if (typeof argument === 'bigint') return String(argument);
  if (argument instanceof Slot) return { fd: argument.name };
  if ('slotAddress' in argument) return { address: argument.slotAddress.name };
  if ('strings' in argument) return argument.strings;
  if ('bytes' in argument) return { struct: argument.text };
  return { value: Number(argument.value), text: argument.text };
}
