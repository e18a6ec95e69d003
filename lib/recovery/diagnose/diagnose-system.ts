// What AWS says about relay, bus, tables and queues of last resort, as findings. Pure.

import type { Evidence, Finding } from './types.ts';
import { count, ERRORS_NOTED, isOff, seconds, THROTTLES_NOTED } from './words.ts';

/** DynamoDB streams forget after 24 hours (Developer Guide): a quarter of it is an emergency, a minute is normal. */
export const ITERATOR_AGE_HIGH_MS = 6 * 60 * 60_000;
export const ITERATOR_AGE_BEHIND_MS = 60_000;

export function relay({ relay }: Evidence): Finding[] {
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
  if (unsequencedCommits > 0) {
    found.push({
      ...base,
      id: 'relay-unsequenced',
      cause: 'unsequenced-commits',
      severity: 'high',
      confidence: 1,
      action: 'repair-relay',
      explanation: `${count(unsequencedCommits, 'commit')} not in the log`,
    });
  }
  // Each lies in the failures bucket and is relayed from there: what was not, is an unsequenced commit or a dead letter.
  if (failedBatches > 0) {
    found.push({
      ...base,
      id: 'relay-gave-up',
      cause: 'relay-failing',
      severity: 'high',
      confidence: 0.9,
      action: 'wait',
      explanation: `the relay gave up on ${count(failedBatches, 'batch', 'batches')}, which are repaired from the failures bucket`,
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
  } else if (errors >= ERRORS_NOTED && failedBatches === 0) {
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

export function tables({ tables }: Evidence): Finding[] {
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

export function bus({ bus }: Evidence): Finding[] {
  const { failedEntries = 0 } = bus ?? {};
  if (failedEntries === 0) return [];
  return [
    {
      id: 'bus-unreachable',
      cause: 'bus-unreachable',
      severity: 'high',
      confidence: 0.8,
      action: 'fill-gaps',
      explanation: `${count(failedEntries, 'entry', 'entries')} did not reach the bus at once: refused, or no answer in time`,
      facts: { failedEntries },
    },
  ];
}

/** Dead-letter queues of schedules and of our own functions: the intake keeps what it takes from them, and tells. */
export function lastStops({ deadLetterQueues = [] }: Evidence): Finding[] {
  const depth = deadLetterQueues.reduce((sum, queue) => sum + queue.depth, 0);
  if (depth === 0) return [];
  return [
    {
      id: 'dead-letters-waiting',
      cause: 'dead-letters-waiting',
      severity: 'high',
      confidence: 0.8,
      action: 'inspect',
      explanation: `${count(depth, 'message')} in dead-letter queues that the intake has not taken: ${deadLetterQueues.map(({ queue }) => queue).join(', ')}`,
      facts: { queues: deadLetterQueues.map(({ queue }) => queue) },
    },
  ];
}

/** No answer is not "well". */
export function unanswered({ unanswered = [] }: Evidence): Finding[] {
  if (unanswered.length === 0) return [];
  return [
    {
      id: 'unknown:aws',
      cause: 'unknown',
      severity: 'medium',
      confidence: 0.5,
      action: 'wait',
      explanation: `AWS did not answer about ${unanswered.slice(0, 5).join(', ')}${unanswered.length > 5 ? ` and ${unanswered.length - 5} more` : ''}: whether that is well is unknown`,
      facts: {},
    },
  ];
}
