// One call of react: whether it begins at all, and how it ends.

import { describe, expect, it } from '@jest/globals';
import type { Deadline } from '../../../lib/flow/consumer/deadline.ts';
import { reactOnce } from '../../../lib/flow/consumer/react-once.ts';
import type { Batch, Engine } from '../../../lib/flow/consumer/run.ts';
import type { Event } from '../../../lib/model/event.ts';
import { eventId, eventType, streamId, version } from '../../../lib/model/ids.ts';
import { silentMetrics } from '../../../lib/platform/metrics.ts';

const event: Event = {
  id: eventId('e1'),
  streamId: streamId('order-1'),
  type: eventType('OrderPlaced'),
  data: {},
  metadata: { timestamp: new Date(0), version: version(1), correlationId: 'e1', causationId: 'e1' },
};

function batchWith(
  deadline: Partial<Deadline>,
  returned?: Promise<undefined>,
): { batch: Batch; reacted: () => number } {
  let reacted = 0;
  const engine = {
    declaration: { name: 'mailer', effects: 'idempotent' },
    ownTables: [],
    world: { clock: { now: () => 0 } },
    metrics: silentMetrics,
    react: () => {
      reacted += 1;
      return returned;
    },
  } as unknown as Engine;
  const open: Deadline = {
    remainingMs: () => 5_000,
    isNear: () => false,
    isOver: () => false,
    leavesFairTime: () => true,
    signal: new AbortController().signal,
    dispose: () => undefined,
  };
  return {
    batch: { engine, deadline: { ...open, ...deadline }, requestId: 'request', reactsBegun: 0 },
    reacted: () => reacted,
  };
}

describe('one call of react', () => {
  it('reacts while there is time', async () => {
    const { batch, reacted } = batchWith({});
    expect(await reactOnce(batch, event, { attempt: 1 })).toMatchObject({ kind: 'done' });
    expect({ reacted: reacted(), begun: batch.reactsBegun }).toEqual({ reacted: 1, begun: 1 });
  });

  it('does not begin in a process that slept past its end, and blames nobody', async () => {
    const { batch, reacted } = batchWith({ isOver: () => true, remainingMs: () => 0 });
    expect(await reactOnce(batch, event, { attempt: 1 })).toMatchObject({ kind: 'deadline', counts: false });
    expect({ reacted: reacted(), begun: batch.reactsBegun }).toEqual({ reacted: 0, begun: 0 });
  });

  it('ends at once when react returns no promise: a long stream takes no turn of the loop for each event', () => {
    expect(reactOnce(batchWith({}).batch, event, { attempt: 1 })).toMatchObject({ kind: 'done', writes: [] });
  });

  it('waits for a react that returns a promise, and takes its rejection as the failure of the event', async () => {
    const error = new Error('no');
    const { batch } = batchWith({}, Promise.reject(error));
    const end = reactOnce(batch, event, { attempt: 1 });
    expect(end).toBeInstanceOf(Promise);
    expect(await end).toEqual({ kind: 'failed', error, permanent: false });
  });
});
