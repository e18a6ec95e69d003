// Puts the stream directory right: the one item of the Log table that a restore may write, on the condition of exactly what was
// seen there. A relay that sequences meanwhile moves the item, and the write is refused.

import { directoryKey } from '../../flow/log/keys.ts';
import { PAGE_FORMAT } from '../../flow/log/pages.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { isStillAsSeen } from './raw-item.ts';
import type { DirectoryRepair, Survey } from './slots.ts';

const KEYS: ReadonlySet<string> = new Set(['pk', 'sk']);
const ATTRIBUTES: ReadonlySet<string> = new Set(['version', 'position', 'hashPrefix', 'updatedAt', 'format']);

export function directoryWrite(
  logTable: string,
  streamId: string,
  { repair, seen }: NonNullable<Survey['directory']>,
): Write {
  const { version, position, hashPrefix, updatedAt } = repair;
  const Item = { ...directoryKey(streamId), version, position, hashPrefix, updatedAt, format: PAGE_FORMAT };
  return { Put: { TableName: logTable, Item, ...isStillAsSeen(seen, KEYS, ATTRIBUTES) } };
}

/** What takes the item's place must be what was approved. */
export const isDirectoryAsPlanned = (
  { directory }: Pick<Survey, 'directory'>,
  planned: { directory?: DirectoryRepair },
): boolean =>
  directory?.repair.version === planned.directory?.version &&
  directory?.repair.position === planned.directory?.position &&
  directory?.repair.seenDigest === planned.directory?.seenDigest;
