// The consumer engine: one batch of messages, stream by stream. Streams that wait long for their turn come first, each by
// itself; then the others, a few at a time; then those under suspicion, each by itself; then redeliveries. A message is
// acknowledged only when it left a trace; what fails in one stream is that stream's failure.

import { errorFacts } from '../../platform/logging.ts';
import { createDeadline } from './deadline.ts';
import type { BatchResult, ConsumerEngine, EngineDeps, Invocation } from './engine-port.ts';
import type { ParsedMessage } from './messages.ts';
import { redeliver } from './redeliver.ts';
import { type Batch, count, type Engine, type StreamRun, tell } from './run.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { groupByStream, type RedeliverWork, type StreamWork } from './stream-work.ts';
import { type StreamEnd, workAlone, workStream } from './work-stream.ts';

/**
 * @example
 * const engine = createConsumerEngine({ declaration, react, eventStore, checkpoints, markers, deadLetters, ...rest });
 * const { failedMessageIds } = await engine.handleBatch(messages, { remainingMs, requestId });
 */
export function createConsumerEngine(deps: EngineDeps): ConsumerEngine {
  const engine: Engine = { ...deps, settings: { ...DEFAULT_SETTINGS, ...deps.settings } };
  return { handleBatch: (messages, invocation) => handleBatch(engine, messages, invocation) };
}

async function handleBatch(
  engine: Engine,
  messages: readonly ParsedMessage[],
  invocation: Invocation,
): Promise<BatchResult> {
  const deadline = createDeadline(engine.world.timers, invocation);
  const batch: Batch = { engine, deadline, requestId: invocation.requestId, reactsBegun: 0 };
  try {
    return { failedMessageIds: await failedMessages(batch, messages) };
  } finally {
    deadline.dispose();
  }
}

async function failedMessages(batch: Batch, messages: readonly ParsedMessage[]): Promise<string[]> {
  const { settings } = batch.engine;
  const works = groupByStream(messages);
  try {
    await batch.engine.registration({ fresh: false });
  } catch (error) {
    count(batch.engine, 'StreamsFailed', works.length);
    for (const work of works) tell(batch, 'error', 'consumer is not registered', work, { error: errorFacts(error) });
    return messages.map(({ messageId }) => messageId);
  }
  const failed: string[] = [];
  const note = (work: StreamWork, { kind }: StreamEnd) => {
    if (kind === 'fail') failed.push(...work.messageIds);
  };

  const wakeUps = works.filter(({ messageIds }) => messageIds.length > 0);
  const waitsLong = ({ hops }: StreamWork) => hops >= settings.precedenceHops;
  const first = wakeUps.filter(waitsLong).sort((a, b) => b.hops - a.hops);
  for (const work of first) note(work, await workStream(batch, work, true));

  const suspects: StreamRun[] = [];
  const others = wakeUps.filter((work) => !waitsLong(work));
  await inParallel(others, settings.parallelStreams, async (work) => {
    const end = await workStream(batch, work, false);
    if (end.kind === 'needs-alone') suspects.push(end.run);
    else note(work, end);
  });
  for (const run of suspects) note(run.work, await workAlone(run));

  const redeliveries = works.map(({ redeliveries }) => redeliveries);
  const fresh = redeliveries.map(only(isFirstTime));
  // One that came back may be what ended the function: nothing else is in flight then.
  const again = fromBothEnds(redeliveries.map(only((one) => !isFirstTime(one))));
  const redeliverOne = async (one: RedeliverWork) => {
    if ((await redeliver(batch, one)) === 'fail') failed.push(one.messageId);
  };
  await inParallel(fresh, settings.parallelStreams, async (ofOneStream) => {
    for (const one of ofOneStream) await redeliverOne(one);
  });
  for (const one of again) await redeliverOne(one);
  return failed;
}

const isFirstTime = ({ receiveCount }: RedeliverWork): boolean => receiveCount <= 1;
const only =
  (keep: (one: RedeliverWork) => boolean) =>
  (some: readonly RedeliverWork[]): RedeliverWork[] =>
    some.filter(keep);

/**
 * One by one until the function ends once more: from one end of the streams, and the next time from the other, so that all come
 * to their turn but the one that ends it.
 */
function fromBothEnds(streams: readonly RedeliverWork[][]): RedeliverWork[] {
  const some = streams.filter(({ length }) => length > 0);
  const name = ([first]: RedeliverWork[]): string => first?.body.streamId ?? '';
  const ordered = some.toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
  const receives = Math.max(0, ...some.flat().map(({ receiveCount }) => receiveCount));
  return (receives % 2 === 0 ? ordered : ordered.reverse()).flat();
}

/** Each worker takes the next item when it is done with one; `work` must not throw. */
async function inParallel<Item>(
  items: readonly Item[],
  workers: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  if (items.length === 0) return;
  if (items.length === 1) return work(items[0] as Item);
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, worker));
}
