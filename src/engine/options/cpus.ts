import { badOption } from './bad-option.ts';

/** The period that `--cpus` is measured in, in microseconds, as in Docker: also cgroup v2's own default. */
export const cpuPeriod = 100_000;

/**
 * The quota of CPU time, in microseconds a period of 100,000, for `0.5`, `2` or `1.25`; undefined for 0, which means no limit.
 *
 * @param online how many CPUs there are: more than that is a mistake, as in Docker
 * @throws BAD_OPTION below 0.01 (the kernel's least quota is a millisecond), above `online`, and for what is no decimal number
 */
export function parseCpus(flag: string, value: string | number, online: number): number | undefined {
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(String(value))) {
    throw badOption(flag, value, 'not a number of CPUs', '1.5');
  }
  const cpus = Number(value);
  if (cpus === 0) return undefined;
  if (cpus < 0.01 || cpus > online) {
    throw badOption(
      flag,
      value,
      `range of CPUs is from 0.01 to ${online}.00, as there are only ${online} CPUs available`,
      String(Math.min(1, online)),
    );
  }
  // Rounded to the nanosecond first: 0.29 * 100000 is 28999.999999999996.
  return Math.trunc(Math.round(cpus * 1e9) / 1e4);
}
