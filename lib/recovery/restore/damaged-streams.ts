// The streams that the scrub says are damaged: of its open findings, those that a restore can do something about. A log and a
// store that disagree are among them: the log says which commit belongs there, and how far the stream was sequenced.

import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { type DamageKind, type Finding, STORE_DAMAGE, WHOLE_LOG } from '../scrub/types.ts';

export interface DamagedStream {
  streamId: string;
  /** It is the directory that does not say what the log does. */
  isDirectory: boolean;
}

const DIRECTORY_KINDS: readonly DamageKind[] = ['directory-missing', 'directory-mismatch'];
const REPAIRABLE: ReadonlySet<string> = new Set<DamageKind>([
  ...STORE_DAMAGE,
  'unsequenced-commit',
  'log-mismatch',
  ...DIRECTORY_KINDS,
]);
/** One outage makes many; what is left is planned when these are repaired. */
const FINDINGS_MAX = 10_000;

/** One for each finding: a stream may be named several times. */
export async function* damagedStreams({
  dynamo,
  table,
}: {
  dynamo: Pick<Dynamo, 'query'>;
  table: string;
}): AsyncGenerator<DamagedStream> {
  let looked = 0;
  for await (const item of queryAll(dynamo, {
    TableName: table,
    KeyConditionExpression: 'pk = :findings',
    ExpressionAttributeValues: { ':findings': 'finding' },
    ConsistentRead: true,
  })) {
    const { kind, streamId, status } = item as unknown as Finding;
    if (status !== 'open' || !REPAIRABLE.has(kind) || streamId === WHOLE_LOG) continue;
    yield { streamId, isDirectory: DIRECTORY_KINDS.includes(kind) };
    looked += 1;
    if (looked === FINDINGS_MAX) return;
  }
}
