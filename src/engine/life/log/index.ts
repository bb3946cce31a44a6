/**
 * The log of a container: `container.log` in its directory, and older ones, `container.log.1` and so on, in the format of CRI. The monitor
 * writes it (native/monitor-log.h), and for a container in the foreground its tsbox does; here it is read.
 */
export { type LogLine, parseLine } from './line.ts';
export { moment } from './moment.ts';
export { type LogOptions, readLog, readLogBatches } from './read.ts';
