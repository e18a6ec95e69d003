// Which dead letters a selection means, in the order in which they are given back: streams by their oldest failure, inside a
// stream by version. Lists by index; giving back reads every row again, consistently, before anything is done to it.

import { createHash } from 'node:crypto';
import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { ConsumerName } from '../../model/ids.ts';
import type { RedriveSelection } from './request.ts';

/** Redrives after which a dead letter needs `force` and a reason: what failed three times fails a fourth time. */
export const ROUNDS_MAX = 3;
/** Dead letters selected at once: bounds memory and the dry run's answer. A run selects again until nothing is left. */
export const SELECTED_MAX = 10_000;

export interface Selected {
  letters: DeadLetter[];
  /** Of those that were looked at. Rounds used up: not without `force`. */
  exhausted: number;
  /** Of those that were looked at. Their consumer is retired: nobody would receive them. */
  undeployed: number;
  /** More can be given back than are selected at once. */
  truncated: boolean;
}

export interface SelectDeps {
  deadLetters: Pick<DeadLetters, 'get' | 'list'>;
  registry: Pick<Registry, 'get'>;
  /** @default SELECTED_MAX */
  selectedMax?: number;
}

/** Statuses that wait for somebody's decision. */
const OPEN = ['parked', 'skipped'] as const;
export const isOpen = ({ status }: Pick<DeadLetter, 'status'>): boolean => (OPEN as readonly string[]).includes(status);

/** @throws InvalidInputError `UNKNOWN_DEAD_LETTER` when an id was given and no row has it */
export async function selectDeadLetters(
  { deadLetters, registry, selectedMax = SELECTED_MAX }: SelectDeps,
  selection: RedriveSelection,
  options: { force: boolean; except?: (letter: DeadLetter) => boolean },
): Promise<Selected> {
  const { force, except } = options;
  const letters: DeadLetter[] = [];
  const left = { exhausted: 0, undeployed: 0 };
  let truncated = false;
  const active = new Map<ConsumerName, boolean>();
  const isActive = async (consumer: ConsumerName): Promise<boolean> => {
    if (!active.has(consumer)) active.set(consumer, (await registry.get(consumer))?.status === 'active');
    return active.get(consumer) === true;
  };
  for await (const letter of candidates(deadLetters, selection)) {
    if (!isOpen(letter) || !matches(letter, selection) || except?.(letter)) continue;
    // These are only counted: however many there are, they take no place of one that can be given back.
    if (!(await isActive(letter.consumer))) left.undeployed += 1;
    else if (letter.rounds >= ROUNDS_MAX && !force) left.exhausted += 1;
    else if (letters.length < selectedMax) letters.push(letter);
    else {
      truncated = true;
      break;
    }
  }
  return { letters: inOrder(letters), ...left, truncated };
}

async function* candidates(
  deadLetters: Pick<DeadLetters, 'get' | 'list'>,
  { id, eventId, consumer, eventType, fingerprint, failedFrom, failedTo }: RedriveSelection,
): AsyncGenerator<DeadLetter> {
  if (id !== undefined) {
    const letter = await deadLetters.get(id);
    if (letter === undefined) throw unknownDeadLetter('dead letter id', id);
    yield letter;
    return;
  }
  const filter = { eventId, consumer, eventType, fingerprint, failedFrom, failedTo };
  if (eventId === undefined) {
    for (const status of OPEN) yield* deadLetters.list({ ...filter, status });
    return;
  }
  // All statuses: an event whose dead letter is resolved is known, and nothing is to do.
  let isKnown = false;
  for await (const letter of deadLetters.list(filter)) {
    isKnown = true;
    yield letter;
  }
  if (!isKnown) throw unknownDeadLetter('event id', eventId);
}

/** True when the selection means this dead letter, whatever its status is. */
export const matches = (letter: DeadLetter, of: RedriveSelection): boolean =>
  (of.eventId === undefined || letter.eventId === of.eventId) &&
  (of.consumer === undefined || letter.consumer === of.consumer) &&
  (of.eventType === undefined || letter.eventType === of.eventType) &&
  (of.fingerprint === undefined || letter.fingerprint === of.fingerprint) &&
  (of.failedFrom === undefined || letter.firstFailedAt >= of.failedFrom) &&
  (of.failedTo === undefined || letter.firstFailedAt <= of.failedTo);

const unknownDeadLetter = (what: string, got: string): InvalidInputError =>
  new InvalidInputError('UNKNOWN_DEAD_LETTER', {
    what,
    got,
    allowed: 'what a row of the DeadLetters table has',
    remedy: 'list them: npx event-recovery dead-letters',
  });

export const streamOf = ({ consumer, streamId }: DeadLetter): string => `${consumer}#${streamId}`;

/** Pure. */
export function inOrder(letters: readonly DeadLetter[]): DeadLetter[] {
  const oldest = new Map<string, number>();
  for (const letter of letters) {
    const stream = streamOf(letter);
    oldest.set(stream, Math.min(oldest.get(stream) ?? Number.POSITIVE_INFINITY, letter.firstFailedAt));
  }
  return letters.toSorted(
    (a, b) =>
      (oldest.get(streamOf(a)) as number) - (oldest.get(streamOf(b)) as number) ||
      (streamOf(a) < streamOf(b) ? -1 : streamOf(a) > streamOf(b) ? 1 : 0) ||
      a.version - b.version,
  );
}

const FINGERPRINT_LENGTH = 32;

/** What was seen of the selected dead letters, as one short text: it changes when one of them comes, goes or fails again. */
export function selectionFingerprint(letters: readonly DeadLetter[]): string {
  const facts = letters.map(({ id, status, rounds, lastFailedAt }) => [id, status, rounds, lastFailedAt]);
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, FINGERPRINT_LENGTH);
}

export const countStreams = (letters: readonly DeadLetter[]): number => new Set(letters.map(streamOf)).size;
