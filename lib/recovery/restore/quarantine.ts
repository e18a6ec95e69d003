// The quarantine: every item that a restore overwrites or removes is first kept, attribute by attribute, in the archive
// bucket. The same item has the same key, so a repeated write changes nothing.

import { createHash } from 'node:crypto';
import { EventRecoveryError } from '../../model/errors.ts';
import { type Objects, readWhole } from '../archive/objects.ts';
import { QUARANTINE_PREFIX } from '../archive/places.ts';
import { itemOf, type RawItem, textOf } from './raw-item.ts';

export interface QuarantinedItem {
  restoreId: string;
  streamId: string;
  version: number;
  digest: string;
  item: RawItem;
}

const DIGITS = 16;

/** Answers the object's key. */
export async function quarantine(
  objects: Pick<Objects, 'write'>,
  { restoreId, streamId, version, digest, item }: QuarantinedItem,
): Promise<string> {
  // A stream id may hold anything; its hash is a safe name, the id itself is in the item.
  const stream = createHash('sha256').update(streamId).digest('hex').slice(0, 32);
  const place = `${String(version).padStart(DIGITS, '0')}-${digest.slice(0, 16)}`;
  const key = `${QUARANTINE_PREFIX}/${restoreId}/${stream}/${place}.json`;
  await objects.write(key, textOf(item));
  return key;
}

/** @throws EventRecoveryError `QUARANTINE_MISSING` */
export async function quarantined(objects: Pick<Objects, 'read'>, key: string): Promise<RawItem> {
  const body = await readWhole(objects, key);
  if (body !== undefined) return itemOf(body.toString('utf8'));
  throw new EventRecoveryError(
    'QUARANTINE_MISSING',
    `the quarantine has no object ${key}; remedy: the bucket is versioned, bring it back (aws s3api list-object-versions), then apply the plan again`,
    { facts: { key } },
  );
}
