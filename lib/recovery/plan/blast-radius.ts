// Whom applying a plan touches and which effects it repeats, in words for the human who decides. Pure.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { PlanMode, PlanOptions, PlanTotals } from './port.ts';

export function blastRadius(
  mode: PlanMode,
  consumer: Pick<RegisteredConsumer, 'name' | 'effects'>,
  totals: Pick<PlanTotals, 'streams' | 'events' | 'expectedRepeats' | 'parked'>,
  { suppressEffects }: Pick<PlanOptions, 'suppressEffects'>,
): string[] {
  const { streams, events, expectedRepeats, parked } = totals;
  const lines = [`consumer "${consumer.name}" only: ${count(events, 'event')} of ${count(streams, 'stream')}`];
  if (suppressEffects && mode === 'resume') {
    lines.push('no react runs for them: the checkpoints move through them, and their effects never happen');
    lines.push('what a function has begun already, or begins before a stream has its turn, still has its effects');
  } else if (suppressEffects) {
    lines.push(
      'no react runs for events that were resolved before: the checkpoints move through them without an effect',
    );
  } else if (expectedRepeats === 0) {
    lines.push('nothing is reacted to twice');
  } else {
    lines.push(`${count(expectedRepeats, 'event')} will be reacted to again, marked as a replay`);
    lines.push(
      consumer.effects === 'transactional'
        ? 'the DynamoDB writes of each are committed once more, exactly once for this replay'
        : 'its effects outside DynamoDB happen once more, at least once for this replay',
    );
  }
  if (mode === 'rewind') {
    lines.push(
      'each stream is repeated from its first selected event up to its checkpoint, also what was not selected',
    );
    lines.push('open dead letters of that range are closed as superseded, and parked streams go on');
  }
  if (mode === 'redeliver' || mode === 'backfill') {
    lines.push(
      'the selected events come in version order, but after later events of their streams; no checkpoint moves',
    );
  }
  if (parked > 0) lines.push(`${count(parked, 'selected stream')} behind a dead letter left out: redrive them`);
  return lines;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
