// From evidence to findings, pure. Several problems at once give several findings, in the order in which they are safe to
// repair: first what is stored, then how it is sequenced, then how it is delivered, then the consumers, then dead letters.

import type { Cause, ConsumerEvidence, Evidence, Finding, ProposedAction } from './types.ts';

/** DynamoDB streams forget after 24 hours (Developer Guide): a quarter of it is an emergency, a minute is normal. */
export const ITERATOR_AGE_HIGH_MS = 6 * 60 * 60_000;
export const ITERATOR_AGE_BEHIND_MS = 60_000;
/** A share of failed invocations above which the function is failing as a whole, not on one event. */
const FAILING_SHARE = 0.5;
/** From this many groups of equal errors on, or from this share of streams, failures are the consumer's, not one event's. */
const STORM_LETTERS = 20;
const THROTTLES_NOTED = 10;
/** A killed or restarted process is no failing function. */
const ERRORS_NOTED = 5;

const RULES: readonly ((evidence: Evidence) => Finding[])[] = [integrity, relay, bus, tables, consumers];

/** Where each cause stands in a safe order of repair. */
const ORDER: readonly Cause[] = [
  'data-corruption',
  'truncated-stream',
  'checkpoint-beyond-head',
  'relay-down',
  'unsequenced-commits',
  'relay-behind',
  'relay-failing',
  'bus-unreachable',
  'broker-down',
  'consumer-down',
  'throttled',
  'consumer-failing',
  'delivery-lost',
  'behind',
  'poison-message',
  'backfill-waiting',
  'unknown',
];

/**
 * @example
 * const [first] = diagnose(evidence);
 * if (first) console.log(first.explanation, first.action);
 */
export function diagnose(evidence: Evidence): Finding[] {
  const findings = RULES.flatMap((rule) => rule(evidence));
  return findings.sort((a, b) => ORDER.indexOf(a.cause) - ORDER.indexOf(b.cause) || a.id.localeCompare(b.id));
}

function integrity({ integrity }: Evidence): Finding[] {
  const damaged = integrity?.damagedStreams ?? [];
  const streamsOf = (...kinds: string[]): string[] => [
    ...new Set(damaged.filter(({ kind }) => kinds.includes(kind)).map(({ streamId }) => streamId)),
  ];
  const finding = (cause: Cause, action: ProposedAction, streamIds: string[], what: string): Finding[] =>
    streamIds.length === 0
      ? []
      : [
          {
            id: `${cause}:${streamIds.join(',').slice(0, 200)}`,
            cause,
            severity: cause === 'unsequenced-commits' ? 'high' : 'critical',
            confidence: 1,
            action,
            explanation: `${count(streamIds.length, 'stream')} ${what}`,
            facts: { streamIds },
          },
        ];
  return [
    ...finding(
      'data-corruption',
      'restore',
      streamsOf('hash-mismatch', 'missing-commit', 'fork', 'rewritten-history', 'directory-mismatch'),
      'hold commits that are not what was appended, or are not known as far as they were sequenced',
    ),
    ...finding('truncated-stream', 'restore', streamsOf('truncated-stream'), 'end before what the log has sequenced'),
    ...finding(
      'checkpoint-beyond-head',
      'restore',
      streamsOf('checkpoint-beyond-head'),
      'end before what consumers have resolved',
    ),
    ...finding(
      'unsequenced-commits',
      'repair-relay',
      streamsOf('unsequenced-commit'),
      'hold commits that never reached the log',
    ),
  ];
}

function relay({ relay }: Evidence): Finding[] {
  if (relay === undefined) return [];
  const {
    iteratorAgeMs = 0,
    mappingState,
    errors = 0,
    throttles = 0,
    unsequencedCommits = 0,
    failedBatches = 0,
  } = relay;
  const base = { id: 'relay', facts: { ...relay } };
  if (isOff(mappingState)) {
    return [
      {
        ...base,
        id: 'relay-down',
        cause: 'relay-down',
        severity: 'critical',
        confidence: 1,
        action: 'enable-mapping',
        explanation: `the relay's event source mapping is ${mappingState}: nothing is sequenced or published`,
      },
    ];
  }
  const found: Finding[] = [];
  if (throttles >= THROTTLES_NOTED) {
    found.push({
      ...base,
      id: 'relay-throttled',
      cause: 'throttled',
      severity: 'high',
      confidence: 0.9,
      action: 'wait',
      explanation: `the relay was throttled ${throttles} times`,
    });
  }
  if (unsequencedCommits > 0 || failedBatches > 0) {
    found.push({
      ...base,
      id: 'relay-unsequenced',
      cause: 'unsequenced-commits',
      severity: 'high',
      confidence: 1,
      action: 'repair-relay',
      explanation: `${count(unsequencedCommits, 'commit')} not in the log, ${count(failedBatches, 'failed batch', 'failed batches')} of the relay`,
    });
  }
  if (iteratorAgeMs >= ITERATOR_AGE_BEHIND_MS) {
    const severity = iteratorAgeMs >= ITERATOR_AGE_HIGH_MS ? 'critical' : 'high';
    found.push({
      ...base,
      id: 'relay-behind',
      cause: 'relay-behind',
      severity,
      confidence: errors > 0 ? 0.9 : 0.7,
      action: errors > 0 ? 'escalate' : 'wait',
      explanation: `the relay is ${seconds(iteratorAgeMs)} behind the DynamoDB stream, with ${count(errors, 'error')}`,
    });
  } else if (errors >= ERRORS_NOTED) {
    found.push({
      ...base,
      id: 'relay-failing',
      cause: 'relay-failing',
      severity: 'medium',
      confidence: 0.7,
      action: 'wait',
      explanation: `the relay failed ${count(errors, 'time')} and has caught up`,
    });
  }
  return found;
}

function tables({ tables }: Evidence): Finding[] {
  const { throttles = 0 } = tables ?? {};
  if (throttles < THROTTLES_NOTED) return [];
  return [
    {
      id: 'tables-throttled',
      cause: 'throttled',
      severity: 'high',
      confidence: 0.9,
      action: 'wait',
      explanation: `DynamoDB refused ${count(throttles, 'request')} for want of capacity`,
      facts: { throttles },
    },
  ];
}

function bus({ bus }: Evidence): Finding[] {
  const { failedEntries = 0, undelivered = 0 } = bus ?? {};
  const base = { severity: 'high', confidence: 0.8, action: 'fill-gaps', facts: { ...bus } } as const;
  const found: Finding[] = [];
  if (failedEntries > 0) {
    found.push({
      ...base,
      id: 'bus-unreachable',
      cause: 'bus-unreachable',
      explanation: `${count(failedEntries, 'entry', 'entries')} did not reach the bus at once: refused, or no answer in time`,
    });
  }
  if (undelivered > 0) {
    found.push({
      ...base,
      id: 'bus-undelivered',
      cause: 'broker-down',
      explanation: `${count(undelivered, 'delivery', 'deliveries')} given up by the rules of the bus`,
    });
  }
  return found;
}

function consumers({ consumers }: Evidence): Finding[] {
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

const isOff = (state: string | undefined): boolean => state === 'Disabled' || state === 'Disabling';
const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;
