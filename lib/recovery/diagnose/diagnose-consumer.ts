// What our tables and AWS say about one consumer, as findings. Pure.

import type { Cause, ConsumerEvidence, Evidence, Finding, ProposedAction } from './types.ts';
import { count, ERRORS_NOTED, isOff, THROTTLES_NOTED } from './words.ts';

/** A share of failed invocations above which the function is failing as a whole, not on one event. */
const FAILING_SHARE = 0.5;
/** From this many groups of equal errors on, or from this share of streams, failures are the consumer's, not one event's. */
const STORM_LETTERS = 20;
/** As the alarm on a consumer's queue (EventConsumer, `queueAgeAlarm`): 15 minutes. */
const QUEUE_AGE_HIGH_SECONDS = 15 * 60;

export function consumers({ consumers }: Evidence): Finding[] {
  return consumers.flatMap(consumerFindings);
}

function consumerFindings(evidence: ConsumerEvidence): Finding[] {
  const { consumer, gapEvents = 0, gapStreams = 0, lagEvents = 0, lagSeconds = 0, queue, functionState } = evidence;
  const found: Finding[] = [];
  const add = (
    cause: Cause,
    action: ProposedAction,
    severity: Finding['severity'],
    confidence: number,
    explanation: string,
    facts = {},
  ) => found.push({ id: `${cause}:${consumer}`, cause, consumer, action, severity, confidence, explanation, facts });

  const { errors = 0, throttles = 0, invocations = 0 } = functionState ?? {};
  const isDown = isOff(evidence.mappingState);
  const isRuleOff = evidence.ruleState === 'DISABLED';

  if (isRuleOff)
    add(
      'broker-down',
      'enable-rule',
      'critical',
      1,
      `the bus rule of ${consumer} is disabled: nothing is delivered to it`,
      namesOf({ ruleName: evidence.ruleName, busName: evidence.busName }),
    );
  if (isDown)
    add(
      'consumer-down',
      'enable-mapping',
      'critical',
      1,
      `the event source mapping of ${consumer} is ${evidence.mappingState}`,
      namesOf({ mappingId: evidence.mappingId }),
    );
  if (throttles >= THROTTLES_NOTED)
    add('throttled', 'wait', 'high', 0.9, `${consumer} was throttled ${throttles} times`, { throttles });

  const { waiting: undelivered = 0, failed = 0, sent = 0 } = evidence.undelivered ?? {};
  if (undelivered + failed + sent > 0)
    add(
      'broker-down',
      'fill-gaps',
      'high',
      0.8,
      `EventBridge gave up on ${count(Math.max(failed, sent), 'delivery', 'deliveries')} to ${consumer}; ${undelivered} wait in its queue of undelivered events`,
      { ...evidence.undelivered },
    );
  const { deadLetterQueueDepth = 0 } = evidence;
  if (deadLetterQueueDepth > 0)
    add(
      'dead-letters-waiting',
      'inspect',
      'high',
      0.8,
      `${count(deadLetterQueueDepth, 'message')} in the dead-letter queue of ${consumer}, which the intake has not taken`,
      { deadLetterQueueDepth },
    );

  const letters = evidence.deadLetters ?? [];
  const lettersCount = letters.reduce((sum, group) => sum + group.count, 0);
  const isStorm =
    lettersCount >= STORM_LETTERS || (errors >= ERRORS_NOTED && errors / Math.max(1, invocations) >= FAILING_SHARE);
  if (isStorm && !isDown) {
    const action: ProposedAction = lettersCount > 0 ? 'redrive' : 'resume';
    add(
      'consumer-failing',
      action,
      'critical',
      0.9,
      `${consumer} fails: ${count(errors, 'error')} in ${count(invocations, 'invocation')}, ${count(lettersCount, 'dead letter')}`,
      { groups: letters },
    );
  } else if (lettersCount > 0) {
    add(
      'poison-message',
      'redrive',
      'medium',
      1,
      `${count(lettersCount, 'dead letter')} of ${consumer} in ${count(letters.length, 'group')}`,
      { groups: letters },
    );
  }

  // A gap that another cause explains is filled after that cause is repaired; it is still said, as what to repair.
  if (gapEvents > 0)
    add(
      'delivery-lost',
      'fill-gaps',
      'high',
      1,
      `${count(gapEvents, 'event')} in ${count(gapStreams, 'stream')} of ${consumer} were never resolved and nothing will deliver them`,
      { gapEvents, gapStreams },
    );
  if (evidence.unknown)
    add('unknown', 'wait', 'low', 0.5, `nobody can say whether ${consumer} has gaps: the log itself is behind`);
  else if (evidence.unscanned)
    add('unknown', 'wait', 'low', 0.5, `nobody can say whether ${consumer} lags: no gap scan of it has ended`);
  if (evidence.backfillWaiting)
    add(
      'backfill-waiting',
      'replay',
      'medium',
      1,
      `${consumer} waits for the backfill of an event type that was added`,
    );

  const { oldestMessageSeconds = 0 } = evidence;
  // Down, throttled or failing: then that is why they wait.
  const isExplained = isDown || throttles >= THROTTLES_NOTED || isStorm;
  if (oldestMessageSeconds >= QUEUE_AGE_HIGH_SECONDS && !isExplained)
    add(
      'consumer-slow',
      'wait',
      'high',
      0.7,
      `the oldest message for ${consumer} waits ${oldestMessageSeconds} s: it is slower than what arrives`,
      { oldestMessageSeconds },
    );

  const waiting = (queue?.visible ?? 0) + (queue?.inFlight ?? 0);
  const stuck = lagEvents > 0 && waiting === 0 && gapEvents === 0 && lagSeconds >= LAG_STUCK_SECONDS;
  if (stuck && !isDown && !isRuleOff)
    add('behind', 'resume', 'medium', 0.8, `${consumer} is ${lagEvents} events behind and nothing is on its way`, {
      lagEvents,
      lagSeconds,
    });
  return found;
}

/** Longer than a visibility timeout of the default function (60 s) and its retry: what is on its way has arrived by then. */
const LAG_STUCK_SECONDS = 180;

/** What a command needs; nothing when AWS did not say. */
const namesOf = (names: Record<string, string | undefined>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined));
