// The streams that the scrub says are damaged: of its open findings, those that a restore can do something about. A log and a
// store that disagree are among them: the log says which commit belongs there, and how far the stream was sequenced.

import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { type Finding, STORE_DAMAGE, WHOLE_LOG } from '../scrub/types.ts';

export async function* damagedStreams({
  dynamo,
  table,
}: {
  dynamo: Pick<Dynamo, 'query'>;
  table: string;
}): AsyncGenerator<string> {
  const repairable = new Set<string>([
    ...STORE_DAMAGE,
    'unsequenced-commit',
    'log-mismatch',
    'directory-missing',
    'directory-mismatch',
  ]);
  const seen = new Set<string>();
  for await (const item of queryAll(dynamo, {
    TableName: table,
    KeyConditionExpression: 'pk = :findings',
    ExpressionAttributeValues: { ':findings': 'finding' },
    ConsistentRead: true,
  })) {
    const { kind, streamId, status } = item as unknown as Finding;
    if (status !== 'open' || !repairable.has(kind) || streamId === WHOLE_LOG || seen.has(streamId)) continue;
    seen.add(streamId);
    yield streamId;
  }
}
