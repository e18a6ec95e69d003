// The test engines themselves: isolation, priming, streams, and that both give the same records.

import { afterEach, describe, expect, it } from '@jest/globals';
import { ALL_TABLES, EVENTS_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { type EngineTables, localEngine, memoryEngine } from '../../support/engines.ts';

describe.each([memoryEngine, localEngine])('engine on $name', (engine) => {
  const open: EngineTables[] = [];
  const tables = async () => {
    const created = await engine.createTables(ALL_TABLES);
    open.push(created);
    return created;
  };
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  it('gives every test tables of its own under the same names', async () => {
    const [one, two] = [await tables(), await tables()];
    await one.dynamo.put({ TableName: EVENTS_TABLE.name, Item: { streamId: 's', version: 1 } });
    expect(await one.items(EVENTS_TABLE.name)).toEqual([{ streamId: 's', version: 1 }]);
    expect(await two.items(EVENTS_TABLE.name)).toEqual([]);
  });

  it('shows the DynamoDB stream as a Lambda function would receive it, without traces of its own', async () => {
    const { dynamo, streamRecords } = await tables();
    const TableName = EVENTS_TABLE.name;
    await dynamo.put({ TableName, Item: { streamId: 's', version: 1, events: new Uint8Array([1, 2]) } });
    await dynamo.put({ TableName, Item: { streamId: 's', version: 1, events: new Uint8Array([1, 2]) } });
    await dynamo.put({ TableName, Item: { streamId: 's', version: 1, events: 'changed' } });
    await dynamo.delete({ TableName, Key: { streamId: 's', version: 1 } });
    const records = await streamRecords(TableName);
    expect(
      records.map(({ eventName, dynamodb: { Keys, NewImage, OldImage } }) => ({ eventName, Keys, NewImage, OldImage })),
    ).toEqual([
      {
        eventName: 'INSERT',
        Keys: { streamId: { S: 's' }, version: { N: '1' } },
        NewImage: { streamId: { S: 's' }, version: { N: '1' }, events: { B: 'AQI=' } },
      },
      {
        eventName: 'MODIFY',
        Keys: { streamId: { S: 's' }, version: { N: '1' } },
        NewImage: { streamId: { S: 's' }, version: { N: '1' }, events: { S: 'changed' } },
      },
      { eventName: 'REMOVE', Keys: { streamId: { S: 's' }, version: { N: '1' } } },
    ]);
    expect(await streamRecords(TableName, 2)).toHaveLength(1);
    const sequences = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
    expect(sequences).toEqual([...sequences].sort());
    for (const { dynamodb } of records) expect(dynamodb.SequenceNumber).toMatch(/^\d{21,40}$/);
  });
});
