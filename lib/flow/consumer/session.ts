// One holding of a stream's lease: what is stored, as this holder knows it, and the one way to change it. A save that meets
// a newer holder ends the session with LeaseLostError: whoever sees it stops at once and acknowledges nothing.

import type { Checkpoint, RewindRequest } from '../../model/checkpoint.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import type { AcquireResult, CheckpointChange, Checkpoints } from '../checkpoint/port.ts';
import type { DeadLetters } from '../dead-letter/port.ts';
import { afterChange, changeFor, type Resolution } from './progress.ts';

export class LeaseLostError extends EventRecoveryError {
  constructor({ consumer, streamId, token }: Pick<Checkpoint, 'consumer' | 'streamId' | 'token'>) {
    super(
      'LEASE_LOST',
      `lease of consumer "${consumer}" on stream "${streamId}": token ${token} is no longer the newest; remedy: none, the newer holder goes on`,
      { retryable: true, facts: { consumer, streamId, token } },
    );
  }
}

export interface SessionSave {
  /** Versions that are resolved by this save, following what is stored without a hole. */
  resolved?: readonly Resolution[];
  /** Everything else that changes. */
  fields?: CheckpointChange;
  /** Must hold, or nothing is written: the marker of a redelivery. */
  guards?: readonly Write[];
  /** Rows of dead letters. One that somebody else has changed meanwhile is left as it is. */
  rows?: readonly Write[];
  /** What `react` returned. */
  writes?: readonly Write[];
}

export type Saved =
  | { kind: 'saved' }
  /** The conditional release was refused; `stored` knows what is asked for. Nothing was written. */
  | { kind: 'wanted-more' }
  | { kind: 'guard-refused' }
  /** Some of `writes`, by their place in it. Nothing was written. */
  | { kind: 'refused'; reasons: { index: number; code: string; message: string }[] }
  /** The transaction as a whole. Nothing was written. */
  | { kind: 'rejected'; code: string; message: string };

export interface Session {
  readonly token: number;
  /** As this holder knows it: what others asked for meanwhile is learned at the release. */
  readonly stored: Checkpoint;
  readonly isReleased: boolean;
  /** @throws LeaseLostError */
  save(input: SessionSave): Promise<Saved>;
}

export interface SessionDeps {
  checkpoints: Pick<Checkpoints, 'save'>;
  deadLetters: Pick<DeadLetters, 'statusWrite'>;
  serverClock: Clock;
  /** Told when a row was left as somebody else made it. */
  onRowLeft(message: string): void;
}

type Acquired = Extract<AcquireResult, { kind: 'acquired' }>;

export function createSession(deps: SessionDeps, { checkpoint, owner, token }: Acquired): Session {
  const { consumer, streamId } = checkpoint;
  const lease = { consumer, streamId, owner, token };
  let stored = checkpoint;
  let isReleased = false;

  const learn = (wanted: Checkpoint['wanted'], rewind: RewindRequest | undefined): Saved => {
    stored = { ...stored, wanted, ...(rewind && { rewind }) };
    return { kind: 'wanted-more' };
  };

  async function save({
    resolved = [],
    fields = {},
    guards = [],
    rows = [],
    writes = [],
  }: SessionSave): Promise<Saved> {
    const now = deps.serverClock.now();
    const change = changeFor(stored, resolved, fields);
    let openRows = [...redrivenRow(deps.deadLetters, stored, resolved, now), ...rows];
    for (;;) {
      const alongside = [...guards, ...openRows, ...writes];
      const result = await deps.checkpoints.save(lease, change, { now, alongside });
      if (result.kind === 'lease-lost') throw new LeaseLostError(lease);
      if (result.kind === 'wanted-more') return learn(result.wanted, result.rewind);
      if (result.kind === 'rejected') return result;
      if (result.kind === 'saved') {
        stored = afterChange(stored, change, now);
        isReleased ||= change.release !== undefined;
        return result;
      }
      const ours = guards.length + openRows.length;
      if (result.reasons.some(({ index }) => index < guards.length)) return { kind: 'guard-refused' };
      const left = result.reasons.filter(({ index }) => index < ours);
      if (left.length === 0) {
        return {
          kind: 'refused',
          reasons: result.reasons.map((reason) => ({ ...reason, index: reason.index - ours })),
        };
      }
      // Bounded: every round has fewer rows.
      for (const { code, message } of left) deps.onRowLeft(`${code}: ${message}`);
      const places = new Set(left.map(({ index }) => index - guards.length));
      openRows = openRows.filter((_, place) => !places.has(place));
    }
  }

  return {
    token,
    get stored() {
      return stored;
    },
    get isReleased() {
      return isReleased;
    },
    save,
  };
}

/** The dead letter that the stream was parked behind gets its end in the same transaction as its event. */
function redrivenRow(
  deadLetters: Pick<DeadLetters, 'statusWrite'>,
  { redriving }: Checkpoint,
  resolved: readonly Resolution[],
  now: number,
): Write[] {
  const outcome = resolved.find(({ version }) => version === redriving?.version)?.outcome;
  // Skipped once more: giving up writes the row.
  if (redriving === undefined || outcome === undefined || outcome === 'skipped') return [];
  const { deadLetterId } = redriving;
  return outcome === 'discarded'
    ? [deadLetters.statusWrite(deadLetterId, ['discarded'], 'discarded', now, { passedAs: 'discarded' })]
    : [deadLetters.statusWrite(deadLetterId, ['redriving', 'parked'], 'resolved', now)];
}
