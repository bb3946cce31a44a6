import type { StoredImage } from '../../image/index.ts';
import type { RecordedNetwork } from '../network/recorded.ts';
import type { BuiltSpec } from '../spec/index.ts';
import type { Questions } from './facts.ts';
import type { KeptRequest } from './request.ts';
import type { Places } from './template.ts';

/** What is kept besides the plan, as JSON: what a container's record and configuration are made from, and how to ask again. */
export interface KeptHeader {
  key: string;
  request: KeptRequest;
  image: StoredImage;
  built: BuiltSpec;
  network: RecordedNetwork;
  /** The group's path. */
  cgroup: string;
  questions: Questions;
  facts: string;
  places: Places;
}
