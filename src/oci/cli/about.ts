import { version } from '../../version.ts';
import { OCI_VERSION } from '../config/version.ts';
import { print } from './print.ts';

export function printVersion(): number {
  print(`tsbox-oci version ${version}\nspec: ${OCI_VERSION}\n`);
  return 0;
}

export function printHelp(): number {
  print(HELP);
  return 0;
}

const HELP = `tsbox-oci: a runtime by the OCI runtime specification, with runc's command line

Usage: tsbox-oci [global options] COMMAND [options] [arguments]

Commands:
  create   [--bundle DIR] [--pid-file FILE] [--console-socket PATH] [--preserve-fds N] [--no-pivot] [--no-new-keyring] ID
  start    ID
  run      (as create) [--detach] [--keep] ID
  state    ID
  kill     [--all] ID [SIGNAL]
  delete   [--force] ID
  exec     [--process FILE] [--detach] [--pid-file FILE] [--console-socket PATH] [--tty] [--cwd DIR] [--env NAME=VALUE]
           [--user UID[:GID]] [--additional-gids GID] [--cap CAP] [--no-new-privs] [--apparmor PROFILE] [--ignore-paused]
           [--preserve-fds N] [--cgroup PATH] ID [COMMAND...]
  list     [--quiet] [--format table|json]
  ps       [--format table|json] ID
  pause    ID
  resume   ID
  update   [--resources FILE|-] [--memory N] [--memory-reservation N] [--memory-swap N] [--cpu-shares N] [--cpu-quota N]
           [--cpu-period N] [--cpu-burst N] [--cpuset-cpus LIST] [--cpuset-mems LIST] [--pids-limit N] [--blkio-weight N] ID
  events   [--stats] [--interval DURATION] ID
  spec     [--bundle DIR] [--rootless]
  features

Global options:
  --root DIR              where the state of containers is (default /run/tsbox-oci)
  --log FILE              where messages go (default standard error)
  --log-format text|json
  --debug
  --systemd-cgroup        groups are scopes of systemd's
  --version
`;
