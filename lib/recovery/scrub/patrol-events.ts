// The patrol of the Events table, item by item in the order of a scan: whole streams come together, their versions ascending,
// and a page of the scan can end inside of a stream. The carry is the chain of the stream that is being read.

import { streamId as checkStreamId } from '../../model/ids.ts';
import { beginChain, type Chain, extendChain } from './chain.ts';
import { type FinishDeps, finishStream, type StreamEnd } from './finish-stream.ts';
import type { Item } from './item.ts';
import type { Damage } from './types.ts';

export interface EventsLook {
  carry?: Chain;
  damages: Damage[];
  ended: StreamEnd[];
}

/** Streams of the relay and the local system, which hold no events. */
const RESERVED = '$';

/** @param isEnd the table ends behind these items */
export async function lookAtEventItems(
  deps: FinishDeps,
  carry: Chain | undefined,
  items: readonly Item[],
  isEnd: boolean,
): Promise<EventsLook> {
  const damages: Damage[] = [];
  const chains: Chain[] = [];
  let chain = carry;
  for (const item of items) {
    const { streamId } = item;
    if (typeof streamId !== 'string' || streamId.startsWith(RESERVED)) continue;
    if (!isStreamId(streamId)) {
      damages.push(nowhere(item, streamId));
      continue;
    }
    if (chain?.streamId !== streamId) {
      if (chain !== undefined) chains.push(chain);
      chain = beginChain(streamId, deps.now());
    }
    const extended = extendChain(chain, item);
    damages.push(...extended.damages);
    chain = extended.chain;
  }
  if (isEnd && chain !== undefined) {
    chains.push(chain);
    chain = undefined;
  }
  // After the items were read: a head moves after its commits.
  const heads = await deps.reads.heads(chains.map(({ streamId }) => streamId));
  const ended: StreamEnd[] = [];
  for (const each of chains) ended.push(await finishStream(deps, each, heads.get(each.streamId)));
  return { ...(chain && { carry: chain }), damages, ended };
}

function isStreamId(raw: string): boolean {
  try {
    return checkStreamId(raw) === raw;
  } catch {
    return false;
  }
}

/** No append makes such a stream. */
const nowhere = ({ version }: Item, streamId: string): Damage => ({
  kind: 'foreign-item',
  streamId: streamId.slice(0, STREAM_ID_SHOWN),
  from: 0,
  to: 0,
  detail: 'an item stands under a stream id that no stream can have',
  evidence: { key: String(version), streamIdBytes: Buffer.byteLength(streamId) },
});
const STREAM_ID_SHOWN = 256;
