// One write of a scenario.

import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { TABLE, type Write } from './engine.ts';

export async function write(dynamo: Dynamo, [pk, n]: Write): Promise<void> {
  if (n === 'removed') await dynamo.delete({ TableName: TABLE.name, Key: { pk } });
  else await dynamo.put({ TableName: TABLE.name, Item: { pk, n } });
}
