// The id of a dead letter: derived from what it is about, so that giving up twice on the same event of the same generation
// writes the same row, and a row is found without an index.

import { InvalidInputError } from '../../model/errors.ts';
import type { ConsumerName, StreamId, Version } from '../../model/ids.ts';

export interface DeadLetterKey {
  consumer: ConsumerName;
  generation: number;
  version: Version;
  streamId: StreamId;
}

/** @example deadLetterId({ consumer, generation: 1, version: 7, streamId }); // 'inventory#1#7#order-42' */
export const deadLetterId = ({ consumer, generation, version, streamId }: DeadLetterKey): string =>
  `${consumer}#${generation}#${version}#${streamId}`;

/** A consumer's name holds no `#`; the stream id is last because it may. */
const DEAD_LETTER_ID = /^([a-z][a-z0-9-]*)#([1-9][0-9]*)#([1-9][0-9]*)#(.+)$/s;

/** @throws InvalidInputError `INVALID_DEAD_LETTER_ID` */
export function deadLetterKeyOf(id: string): DeadLetterKey {
  const [, consumer, generation, version, streamId] = DEAD_LETTER_ID.exec(id) ?? [];
  if (streamId === undefined) {
    throw new InvalidInputError('INVALID_DEAD_LETTER_ID', {
      what: 'dead letter id',
      got: id,
      allowed: '<consumer>#<generation>#<version>#<stream id>',
      remedy: 'take the id from a listing: npx event-recovery dead-letters',
    });
  }
  return {
    consumer: consumer as ConsumerName,
    generation: Number(generation),
    version: Number(version) as Version,
    streamId: streamId as StreamId,
  };
}
