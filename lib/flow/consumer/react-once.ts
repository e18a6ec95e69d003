// One call of the consumer's react, with an end: it throws, returns, or is told to abort and then waited for no longer. A
// react that ignores the signal may still be running afterwards; what it returns is ignored, and fencing refuses the rest.

import type { Event } from '../../model/event.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { type AtOnceOrLater, isPromise } from './at-once.ts';
import { DeadlineError } from './deadline.ts';
import { checkWrites } from './own-writes.ts';
import type { ReactContext } from './port.ts';
import { type Batch, count } from './run.ts';

export type ReactEnd =
  | { kind: 'done'; writes: readonly Write[]; bytes: number }
  /** `permanent`: no later try can end differently. */
  | { kind: 'failed'; error: unknown; permanent: boolean }
  /** `counts`: it had the whole invocation, so it is to blame. */
  | { kind: 'deadline'; error: DeadlineError; counts: boolean };

/** At once where the react returns no promise: a long stream of such reacts then waits for nothing but its reads. */
export function reactOnce(
  batch: Batch,
  event: Event,
  { attempt, replay }: { attempt: number; replay?: ReactContext['replay'] },
): AtOnceOrLater<ReactEnd> {
  const { engine, deadline } = batch;
  // A process that slept past its end (a frozen one, say) must not begin an effect: a newer holder may have done it already.
  // Timers are not to be trusted here: whoever wakes up may see the answer before the abort.
  if (deadline.isOver()) return { kind: 'deadline', error: new DeadlineError(), counts: false };
  const isFirst = batch.reactsBegun === 0;
  batch.reactsBegun += 1;
  const startedAt = engine.world.clock.now();
  const context: ReactContext = {
    consumer: engine.declaration.name,
    attempt,
    ...(replay && { replay }),
    correlationId: event.metadata.correlationId,
    remainingMs: () => deadline.remainingMs(),
    signal: deadline.signal,
  };
  const ended = (end: ReactEnd): ReactEnd => {
    const durationMs = engine.world.clock.now() - startedAt;
    engine.metrics.count('ReactDuration', durationMs, 'Milliseconds', { consumer: engine.declaration.name });
    return end;
  };
  const thrown = (error: unknown): ReactEnd => {
    if (!deadline.signal.aborted) return ended({ kind: 'failed', error, permanent: false });
    count(engine, 'ReactDeadlines');
    return ended({ kind: 'deadline', error: new DeadlineError(), counts: isFirst });
  };
  const returned = (writes: unknown): ReactEnd => {
    const checked = checkWrites(writes, { effects: engine.declaration.effects, ownTables: engine.ownTables });
    if (checked.kind === 'ok') return ended({ kind: 'done', writes: checked.writes, bytes: checked.bytes });
    return ended({ kind: 'failed', error: new RefusedWritesError(checked.code, checked.message), permanent: true });
  };
  try {
    deadline.signal.throwIfAborted();
    const running = engine.react(event, context);
    if (!isPromise(running)) return returned(running);
    return orDeadline(running, deadline.signal).then(returned).catch(thrown);
  } catch (error) {
    return thrown(error);
  }
}

/** What a dead letter names when react returned, but its writes can never be committed. */
export class RefusedWritesError extends Error {
  override readonly name: string;
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = code;
    this.code = code;
  }
}

async function orDeadline<Result>(running: PromiseLike<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([running, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
