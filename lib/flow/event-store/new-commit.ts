// Makes the item of one append: coded, measured, hashed. Pure. The size limit is checked here, on the item as it is stored
// and before it is sent.

import { COMMIT_FORMAT, type StoredCommit } from '../../model/commit.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { CheckedAppend } from './check-input.ts';
import {
  type CodedEvents,
  type CommitHeader,
  codeEvents,
  type EventsText,
  encodeEvents,
  eventsText,
} from './coding.ts';
import { hashCommit } from './hash.ts';
import { COMMIT_MAX_BYTES, COMMIT_MAX_TEXT_BYTES } from './limits.ts';
import type { ExpectedVersion } from './port.ts';

/** An append that passed all checks that do not depend on the stream. */
export interface PreparedAppend {
  streamId: StreamId;
  /** Number of events. */
  count: number;
  expected: ExpectedVersion;
  /** The events as they were at the call: what the caller's objects are by now says nothing about what was sent. */
  source: EventsText;
}

/** @throws InvalidInputError `COMMIT_TOO_LARGE` when it cannot fit at any version and time */
export function prepareAppend({ streamId, events, expected }: CheckedAppend): PreparedAppend {
  const source = eventsText(encodeEvents(events));
  if (source.textBytes > COMMIT_MAX_TEXT_BYTES) {
    throw tooLarge(streamId, source.textBytes, `${COMMIT_MAX_TEXT_BYTES} bytes of text`);
  }
  // Numbers are stored with one byte for two digits: at version 1 and time 0 the item is at its smallest.
  const smallest: CommitHeader = header(streamId, events.length, { version: 1 as Version, recordedAt: 0 });
  checkSize(smallest, codeEvents(smallest, source));
  return { streamId, count: events.length, expected, source };
}

export interface Place {
  version: Version;
  recordedAt: number;
  previousHash: string;
}

/** The item at its place. @throws InvalidInputError `COMMIT_TOO_LARGE` */
export function newCommit({ streamId, count, source }: PreparedAppend, place: Place): StoredCommit {
  const facts = header(streamId, count, place);
  const coded = codeEvents(facts, source);
  checkSize(facts, coded);
  const unhashed = { ...facts, encoding: coded.encoding, events: coded.events, previousHash: place.previousHash };
  return { ...unhashed, hash: hashCommit(unhashed) };
}

const header = (
  streamId: StreamId,
  count: number,
  { version, recordedAt }: Pick<Place, 'version' | 'recordedAt'>,
): CommitHeader => ({ streamId, version, count, format: COMMIT_FORMAT, recordedAt });

function checkSize({ streamId }: CommitHeader, { itemBytes }: CodedEvents): void {
  if (itemBytes > COMMIT_MAX_BYTES) throw tooLarge(streamId, itemBytes, `${COMMIT_MAX_BYTES} bytes as it is stored`);
}

const tooLarge = (streamId: string, bytes: number, allowed: string): InvalidInputError =>
  new InvalidInputError('COMMIT_TOO_LARGE', {
    what: `size of the commit of stream "${streamId}" in bytes`,
    got: bytes,
    allowed: `at most ${allowed} (a DynamoDB item has at most 400 KB)`,
    remedy: 'append fewer events at once, or store the large part in S3 and put its key into the event',
  });
