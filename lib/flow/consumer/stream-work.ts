// A batch as work per stream: SQS mixes streams, repeats and reorders, so the first thing is to forget the order of the
// messages. Pure. A payload is kept only while everything that was delivered about its stream agrees.

import type { StreamId, Version } from '../../model/ids.ts';
import type { DeliveredEvent, ParsedMessage, Redeliver, WakeUp } from './messages.ts';

export interface RedeliverWork {
  messageId: string;
  receiveCount: number;
  body: Redeliver;
}

export interface StreamWork {
  streamId: StreamId;
  /** Ids of the messages that are acknowledged, or come back, together. Empty when there are only redeliveries. */
  messageIds: string[];
  /** Highest version that a message of this batch announces. */
  wanted: Version;
  /** One of the messages was sent by the consumer itself or by an operator. */
  forced: boolean;
  /** Most continuations without progress of any message. */
  hops: number;
  /** Of the message with the highest version. */
  correlationId: string;
  replayId?: string;
  /** With it: up to which version that replay asked. */
  replayTo?: Version;
  /** Bodies that may be used instead of reading the store. */
  delivered: ReadonlyMap<Version, DeliveredEvent>;
  redeliveries: RedeliverWork[];
}

/** These wait while a failed event waits for its next try. */
const WAITING: ReadonlySet<WakeUp['reason']> = new Set(['event', 'stream-moved', 'back-up']);

const furthest = (bodies: readonly WakeUp[], id: string): Version =>
  bodies.reduce<number>((to, { replayId, version }) => (replayId === id ? Math.max(to, version) : to), 0) as Version;

/** In the order in which the streams appear in the batch. */
export function groupByStream(messages: readonly ParsedMessage[]): StreamWork[] {
  const groups = new Map<StreamId, ParsedMessage[]>();
  for (const message of messages) {
    const { streamId } = message.body;
    groups.set(streamId, [...(groups.get(streamId) ?? []), message]);
  }
  return [...groups].map(([streamId, group]) => streamWork(streamId, group));
}

function streamWork(streamId: StreamId, messages: readonly ParsedMessage[]): StreamWork {
  const wakeUps = messages.flatMap(({ messageId, body }) => (body.kind === 'wake-up' ? [{ messageId, body }] : []));
  const bodies = wakeUps.map(({ body }) => body);
  const newest = bodies.reduce<WakeUp | undefined>(
    (a, b) => (a === undefined || b.version > a.version ? b : a),
    undefined,
  );
  const replayId = bodies.find((body) => body.replayId !== undefined)?.replayId;
  return {
    streamId,
    messageIds: wakeUps.map(({ messageId }) => messageId),
    wanted: newest?.version ?? (0 as Version),
    forced: bodies.some(({ reason }) => !WAITING.has(reason)),
    hops: Math.max(0, ...bodies.map(({ hops }) => hops)),
    correlationId: newest?.correlationId ?? '',
    ...(replayId !== undefined && { replayId, replayTo: furthest(bodies, replayId) }),
    delivered: trustedPayloads(bodies.flatMap(({ delivered }) => (delivered === undefined ? [] : [delivered]))),
    redeliveries: messages.flatMap(({ messageId, receiveCount, body }) =>
      body.kind === 'redeliver' ? [{ messageId, receiveCount, body }] : [],
    ),
  };
}

/**
 * Bodies by version, or none at all when two messages contradict each other: the digest is folded over the commit hash,
 * so a wrong one would look like damage for ever. The store then says which of them is right.
 */
export function trustedPayloads(delivered: readonly DeliveredEvent[]): ReadonlyMap<Version, DeliveredEvent> {
  const byVersion = new Map<Version, DeliveredEvent>();
  const hashes = new Map<Version, string>();
  for (const payload of delivered) {
    const { event, commitHash, commitVersion } = payload;
    const { version } = event.metadata;
    const twin = byVersion.get(version);
    const isImpossible = version < 1 || commitVersion < 1 || commitVersion > version;
    const contradictsTwin = twin !== undefined && (twin.event.id !== event.id || twin.commitVersion !== commitVersion);
    const contradictsCommit = (hashes.get(commitVersion) ?? commitHash) !== commitHash;
    if (isImpossible || contradictsTwin || contradictsCommit) return new Map();
    byVersion.set(version, payload);
    hashes.set(commitVersion, commitHash);
  }
  return byVersion;
}
