/** What is done to containers that exist: holding them still, changing their limits and names, looking at what is in them and what they use. */
export { pauseContainer, unpauseContainer } from './pause.ts';
export { containerPorts, publishedPorts } from './port.ts';
export { renameContainer } from './rename.ts';
export { type ContainerSample, type SampleOptions, sampleContainers } from './stats.ts';
export { topProcesses } from './top.ts';
export { type UpdateOptions, updateContainer } from './update.ts';
