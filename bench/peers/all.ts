// The peers, each optional: those that are here are opened, the others say in a line why not.
import { Absent, type Peer } from '../contender.js';
import { openDeepbox } from './deepbox.js';
import { openOnnxRuntime } from './onnxruntime.js';
import { openTensorFlow } from './tensorflow.js';
import { openTorch } from './pytorch.js';

const OPENERS: Readonly<Record<string, () => Promise<Peer>>> = {
  pytorch: openTorch,
  onnxruntime: openOnnxRuntime,
  tensorflow: openTensorFlow,
  deepbox: openDeepbox,
};

export const peerNames: readonly string[] = Object.keys(OPENERS);

export interface Opened {
  readonly peers: Peer[];
  /** Name and reason of those that are not here. */
  readonly skipped: { readonly name: string; readonly reason: string }[];
}

export async function openPeers(names: readonly string[]): Promise<Opened> {
  const opened: Opened = { peers: [], skipped: [] };
  for (const name of names) {
    try {
      opened.peers.push(await OPENERS[name]!());
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      opened.skipped.push({ name, reason: error.message });
    }
  }
  return opened;
}
