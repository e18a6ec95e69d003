// Writes down what looks have found, wakes the relay for what never reached the log, and closes what is well again. A row is
// written before the patrol's state moves past it, so a scrub that dies between the two meets the damage once more.

import type { LogEntry } from '../../flow/log/port.ts';
import type { Continuations } from '../../flow/relay/port.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { type DamageAnnouncements, damageFound } from './announcements.ts';
import { blame } from './blame.ts';
import { type Findings, findingId } from './findings.ts';
import type { StreamEnd } from './finish-stream.ts';
import type { Reads } from './reads.ts';
import { type Damage, type DamageKind, type Finding, STORE_DAMAGE } from './types.ts';

export interface RecorderDeps {
  reads: Reads;
  findings: Findings;
  continuations: Continuations;
  announcements: DamageAnnouncements;
  now: () => number;
  logger: Logger;
  metrics: Metrics;
}

export interface Recorder {
  /** Findings written or met again, as they are named in the rows. */
  readonly met: Damage[];
  readonly closed: Finding[];
  readonly handedOver: number;
  record(damages: readonly Damage[]): Promise<void>;
  /** The stream was looked at from its first item to its end. */
  streamEnded(end: StreamEnd): Promise<void>;
  /** A look that began at `before` met every damage of these kinds that there is (in this stream). */
  closeUnmet(kinds: readonly DamageKind[], before: number, streamId?: string): Promise<void>;
  /** The log holds these commits: no finding may say that it does not. */
  logHolds(entries: readonly LogEntry[]): Promise<void>;
  /**
   * Every page of the log was read since the stream of these findings was looked at, and none held them: the relay is woken up
   * for those that a search of their own could not answer.
   * @param since the rotation's beginning
   * @param until the log patrol's beginning
   */
  handOverUnanswered(since: number, until: number): Promise<void>;
  /** Tells the bus what it was not told yet. */
  announce(): Promise<void>;
  /** When open damage of this stream was met last; 0 = none is open. */
  lastSeenAt(streamId: string): number;
  /** Findings that are open now, as far as they are kept in memory. */
  openNow(): number;
}

/** What the look at a whole stream judges. */
const STREAM_KINDS: readonly DamageKind[] = [...STORE_DAMAGE, 'unsequenced-commit'];
/** Findings kept in memory, about 1 KB each. More than this are announced and closed by later scrubs. */
export const OPEN_MAX = 10_000;
/** Wake-ups to the relay in one scrub; the rest is handed over by the next look. */
const HAND_OVERS_MAX = 100;

export async function createRecorder(deps: RecorderDeps): Promise<Recorder> {
  const { reads, findings, continuations, announcements, now, logger, metrics } = deps;
  const open = new Map((await findings.open(OPEN_MAX)).map((finding) => [finding.id, finding]));
  const met: Damage[] = [];
  const closed: Finding[] = [];
  let handedOver = 0;

  async function handOver(streamId: string, target: number, id: string): Promise<void> {
    if (handedOver >= HAND_OVERS_MAX) return;
    handedOver += 1;
    await continuations.send({ format: WAKE_UP_FORMAT, streamId, target, hops: 0 });
    await findings.mark(id, 'handedOverAt', now());
    logger.warn('commits that never reached the log: the relay was woken up', { streamId, target });
  }

  /** @param before a look that began then met it no more */
  async function close(finding: Finding, before: number): Promise<void> {
    if (!(await findings.close(finding.id, before, now()))) return;
    open.delete(finding.id);
    closed.push(finding);
    logger.info('damage is repaired', { findingId: finding.id, kind: finding.kind, streamId: finding.streamId });
  }

  const recorder: Recorder = {
    met,
    closed,
    get handedOver() {
      return handedOver;
    },
    async record(damages) {
      for (const found of damages) {
        const damage = found.kind === 'fork' ? await blame(reads, found) : found;
        const at = now();
        const { id, isNew } = await findings.record(damage, at);
        met.push(damage);
        const known = open.get(id);
        open.set(id, {
          seen: 0,
          firstSeenAt: at,
          ...known,
          ...damage,
          id,
          source: 'scrub',
          status: 'open',
          lastSeenAt: at,
        });
        if (!isNew) continue;
        metrics.count('DamagesFound', 1, 'Count', { kind: damage.kind });
        const { kind, streamId, from, to, detail } = damage;
        logger.error('damage was found', { findingId: id, kind, streamId, from, to, detail });
      }
    },
    async streamEnded({ chain, damages, handOver: work }) {
      await recorder.record(damages);
      const { streamId, startedAt } = chain;
      if (work !== undefined) {
        const damage = damages.find(({ kind }) => kind === 'unsequenced-commit');
        if (damage !== undefined) await handOver(streamId, work.target, findingId(damage));
      }
      await recorder.closeUnmet(STREAM_KINDS, startedAt, streamId);
    },
    async closeUnmet(kinds, before, streamId) {
      for (const finding of open.values()) {
        const isMeant = kinds.includes(finding.kind) && (streamId === undefined || finding.streamId === streamId);
        if (!isMeant || finding.lastSeenAt >= before) continue;
        await close(finding, before);
      }
    },
    async logHolds(entries) {
      for (const finding of [...open.values()].filter(({ kind }) => kind === 'unsequenced-commit')) {
        const isHeld = ({ streamId, version, count }: LogEntry) =>
          streamId === finding.streamId && version + count - 1 >= finding.from;
        if (entries.some(isHeld)) await close(finding, now() + 1);
      }
    },
    async handOverUnanswered(since, until) {
      for (const { id, kind, streamId, to, lastSeenAt, evidence } of open.values()) {
        const isUnanswered =
          kind === 'unsequenced-commit' && evidence.logSearched === 'unknown' && evidence.isWhole === true;
        if (isUnanswered && lastSeenAt >= since && lastSeenAt <= until) await handOver(streamId, to, id);
      }
    },
    async announce() {
      const untold = [...open.values()].filter(({ announcedAt }) => announcedAt === undefined);
      if (untold.length === 0) return;
      try {
        await announcements.damageFound(damageFound(untold, now()));
        for (const { id } of untold) await findings.mark(id, 'announcedAt', now());
      } catch (error) {
        // Rows do not depend on it, and the next scrub finds them untold.
        metrics.count('DamageAnnouncementsFailed');
        logger.error('damage could not be announced; the next scrub tries again', { findings: untold.length, error });
      }
    },
    lastSeenAt: (streamId) =>
      Math.max(0, ...[...open.values()].flatMap((each) => (each.streamId === streamId ? [each.lastSeenAt] : []))),
    openNow: () => open.size,
  };
  return recorder;
}
