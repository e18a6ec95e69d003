// Reads an item of the Events table without the code under test: the hash is computed again from its description in
// docs/architecture.md (netstrings of the fields, then of the exact stored bytes).

import { hash } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import type { Item } from './change.ts';
import type { DecodedCommit } from './store-checks.ts';

const FIELDS = ['streamId', 'version', 'count', 'recordedAt', 'encoding', 'format', 'previousHash'] as const;

export function decodeCommit(item: Item): DecodedCommit {
  const stored = item.events as string | Uint8Array;
  const bytes = typeof stored === 'string' ? Buffer.from(stored) : Buffer.from(stored);
  const framed = [...FIELDS.map((field) => Buffer.from(String(item[field]))), bytes].map(netstring);
  const text = typeof stored === 'string' ? stored : brotliDecompressSync(stored).toString('utf8');
  const events = JSON.parse(text) as { id: string; type: string }[];
  return {
    streamId: String(item.streamId),
    version: Number(item.version),
    count: Number(item.count),
    recordedAt: Number(item.recordedAt),
    previousHash: String(item.previousHash),
    hash: String(item.hash),
    expectedHash: hash('sha256', Buffer.concat(framed)),
    events: events.map(({ id, type }) => ({ id, type })),
  };
}

const netstring = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(`${bytes.length}:`), bytes, Buffer.from(',')]);
