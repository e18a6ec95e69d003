// Which dead letters a selection means, in the order in which they are given back: streams by their oldest failure, inside a
// stream by version. Lists by index; every row is read again, consistently, before anything is done to it.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { RedriveSelection } from './request.ts';

/** Redrives after which a dead letter needs `force` and a reason: what failed three times fails a fourth time. */
export const ROUNDS_MAX = 3;
/** Dead letters in one run; a larger selection is several runs. Bounds memory and the dry run's answer. */
export const SELECTED_MAX = 10_000;

export interface Selected {
  letters: DeadLetter[];
  /** Rounds used up: not without `force`. */
  exhausted: DeadLetter[];
  /** More were found than one run takes. */
  truncated: boolean;
}

/** Statuses that wait for somebody's decision. */
const OPEN = ['parked', 'skipped'] as const;

export async function selectDeadLetters(
  deadLetters: Pick<DeadLetters, 'get' | 'list'>,
  selection: RedriveSelection,
  options: { force: boolean; except?: (letter: DeadLetter) => boolean },
): Promise<Selected> {
  const found: DeadLetter[] = [];
  let truncated = false;
  for await (const letter of candidates(deadLetters, selection)) {
    if (!matches(letter, selection) || options.except?.(letter)) continue;
    if (found.length === SELECTED_MAX) {
      truncated = true;
      break;
    }
    found.push(letter);
  }
  const isExhausted = ({ rounds }: DeadLetter): boolean => rounds >= ROUNDS_MAX && !options.force;
  return {
    letters: inOrder(found.filter((letter) => !isExhausted(letter))),
    exhausted: found.filter(isExhausted),
    truncated,
  };
}

async function* candidates(
  deadLetters: Pick<DeadLetters, 'get' | 'list'>,
  { id, consumer, eventType, fingerprint, failedFrom, failedTo }: RedriveSelection,
): AsyncGenerator<DeadLetter> {
  if (id !== undefined) {
    const letter = await deadLetters.get(id);
    if (letter === undefined) throw unknownId('dead letter id', id);
    if (isOpen(letter)) yield letter;
    return;
  }
  for (const status of OPEN) {
    yield* deadLetters.list({ consumer, eventType, fingerprint, failedFrom, failedTo, status });
  }
}

const isOpen = ({ status }: DeadLetter): boolean => (OPEN as readonly string[]).includes(status);

const matches = (letter: DeadLetter, of: RedriveSelection): boolean =>
  (of.eventId === undefined || letter.eventId === of.eventId) &&
  (of.consumer === undefined || letter.consumer === of.consumer) &&
  (of.eventType === undefined || letter.eventType === of.eventType) &&
  (of.fingerprint === undefined || letter.fingerprint === of.fingerprint) &&
  (of.failedFrom === undefined || letter.firstFailedAt >= of.failedFrom) &&
  (of.failedTo === undefined || letter.firstFailedAt <= of.failedTo);

export const unknownId = (what: string, got: string): InvalidInputError =>
  new InvalidInputError('UNKNOWN_DEAD_LETTER', {
    what,
    got,
    allowed: 'an id of the DeadLetters table',
    remedy: 'list them: npx event-recovery dead-letters',
  });

const streamOf = ({ consumer, streamId }: DeadLetter): string => `${consumer}#${streamId}`;

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
      streamOf(a).localeCompare(streamOf(b)) ||
      a.version - b.version,
  );
}

export const countStreams = (letters: readonly DeadLetter[]): number => new Set(letters.map(streamOf)).size;
