// What our own tables and the queue say about one consumer: gaps and lag by the scan that has just run, open gaps as batches
// to fill, dead letters by fingerprint. Reads only; every list is bounded.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import type { ConsumerEvidence } from '../diagnose/types.ts';
import { FILL_BATCH_STREAMS, type FillBatch } from '../gap/fill-batch.ts';
import type { OpenGaps } from '../gap/open-gaps.ts';
import type { ConsumerScan, QueueSigns } from '../gap/port.ts';
import { ROUNDS_MAX } from '../redrive/select.ts';

/** Rows read per consumer and kind: enough to tell one event from a storm, and a bound on time. */
export const ROWS_MAX = 10_000;
const STATUSES = ['parked', 'skipped', 'redriving'] as const;

export interface ConsumerEvidenceDeps {
  openGaps: Pick<OpenGaps, 'list'>;
  deadLetters: Pick<DeadLetters, 'list'>;
  queues: QueueSigns;
}

export interface ConsumerLook {
  evidence: ConsumerEvidence;
  /** Least tried first. */
  batches: (FillBatch & { tries: number })[];
  /** Streams with gaps, and streams whose events are still on their way. */
  gapStreams: number;
  lagStreams: number;
  /** Of the selected dead letters: not settled yet; given back and under way; failed since the given moment. */
  openLetters: number;
  redriving: number;
  failedAgain: number;
  firstSignAt?: number;
  /** A scan of it has ended since the last look. */
  isScanned: boolean;
}

export interface LookOptions {
  /** What the scan that has just run says; absent when there is none that is fresh. */
  scan?: ConsumerScan;
  /** Which dead letters are to be repaired. */
  isSelected(letter: DeadLetter): boolean;
  /** When they were given back. */
  redrivenAt?: number;
}

export async function lookAtConsumer(
  deps: ConsumerEvidenceDeps,
  { name, queueUrl }: RegisteredConsumer,
  options: LookOptions,
): Promise<ConsumerLook> {
  const { scan } = options;
  const gaps = await openGapsOf(deps, name);
  const letters = await lettersOf(deps, name, options);
  const visible = await deps.queues.messages(queueUrl);
  const gapStreams = scan?.gaps ?? gaps.rows;
  const evidence: ConsumerEvidence = {
    consumer: name,
    gapEvents: scan?.gapEvents ?? gaps.events,
    gapStreams,
    deadLetters: letters.groups,
    ...(visible === undefined ? {} : { queue: { visible, inFlight: 0 } }),
    ...(scan === undefined && { unscanned: true }),
    ...(scan && {
      lagEvents: scan.lagEvents - scan.gapEvents,
      lagSeconds: scan.lagSeconds,
      parkedStreams: scan.parked,
      unknown: scan.state === 'unknown',
      backfillWaiting: scan.backfill !== undefined,
    }),
  };
  const signs = [...(gapStreams > 0 ? gaps.signs : []), ...letters.signs];
  const { openLetters, redriving, failedAgain } = letters;
  return {
    evidence,
    batches: gapStreams > 0 ? gaps.batches : [],
    isScanned: scan !== undefined,
    gapStreams,
    lagStreams: scan?.lagging ?? 0,
    openLetters,
    redriving,
    failedAgain,
    firstSignAt: signs.length === 0 ? undefined : signs.reduce((oldest, sign) => Math.min(oldest, sign)),
  };
}

async function openGapsOf({ openGaps }: ConsumerEvidenceDeps, consumer: RegisteredConsumer['name']) {
  const found = { rows: 0, events: 0, signs: [] as number[], batches: [] as ConsumerLook['batches'] };
  for await (const { streamId, from, to, openedAt, tries } of openGaps.list(consumer)) {
    const last = found.batches.at(-1);
    if (last === undefined || found.rows % FILL_BATCH_STREAMS === 0) {
      found.batches.push({ consumer, from: streamId, to: streamId, tries });
    } else {
      Object.assign(last, { to: streamId, tries: Math.min(last.tries, tries) });
    }
    found.rows += 1;
    found.events += to - from + 1;
    found.signs.push(openedAt);
    if (found.rows === ROWS_MAX) break;
  }
  found.batches.sort((a, b) => a.tries - b.tries);
  return found;
}

async function lettersOf(
  { deadLetters }: ConsumerEvidenceDeps,
  consumer: RegisteredConsumer['name'],
  { isSelected, redrivenAt = Number.POSITIVE_INFINITY }: LookOptions,
) {
  const groups = new Map<string, NonNullable<ConsumerEvidence['deadLetters']>[number]>();
  const found = { openLetters: 0, redriving: 0, failedAgain: 0, signs: [] as number[] };
  for (const status of STATUSES) {
    let rows = 0;
    for await (const letter of deadLetters.list({ consumer, status })) {
      found.signs.push(letter.firstFailedAt);
      if (isSelected(letter)) {
        if (status === 'redriving') found.redriving += 1;
        else if (letter.lastFailedAt >= redrivenAt || letter.rounds >= ROUNDS_MAX) found.failedAgain += 1;
        found.openLetters += 1;
      }
      if (status !== 'redriving') addTo(groups, letter);
      rows += 1;
      if (rows === ROWS_MAX) break;
    }
  }
  return { ...found, groups: [...groups.values()] };
}

function addTo(
  groups: Map<string, NonNullable<ConsumerEvidence['deadLetters']>[number]>,
  { fingerprint, error, rounds, lastFailedAt }: DeadLetter,
): void {
  const group = groups.get(fingerprint);
  groups.set(fingerprint, {
    fingerprint,
    errorName: error.name,
    count: (group?.count ?? 0) + 1,
    rounds: Math.max(rounds, group?.rounds ?? 0),
    newestAt: Math.max(lastFailedAt, group?.newestAt ?? 0),
  });
}
