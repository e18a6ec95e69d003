// The registry over DynamoDB: one item per consumer in the Checkpoints table (`pk = registry`, `sk = <consumer>`). Every
// write is conditional on the very entry that the decision was made from, so two deployments at once cannot lose each
// other's change; the loser reads again and decides again, a bounded number of times.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import { readableFormat } from '../../model/format.ts';
import type { ConsumerName, EventType, Position } from '../../model/ids.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { checkDeclaration } from '../consumer/declaration.ts';
import {
  decideBackfillCompleted,
  decideRegistration,
  REGISTRY_FORMAT,
  type RegistrationDecision,
  typeMap,
} from './decide-registration.ts';
import type { Registration, Registry } from './port.ts';

const REGISTRY_PARTITION = 'registry';
/** Each round loses only to somebody else's success; five deployments of one consumer at once do not happen. */
const WRITE_ROUNDS = 5;
/** Consumers in the registry; 1 MB pages of items of about 1 KB. Guards a loop, limits nobody. */
const LIST_PAGES_MAX = 100;

/** The entry as stored: with a count of its changes, which the next change is conditional on. */
interface StoredEntry {
  consumer: RegisteredConsumer;
  revision: number;
}

/**
 * @example
 * const registry = createRegistry({ dynamo, checkpointsTable: 'Checkpoints' });
 * await registry.register({ declaration, queueUrl, functionName, owner: stackId }, await log.head(), clock.now());
 */
