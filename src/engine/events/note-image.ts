import { noteEvents } from './note.ts';

/** Writes down what has happened to an image. @param name what it is called by, if anything */
export function noteImage(action: string, id: string, name: string | undefined): void {
  noteEvents({ type: 'image', action, id, attributes: name ? { name } : {} });
}
