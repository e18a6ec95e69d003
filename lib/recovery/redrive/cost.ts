// What a redrive will consume in the project's own tables, by the requests that it and the consumer's engine make. Pure. Units by
// AWS: see lib/recovery/plan/cost.ts. A dead letter is in five indexes with all of its attributes, and in a sixth until
// people were told of it: a change of its status is a write in the table, one in each index, and two in the one by status
// (Developer Guide, "Global secondary indexes: write capacity units"); in a transaction all of it twice.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { itemSize } from '../../platform/dynamodb/memory/size.ts';
import { add, CHUNK_EVENTS, type Units } from '../plan/cost.ts';
import type { SelectingRequest } from './request.ts';
import { LOOK_EVERY } from './work-run.ts';

const KB = 1_024;
const IN_TRANSACTION = 2;
const writesOfStatus = ({ untold }: DeadLetter): number => 1 + 4 + 2 + (untold === undefined ? 0 : 1);

type Facts = Pick<RegisteredConsumer, 'effects'>;

const sizeOf = (letter: DeadLetter): number => itemSize(letter as unknown as Record<string, string>);

/** One dead letter, from the run's first look at it to its end in the consumer. */
export function letterUnits(
  { action }: Pick<SelectingRequest, 'action'>,
  letter: DeadLetter,
  { effects }: Facts,
): Units {
  const bytes = sizeOf(letter);
  const look = Math.ceil(bytes / (4 * KB));
  const status = IN_TRANSACTION * writesOfStatus(letter) * Math.ceil(bytes / KB);
  const audit = IN_TRANSACTION;
  const checkpoint = IN_TRANSACTION;
  const progress = 1;
  const registry = 1;
  const take = 1;
  if (letter.status === 'parked') {
    const gap = IN_TRANSACTION;
    const unpark: Units = { read: look + registry + 1 + 1, write: checkpoint + status + gap + audit + progress };
    const markers = effects === 'idempotent' && action === 'redrive' ? 2 : 0;
    return add(unpark, { read: 0, write: take + markers + checkpoint + status });
  }
  const given: Units = { read: look + registry, write: status + audit + progress };
  if (action === 'discard') return given;
  // Looked at before and after the react; a marker is begun and completed, or completed in the transaction.
  const markers = 2;
  const release = 1;
  return add(given, { read: 2 * look, write: take + markers + checkpoint + status + release });
}

/** The events that wait behind a parked one. */
export function waitingUnits({ effects }: Facts, waiting: number): Units {
  if (effects === 'transactional') return { read: 0, write: IN_TRANSACTION * waiting };
  const saves = Math.ceil((waiting + 1) / CHUNK_EVENTS) - 1;
  return { read: 0, write: 2 * waiting + saves };
}

/**
 * The run as a whole: created with its plan's status and its open row, audited, its changes of status with the open row, its
 * lease; it selects when it begins, when it works and when nothing is left, each time the parked and the skipped ones.
 */
export function runUnits(request: SelectingRequest, letters: readonly DeadLetter[]): Units {
  const bytes = letters.reduce((sum, letter) => sum + sizeOf(letter), 0);
  const select = 2 * Math.max(1, Math.ceil(bytes / (4 * KB))) * 0.5;
  const consumers = new Set(letters.map(({ consumer }) => consumer)).size;
  const hasCanary = request.action === 'redrive' && request.canary;
  const changes = hasCanary ? 3 : 1;
  const looks = Math.ceil(letters.length / LOOK_EVERY) + changes + (hasCanary ? 2 : 0);
  return {
    read: 1 + 3 * (select + consumers) + looks,
    write: IN_TRANSACTION * 3 + 1 + IN_TRANSACTION * 2 * changes + 2,
  };
}
