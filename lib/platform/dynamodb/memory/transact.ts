// TransactWriteItems: all or nothing. Every write is evaluated against the items as they are; one refusal cancels all, with
// one reason per item. Limits and the token's ten minutes: API reference, TransactWriteItems.

import type { CancellationReason } from '@aws-sdk/client-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Write } from '../port.ts';
import { keyText } from './batch.ts';
import { CapacityMeter, writeUnits } from './capacity.ts';
import {
  idempotentParameterMismatch,
  isSchemaFault,
  isValidationError,
  transactionCancelled,
  validationError,
} from './errors.ts';
import { toAttributeMap } from './marshal.ts';
import { checkParameters } from './parameters.ts';
import type { StoredRecord } from './sorted-records.ts';
import type { Table } from './table.ts';
import { type PreparedWrite, prepareWrite } from './write.ts';

export const TRANSACTION_ITEM_LIMIT = 100;
export const TRANSACTION_LIMIT_BYTES = 4 * 1024 * 1024;
/** "A client request token is valid for 10 minutes after the first request that uses it is completed." */
const TOKEN_LIFETIME_MS = 10 * 60_000;

/** What earlier requests with a token did, for their repetition. Most are never repeated: fingerprints are made when asked. */
export type TokenLog = Map<string, { fingerprint: () => string; atMs: number }>;

interface Planned {
  write: PreparedWrite;
  before: StoredRecord | undefined;
  after: StoredRecord | undefined;
}

export function transactWrite(
  find: (name: string | undefined) => Table,
  input: TransactWriteCommandInput,
  nowMs: number,
  tokens: TokenLog,
) {
  const items = input.TransactItems ?? [];
  checkCount(items.length);
  const writes = items.map((item) => preparedOrFault(find, item));
  checkDistinct(writes);
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  const { ClientRequestToken: token } = input;
  const repeated = token !== undefined && isRepeated(tokens, token, input, nowMs);
  if (!repeated) {
    const planned = plan(writes);
    checkBytes(planned);
    for (const { write, before, after } of planned) {
      if (meter.isAsked) meter.addWrite(write.table.schema.name, writeUnits(write.table, before, after), 2);
      if (!write.isCheck) write.table.write(write.key, after, nowMs);
    }
    if (token !== undefined) tokens.set(token, { fingerprint: () => fingerprintOf(input), atMs: nowMs });
  }
  const ConsumedCapacity = meter.list();
  return ConsumedCapacity ? { ConsumedCapacity } : {};
}

function checkCount(count: number): void {
  if (count >= 1 && count <= TRANSACTION_ITEM_LIMIT) return;
  throw validationError(
    `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${
      count < 1 ? 'greater than or equal to 1' : `less than or equal to ${TRANSACTION_ITEM_LIMIT}`
    }`,
  );
}

/** A value that does not fit the table's keys is that item's reason; every other fault refuses the request. */
function preparedOrFault(find: (name: string | undefined) => Table, item: Write): PreparedWrite | Error {
  try {
    return prepareTransactItem(find, item);
  } catch (error) {
    if (isSchemaFault(error)) return error;
    throw error;
  }
}

function prepareTransactItem(find: (name: string | undefined) => Table, item: Write): PreparedWrite {
  checkParameters('transactItem', item);
  const { Put, Update, Delete, ConditionCheck } = item;
  if ([Put, Update, Delete, ConditionCheck].filter((one) => one !== undefined).length !== 1) {
    throw validationError('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  if (Put) {
    checkParameters('Put', Put);
    return prepareWrite(find(Put.TableName), { ...Put, kind: 'put' });
  }
  if (Update) {
    checkParameters('Update', Update);
    if (Update.UpdateExpression === undefined) throw required('update.updateExpression');
    return prepareWrite(find(Update.TableName), { ...Update, kind: 'update' });
  }
  if (Delete) {
    checkParameters('Delete', Delete);
    return prepareWrite(find(Delete.TableName), { ...Delete, kind: 'delete' });
  }
  const check = ConditionCheck as NonNullable<typeof ConditionCheck>;
  checkParameters('ConditionCheck', check);
  if (check.ConditionExpression === undefined) throw required('conditionCheck.conditionExpression');
  return prepareWrite(find(check.TableName), { ...check, kind: 'check' });
}

const required = (what: string) =>
  validationError(
    `1 validation error detected: Value null at '${what}' failed to satisfy constraint: Member must not be null`,
  );

function checkDistinct(writes: readonly (PreparedWrite | Error)[]): void {
  if (writes.length < 2) return;
  const seen = new Set<string>();
  for (const write of writes) {
    if (write instanceof Error) continue;
    const { table, key } = write;
    const text = `${table.schema.name}${keyText(key)}`;
    if (seen.has(text)) throw validationError('Transaction request cannot include multiple operations on one item');
    seen.add(text);
  }
}

function plan(writes: readonly (PreparedWrite | Error)[]): Planned[] {
  const reasons: CancellationReason[] = [];
  const planned: Planned[] = [];
  let refused = false;
  for (const write of writes) {
    const reason = refusal(write, planned);
    refused ||= reason.Code !== 'None';
    reasons.push(reason);
  }
  if (refused) throw transactionCancelled(reasons);
  return planned;
}

function refusal(write: PreparedWrite | Error, planned: Planned[]): CancellationReason {
  if (write instanceof Error) return { Code: 'ValidationError', Message: write.message };
  const before = write.table.get(write.key);
  if (!write.test(before?.item)) {
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(write.wantsItemOnFailure && before && { Item: toAttributeMap(before.item) }),
    };
  }
  try {
    planned.push({ write, before, after: write.change(before) });
    return { Code: 'None' };
  } catch (error) {
    if (isValidationError(error)) return { Code: 'ValidationError', Message: error.message };
    throw error;
  }
}

function checkBytes(planned: readonly Planned[]): void {
  const bytes = planned.reduce(
    (sum, { before, after }) => sum + Math.max(before?.sizeBytes ?? 0, after?.sizeBytes ?? 0),
    0,
  );
  if (bytes > TRANSACTION_LIMIT_BYTES) {
    throw validationError(`Transaction payload size cannot exceed 4MB. Payload Size: ${bytes}`);
  }
}

function isRepeated(tokens: TokenLog, token: string, input: TransactWriteCommandInput, nowMs: number): boolean {
  const earlier = tokens.get(token);
  if (!earlier) return false;
  if (nowMs - earlier.atMs > TOKEN_LIFETIME_MS) {
    tokens.delete(token);
    return false;
  }
  if (earlier.fingerprint() !== fingerprintOf(input)) throw idempotentParameterMismatch();
  return true;
}

const fingerprintOf = ({ TransactItems }: TransactWriteCommandInput): string =>
  JSON.stringify(TransactItems, (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value instanceof Set ? [...value] : value,
  );
