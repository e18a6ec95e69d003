// A snapshot as an item: the state as JSON text, or its Brotli bytes when these save a write unit, with a checksum over all of
// it. Pure.

import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { InvalidInputError } from '../../model/errors.ts';
import type { Json } from '../../model/event.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import { itemSize } from '../../platform/dynamodb/memory/size.ts';
import { findNotJson } from '../event-store/check-json.ts';
import { writeUnits } from '../event-store/coding.ts';
import { COMMIT_MAX_BYTES, COMMIT_MAX_TEXT_BYTES } from '../event-store/limits.ts';
import type { SeenSnapshot, Snapshot, SnapshotKey, SnapshotRead } from './port.ts';

/** Version of the item's layout. */
export const SNAPSHOT_FORMAT = 1;
/** An item of DynamoDB, names included: 400 KB (Developer Guide, "Quotas in Amazon DynamoDB"). */
export const SNAPSHOT_MAX_BYTES = COMMIT_MAX_BYTES;
/** Text of a state before compression: 16 MiB, as for a commit. */
export const STATE_MAX_BYTES = COMMIT_MAX_TEXT_BYTES;
const STATE_MAX_DEPTH = 250;
/** Measured for events of the same kind in lib/flow/event-store/coding.ts: 8 to 13 % smaller than the fastest. */
const BROTLI_QUALITY = 5;

export interface SnapshotItem {
  streamId: string;
  /** `<name>#<schemaVersion>`. */
  name: string;
  version: number;
  commitHash: string;
  encoding: 'json' | 'br';
  state: string | Uint8Array;
  takenAt: number;
  checksum: string;
  format: number;
}

export const sortKeyOf = ({ name, schemaVersion }: Omit<SnapshotKey, 'streamId'>): string => `${name}#${schemaVersion}`;

/** @throws InvalidInputError `SNAPSHOT_STATE_NOT_JSON` */
export function encodeSnapshot(snapshot: Snapshot): { item: SnapshotItem; itemBytes: number } {
  const problem = findNotJson(snapshot.state, 'state', { maxDepth: STATE_MAX_DEPTH, maxBytes: STATE_MAX_BYTES });
  if (problem !== undefined && problem.kind !== 'too-large') {
    throw new InvalidInputError('SNAPSHOT_STATE_NOT_JSON', {
      what: `${problem.path} of the snapshot "${snapshot.name}" of stream "${snapshot.streamId}"`,
      got: problem.what,
      allowed: `JSON, at most ${STATE_MAX_DEPTH} levels deep: what is read back must be what was folded`,
      remedy: 'let evolve return plain objects, lists, texts, finite numbers, booleans and null',
    });
  }
  const text = JSON.stringify(snapshot.state);
  const json = itemOf(snapshot, 'json', text);
  if (writeUnits(json.itemBytes) <= 1) return json;
  const bytes = brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text),
    },
  });
  const compressed = itemOf(snapshot, 'br', new Uint8Array(bytes));
  return writeUnits(compressed.itemBytes) < writeUnits(json.itemBytes) ? compressed : json;
}

function itemOf(snapshot: Snapshot, encoding: 'json' | 'br', state: string | Uint8Array) {
  const { streamId, version, commitHash, takenAt } = snapshot;
  const facts = {
    streamId,
    name: sortKeyOf(snapshot),
    version,
    commitHash,
    encoding,
    state,
    takenAt,
    format: SNAPSHOT_FORMAT,
  };
  const item: SnapshotItem = { ...facts, checksum: checksumOf(facts) };
  return { item, itemBytes: itemSize({ ...item }) };
}

/** Over everything that is stored, so that changed bytes are not taken for a state. */
function checksumOf(item: Omit<SnapshotItem, 'checksum'>): string {
  const { streamId, name, version, commitHash, encoding, state, takenAt, format } = item;
  return createHash('sha256')
    .update(JSON.stringify([streamId, name, version, commitHash, encoding, takenAt, format]))
    .update(state)
    .digest('hex');
}

/** Never throws: what cannot be read is `unreadable`. */
export function decodeSnapshot(item: Record<string, unknown> | undefined, key: SnapshotKey): SnapshotRead {
  if (item === undefined) return { kind: 'none' };
  const seen: SeenSnapshot = { version: item.version, checksum: item.checksum };
  try {
    const stored = item as unknown as SnapshotItem;
    const isOurs = stored.format === SNAPSHOT_FORMAT && stored.checksum === checksumOf(stored);
    if (!isOurs || stored.streamId !== key.streamId || stored.name !== sortKeyOf(key))
      return { kind: 'unreadable', seen };
    const text =
      stored.encoding === 'json'
        ? (stored.state as string)
        : brotliDecompressSync(stored.state as Uint8Array, { maxOutputLength: STATE_MAX_BYTES }).toString('utf8');
    const { version, commitHash, takenAt } = stored;
    const state = JSON.parse(text) as Json;
    const { streamId, name, schemaVersion } = key;
    const snapshot = { streamId, name, schemaVersion, commitHash, takenAt, state };
    return {
      kind: 'found',
      seen,
      snapshot: { ...snapshot, streamId: streamId as StreamId, version: version as Version },
    };
  } catch {
    return { kind: 'unreadable', seen };
  }
}
