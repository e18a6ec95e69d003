// One batch of a recovery: the open gaps of one consumer in a range of streams are looked at again, filled rows closed, and
// the others' consumer woken up. Beside a running scan it does no harm: rows change conditionally, a wake-up too many is nothing.

import type { Registry } from '../../flow/registry/port.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Position, StreamId } from '../../model/ids.ts';
import type { ScanBounds } from './decide-stream.ts';
import { type ConsumerScanDeps, scanConsumer } from './scan-consumer.ts';

/** Streams of one batch: their checkpoints are two BatchGetItems, their wake-ups twenty SendMessageBatches. */
export const FILL_BATCH_STREAMS = 200;

export interface FillBatch {
  consumer: string;
  /** First and last stream, by the order of their ids. */
  from: string;
  to: string;
}

export interface FilledBatch {
  kind: 'filled';
  consumer: string;
  gaps: number;
  wakeUps: number;
  /** Why nobody was woken up: no plan could be made. The recovery's next round tries again. */
  notPlanned?: string;
  resolved: number;
}

/** @throws EventRecoveryError `UNKNOWN_CONSUMER` */
export async function fillBatch(
  deps: ConsumerScanDeps & { registry: Pick<Registry, 'list'> },
  batch: FillBatch,
  bounds: ScanBounds,
): Promise<FilledBatch> {
  const active = (await deps.registry.list()).filter(({ status }) => status === 'active');
  const consumer = active.find(({ name }) => name === batch.consumer);
  if (consumer === undefined) {
    throw new EventRecoveryError('UNKNOWN_CONSUMER', `consumer "${batch.consumer}" is not deployed`, {
      facts: { consumer: batch.consumer },
    });
  }
  const range = { from: batch.from as StreamId, to: batch.to as StreamId };
  const { openGaps } = deps;
  const { gaps, wakeUps, notPlanned, resolved } = await scanConsumer(
    { ...deps, openGaps: { ...openGaps, list: (name) => openGaps.list(name, range) } },
    {
      consumer,
      owed: new Map(),
      scannedTo: 0 as Position,
      isUnknown: false,
      bounds,
      maxWakeUps: FILL_BATCH_STREAMS,
      dryRun: false,
      remainingMs: () => Number.POSITIVE_INFINITY,
      reads: { checkpoints: 0, openGaps: 0 },
    },
  );
  return {
    kind: 'filled',
    consumer: consumer.name,
    gaps,
    wakeUps,
    resolved,
    ...(notPlanned !== undefined && { notPlanned }),
  };
}
