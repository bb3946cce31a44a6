/** A name for a container that was given none: easier to type than an id. Two thousand of them; a number is added once they run out. */
export function randomName(attempt: number): string {
  const name = `${pick(QUALITIES)}_${pick(THINGS)}`;
  return attempt < 8 ? name : `${name}${Math.floor(Math.random() * 1e6)}`;
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] as string;
}

const QUALITIES = (
  'able airy amber bold brave brisk calm clear clever cool crisp deft eager early easy fair fast fine firm fond free ' +
  'fresh glad golden grand happy keen kind light lively lucid mild neat nimble noble plain proud quick quiet rapid ready ' +
  'sharp steady sunny swift tidy warm wise'
).split(' ');

// From the workshop of an operating system.
const THINGS = (
  'anchor barrel beacon branch bridge buffer cabin canal cargo compass crane daemon deck dock engine ferry fork galley ' +
  'harbor hatch hull inode jetty keel kernel lantern link lock mast mount orphan page pier pilot pipe port process queue ' +
  'raft reaper rudder sail shell signal socket thread tide zombie'
).split(' ');
