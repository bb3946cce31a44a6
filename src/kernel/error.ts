import { errnoMessage, errnoName } from './errno.ts';

/**
 * Every failure that tsbox itself reports.
 *
 * `code` is stable and meant for programs; `message` is one line meant for people, and says what, where and what was wrong with
 * it; `advice`, where the cause is known, says what to do. The command prints both and exits with `exitCode`
 * (125 unless the error says otherwise: 126 for a program that cannot be run, 127 for one that is not there).
 */
export class TsboxError extends Error {
  override name = 'TsboxError';
  readonly code: string;
  readonly advice: string | undefined;
  readonly exitCode: number;

  constructor(
    code: string,
    message: string,
    options: { advice?: string; exitCode?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.advice = options.advice;
    this.exitCode = options.exitCode ?? 125;
  }
}

/** A system call that the kernel refused. Like Node's own errors it has `syscall`, `errno` (negative) and, where one is involved, `path`. */
export class KernelError extends TsboxError {
  override name = 'KernelError';
  readonly syscall: string;
  readonly errno: number;
  readonly path: string | undefined;

  /**
   * @param errno the positive number, as in errno(3)
   * @param doing what we were trying to do, for the start of the message: "mount the overlay"
   * @param said what the kernel itself has said about it, for the end
   */
  constructor(
    syscall: string,
    errno: number,
    options: { path?: string; doing?: string; said?: string; advice?: string; exitCode?: number } = {},
  ) {
    const where = options.path === undefined ? '' : ` \`${options.path}\``;
    const doing = options.doing === undefined ? '' : `${options.doing}: `;
    const said = options.said === undefined ? '' : `: ${options.said}`;
    super(errnoName(errno), `${doing}${syscall}${where}: ${errnoMessage(errno)}${said}`, options);
    this.syscall = syscall;
    this.errno = -errno;
    this.path = options.path;
  }
}
