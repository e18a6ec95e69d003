// The custom resource behind a deployed consumer: Create and Update register it, Delete retires it. Repeating any request
// changes nothing. It always answers, also to a malformed request and when its time runs out, because a stack without an
// answer waits for an hour. Deleting what was never created, or what belongs to somebody else by now, succeeds.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import { EventRecoveryError, InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import { type ConsumerName, consumerName } from '../../model/ids.ts';
import type { Clock, Timers } from '../../platform/clock.ts';
import {
  ANSWER_TIME_MAX_MS,
  checkResponseUrl,
  type ResourceAnswer,
  type ResourceAnswers,
} from '../../platform/cloudformation-answer.ts';
import { errorFacts, type Logger } from '../../platform/logging.ts';
import type { Log } from '../log/port.ts';
import type { Registry } from './port.ts';
import { declaredName, type RequestHead, readRegistration, readRequestHead } from './resource-request.ts';

export interface ConsumerResourceDeps {
  registry: Pick<Registry, 'announce' | 'register' | 'retire'>;
  log: Pick<Log, 'head'>;
  answers: ResourceAnswers;
  clock: Clock;
  timers: Timers;
  logger: Logger;
}

/** Short timeouts keep half of their time for the answer. */
const ANSWER_SHARE = 0.5;

type Outcome = Pick<ResourceAnswer, 'Status' | 'Reason' | 'PhysicalResourceId' | 'Data'>;

/**
 * @param remainingMs time until the function is ended
 * @throws InvalidInputError `INVALID_RESPONSE_URL`: nobody can be answered, nothing was done
 * @throws EventRecoveryError `ANSWER_NOT_DELIVERED`: Lambda runs the request again, which changes nothing
 */
export async function handleConsumerResource(
  event: unknown,
  remainingMs: number,
  deps: ConsumerResourceDeps,
): Promise<ResourceAnswer['Status']> {
  const responseUrl = (event as { ResponseURL?: unknown } | null)?.ResponseURL;
  checkResponseUrl(responseUrl);
  const head = readRequestHead(event);
  const logger = deps.logger.child({
    correlationId: head.requestId,
    requestType: head.requestType,
    logicalResourceId: head.logicalResourceId,
  });
  const outcome = await inTime(remainingMs, head, deps, logger);
  logger[outcome.Status === 'SUCCESS' ? 'info' : 'error']('answering CloudFormation', {
    status: outcome.Status,
    reason: outcome.Reason,
    physicalResourceId: outcome.PhysicalResourceId,
  });
  await deps.answers.put(responseUrl as string, {
    ...outcome,
    StackId: head.stackId,
    RequestId: head.requestId,
    LogicalResourceId: head.logicalResourceId,
  });
  return outcome.Status;
}

/** The outcome of the work, or FAILED when it is not there early enough for an answer. */
async function inTime(
  remainingMs: number,
  head: RequestHead,
  deps: ConsumerResourceDeps,
  logger: Logger,
): Promise<Outcome> {
  const workMs = Math.max(0, remainingMs - Math.min(ANSWER_TIME_MAX_MS, remainingMs * ANSWER_SHARE));
  const finished = new AbortController();
  const tooLate = deps.timers.sleep(workMs, finished.signal).then(
    () =>
      failed(
        head,
        new EventRecoveryError('REGISTRATION_TIMED_OUT', `not finished within ${workMs} ms; remedy: deploy again`),
      ),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work(head, deps, logger), tooLate]);
  } finally {
    finished.abort();
  }
}

async function work(head: RequestHead, deps: ConsumerResourceDeps, logger: Logger): Promise<Outcome> {
  try {
    switch (head.requestType) {
      case 'Create':
      case 'Update':
        return registered(await register(head, deps));
      case 'Delete':
        return await retire(head, deps, logger);
      default:
        throw new InvalidInputError('INVALID_REQUEST_TYPE', {
          what: 'RequestType of a custom resource request',
          got: head.requestType,
          allowed: 'Create, Update or Delete',
          remedy: 'let CloudFormation send the request',
        });
    }
  } catch (error) {
    logger.error('the request failed', { error: errorFacts(error) });
    return failed(head, error);
  }
}

async function register({ properties }: RequestHead, { registry, log, clock }: ConsumerResourceDeps) {
  const registration = readRegistration(properties);
  await registry.announce(registration, clock.now());
  return registry.register(registration, await log.head(), clock.now());
}

/** Short facts only: an answer has 4,096 bytes. */
const registered = (consumer: RegisteredConsumer): Outcome => ({
  Status: 'SUCCESS',
  Reason: consumer.backfill
    ? `registered; ${consumer.backfill.eventTypes.length} added event type(s) wait for a planned backfill`
    : 'registered',
  PhysicalResourceId: consumer.name,
  Data: {
    ConsumerName: consumer.name,
    StartPosition: String(consumer.startPosition),
    BackfillEventTypes: String(consumer.backfill?.eventTypes.length ?? 0),
  },
});

async function retire(head: RequestHead, { registry, clock }: ConsumerResourceDeps, logger: Logger): Promise<Outcome> {
  const done = (Reason: string): Outcome => ({ Status: 'SUCCESS', Reason, PhysicalResourceId: physicalId(head) });
  const name = validName(head.physicalResourceId);
  const { Owner: owner } = head.properties;
  if (name === undefined || typeof owner !== 'string') return done('nothing was registered under this id');
  try {
    await registry.retire(name, owner, clock.now());
    return done('retired');
  } catch (error) {
    if (isEventRecoveryError(error) && error.code === 'CONSUMER_NAME_TAKEN') {
      logger.warn('left alone: the name belongs to another owner', { consumer: name, error: errorFacts(error) });
      return done('left alone: the name belongs to another owner');
    }
    // The table went first: there is no registry left to be retired from.
    if (error instanceof Error && error.name === 'ResourceNotFoundException')
      return done('there is no registry any more');
    throw error;
  }
}

const failed = (head: RequestHead, error: unknown): Outcome => {
  const code = isEventRecoveryError(error) ? error.code : ((error as Error)?.name ?? 'Error');
  return { Status: 'FAILED', Reason: `${code}: ${(error as Error)?.message}`, PhysicalResourceId: physicalId(head) };
};

/**
 * The same in every answer for one resource. A Create that failed without a readable name gets an id that no consumer can
 * have, so that the Delete that follows touches nobody.
 */
const physicalId = ({ physicalResourceId, properties, logicalResourceId }: RequestHead): string =>
  physicalResourceId ?? validName(declaredName(properties)) ?? `not-registered:${logicalResourceId}`;

function validName(raw: unknown): ConsumerName | undefined {
  try {
    return consumerName(raw);
  } catch {
    return undefined;
  }
}
