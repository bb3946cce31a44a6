export interface CommandEntry {
  /** For the overview that `tsbox --help` prints; none for a command that people need not know. */
  summary?: string;
  group?: 'Containers' | 'Images' | 'This machine';
  /** Takes what follows the command's name; gives the exit code. */
  run(args: string[]): Promise<number>;
}

/** Every command there is. Each file is imported when its command runs, and no sooner: `tsbox run` should not read what `tsbox doctor` does. */
export const COMMANDS: Record<string, CommandEntry> = {
  run: {
    summary: 'Run a program in a new container',
    group: 'Containers',
    run: async (args) => (await import('./run.ts')).run(args),
  },
  exec: {
    summary: 'Run a program in a container that runs',
    group: 'Containers',
    run: async (args) => (await import('./exec.ts')).execCommand(args),
  },
  create: {
    summary: 'Make a container without starting it',
    group: 'Containers',
    run: async (args) => (await import('./create.ts')).createCommand(args),
  },
  start: {
    summary: 'Start containers that were made before',
    group: 'Containers',
    run: async (args) => (await import('./start.ts')).start(args),
  },
  stop: {
    summary: 'Stop containers',
    group: 'Containers',
    run: async (args) => (await import('./stop.ts')).stop(args),
  },
  restart: {
    summary: 'Stop containers and start them again',
    group: 'Containers',
    run: async (args) => (await import('./restart.ts')).restart(args),
  },
  kill: {
    summary: 'Send a signal to containers',
    group: 'Containers',
    run: async (args) => (await import('./kill.ts')).kill(args),
  },
  wait: {
    summary: 'Wait until containers have ended, and print how',
    group: 'Containers',
    run: async (args) => (await import('./wait.ts')).wait(args),
  },
  logs: {
    summary: 'Show what a container has written',
    group: 'Containers',
    run: async (args) => (await import('./logs.ts')).logs(args),
  },
  attach: {
    summary: 'Connect to the streams of a container that runs',
    group: 'Containers',
    run: async (args) => (await import('./attach.ts')).attachCommand(args),
  },
  pause: {
    summary: 'Hold containers still',
    group: 'Containers',
    run: async (args) => (await import('./pause.ts')).pause(args),
  },
  unpause: {
    summary: 'Let paused containers go on',
    group: 'Containers',
    run: async (args) => (await import('./pause.ts')).unpause(args),
  },
  update: {
    summary: 'Change the limits of containers',
    group: 'Containers',
    run: async (args) => (await import('./update.ts')).update(args),
  },
  rename: {
    summary: 'Give a container another name',
    group: 'Containers',
    run: async (args) => (await import('./rename.ts')).rename(args),
  },
  top: {
    summary: 'Show the processes of a container',
    group: 'Containers',
    run: async (args) => (await import('./top.ts')).top(args),
  },
  stats: {
    summary: 'Show what containers use',
    group: 'Containers',
    run: async (args) => (await import('./stats.ts')).stats(args),
  },
  inspect: {
    summary: 'Show everything about containers, images, networks or volumes',
    group: 'Containers',
    run: async (args) => (await import('./inspect.ts')).inspect(args),
  },
  cp: {
    summary: 'Copy files into a container or out of it',
    group: 'Containers',
    run: async (args) => (await import('./cp.ts')).cp(args),
  },
  port: {
    summary: 'List the published ports of a container',
    group: 'Containers',
    run: async (args) => (await import('./port.ts')).port(args),
  },
  events: {
    summary: 'Show what happens to containers, images, networks and volumes',
    group: 'This machine',
    run: async (args) => (await import('./events.ts')).eventsCommand(args),
  },
  ps: {
    summary: 'List containers',
    group: 'Containers',
    run: async (args) => (await import('./ps.ts')).ps(args),
  },
  diff: {
    summary: "Show what a container has changed of its image's files",
    group: 'Containers',
    run: async (args) => (await import('./diff.ts')).diff(args),
  },
  export: {
    summary: "Write all of a container's files to a tar archive",
    group: 'Containers',
    run: async (args) => (await import('./export.ts')).exportCommand(args),
  },
  commit: {
    summary: 'Make an image of a container',
    group: 'Images',
    run: async (args) => (await import('./commit.ts')).commit(args),
  },
  rm: {
    summary: 'Remove containers',
    group: 'Containers',
    run: async (args) => (await import('./rm.ts')).rm(args),
  },
  pull: {
    summary: 'Get an image from a registry',
    group: 'Images',
    run: async (args) => (await import('./pull.ts')).pull(args),
  },
  import: {
    summary: 'Make an image of a root file system tar',
    group: 'Images',
    run: async (args) => (await import('./import.ts')).importCommand(args),
  },
  load: {
    summary: 'Load images from an archive',
    group: 'Images',
    run: async (args) => (await import('./load.ts')).load(args),
  },
  push: {
    summary: 'Send an image to a registry',
    group: 'Images',
    run: async (args) => (await import('./push.ts')).push(args),
  },
  save: {
    summary: 'Save images to an archive',
    group: 'Images',
    run: async (args) => (await import('./save.ts')).save(args),
  },
  images: {
    summary: 'List images',
    group: 'Images',
    run: async (args) => (await import('./images.ts')).images(args),
  },
  history: {
    summary: 'Show how an image was made',
    group: 'Images',
    run: async (args) => (await import('./history.ts')).history(args),
  },
  tag: {
    summary: 'Give an image one more name',
    group: 'Images',
    run: async (args) => (await import('./tag.ts')).tag(args),
  },
  image: {
    summary: 'Work with images: inspect, prune, and all of the above',
    group: 'Images',
    run: async (args) => (await import('./image.ts')).image(args),
  },
  rmi: {
    summary: 'Remove images',
    group: 'Images',
    run: async (args) => (await import('./rmi.ts')).rmi(args),
  },
  login: {
    summary: 'Log in to a registry',
    group: 'Images',
    run: async (args) => (await import('./login.ts')).loginCommand(args),
  },
  logout: {
    summary: 'Forget the credentials for a registry',
    group: 'Images',
    run: async (args) => (await import('./logout.ts')).logoutCommand(args),
  },
  container: {
    summary: 'Work with containers: prune, and all of the above',
    group: 'Containers',
    run: async (args) => (await import('./container.ts')).container(args),
  },
  completion: {
    summary: 'Print what makes Tab complete commands and names',
    group: 'This machine',
    run: async (args) => (await import('./completion.ts')).completion(args),
  },
  __complete: {
    run: async (args) => (await import('./complete.ts')).complete(args),
  },
  network: {
    summary: 'Work with networks: create, ls, inspect, rm, connect, disconnect, prune',
    group: 'This machine',
    run: async (args) => (await import('./network.ts')).network(args),
  },
  volume: {
    summary: 'Work with volumes: create, ls, inspect, rm, prune',
    group: 'This machine',
    run: async (args) => (await import('./volume.ts')).volume(args),
  },
  info: {
    summary: 'Show what tsbox knows about this machine',
    group: 'This machine',
    run: async (args) => (await import('./info.ts')).infoCommand(args),
  },
  doctor: {
    summary: 'Check that this machine can run containers, and say how to fix what cannot',
    group: 'This machine',
    run: async (args) => (await import('./doctor.ts')).doctorCommand(args),
  },
  system: {
    summary: 'Show what tsbox takes on the disk, and clean up',
    group: 'This machine',
    run: async (args) => (await import('./system.ts')).system(args),
  },
};
