// Where each consumer's scan stands, and the results of past scans. The position moves under the scan's lease and never back.

import type { ConsumerName, Position } from '../../model/ids.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { ScanResult } from './port.ts';

const FORMAT = 1;
const padded = (ms: number): string => String(ms).padStart(16, '0');

export interface ScanStates {
  /** 0 = nothing scanned. */
  position(consumer: ConsumerName): Promise<Position>;
  /** False: another scan was further already. */
  advance(consumer: ConsumerName, to: Position, now: number): Promise<boolean>;
  store(result: ScanResult): Promise<void>;
  /** Newest first. */
  results(limit: number): Promise<ScanResult[]>;
}

export function createScanStates({ dynamo, table }: { dynamo: Dynamo; table: string }): ScanStates {
  const stateKey = (consumer: string) => ({ pk: `scan#${consumer}`, sk: 'state' });
  return {
    async position(consumer) {
      const { Item } = await dynamo.get({ TableName: table, Key: stateKey(consumer), ConsistentRead: true });
      return ((Item?.position as number | undefined) ?? 0) as Position;
    },
    async advance(consumer, to, now) {
      const neverBack = 'attribute_not_exists(#position) OR #position <= :to';
      try {
        await dynamo.update({
          TableName: table,
          Key: stateKey(consumer),
          UpdateExpression: 'SET #position = :to, #updatedAt = :now, #format = :format',
          ConditionExpression: neverBack,
          ExpressionAttributeNames: { '#position': 'position', '#updatedAt': 'updatedAt', '#format': 'format' },
          ExpressionAttributeValues: { ':to': to, ':now': now, ':format': FORMAT },
        });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    },
    async store(result) {
      await dynamo.put({
        TableName: table,
        Item: { pk: 'scan', sk: `result#${padded(result.startedAt)}`, result: storable(result), format: FORMAT },
      });
    },
    async results(limit) {
      const { Items = [] } = await dynamo.query({
        TableName: table,
        KeyConditionExpression: 'pk = :scan AND begins_with(sk, :result)',
        ExpressionAttributeValues: { ':scan': 'scan', ':result': 'result#' },
        ScanIndexForward: false,
        Limit: limit,
      });
      return Items.map(({ result }) => result as ScanResult);
    },
  };
}

/** DynamoDB items have at most 400 KB: 900 listed gaps of at most 256 bytes of stream id and 120 of numbers fit. */
const STORED_GAPS_MAX = 900;

const storable = (result: ScanResult): ScanResult => {
  const each = Math.floor(STORED_GAPS_MAX / Math.max(1, result.consumers.length));
  return { ...result, consumers: result.consumers.map((one) => ({ ...one, listed: one.listed.slice(0, each) })) };
};