export function createRegistry({ dynamo, checkpointsTable }: { dynamo: Dynamo; checkpointsTable: string }): Registry {
  async function load(name: string): Promise<StoredEntry | undefined> {
    const { Item } = await dynamo.get({
      TableName: checkpointsTable,
      Key: { pk: REGISTRY_PARTITION, sk: name },
      ConsistentRead: true,
    });
    return Item && decode(Item);
  }

  /** False: somebody else changed the entry since it was read. */
  async function save(consumer: RegisteredConsumer, before: StoredEntry | undefined): Promise<boolean> {
    const isNew = 'attribute_not_exists(#sk)';
    const isWhatWasRead = '#revision = :revision';
    const belongsToWhomWasRead = '#owner = :owner';
    try {
      await dynamo.put({
        TableName: checkpointsTable,
        Item: { pk: REGISTRY_PARTITION, sk: consumer.name, ...consumer, revision: (before?.revision ?? 0) + 1 },
        ...(before
          ? {
              ConditionExpression: [isWhatWasRead, belongsToWhomWasRead].join(' AND '),
              ExpressionAttributeNames: { '#revision': 'revision', '#owner': 'owner' },
              ExpressionAttributeValues: { ':revision': before.revision, ':owner': before.consumer.owner },
            }
          : { ConditionExpression: isNew, ExpressionAttributeNames: { '#sk': 'sk' } }),
      });
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  /** Read, decide, write; again when another writer was faster. `undefined` from `decide` = nothing to write. */
  async function change(
    name: string,
    decide: (existing: RegisteredConsumer | undefined) => RegisteredConsumer | undefined,
  ): Promise<RegisteredConsumer | undefined> {
    for (let round = 1; round <= WRITE_ROUNDS; round++) {
      const before = await load(name);
      const after = decide(before?.consumer);
      if (after === undefined) return before?.consumer;
      if (await save(after, before)) return after;
    }
    throw new EventRecoveryError(
      'REGISTRY_CONTENDED',
      `consumer "${name}": its registry entry was changed by others ${WRITE_ROUNDS} times in a row; remedy: try again`,
      { retryable: true, facts: { name, rounds: WRITE_ROUNDS } },
    );
  }

  return {
    async get(name) {
      return (await load(name))?.consumer;
    },

    async list() {
      const consumers: RegisteredConsumer[] = [];
      let startKey: Record<string, unknown> | undefined;
      for (let page = 1; page <= LIST_PAGES_MAX; page++) {
        const { Items = [], LastEvaluatedKey } = await dynamo.query({
          TableName: checkpointsTable,
          KeyConditionExpression: '#pk = :registry',
          ExpressionAttributeNames: { '#pk': 'pk' },
          ExpressionAttributeValues: { ':registry': REGISTRY_PARTITION },
          ConsistentRead: true,
          ...(startKey ? { ExclusiveStartKey: startKey } : {}),
        });
        consumers.push(...Items.map((item) => decode(item).consumer));
        if (LastEvaluatedKey === undefined) return consumers;
        startKey = LastEvaluatedKey;
      }
      throw new EventRecoveryError(
        'REGISTRY_TOO_LARGE',
        `the registry has more than ${LIST_PAGES_MAX} pages of entries`,
      );
    },

    async register(registration, head, now) {
      const declaration = checkDeclaration(registration.declaration);
      const checked = { ...registration, ...checkAddresses(registration, declaration.name), declaration };
      const registered = await change(declaration.name, (existing) => {
        const decision = decideRegistration(existing, checked, head, now);
        if (decision.kind === 'refused') throw refusal(decision, checked.declaration.name);
        return decision.kind === 'write' ? decision.consumer : undefined;
      });
      return registered as RegisteredConsumer;
    },

    async announce(registration, now) {
      const declaration = checkDeclaration(registration.declaration);
      await change(declaration.name, (existing) => {
        // Whatever is refused is refused by the registration.
        if (existing === undefined || existing.owner !== registration.owner) return undefined;
        const announced = declaration.eventTypes.filter((type) => !Object.hasOwn(existing.eventTypes, type));
        return announced.length === 0
          ? undefined
          : { ...existing, announced: announced as EventType[], updatedAt: now };
      });
    },

    async retire(name, owner, now) {
      await change(name, (existing) => {
        if (existing === undefined || existing.status === 'retired') return undefined;
        if (existing.owner !== owner) throw nameTaken(name, existing.owner);
        return { ...existing, status: 'retired', updatedAt: now };
      });
    },

    async completeBackfill(name, requestedAt, now) {
      await change(name, (existing) => existing && decideBackfillCompleted(existing, requestedAt, now));
    },
  };
}

function decode({ pk: _pk, sk, revision, ...fields }: Record<string, unknown>): StoredEntry {
  readableFormat(`registry entry of consumer "${sk}"`, fields.format, REGISTRY_FORMAT);
  const stored = fields as unknown as RegisteredConsumer;
  const consumer: RegisteredConsumer = {
    ...stored,
    name: sk as ConsumerName,
    eventTypes: typeMap<Position>(Object.entries(stored.eventTypes)),
    ...(stored.backfill?.requestedAtByType
      ? {
          backfill: {
            ...stored.backfill,
            requestedAtByType: typeMap<number>(Object.entries(stored.backfill.requestedAtByType)),
          },
        }
      : {}),
  };
  return { consumer, revision: revision as number };
}

function checkAddresses(
  { queueUrl, functionName, owner }: Registration,
  name: string,
): Pick<Registration, 'queueUrl' | 'functionName' | 'owner'> {
  for (const [what, got] of Object.entries({ queueUrl, functionName, owner })) {
    if (typeof got === 'string' && got.length > 0 && got.length <= ADDRESS_MAX_LENGTH) continue;
    throw new InvalidInputError('INVALID_REGISTRATION', {
      what: `${what} of consumer "${name}"`,
      got,
      allowed: `a string of 1 to ${ADDRESS_MAX_LENGTH} characters`,
      remedy: 'register the consumer with the EventConsumer construct, which fills this in',
    });
  }
  return { queueUrl, functionName, owner };
}

/** ARNs and queue URLs are shorter (an ARN has at most 2,048 characters, IAM reference). */
const ADDRESS_MAX_LENGTH = 2_048;

function refusal(decision: Extract<RegistrationDecision, { kind: 'refused' }>, name: string): InvalidInputError {
  if (decision.reason === 'name-taken') return nameTaken(name, decision.owner);
  return new InvalidInputError('START_IS_FIXED', {
    what: `startFrom of consumer "${name}", which has started already`,
    got: decision.startFrom === 'beginning' ? 'now' : 'beginning',
    allowed: `"${decision.startFrom}", as registered first`,
    remedy: 'set it back; to read everything again plan a rewind, to begin elsewhere choose a new name',
  });
}

const nameTaken = (name: string, owner: string): InvalidInputError =>
  new InvalidInputError('CONSUMER_NAME_TAKEN', {
    what: 'consumer name',
    got: name,
    allowed: `a name that no other deployment uses; "${name}" belongs to "${owner}"`,
    remedy:
      'rename this consumer, or remove the other one first; a moved construct keeps its name only with its logical id',
  });
