// Looks at the consumers: open gaps (as the last scan left them), dead letters by fingerprint, messages in the queues. What
// is not looked at is absent from the evidence: event source mappings, rules, metrics, scrub findings. Reads only.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { ConsumerEvidence, Evidence } from '../diagnose/types.ts';
import type { OpenGaps } from '../gap/open-gaps.ts';
import type { QueueSigns } from '../gap/port.ts';
import { ROUNDS_MAX } from '../redrive/select.ts';

/** Rows read per consumer and kind: enough to tell one event from a storm, and a bound on time. */
export const ROWS_MAX = 10_000;
const STATUSES = ['parked', 'skipped', 'redriving'] as const;

export interface EvidenceDeps {
  openGaps: Pick<OpenGaps, 'list'>;
  deadLetters: Pick<DeadLetters, 'list'>;
  queues: QueueSigns;
}

export interface CollectedEvidence {
  evidence: Evidence;
  /** Oldest sign of any problem, milliseconds since 1970; undefined when there is none. */
  firstSignAt?: number;
  gapStreams: number;
  /** Dead letters that are not settled, redriving ones included. */
  openLetters: number;
  /** Of them, those whose rounds are used up. */
  exhausted: number;
}

export async function collectEvidence(
  deps: EvidenceDeps,
  consumers: readonly RegisteredConsumer[],
  now: number,
): Promise<CollectedEvidence> {
  const looked: Awaited<ReturnType<typeof lookAt>>[] = [];
  for (const consumer of consumers) looked.push(await lookAt(deps, consumer));
  const signs = looked.flatMap(({ firstSignAt }) => (firstSignAt === undefined ? [] : [firstSignAt]));
  const sum = (of: (one: (typeof looked)[number]) => number): number =>
    looked.reduce((total, one) => total + of(one), 0);
  return {
    evidence: { at: now, consumers: looked.map(({ evidence }) => evidence) },
    firstSignAt: signs.length === 0 ? undefined : Math.min(...signs),
    gapStreams: sum(({ evidence }) => evidence.gapStreams ?? 0),
    openLetters: sum(({ openLetters }) => openLetters),
    exhausted: sum(({ exhausted }) => exhausted),
  };
}

async function lookAt({ openGaps, deadLetters, queues }: EvidenceDeps, { name, queueUrl }: RegisteredConsumer) {
  const signs: number[] = [];
  let gapEvents = 0;
  let gapStreams = 0;
  for await (const gap of openGaps.list(name)) {
    gapStreams += 1;
    gapEvents += gap.to - gap.from + 1;
    signs.push(gap.openedAt);
    if (gapStreams === ROWS_MAX) break;
  }
  const groups = new Map<string, NonNullable<ConsumerEvidence['deadLetters']>[number]>();
  let openLetters = 0;
  let exhausted = 0;
  for (const status of STATUSES) {
    let rows = 0;
    for await (const letter of deadLetters.list({ consumer: name, status })) {
      openLetters += 1;
      if (letter.rounds >= ROUNDS_MAX && status !== 'redriving') exhausted += 1;
      signs.push(letter.firstFailedAt);
      if (status !== 'redriving') {
        const { fingerprint, error, rounds, lastFailedAt } = letter;
        const group = groups.get(fingerprint);
        groups.set(fingerprint, {
          fingerprint,
          errorName: error.name,
          count: (group?.count ?? 0) + 1,
          rounds: Math.max(rounds, group?.rounds ?? 0),
          newestAt: Math.max(lastFailedAt, group?.newestAt ?? 0),
        });
      }
      rows += 1;
      if (rows === ROWS_MAX) break;
    }
  }
  const visible = await queues.messages(queueUrl);
  const evidence: ConsumerEvidence = {
    consumer: name,
    gapEvents,
    gapStreams,
    deadLetters: [...groups.values()],
    ...(visible === undefined ? {} : { queue: { visible, inFlight: 0 } }),
  };
  const firstSignAt = signs.reduce<number | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
  return { evidence, openLetters, exhausted, firstSignAt };
}
