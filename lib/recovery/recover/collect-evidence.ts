// Looks at everything that a diagnosis judges: each consumer, the relay and the bus by AWS's own evidence, and what a
// verification contradicted. What could not be looked at is absent from the evidence, which is not the same as "is well".

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import type { Evidence } from '../diagnose/types.ts';
import type { FillBatch } from '../gap/fill-batch.ts';
import type { ScanStates } from '../gap/scan-state.ts';
import { LEASE_MARGIN_MS } from '../lease/leases.ts';
import type { RedriveSelection } from '../redrive/request.ts';
import { matches } from '../redrive/select.ts';
import type { Findings } from '../scrub/findings.ts';
import type { Violation } from '../verify/types.ts';
import type { AwsSigns } from './aws-signs.ts';
import { type ConsumerEvidenceDeps, lookAtConsumer } from './consumer-evidence.ts';
import { integrityOf } from './damaged-streams.ts';
import { BATCHES_BYTES_MAX, fitting } from './fit.ts';

/** Open findings that are looked at: far more than a restore takes at once. */
const SCRUB_FINDINGS_MAX = 1_000;
/** Batches of one round; the next one takes the others. */
const BATCHES_MAX = 100;

export interface EvidenceDeps extends ConsumerEvidenceDeps {
  scans: Pick<ScanStates, 'results'>;
  /** Of the scrub. */
  findings: Pick<Findings, 'open'>;
  signs: AwsSigns;
}

export interface EvidenceInput {
  consumers: readonly RegisteredConsumer[];
  now: number;
  /** When the last look ended: a scan from before it says nothing about what was done since. */
  since: number;
  /** Dead letters that the recovery is to repair: all that one of these means. */
  selections: readonly RedriveSelection[];
  redrivenAt?: number;
  /** What a verification found before the repair. */
  violations?: readonly Violation[];
  /** How many it counted; more than are listed means that some are not known here. */
  violationCount?: number;
}

/** What is left to repair, over all consumers of the recovery. */
export interface Left {
  gapStreams: number;
  lagStreams: number;
  openLetters: number;
  redriving: number;
  failedAgain: number;
  /** Consumers whose gap scan has not ended since the last look: nobody knows whether they lag. */
  unscanned: number;
}

export interface CollectedEvidence {
  evidence: Evidence;
  left: Left;
  batches: FillBatch[];
  /** Oldest sign of any problem, milliseconds since 1970; undefined when there is none. */
  firstSignAt?: number;
}

export async function collectEvidence(deps: EvidenceDeps, input: EvidenceInput): Promise<CollectedEvidence> {
  const { consumers, now, since, selections, redrivenAt, violations } = input;
  const [newest] = await deps.scans.results(1);
  const scan = newest !== undefined && newest.startedAt >= since - LEASE_MARGIN_MS ? newest : undefined;
  const isSelected = (letter: DeadLetter): boolean => selections.some((selection) => matches(letter, selection));
  const looks: Awaited<ReturnType<typeof lookAtConsumer>>[] = [];
  for (const consumer of consumers) {
    const of = scan?.consumers.find(({ consumer: name }) => name === consumer.name);
    looks.push(await lookAtConsumer(deps, consumer, { scan: of, isSelected, redrivenAt }));
  }
  const aws = await deps.signs.look(consumers, now);
  const integrity = integrityOf({
    violations,
    isWhole: input.violationCount === undefined || input.violationCount === violations?.length,
    findings: await deps.findings.open(SCRUB_FINDINGS_MAX),
  });
  const signs = looks.flatMap(({ firstSignAt }) => (firstSignAt === undefined ? [] : [firstSignAt]));
  const sum = (of: (look: (typeof looks)[number]) => number): number =>
    looks.reduce((total, look) => total + of(look), 0);
  return {
    evidence: {
      at: now,
      consumers: looks.map(({ evidence }) => ({ ...evidence, ...aws.consumers.get(evidence.consumer) })),
      relay: aws.relay,
      bus: aws.bus,
      tables: aws.tables,
      deadLetterQueues: aws.deadLetterQueues,
      unanswered: aws.unanswered,
      ...(integrity && { integrity }),
    },
    left: {
      gapStreams: sum(({ gapStreams }) => gapStreams),
      lagStreams: sum(({ lagStreams }) => lagStreams),
      openLetters: sum(({ openLetters }) => openLetters),
      redriving: sum(({ redriving }) => redriving),
      failedAgain: sum(({ failedAgain }) => failedAgain),
      unscanned: sum(({ isScanned }) => (isScanned ? 0 : 1)),
    },
    batches: fitting(
      looks
        .flatMap(({ batches }) => batches)
        .toSorted((a, b) => a.tries - b.tries)
        .slice(0, BATCHES_MAX)
        .map(({ consumer, from, to }) => ({ consumer, from, to })),
      BATCHES_BYTES_MAX,
    ),
    firstSignAt: signs.length === 0 ? undefined : signs.reduce((oldest, sign) => Math.min(oldest, sign)),
  };
}
